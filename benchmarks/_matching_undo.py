"""Merges, splits and pins that are undone, with later updates and children between: as if they had never been."""

from __future__ import annotations

import random
import statistics
import time
from typing import Any
from uuid import UUID

from _hub_room import database
from _hub_story import bench, chaos
from _matching_orders import empty

from landbridge.errors import Conflict, Invalid
from landbridge.store import Store
from landbridge.time import SystemClock
from mdm.hub import Change, Hub
from mdm.store import migrate

RECORDS = 10_000
"""Sequences."""
RUNS = 1
WORST = ("undo_p99_ms",)
ROUND = 20
"""Sequences told one after the other to the same company before it is compared."""


def run(records: int) -> dict[str, Any]:
    """How many sequences equal a run in which what was undone never happened, and how long an undo takes."""
    identical, seconds = 0, list[float]()
    matching = bench.customers()
    with database() as url:
        store = Store(url, SystemClock())
        migrate(store.engine)
        hub = Hub({"customer": matching}, SystemClock())
        for seed in range(1, records // ROUND + 1):
            chance = random.Random(seed)
            told = chaos.history(chance, 30, undo=0)
            changes = list(told.changes)
            with store.transaction("told") as connection:
                hub.take(connection, "customer", changes)
            for sequence in range(ROUND):
                changes += _sequence(chance, store, hub, changes, seconds, seed, sequence)
            with store.reading() as connection:
                same = bench.picture(connection) == bench.batch(matching, changes)
            identical += ROUND * same
            if not same:
                print(f"   seed {seed} differs", flush=True)
            empty(store)
        store.close()
    return {"undo_identical": identical, "undo_p99_ms": round(statistics.quantiles(seconds, n=100)[98] * 1000, 2)}


def _sequence(
    chance: random.Random, store: Store, hub: Hub, changes: list[Change], seconds: list[float], seed: int, number: int
) -> list[Change]:
    """Decide, go on living, undo; returns what came meanwhile."""
    numbers = sorted({int(change.key[1:]) for change in changes})
    systems = {int(change.key[1:]): change.system for change in changes}
    later: list[Change] = []
    made: list[UUID] = []
    for n in range(chance.randint(1, 3)):
        verdict = chance.choice(["same", "same", "different", "split", "pin", "parent_of"])
        some = chance.sample(numbers, 4)
        these, those = ([some[0]], [some[1]]) if verdict != "split" else (some[:2], some[2:])
        more = {"attribute": "city", "value": "pinned"} if verdict == "pin" else {}
        one = bench.decision(
            1_000 * seed + 10 * number + n, verdict, these, () if verdict == "pin" else those, **more
        )  # fmt: skip
        try:
            with store.transaction("decide") as connection:
                hub.decide(connection, "customer", one)
            made.append(one.id)
        except (Conflict, Invalid):
            pass  # it contradicts one that stands: nothing was done
        later += _life(chance, numbers, some, number, systems)
        with store.transaction("live") as connection:
            hub.take(connection, "customer", later)
    chance.shuffle(made)
    for id_ in made:
        begun = time.perf_counter()
        with store.transaction("undo") as connection:
            hub.revoke(connection, "customer", id_, "steward")
        seconds.append(time.perf_counter() - begun)
    return later


def _life(
    chance: random.Random, numbers: list[int], some: list[int], number: int, systems: dict[int, str]
) -> list[Change]:
    """A later update of one that was decided about, and a child of it."""
    child = {**chaos.body(chance, chance.randrange(8)), "parent": {"subject": str(bench.record(some[0]))}}
    other = chance.choice(numbers)
    return [
        bench.told(some[0], chaos.body(chance, chance.randrange(8)), day=10 + number, system=systems[some[0]]),
        bench.told(other, child, day=10 + number, system=systems[other]),
    ]
