"""Group commit: what many requests brought becomes durable in one transaction, and then each is answered."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, Queue
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.connector import Event, Row
from landbridge.engine import Parts, Told, incoming_of, receive
from landbridge.store import away, hooks, inbox
from landbridge.telemetry import Outage

LONGEST = 500
"""Most requests of one transaction."""
WAITING = 2_000
"""Most requests that wait for the store; more are told to come back."""

_log = logging.getLogger("landbridge.webhook")


@dataclass(slots=True)
class Delivery:
    """The events of one request, by system; `id` is what its sender signed as its id, `traces` go with the events."""

    system: str
    events: Sequence[Event]
    at: datetime
    traces: Sequence[UUID]
    id: str | None = None
    kept: asyncio.Future[int] | None = field(repr=False, default=None)  # set when it is handed in


class Busy(Exception):
    """More wait already than can be kept soon."""


class Committer:
    """One thread that keeps deliveries; `keep` returns once they are durable."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._queue: Queue[Delivery | None] = Queue(WAITING)
        self._feeds: dict[tuple[str, str], int] = {}
        self._outage = Outage("the store", _log)
        self._thread = threading.Thread(target=self._run, name="webhook-commit", daemon=True)
        self._thread.start()

    async def keep(self, delivery: Delivery) -> int:
        """How many of its events were new, after the commit that holds them; raises what the store raised."""
        delivery.kept = asyncio.get_running_loop().create_future()
        if self._queue.qsize() >= WAITING - 1:
            raise Busy
        self._queue.put_nowait(delivery)
        return await delivery.kept

    def close(self) -> None:
        """Keep what waits, then end."""
        self._queue.put(None)
        self._thread.join(30)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, last = [first], False
            while len(group) < LONGEST:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                if following is None:
                    last = True
                    break
                group.append(following)
            self._commit(group)
            if last:
                return

    def _commit(self, group: list[Delivery]) -> None:
        try:
            with self._parts.store.transaction("webhook") as connection:
                new = self._take(connection, group)
        except Exception as error:  # noqa: BLE001 - whatever the store raises goes to who waits for it
            self._feeds.clear()  # what this transaction found out went with it
            if len(group) > 1 and hooks.refuses(error):  # one of them: the others shall not suffer
                for one in group:
                    self._commit([one])
                return
            if (why := away(error)) is not None:
                self._outage.away(why)
            else:
                _log.error("%d webhooks could not be kept: %s", len(group), type(error).__name__)
            for one in group:  # a store that is out of order is not asked for each of them anew
                _answer(one, error)
            return
        self._outage.back()
        for delivery, count in zip(group, new, strict=True):
            _answer(delivery, count)

    def _take(self, connection: Connection, group: list[Delivery]) -> list[int]:
        now = self._parts.clock.now()
        fresh = self._never_seen(connection, group, now)
        told: dict[int, list[Any]] = {}
        rows: dict[int, list[tuple[Row, Told]]] = {}
        new = [0] * len(group)
        for place, (delivery, events) in enumerate(zip(group, fresh, strict=True)):
            for event, trace in events:
                feed = self._feed(connection, delivery.system, event.entity)
                if event.key_only:
                    told.setdefault(feed, []).append((event.scope, event.key, trace, delivery.at))
                else:
                    rows.setdefault(feed, []).append((_row(event), Told(trace, delivery.at)))
                new[place] += 1
        for feed, keys in told.items():
            hooks.tell(connection, feed, keys)
        for feed, found in rows.items():
            incoming = incoming_of(self._parts, [row for row, _ in found], [one for _, one in found])
            receive(connection, feed, incoming, now)
        if told or rows:
            hooks.notify(connection, rows, told)
        return new

    def _never_seen(self, connection: Connection, group: list[Delivery], now: Any) -> list[list[tuple[Event, UUID]]]:
        """The events of each delivery, with their traces, without those whose id, or whose delivery's, came before."""
        ids: list[list[tuple[str, str] | None]] = []
        for delivery in group:
            whole = (delivery.system, f"d:{delivery.id}") if delivery.id else None
            ids.append([(delivery.system, f"e:{event.id}") if event.id else whole for event in delivery.events])
        named = {id_ for one in ids for id_ in one if id_ is not None}
        new = hooks.remember(connection, named, now) if named else set()
        fresh: list[list[tuple[Event, UUID]]] = []
        took: set[tuple[str, str]] = set()  # a delivery that came twice within this very group
        for delivery, its in zip(group, ids, strict=True):
            kept = [
                (event, trace)
                for event, trace, id_ in zip(delivery.events, delivery.traces, its, strict=True)
                if id_ is None or (id_ in new and id_ not in took)
            ]
            took |= {id_ for id_ in its if id_ is not None}
            fresh.append(kept)
        return fresh

    def _feed(self, connection: Connection, system: str, entity: str) -> int:
        if (system, entity) not in self._feeds:
            self._feeds[system, entity], _ = inbox.feed(connection, system, entity)
        return self._feeds[system, entity]


def _row(event: Event) -> Row:
    return Row(
        event.key, event.body, event.stamp, action=event.action, scope=event.scope, version=event.version,
        into=event.into,
    )  # fmt: skip


def _answer(delivery: Delivery, result: int | Exception) -> None:
    kept = delivery.kept
    assert kept is not None

    def settle() -> None:
        if kept.done():
            return  # the sender is gone; what it sent is kept all the same
        if isinstance(result, Exception):
            kept.set_exception(result)
        else:
            kept.set_result(result)

    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        kept.get_loop().call_soon_threadsafe(settle)
