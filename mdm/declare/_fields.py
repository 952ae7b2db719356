"""What the paths of a declaration may name: the fields of a canonical entity, or the columns of a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from landbridge.canonical import Canonical, FieldInfo
from landbridge.strict import did_you_mean


class Unknown(Exception):
    """A path that is not there; its text is what to tell, `hint` what to do."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class Fields(Protocol):
    """Finds a path as people write it."""

    def path(self, written: str) -> str:
        """The path as it is spelled; raises Unknown with what is near."""

    def where(self, path: str, field: str, values: Iterable[str]) -> None:
        """Raises Unknown unless the elements of the path's list have the field, and it may have these values."""

    def personal(self, path: str) -> bool:
        """Whether its values may tell about a person."""

    def attribute(self, name: str) -> str:
        """The kind of a top-level field; raises Unknown."""


@dataclass(frozen=True, slots=True)
class CanonicalFields:
    """The fields of a canonical entity."""

    canonical: Canonical
    entity: str

    def path(self, written: str) -> str:
        """The path with its brackets."""
        fields = self._fields()
        bare = {name.replace("[]", ""): name for name in fields}
        asked = written.replace("[]", "")
        found = bare.get(asked)
        if found is None:
            steps = asked.split(".")
            for end in range(len(steps) - 1, 0, -1):
                above = bare.get(".".join(steps[:end]))
                if above is not None and fields[above].open and all(steps[end:]):
                    return f"{above}.{'.'.join(steps[end:])}"
            raise Unknown(f"'{written}' is no field of {self.entity}.", _nearest(asked, bare))
        info = fields[found]
        if info.type in ("record", "list"):
            below = [name for name in fields if name.startswith((f"{found}.", f"{found}[]."))]
            if below or info.type == "record":
                raise Unknown(f"'{written}' is a {info.type}, not a value.", _below(found, below))
            return f"{found}[]"
        return found

    def where(self, path: str, field: str, values: Iterable[str]) -> None:
        """A field beside the last one of the path, in the same element."""
        prefix = path.rpartition("[].")[0]
        if not prefix:
            raise Unknown(f"'{path}' stands in no list.", "`where` chooses among the elements of a list.")
        fields = self._fields()
        info = fields.get(f"{prefix}[].{field}")
        if info is None:
            beside = [name.rpartition("[].")[2] for name in fields if name.startswith(f"{prefix}[].")]
            hint = did_you_mean(field, beside) or f"Known: {', '.join(beside)}."
            raise Unknown(f"the elements of {prefix} have no '{field}'.", hint)
        for value in values:
            if info.words and value not in info.words:
                hint = did_you_mean(value, info.words) or f"Known: {', '.join(info.words)}."
                raise Unknown(f"{prefix}[].{field} is never '{value}'.", hint)

    def personal(self, path: str) -> bool:
        """As the schema says."""
        return self.canonical.is_personal(self.entity, path)

    def attribute(self, name: str) -> str:
        """The kind of a top-level field."""
        fields = self._fields()
        if name in fields and "." not in name:
            return fields[name].type
        top = [one for one in fields if "." not in one and "[]" not in one]
        if name.partition(".")[0].replace("[]", "") in top:
            raise Unknown(f"'{name}' is no top-level field.", f"Name '{name.partition('.')[0].replace('[]', '')}'.")
        raise Unknown(f"'{name}' is no field of {self.entity}.", did_you_mean(name, top) or f"Known: {', '.join(top)}.")

    def _fields(self) -> Mapping[str, FieldInfo]:
        return self.canonical.fields(self.entity)


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """The columns of CSV files; all of them count as personal."""

    names: tuple[str, ...]

    def path(self, written: str) -> str:
        """The column of that name."""
        if written in self.names:
            return written
        hint = did_you_mean(written, self.names) or f"Known: {', '.join(self.names)}."
        raise Unknown(f"'{written}' is no column of the records.", hint)

    def where(self, path: str, field: str, values: Iterable[str]) -> None:
        """Rows have no lists."""
        raise Unknown("a row has no lists to choose in.", "Remove `where`.")

    def personal(self, path: str) -> bool:
        """Nobody knows, so yes."""
        return True

    def attribute(self, name: str) -> str:
        """A column's kind is any."""
        self.path(name)
        return "any"


class AnyFields:
    """Nothing is known of the records: every path may be there."""

    def path(self, written: str) -> str:
        """As written."""
        return written

    def where(self, path: str, field: str, values: Iterable[str]) -> None:
        """Anything goes."""

    def personal(self, path: str) -> bool:
        """Nobody knows, so yes."""
        return True

    def attribute(self, name: str) -> str:
        """Any kind."""
        return "any"


def _nearest(asked: str, known: Mapping[str, str]) -> str:
    near = did_you_mean(asked, known)
    if near:
        return near
    above, _, last = asked.rpartition(".")
    beside = sorted({name[len(above) :].lstrip(".").partition(".")[0] for name in known if name.startswith(above)})
    return did_you_mean(last, beside) or f"Known: {', '.join(beside[:12])}{' …' if len(beside) > 12 else '.'}"


def _below(found: str, below: list[str]) -> str:
    if not below:
        return "Name a field in it."
    return f"Name a field in it, such as {below[0]}."
