"""Merges, splits and pins that are undone, with later updates and children between: as if they had never been."""

from __future__ import annotations

import random
import statistics
from typing import Any

from _hub_room import database
from _hub_story import bench, chaos
from _matching_orders import empty

from landbridge.store import Store
from landbridge.time import SystemClock
from mdm.hub import Hub
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
                changes += chaos.decide_and_undo(chance, store, hub, changes, sequence, seconds)
            with store.reading() as connection:
                same = bench.picture(connection) == bench.batch(matching, changes)
            identical += ROUND * same
            if not same:
                print(f"   seed {seed} differs", flush=True)
            empty(store)
        store.close()
    return {"undo_identical": identical, "undo_p99_ms": round(statistics.quantiles(seconds, n=100)[98] * 1000, 2)}
