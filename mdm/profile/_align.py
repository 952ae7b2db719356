"""Two files that call the same thing by different names: columns are brought together by what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mdm.profile._kinds import Kind, Seen

SHARED = 0.02
"""The share of different values that two columns must have in common, where their kinds alone do not decide."""
LOOKED_AT = 20_000
_ALIKE: tuple[frozenset[Kind], ...] = (
    frozenset({"company", "person", "text", "title", "place"}),
    frozenset({"title", "text", "description"}),
    frozenset({"street", "text", "place"}),
    frozenset({"place", "category"}),
    frozenset({"code", "house number", "postal code", "vat", "uscc"}),
    frozenset({"phone", "code"}),
    frozenset({"number", "house number"}),
    frozenset({"year", "number", "postal code", "code", "date"}),
)
"""Kinds that one thing may be taken for in two files."""


class Pair(NamedTuple):
    """Two columns that hold the same, the first file's first."""

    first: str
    second: str


def align(first: Sequence[Seen], second: Sequence[Seen], values: Mapping[str, Sequence[str]]) -> tuple[Pair, ...]:
    """Columns of two files that belong together, each at most once; `values` are those of every column."""
    useful = [[one for one in side if one.kind not in ("empty", "row number", "constant")] for side in (first, second)]
    distinct = {one.name: _distinct(values[one.name]) for side in useful for one in side}
    scored = []
    for one in useful[0]:
        for two in useful[1]:
            shared = _shared(distinct[one.name], distinct[two.name])
            alike = one.kind == two.kind or any({one.kind, two.kind} <= group for group in _ALIKE)
            alone = one.kind == two.kind and all(sum(x.kind == one.kind for x in side) == 1 for side in useful)
            if alike and (shared >= SHARED or alone):
                scored.append((shared + (one.kind == two.kind) * 0.1, one.name, two.name))
    found: list[Pair] = []
    for _, one_name, two_name in sorted(scored, key=lambda row: (-row[0], row[1], row[2])):
        if all(one_name != pair.first and two_name != pair.second for pair in found):
            found.append(Pair(one_name, two_name))
    return tuple(found)


def _distinct(values: Sequence[str]) -> set[str]:
    return {"".join(sign for sign in value.casefold() if sign.isalnum()) for value in values[:LOOKED_AT]} - {""}


def _shared(one: set[str], two: set[str]) -> float:
    return len(one & two) / min(len(one), len(two)) if one and two else 0.0
