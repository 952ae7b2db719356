"""What the store knows of the demonstration's runs: counts per flow, progress, and the journey of one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from landbridge.installation import Installation
from landbridge.store import control, identity, live

_MOST_RUNS = 100_000
_WRITTEN = ("created", "updated", "deleted", "unchanged")


@dataclass(frozen=True, slots=True)
class Standing:
    """One flow at one moment: messages received, and those that still move."""

    received: int
    in_flight: int


def standing(installation: Installation) -> dict[str, Standing]:
    """Every flow's messages as they stand now."""
    found: dict[str, Standing] = {}
    with installation.store.reading() as connection:
        for row in control.accounting(connection):
            before = found.get(row.flow, Standing(0, 0))
            found[row.flow] = Standing(before.received + row.received, before.in_flight + row.in_flight)
    return found


def counts_since(installation: Installation, since: datetime) -> dict[str, Counter[str]]:
    """What became of messages since an instant, by flow, whoever moved them; and the `runs`, of which some `failed`.

    It is counted from the outbox: a worker tells its windows only when they are over.
    """
    found: dict[str, Counter[str]] = {}
    with installation.store.reading() as connection:
        for row in live.done_since(connection, since):
            word = row.code if row.code in _WRITTEN else row.state
            found.setdefault(row.flow, Counter())[word] += row.rows
        for run in control.runs(connection, _MOST_RUNS):
            if run.started_at >= since:
                counted = found.setdefault(run.flow, Counter())
                counted["windows" if run.trigger == "realtime" else "runs"] += 1
                counted["failed"] += run.state == "failed"
    return found


def attention(installation: Installation) -> list[Any]:
    """Everything that needs a person, with its reason."""
    with installation.store.reading() as connection:
        return control.attention(connection, ("dead", "quarantined", "conflict", "steward"))


def subjects(installation: Installation, entity: str, records: Iterable[str]) -> dict[str, str]:
    """By `system:id` the subject that the cross-reference has a record under; those unknown to it are missing."""
    keys = {
        identity.Key(system, entity, "", id_): record
        for record in records
        for system, _, id_ in [record.partition(":")]
    }
    with installation.store.reading() as connection:
        return {keys[key]: str(found.subject) for key, found in identity.lookup(connection, set(keys)).items()}


def journey(installation: Installation, system: str, entity: str, record: str) -> list[Any]:
    """Every message of a record, and what became of it on each route."""
    key = identity.Key(system, entity, "", record)
    with installation.store.reading() as connection:
        who = identity.lookup(connection, {key}).get(key)
        return control.journey(connection, who.subject) if who is not None else []
