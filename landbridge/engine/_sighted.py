"""What every feed of an entity says, for a hub that begins: received, canonical, checked, and known by its ids.

Messages stay as they are. Those that no flow has processed yet are processed by its next run, which finds the hub
knowing them; so nothing is read twice, and nothing is missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import stamina
from sqlalchemy import Connection

from landbridge.engine._engine import Engine
from landbridge.engine._extract import Extracted, incoming_of
from landbridge.engine._hub import Sighting
from landbridge.engine._told import AT_ONCE
from landbridge.errors import LandbridgeError
from landbridge.settings import Flow
from landbridge.store import inbox, locked_out, reread
from landbridge.store._sheltered import sheltered
from landbridge.time import Clock

PATIENCE = 20
"""Seconds that a worker is given to finish its batch."""

Moved = Callable[[int], None]
"""Told of every page how many records it brought."""


class Sighted(NamedTuple):
    """Some messages of a feed as the hub is told of them."""

    sightings: Sequence[Sighting]
    untold: int
    """Messages that it is not told of: invalid, set aside by every flow's check, or the end of what nobody knew."""


def hub_feeds(engine: Engine, entity: str) -> list[Flow]:
    """One flow of every feed whose records the hub is asked about, by the feed's system."""
    found: dict[str, Flow] = {}
    for system, of in sorted(engine.feeds):
        if of == entity and engine.step(system, of).grouping is not None:
            found[system] = next(
                flow for flow in engine.parts.flows.values() if flow.enabled and flow.feed == (system, of)
            )
    return list(found.values())


def receive_feed(engine: Engine, flow: Flow, moved: Moved) -> int:
    """Receive everything of a flow's feed that is not here: what is new, and known records whose messages are gone."""
    told = 0

    def page(counts: Extracted) -> None:
        nonlocal told
        moved(counts.read - told)
        told = counts.read

    counts = engine.extract(flow, page=page)
    if counts.refused:
        raise LandbridgeError(counts.refused)
    moved(counts.read - told)
    return counts.read + _fetch_forgotten(engine, flow, moved)


def _fetch_forgotten(engine: Engine, flow: Flow, moved: Moved) -> int:
    parts, (system, entity) = engine.parts, flow.feed
    after, fetched = ("", ""), 0
    while True:
        with parts.store.reading() as connection:
            keys = reread.forgotten(connection, system, entity, after, AT_ONCE)
        if not keys:
            return fetched
        after = (keys[-1].scope, keys[-1].id)
        rows = parts.systems[system].fetch(entity, list(dict.fromkeys(key.id for key in keys)))
        there = [row for row in rows if row.body is not None]
        with parts.store.transaction("fetch") as connection:
            feed_id, _ = inbox.feed(connection, system, entity)
            inbox.insert(connection, feed_id, incoming_of(parts, there), parts.clock.now())
        fetched += len(there)
        moved(len(there))


def hold_feeds(connection: Connection, clock: Clock, flows: Sequence[Flow]) -> None:
    """Let nobody else process these feeds until the transaction ends: workers pass them by and come back."""
    for flow in flows:
        for _ in range(PATIENCE):
            if inbox.begin_processing(connection, *flow.feed, 0) is not None:
                break
            clock.sleep(1)  # a batch takes about as long
        else:
            system, entity = flow.feed
            raise LandbridgeError(
                f"{system} {entity} is being processed by another worker, and has been for {PATIENCE} seconds.",
                hint="Try again in a moment, or stop the workers for as long as this takes.",
            )


@contextmanager
def rehearsal(engine: Engine) -> Iterator[Engine]:
    """The same engine over the same systems, of which the store keeps nothing; for one thread."""
    with sheltered(engine.parts.store) as store:
        shadow = Engine(replace(engine.parts, store=store))
        shadow.register()
        yield shadow


def sighted(engine: Engine, flow: Flow) -> Iterator[Sighted]:
    """Every message of a flow's feed, the oldest first; ids that are given out meanwhile are kept."""
    parts, step = engine.parts, engine.step(*flow.feed)
    with parts.store.reading(patient=True) as connection:
        for received in reread.messages(connection, *flow.feed, step.size):
            for attempt in stamina.retry_context(on=locked_out, attempts=5, wait_initial=0.05, timeout=None):
                with attempt, parts.store.transaction("sight") as writing:
                    parts.up_to_date(writing)
                    found = Sighted(*step.sighted(writing, received))
            yield found
