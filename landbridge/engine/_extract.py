"""Step 1, extract: what a system says changed goes into the inbox, with the cursor, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from landbridge import strict
from landbridge.connector import Connector, Page, Row
from landbridge.engine._parts import Parts
from landbridge.errors import Rejected
from landbridge.store import inbox, snapshots
from landbridge.store._inbox import Incoming

SHRINK = 0.8
"""A snapshot with less than this part of the last one's rows is taken for incomplete and refused whole."""


@dataclass(slots=True)
class Extracted:
    """Counts of one reading of a feed."""

    read: int = 0
    new: int = 0
    refused: str = ""


def extract(
    parts: Parts,
    system: str,
    entity: str,
    *,
    since: str | None = None,
    limit: int | None = None,
    page: Callable[[Extracted], None] | None = None,
) -> Extracted:
    """Read a feed from its cursor (or from `since`) until it is dry or `limit` rows are read.

    `page` is told the counts so far after every page; a snapshot is nothing before it is whole.
    """
    source = parts.systems[system]
    with parts.store.transaction("feed") as connection:
        feed_id, cursor = inbox.feed(connection, system, entity)
    if source.entity(entity).snapshot:
        return _Snapshot(parts, source, entity, feed_id).read()
    counts = Extracted()
    for one in ahead(source.read(entity, since or cursor, limit=limit)):
        incoming = [_incoming(parts, row) for row in one.rows]
        now = parts.clock.now()
        with parts.store.transaction("extract", wait=False) as connection:
            if not inbox.advance_cursor(connection, feed_id, cursor, one.cursor, now):
                break  # another reader has gone on from here: it brings these rows, or newer ones
            counts.new += receive(connection, feed_id, incoming, now)
        cursor = one.cursor
        counts.read += len(one.rows)
        if page is not None:
            page(counts)
        if limit is not None and counts.read >= limit:
            break
    return counts


def ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """The same pages, the next one being fetched while the present one is stored; never more than one ahead."""
    done = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="extract") as pool:
        coming = pool.submit(next, pages, done)
        while (page := coming.result()) is not done:
            coming = pool.submit(next, pages, done)
            yield page  # type: ignore[misc]  # anything but the mark of the end is a page


def receive(connection: Any, feed_id: int, incoming: Sequence[Incoming], now: Any) -> int:
    """Receive rows with a stamp by their fingerprint and rows without one by their last state; returns the new ones."""
    new = 0
    for stamped, run in groupby(incoming, lambda row: row.stamp is not None or row.action == "merge"):
        together = list(run)  # run by run, so that a page keeps its order
        if not stamped:
            new += inbox.receive_states(connection, feed_id, together, now)
        else:
            new += inbox.receive(connection, feed_id, together, now)
    return new


class Told(NamedTuple):
    """That a webhook told of a row: in which trace, and when."""

    trace: UUID
    at: datetime


def incoming_of(parts: Parts, rows: Sequence[Row], told: Sequence[Told | None] | None = None) -> list[Incoming]:
    """Rows as the inbox takes them; a webhook's rows go the same way as a page's, `told` beside each."""
    if told is None:
        return [_incoming(parts, row) for row in rows]
    return [_incoming(parts, row, one) for row, one in zip(rows, told, strict=True)]


def _incoming(parts: Parts, row: Row, told: Told | None = None) -> Incoming:
    digest = strict.json.digest(row.body) if row.body is not None else b""
    change = f"{row.scope}\x00{row.key}\x00{row.stamp}\x00{row.action}\x00{row.into}\x00".encode()
    return Incoming(
        key=row.key,
        body=row.body,
        fingerprint=blake2b(change + digest, digest_size=16).digest(),
        digest=digest,
        trace=parts.ids() if told is None else told.trace,
        action=row.action,
        scope=row.scope,
        stamp=row.stamp,
        version=row.version,
        into=row.into,
        told_at=None if told is None else told.at,
    )


class _Snapshot:
    """Reads scopes without a change field: staged page by page, then taken whole or refused whole."""

    def __init__(self, parts: Parts, source: Connector[Any], entity: str, feed_id: int) -> None:
        self.parts = parts
        self.source = source
        self.entity = entity
        self.feed_id = feed_id
        self.counts = Extracted()
        self.started: set[str] = set()
        self.open: dict[str, tuple[int, int | None]] = {}

    def read(self) -> Extracted:
        """Read every scope the connector offers."""
        for page in self.source.read(self.entity, None):
            self._stage(page)
            if page.complete:
                self._take(page.scope, page.total)
        for scope, (came, total) in self.open.items():
            told = total is not None and came < total
            self._refuse(scope, f"{came} of {total} records came" if told else "the last page did not come")
        return self.counts

    def _stage(self, page: Page) -> None:
        incoming = [_incoming(self.parts, row) for row in page.rows]
        with self.parts.store.transaction("stage") as connection:
            if page.scope not in self.started:
                snapshots.clear(connection, self.feed_id, page.scope)
                self.started.add(page.scope)
            snapshots.stage(connection, self.feed_id, page.scope, incoming)
        came, _ = self.open.get(page.scope, (0, None))
        self.open[page.scope] = came + len(page.rows), page.total
        self.counts.read += len(page.rows)

    def _take(self, scope: str, total: int | None) -> None:
        self.open.pop(scope, None)
        with self.parts.store.reading() as connection:
            staged, last = snapshots.counts(connection, self.feed_id, scope)
        if total is not None and staged != total:
            self._refuse(scope, f"{staged} of {total} records came")
        elif last is not None and staged < last * SHRINK:
            self._refuse(scope, f"{staged} records came, the last snapshot had {last}")
        else:
            self._settle(scope)

    def _settle(self, scope: str) -> None:
        now = self.parts.clock.now()
        with self.parts.store.transaction("snapshot") as connection:
            for absent in (False, True):
                read = snapshots.absent if absent else snapshots.changed
                after = ""
                while rows := read(connection, self.feed_id, scope, after, self.parts.batch):
                    after = rows[-1][0]
                    incoming = [self._row(scope, key, body, absent=absent) for key, _digest, body in rows]
                    self.counts.new += len(incoming)
                    inbox.insert(connection, self.feed_id, incoming, now)
            snapshots.settle(connection, self.feed_id, scope, now)

    def _row(self, scope: str, key: str, body: Any, *, absent: bool) -> Incoming:
        if absent:
            body = self.source.absent(self.entity, body)
        row = Row(key, body, scope=scope, action="upsert" if body is not None else "delete")
        return _incoming(self.parts, row)

    def _refuse(self, scope: str, why: str) -> None:
        with self.parts.store.transaction("refuse") as connection:
            snapshots.refuse(connection, self.feed_id, scope, why)
        self.counts.refused = str(
            Rejected(
                f"The snapshot of {self.source.name} {self.entity} {scope or '(all)'} was refused whole: {why}.",
                hint="Nothing of it was taken; the next complete one is. If the company really shrank that much, "
                "accept it with `landbridge snapshot accept`.",
            )
        )
