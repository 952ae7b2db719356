"""Columns: canonical paths that a rule looks at, and the rows they make of one body.

A path that leads through a list makes a row per element: `lines[].price.amount` is looked at line by line. The lists on
the way are the column's grain; a rule's rows are those of its finest column, and a column with a coarser grain has the
same value in all of them. `sum(path)` and `count(path)` make one number per body of what stands in its lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from landbridge.canonical import Canonical, FieldInfo
from landbridge.quality._cells import KINDS, UNFIT, Kind, number, raw, reference, typed
from landbridge.strict import did_you_mean

Scopes = tuple[Any, ...]
"""The records that a row stands in: the body, then the element of each list on the way."""

_CALL = re.compile(r"(sum|count)\(([^()]+)\)")


class UnknownColumn(Exception):
    """A path that the entity does not have; its text is what to tell, `hint` what to do."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `path` as people read it, `grain` the lists it goes through, `names` the way from its element."""

    path: str
    grain: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    type: str
    personal: bool = False
    max_length: int | None = None
    call: str = ""  # sum or count
    inner: Column | None = None  # what is summed or counted

    @property
    def kind(self) -> Kind | None:
        """How its values compare; None for records and lists."""
        return KINDS.get(self.type)

    def raw_of(self, scopes: Scopes) -> Any:
        """The value as it stands in the body, references as one text."""
        value = self.value(scopes)
        return reference(value) if self.type == "reference" else raw(value)

    def typed_of(self, scopes: Scopes) -> Any:
        """The value as it compares."""
        if self.type == "reference":
            return reference(self.value(scopes))
        return typed(self.value(scopes), self.kind) if self.kind else self.raw_of(scopes)

    def value(self, scopes: Scopes) -> Any:
        """What stands there; None where it is missing or null."""
        if self.inner is not None:
            return _aggregate(self.call, self.inner, scopes[0])
        found = scopes[len(self.grain)]
        for name in self.names:
            if type(found) is not dict:
                return None
            found = found.get(name)
        return found


def _aggregate(call: str, inner: Column, body: Any) -> Any:
    values = [inner.value(scopes) for _, scopes in rows(body, inner.grain)]
    if call == "count":
        return sum(value is not None for value in values)
    numbers = [number(value) for value in values if value is not None]
    if UNFIT in numbers:
        return UNFIT
    return sum(numbers, Decimal(0)) if numbers else None


def rows(body: Any, grain: tuple[tuple[str, ...], ...]) -> Iterator[tuple[tuple[int, ...], Scopes]]:
    """Each row of a body: the position in every list on the way, and the records it stands in."""
    if not grain:
        yield (), (body,)
        return
    if len(grain) == 1:  # the lines of a document: the case that must be quick
        found = body
        for name in grain[0]:
            found = found.get(name) if type(found) is dict else None
        if type(found) is list:
            for position, element in enumerate(found):
                yield (position,), (body, element)
        return
    for positions, scopes in rows(body, grain[:-1]):
        found = scopes[-1]
        for name in grain[-1]:
            found = found.get(name) if type(found) is dict else None
        if type(found) is list:
            for position, element in enumerate(found):
                yield (*positions, position), (*scopes, element)


def place(column: Column, positions: tuple[int, ...]) -> str:
    """Where the value of a row stands: `lines[2].price.amount`."""
    if column.inner is not None:
        return column.path
    parts = [f"{'.'.join(names)}[{at}]" for names, at in zip(column.grain, positions, strict=False)]
    return ".".join((*parts, *column.names))


@dataclass(frozen=True)
class Columns:
    """The columns of an entity, found by the paths that people write."""

    entity: str
    fields: Mapping[str, FieldInfo]
    personal: Callable[[str], bool]

    @classmethod
    def of(cls, canonical: Canonical, entity: str) -> Columns:
        """The columns of a canonical entity."""
        return cls(entity, canonical.fields(entity), lambda path: canonical.is_personal(entity, path))

    def find(self, written: str) -> Column:
        """The column of a path, with or without its brackets; UnknownColumn with the nearest one."""
        called = _CALL.fullmatch(written)
        if called is None:
            return self._plain(written)
        inner = self._plain(called[2])
        if not inner.grain:
            hint = "It is for what stands in a list, such as sum(lines[].net.amount)."
            raise UnknownColumn(f"{called[1]}({called[2]}): there is one {called[2]} only.", hint)
        if called[1] == "sum" and inner.kind != "number":
            raise UnknownColumn(f"sum({called[2]}): {inner.path} is no number.", "Count it, or sum another path.")
        return Column(f"{called[1]}({inner.path})", (), (), "decimal", call=called[1], inner=inner)

    def _plain(self, written: str) -> Column:
        bare = written.replace("[]", "")
        known = {path.replace("[]", ""): path for path in self.fields}
        steps = bare.split(".")
        path, beyond = known.get(bare), ""
        if path is None:  # below a record that takes any key, such as `extensions`
            for end in range(len(steps) - 1, 0, -1):
                above = known.get(".".join(steps[:end]))
                if above is not None and self.fields[above].open:
                    path, beyond = above, ".".join(steps[end:])
                    break
        if path is None or not all(steps):
            raise UnknownColumn(f"'{written}' is no field of {self.entity}.", self._nearest(bare, known))
        info = self.fields[path]
        kind = "any" if beyond else "reference" if self._is_reference(path) else info.type
        whole = f"{path}.{beyond}" if beyond else path
        if info.type == "list" and written.endswith("[]"):
            whole, kind = f"{whole}[]", "any"  # its elements
        *lists, last = whole.split("[].") if not whole.endswith("[]") else (*whole[:-2].split("[]."), "")
        return Column(
            whole,
            tuple(tuple(one.split(".")) for one in lists),
            tuple(last.split(".")) if last else (),
            kind,
            self.personal(path),
            info.max_length,
        )

    def _is_reference(self, path: str) -> bool:
        return f"{path}.subject" in self.fields and f"{path}.id" in self.fields

    def _nearest(self, bare: str, known: Mapping[str, str]) -> str:
        near = did_you_mean(bare, known)
        if near:
            return near
        above, _, last = bare.rpartition(".")
        beside = sorted({name[len(above) :].lstrip(".").partition(".")[0] for name in known if name.startswith(above)})
        return did_you_mean(last, beside) or f"Known: {', '.join(beside[:12])}{' …' if len(beside) > 12 else '.'}"
