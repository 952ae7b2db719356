"""What a steward should know, and what of it was dismissed: that comes back once it says something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from mdm.store import notices, reading

GROWN = 2
"""A crowd or a hot key that was dismissed is told again once it has so many times the records."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that a steward should know."""

    kind: str
    about: str
    """The record, decision, key or golden record that it is about."""
    detail: Mapping[str, Any]
    since: datetime | None
    names: tuple[UUID, ...]
    """Records to name in it."""
    dismissal: notices.Dismissal | None = None
    """By which it is not told at present."""

    @property
    def id(self) -> str:
        """What it is dismissed by."""
        return f"{self.kind}:{self.about}"


def noticed(connection: Connection, entity: str, auto: float) -> list[Noticed]:
    """Everything, with what was dismissed: moved pins, reused ids, silent records, hot keys, crowds, circles."""
    found = [
        Noticed(one.kind, str(one.about), one.detail, one.since, (one.about,))
        for one in reading.notices(connection, entity)
    ]
    found += [
        Noticed("hot_key", str(one.key), {"records": one.records}, one.since, tuple(one.examples))
        for one in reading.hot(connection, entity)
    ]
    found += [
        Noticed("crowd", str(one.record), {"records": one.records}, None, (one.record,))
        for one in reading.crowds(connection, entity, auto)
    ]
    found += [
        Noticed("circle", str(way[0]), {"way": [str(id_) for id_ in way]}, None, tuple(way))
        for way in reading.circles(connection, entity)
    ]
    standing: dict[tuple[str, str], list[notices.Dismissal]] = {}
    for row in notices.dismissed(connection, entity):
        standing.setdefault((row.kind, row.about), []).append(row)
    return [_told(one, standing.get((one.kind, one.about), ())) for one in found]


def _told(one: Noticed, rows: Any) -> Noticed:
    for row in rows:
        if holds(one.kind, row.detail, one.detail):
            return Noticed(one.kind, one.about, one.detail, one.since, one.names, row)
    return one


def counts(connection: Connection, entity: str) -> dict[str, int]:
    """How many kept notices of each kind are not dismissed; crowds and circles are not kept."""
    found = Counter(notices.kept(connection, entity))
    hidden = {(t.kind, t.about) for t in notices.compared(connection, entity) if holds(t.kind, t.then, t.now)}
    found.subtract(kind for kind, _ in hidden)
    return dict(found)


def holds(kind: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a notice still says what it said when it was dismissed."""
    if kind in ("hot_key", "crowd"):
        return bool(now["records"] < GROWN * then["records"])
    moves = {"golden"}  # where a pinned record belongs is not what the notice is about
    return {k: v for k, v in then.items() if k not in moves} == {k: v for k, v in now.items() if k not in moves}
