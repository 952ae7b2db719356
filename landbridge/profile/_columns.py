"""Statistics of native records, field by field, in constant memory however many records pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from landbridge.connector import Field as Declared
from landbridge.connector import Fields
from landbridge.profile._kinds import kind_of, shape_of

DISTINCT = 500
"""Different values that are counted apart; a field with more has `many` of them."""
CODES = 20
"""A field with at most so many different values, each seen twice on average, holds codes."""
_DEEPEST = 12


@dataclass(slots=True)
class Column:
    """One native path, such as `Items[].Price`, over all records (or elements) that could have held it."""

    path: str
    holders: int = 0
    filled: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    many: bool = False
    texts: bool = True  # no number, no true or false among its values
    shapes: Counter[str] = field(default_factory=Counter)
    shortest: int | None = None
    longest: int | None = None
    least: Any = None
    most: Any = None
    declared: Declared | None = None

    @property
    def rate(self) -> float:
        """The part of the holders in which it is filled, from 0 to 1."""
        return self.filled / self.holders if self.holders else 0.0

    @property
    def kind(self) -> str:
        """The kind of all its values; the wider one where two can be told as one, else `mixed`."""
        kinds = set(self.kinds) - {"null", "empty"}
        if kinds == {"integer", "decimal"}:
            return "decimal"
        if kinds and kinds <= {"integer", "decimal", "date", "instant", "text"} and len(kinds) > 1:
            return "text"
        return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "empty"

    @property
    def codes(self) -> bool:
        """Whether it looks like a code: few values, used again and again."""
        return not self.many and 0 < len(self.values) <= CODES and self.filled >= 2 * len(self.values)

    def take(self, value: Any) -> None:
        """Count one value."""
        kind = kind_of(value)
        self.kinds[kind] += 1
        if kind in ("null", "empty"):
            return
        self.filled += 1
        if kind in ("record", "list"):
            return
        text = str(value)
        self.texts = self.texts and isinstance(value, str)
        self.shortest = len(text) if self.shortest is None else min(self.shortest, len(text))
        self.longest = len(text) if self.longest is None else max(self.longest, len(text))
        _count(self.shapes, shape_of(value))
        self.many = not _count(self.values, text) or self.many
        if kind in ("integer", "decimal", "date", "instant"):
            self._span(Decimal(text) if kind in ("integer", "decimal") else text)

    def _span(self, value: Any) -> None:
        if self.least is None or type(self.least) is type(value):
            self.least = value if self.least is None else min(self.least, value)
            self.most = value if self.most is None else max(self.most, value)


@dataclass(slots=True)
class Profile:
    """The columns of an entity in the order in which records show them; `records` is how many were looked at."""

    system: str
    entity: str
    native: str
    records: int
    columns: dict[str, Column]


def profiled(system: str, entity: str, bodies: Iterable[Mapping[str, Any]], declared: Fields) -> Profile:
    """The profile of these bodies; fields that the product declares and no record fills are columns too."""
    columns: dict[str, Column] = {}
    held: Counter[str] = Counter()
    count = 0
    for body in bodies:
        count += 1
        for path, value in _walk(body, "", held):
            columns.setdefault(path, Column(path)).take(value)
    for name, known in declared.fields.items():
        column = columns.setdefault(name, Column(name))
        column.declared = known
    for path, column in columns.items():
        column.holders = held[path.rpartition("[].")[0] + "[]" if "[]." in path else ""] or count
    return Profile(system, entity, declared.native, count, columns)


def _walk(body: Mapping[str, Any], prefix: str, held: Counter[str], depth: int = 0) -> Iterator[tuple[str, Any]]:
    if prefix.endswith("[]") or not prefix:
        held[prefix] += 1
    for name, value in body.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        yield path, value
        if depth >= _DEEPEST:
            continue
        if isinstance(value, dict):
            yield from _walk(value, path, held, depth + 1)
        elif isinstance(value, list):
            for element in value:
                if isinstance(element, dict):
                    yield from _walk(element, f"{path}[]", held, depth + 1)


def _count(counter: Counter[str], text: str) -> bool:
    """Count a value where there is room for it; False if there is none."""
    if text in counter or len(counter) < DISTINCT:
        counter[text[:200]] += 1
        return True
    return False
