"""The links of a survivorship chain: each keeps the best of the candidates by one rule, or all where it cannot tell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from mdm.declaration import Declaration, Features, Rule
from mdm.survive._values import alike, filled, length

_DAY = 86_400.0


class Candidate(Protocol):
    """What a rule may look at: never when a record arrived."""

    @property
    def system(self) -> str: ...
    @property
    def stamp(self) -> datetime: ...
    @property
    def sequence(self) -> int: ...
    @property
    def body(self) -> Mapping[str, Any]: ...
    @property
    def features(self) -> Features: ...


Weighs = Callable[[Rule, Sequence[Any], Sequence[str], Declaration], list[Any]]


_C = TypeVar("_C", bound=Candidate)


def narrowed(rule: Rule, candidates: Sequence[_C], attributes: Sequence[str], declaration: Declaration) -> list[_C]:
    """Those of the candidates that this rule prefers; never none of them."""
    weights = _WEIGHS[rule.kind](rule, candidates, attributes, declaration)
    best = max(weights)
    return [one for one, weight in zip(candidates, weights, strict=True) if weight == best]


def _valid(_rule: Rule, candidates: Sequence[Candidate], attributes: Sequence[str], declared: Declaration) -> list[Any]:
    """Whether the hub could use the value: right check digits, a right format, no placeholder."""
    columns = columns_of(declared, attributes)
    return [not columns or any(one.features.get(name) is not None for name in columns) for one in candidates]


def columns_of(declared: Declaration, attributes: Sequence[str]) -> list[str]:
    """The compared columns that read these attributes."""
    return [
        column.name
        for column in declared.columns
        if any(path.split(".")[0].removesuffix("[]") in attributes for path in column.paths)
    ]


def _rank(rule: Rule, system: str) -> int:
    return rule.systems.index(system) if system in rule.systems else len(rule.systems)


def _priority(rule: Rule, candidates: Sequence[Candidate], _a: Sequence[str], _d: Declaration) -> list[Any]:
    return [-_rank(rule, one.system) for one in candidates]


def _recent(rule: Rule, candidates: Sequence[Candidate], _a: Sequence[str], _d: Declaration) -> list[Any]:
    if rule.half_life_days is None:
        return [(one.stamp, one.sequence) for one in candidates]
    newest = max(one.stamp for one in candidates)
    return [
        -math.log2(1 + _rank(rule, one.system))
        - (newest - one.stamp).total_seconds() / _DAY / rule.half_life_days
        for one in candidates
    ]  # fmt: skip


def _complete(_r: Rule, candidates: Sequence[Candidate], attributes: Sequence[str], _d: Declaration) -> list[Any]:
    return [sum(filled(one.body.get(name)) for name in attributes) for one in candidates]


def _longest(_r: Rule, candidates: Sequence[Candidate], attributes: Sequence[str], _d: Declaration) -> list[Any]:
    return [sum(length(one.body[name]) for name in attributes if name in one.body) for one in candidates]


def _majority(rule: Rule, candidates: Sequence[Candidate], attributes: Sequence[str], _d: Declaration) -> list[Any]:
    """Votes for the same value; where systems are named, the more trusted weigh more (1, 1/2, 1/3, …)."""
    said = [alike([one.body.get(name) for name in attributes]) for one in candidates]
    votes: Counter[bytes] = Counter()
    lowest = math.lcm(*range(1, len(rule.systems) + 2))
    for one, what in zip(candidates, said, strict=True):
        votes[what] += lowest // (1 + _rank(rule, one.system))
    return [votes[what] for what in said]


_WEIGHS: dict[str, Weighs] = {
    "valid": _valid,
    "priority": _priority,
    "recent": _recent,
    "complete": _complete,
    "longest": _longest,
    "majority": _majority,
}
