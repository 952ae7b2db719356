"""The rows that rules look at, chunk by chunk, as columns of a data frame: the cells that the compiled rules see.

Rules that look at the same rows the same way share a frame. Rules across the whole batch have frames of their own,
which hold nothing but their columns until the last chunk is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from landbridge.quality import PER_BATCH, UNFIT, Column, Rule, Rules, Scopes, conditions, rows

if TYPE_CHECKING:
    import pandas as pd

WORD = "\0"
"""Stands for a value that is no text where only texts are read: it is there, and no format reads it."""

Owner = tuple[int, str, tuple[int, ...]]
"""Whose row it is: message, its source key, and the position in every list on the way."""


class Exact(Decimal):
    """A decimal that compares with a bound as it was written: great-expectations holds bounds as floating point."""

    __slots__ = ()

    def __lt__(self, other: Any) -> bool:
        return Decimal.__lt__(self, _written(other))

    def __le__(self, other: Any) -> bool:
        return Decimal.__le__(self, _written(other))

    def __gt__(self, other: Any) -> bool:
        return Decimal.__gt__(self, _written(other))

    def __ge__(self, other: Any) -> bool:
        return Decimal.__ge__(self, _written(other))


def _written(other: Any) -> Any:
    return Decimal(repr(other)) if type(other) is float else other


@dataclass(slots=True)
class Frame:
    """The rows of some rules; `whole` until the batch is whole."""

    rules: tuple[Rule, ...]
    columns: dict[str, tuple[Column, str]]  # by the name it has in the frame
    whole: bool
    owners: list[Owner] = field(default_factory=list)
    cells: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, id_: int, key: str, body: dict[str, Any]) -> None:
        """The rows of one message."""
        first = self.rules[0]
        holds = conditions(first) if first.when else None
        for positions, scopes in rows(body, first.grain):
            if holds is not None and not holds(scopes):
                continue
            self.owners.append((id_, key, positions))
            for name, (column, how) in self.columns.items():
                self.cells.setdefault(name, []).append(cell(column, how, scopes))

    def values(self, rule: Rule, at: int) -> list[Any]:
        """The values of a rule's columns in one row."""
        return [self.cells[column.path][at] for column in rule.columns]

    def table(self) -> pd.DataFrame:
        """The rows as pandas has them, every value the object it is."""
        import pandas as pd

        names = list(self.columns) or [""]
        height = len(self.owners)
        return pd.DataFrame(
            {name: pd.Series(self.cells.get(name, [None] * height), dtype=object) for name in names},
            index=range(height),
        )

    def clear(self) -> None:
        """Forget the rows."""
        self.owners.clear()
        self.cells.clear()


def cell(column: Column, how: str, scopes: Scopes) -> Any:
    """One value of a frame."""
    if how == "typed":
        value = column.typed_of(scopes)
        return Exact(value) if isinstance(value, Decimal) else value
    value = column.raw_of(scopes)
    if how == "word" and value is not None and type(value) is not str:
        return WORD
    return value


def frames(rules: Rules) -> list[Frame]:
    """The fewest frames that serve every rule of a file."""
    groups: dict[Any, list[Rule]] = {}
    for rule in rules.rules:
        groups.setdefault(_group(rule), []).append(rule)
    found = []
    for group, members in groups.items():
        how, whole = group[1], group[3]
        columns = {column.path: (column, how) for rule in members for column in rule.columns}
        found.append(Frame(tuple(members), columns, whole))
    return found


def _group(rule: Rule) -> tuple[Any, ...]:
    when = tuple((column.path, tuple(sorted(map(repr, values)))) for column, values in rule.when)
    whole = isinstance(rule.expectation, PER_BATCH) or bool(rule.known)
    return (rule.grain, how_of(rule), when, whole, rule.id if rule.known else "")


def how_of(rule: Rule) -> str:
    """How a rule's values are shown to great-expectations: as they mean, as they stand, or texts alone."""
    if rule.type == "expect_column_values_to_match_strftime_format":
        return "word"
    return "typed" if rule.typed else "raw"


def shown(values: Iterable[Any], *, personal: bool) -> list[Any]:
    """Values as a page may show them: personal ones are masked, and everything is short."""
    told: list[Any] = []
    for value in values:
        if value is None:
            told.append(None)
        elif personal:
            told.append("***")
        else:
            told.append(str(UNFIT) if value is UNFIT else value if type(value) is bool else _short(value))
    return told


def _short(value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def keys_of(owners: Sequence[Owner], most: int) -> tuple[str, ...]:
    """The keys of the records that own rows, each once."""
    return tuple(list(dict.fromkeys(key for _, key, _ in owners))[:most])
