"""Retention: months that are older than the settings say leave the store, and the months ahead are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.store import control, ensure_partitions, groups, hooks, operate, quality

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from landbridge.engine import Hub
    from landbridge.settings._installation import Retention
    from landbridge.store import Store

_BY_ROW = ("receipt", "run")
"""Tables that are trimmed by row; the others go by month."""


@dataclass(slots=True)
class Retired:
    """What one pass did: partitions dropped, kept (and why) and created, and rows removed per table."""

    dropped: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def retire(
    store: Store, retention: Retention, now: datetime, state: Path | None = None, hub: Hub | None = None
) -> Retired:
    """Drop what is older than the retention of its table; one transaction per table, so that locks are brief.

    A message leaves with its envelope: the settled outbox rows of a month go when the inbox of that month goes, so
    that the accounting holds before and after. The results of the quality gate go with the runs, and their pages with
    them, which stand below `state`. What a hub forgets is a version's content; that it was there stays.
    """
    done = Retired()
    with store.transaction("partitions") as connection:
        done.created = ensure_partitions(connection, now)
    for table, kept in retention.by_table.items():
        with store.transaction("retention") as connection:
            if table in _BY_ROW:
                control.drop_older(connection, table, now - kept)
            else:
                _retire(connection, table, now - kept, done)
    with store.transaction("retention") as connection:
        hooks.forget_older(connection, now - retention.ids)
        groups.forget_references(connection, now - retention.by_table["inbox"])
    with store.transaction("retention") as connection:
        pages = quality.drop_older(connection, now - retention.runs)
    if hub is not None and retention.hub is not None:
        for entity in sorted(hub.entities):
            with store.transaction("retention") as connection:
                forgotten = hub.retire(connection, entity, now - retention.hub)
            done.rows["hub"] = done.rows.get("hub", 0) + forgotten
    for page in pages:
        if state is not None:
            (state / page).unlink(missing_ok=True)
    return done


def _retire(connection: Connection, table: str, before: datetime, done: Retired) -> None:
    for name in operate.partitions(connection, table):
        low, high = _month(name)
        if high > before:
            continue
        if table != "history" and operate.needed(connection, table, low, high):
            done.kept[name] = "something of that month is in flight or needs a person"
            continue
        operate.drop_partition(connection, name)
        done.dropped.append(name)
        if table == "inbox":
            removed = operate.drop_rows(connection, low, high)
            done.rows["outbox"] = done.rows.get("outbox", 0) + removed


def _month(partition: str) -> tuple[datetime, datetime]:
    year, month = int(partition[-7:-3]), int(partition[-2:])
    low = datetime(year, month, 1, tzinfo=UTC)
    return low, low.replace(year=year + month // 12, month=month % 12 + 1)
