"""Figures of stewardship for monitoring and for people: how much waits and how long, and what should be known."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from mdm.publish import EngineHub
from mdm.steward._notices import counts
from mdm.store import figures

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from landbridge.metrics import Sample

DAY = timedelta(days=1)
SHARE = 20
"""Counting takes at most one part in so many of the time, however often somebody asks and whatever changes."""

METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "landbridge_hub_records": ("Records that the hub keeps.", ("entity",)),
    "landbridge_hub_golden_records": ("Golden records that they make.", ("entity",)),
    "landbridge_hub_doubts": ("Golden records that may be one and wait for a steward, by kind.", ("entity", "kind")),
    "landbridge_hub_oldest_doubt_seconds": ("How long the oldest of them has been asked; 0: none.", ("entity",)),
    "landbridge_hub_decisions_last_day": ("Decisions of the last day by what they said.", ("entity", "verdict")),
    "landbridge_hub_decision_seconds": (
        "How long what was decided in the last 30 days had waited: half of it, and 95 of 100.", ("entity", "quantile"),
    ),
    "landbridge_hub_notices": ("What a steward should know and has not dismissed, by kind.", ("entity", "kind")),
    "landbridge_hub_crowded_records": ("Records in components beyond the guard, left apart.", ("entity",)),
}  # fmt: skip
"""Every metric of the hub: what it says, and its labels."""

KINDS = ("review", "kept_apart", "again")
"""Of doubts: their weight asks; it would link and something forbids it; they were decided and changed since."""


@dataclass(frozen=True, slots=True)
class Status:
    """Stewardship of one entity at a glance."""

    entity: str
    records: int
    golden: int
    doubts: Mapping[str, int]
    """By kind."""
    oldest: datetime | None
    """Since when the oldest doubt is asked."""
    decided: Mapping[str, int]
    """Of the last day, by verdict."""
    answered: figures.Answered | None
    """How long what was decided in the last 30 days had waited."""
    notices: Mapping[str, int]
    """By kind; what was dismissed is left out."""
    crowded: int


@dataclass(slots=True)
class _Counted:
    """What was counted, of which state of the hub, when, and how long it took."""

    states: Mapping[str, datetime]
    sizes: Mapping[str, figures.Size]
    waiting: Sequence[figures.Waiting]
    at: float
    took: float


@dataclass(slots=True)
class Figures:
    """The hub's metrics. What reads every edge is counted again only when something changed, and not all the time."""

    hub: EngineHub
    metrics: ClassVar[Mapping[str, tuple[str, tuple[str, ...]]]] = METRICS
    _held: _Counted | None = field(default=None, init=False)

    def samples(self, connection: Connection, now: datetime) -> Iterator[Sample]:
        """Every metric of every declared entity."""
        for one in self.status(connection, now):
            entity = one.entity
            yield "landbridge_hub_records", (entity,), one.records
            yield "landbridge_hub_golden_records", (entity,), one.golden
            for kind in KINDS:
                yield "landbridge_hub_doubts", (entity, kind), one.doubts.get(kind, 0)
            age = max(0.0, (now - one.oldest).total_seconds()) if one.oldest else 0.0
            yield "landbridge_hub_oldest_doubt_seconds", (entity,), age
            for verdict, number in one.decided.items():
                yield "landbridge_hub_decisions_last_day", (entity, verdict), number
            if one.answered is not None:
                yield "landbridge_hub_decision_seconds", (entity, "0.5"), one.answered.half
                yield "landbridge_hub_decision_seconds", (entity, "0.95"), one.answered.most
            for kind, number in one.notices.items():
                yield "landbridge_hub_notices", (entity, kind), number
            yield "landbridge_hub_crowded_records", (entity,), one.crowded

    def status(self, connection: Connection, now: datetime) -> list[Status]:
        """Every declared entity at a glance."""
        counted = self._counted(connection)
        return [self._status(connection, entity, counted, now) for entity in sorted(self.hub.entities)]

    def _status(self, connection: Connection, entity: str, counted: _Counted, now: datetime) -> Status:
        size = counted.sizes.get(entity)
        waiting = [one for one in counted.waiting if one.entity == entity]
        return Status(
            entity,
            size.records if size else 0,
            size.golden if size else 0,
            {one.kind: one.pairs for one in waiting},
            min((one.since for one in waiting), default=None),
            figures.decided(connection, entity, now - DAY),
            figures.answered(connection, entity, now),
            counts(connection, entity),
            figures.crowded(connection, entity),
        )

    def _counted(self, connection: Connection) -> _Counted:
        states, held = figures.states(connection), self._held
        begun = time.monotonic()
        if held is not None and (held.states == states or begun - held.at < SHARE * held.took):
            return held
        declared = self.hub.declarations
        thresholds = {name: (one.thresholds.review, one.thresholds.auto) for name, one in declared.items()}
        sizes = {one.entity: one for one in figures.sizes(connection)}
        waiting = figures.waiting(connection, thresholds)
        ended = time.monotonic()
        self._held = _Counted(states, sizes, waiting, ended, ended - begun)
        return self._held
