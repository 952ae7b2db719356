"""What waits for a steward, ranked, and why the hub thinks so: a waterfall that sums to the weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log2
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.store import groups
from mdm.hub import Matching
from mdm.score import PRIOR, Scored, Step
from mdm.store import decisions, queue, reading

CONSIDERED = 500
"""Of the least certain so many are ranked by what hangs off them."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two golden records that may be one, by the pair of their records that speaks most for it."""

    a: UUID
    b: UUID
    weight: float
    golden: tuple[UUID, UUID]
    records: int
    pairs: int
    uses: int
    """Messages that refer to them: orders that would move."""
    again: str | None
    """The verdict that stood, where a compared field changed since."""
    since: datetime
    """When the hub began to ask."""

    @property
    def probability(self) -> float:
        """How likely both are one, by the model."""
        return probability(self.weight)

    @property
    def priority(self) -> float:
        """Uncertainty in bits, times what hangs off it: what is asked first."""
        p = min(max(self.probability, 1e-12), 1 - 1e-12)
        entropy = -(p * log2(p) + (1 - p) * log2(1 - p))
        return entropy * log2(1 + self.records + self.uses)


def probability(weight: float) -> float:
    """Odds in bits as a probability."""
    return 1 / (1 + 2.0**-weight) if weight > -1000 else 0.0


def doubts(connection: Connection, matching: Matching, most: int = 50, about: Sequence[UUID] = ()) -> list[Doubt]:
    """What waits for a steward, the most worth asking first; nothing that was decided and has not changed since."""
    declared = matching.declaration
    found = queue.doubts(connection, declared.entity, declared.thresholds.review, max(CONSIDERED, most), about)
    uses = groups.uses(connection, {id_ for one in found for id_ in (one.golden_a, one.golden_b, one.a, one.b)})
    ranked = [
        Doubt(
            one.a,
            one.b,
            one.weight,
            (one.golden_a, one.golden_b),
            one.records,
            one.pairs,
            sum(uses.get(id_, 0) for id_ in {one.a, one.b, one.golden_a, one.golden_b}),
            one.again,
            one.since,
        )
        for one in found
    ]
    return sorted(ranked, key=lambda one: (-one.priority, one.a, one.b))[:most]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records, as a steward looks at it."""

    record: queue.Record
    golden: reading.Stored | None
    members: tuple[UUID, ...]
    uses: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Why two records weigh what they weigh, and what was decided about them before."""

    a: Side
    b: Side
    scored: Scored
    apart: bool
    """Valid identifiers of one kind differ: they stay apart unless a person says that they are one."""
    steps: tuple[tuple[Step, Any, Any], ...]
    """Each step with what both records say there."""
    decided: tuple[decisions.Row, ...]

    @property
    def pattern(self) -> str:
        """How they agree, column by column: pairs with one pattern may be decided together."""
        levels = [f"{step.column}={step.level}" for step, _, _ in self.steps if step.column != PRIOR]
        return " ".join([*levels, *(["apart"] if self.apart else [])])


def explain(connection: Connection, matching: Matching, a: UUID, b: UUID) -> Waterfall | None:
    """The waterfall of two records; None where the hub does not know one of them."""
    known = queue.look(connection, [a, b])
    if a not in known or b not in known:
        return None
    one, two = known[a], known[b]
    scored = matching.scorer.score(one.features, two.features)
    assert isinstance(scored, Scored)
    golden = reading.stored(connection, {one.golden, two.golden})
    members = {id_: tuple(reading.members(connection, id_)) for id_ in {one.golden, two.golden}}
    uses = groups.uses(connection, {a, b})
    sides = [Side(r, golden.get(r.golden), members[r.golden], uses.get(r.id, 0)) for r in (one, two)]
    both = {a, b}
    decided = [row for row in decisions.about(connection, both) if both <= {*row.these, *row.those}]
    return Waterfall(
        sides[0],
        sides[1],
        scored,
        matching.scorer.apart(one.features, two.features),
        tuple((step, *_values(step, one.features, two.features)) for step in scored.steps),
        tuple(decided),
    )


def _values(step: Step, a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Any, Any]:
    column = step.column.removeprefix("(same ").removesuffix(")")
    return a.get(column), b.get(column)
