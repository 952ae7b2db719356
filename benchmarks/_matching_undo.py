"""Merges, splits and pins that are undone, with later updates and children between: as if they had never been.

A sequence is one to three decisions, after each of which records live on and get children, then the undo of every
decision, each in one transaction of the durable store. After every ROUND of them the company (30 records) is held
against all its versions at once, with no decision in them: a difference counts as ROUND sequences that differ.
"""

from __future__ import annotations

import random
import statistics
from typing import Any

from _hub_room import databases
from _hub_seeds import Room, each
from _hub_story import bench, chaos
from _matching_orders import empty

from landbridge.time import SystemClock
from mdm.hub import Hub

RECORDS = 10_000
"""Sequences."""
RUNS = 1
WORST = ("undo_p99_ms",)
ROUND = 20
"""Sequences told one after the other to the same company before it is compared."""


def run(records: int) -> dict[str, Any]:
    """How many sequences equal a run in which what was undone never happened, and how long an undo takes."""
    identical = told = 0
    seconds: list[float] = []
    with databases(1) as urls:
        for seed, found in each(records // ROUND, urls, one, every=50):
            told += ROUND
            identical += ROUND * found["same"]
            seconds += found["seconds"]
            if not found["same"]:
                print(f"   seed {seed} differs", flush=True)
    p99 = statistics.quantiles(seconds, n=100)[98] * 1000
    return {"undo_identical": identical, "undo_told": told, "undo_undone": len(seconds), "undo_p99_ms": round(p99, 2)}


def one(room: Room, seed: int) -> dict[str, Any]:
    """A company, what is done to it and undone; whether that can be told from it, and how long each undo took."""
    chance, matching = random.Random(seed), bench.customers()
    hub = Hub({"customer": matching}, SystemClock())
    changes = list(chaos.history(chance, 30, undo=0).changes)
    seconds: list[float] = []
    with room.store.transaction("told") as connection:
        hub.take(connection, "customer", changes)
    for sequence in range(ROUND):
        changes += chaos.decide_and_undo(chance, room.store, hub, changes, sequence, seconds)
    with room.store.reading() as connection:
        same = bench.picture(connection) == bench.batch(matching, changes)
    empty(room.store)
    return {"same": same, "seconds": seconds}
