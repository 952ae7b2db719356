"""Random orders of arrival, with late updates, deletions, duplicates, decisions, and processes that are killed.

Every order of a history must give the groups, golden values and lineage of all its versions and decisions at once.
One order is 24 records with their versions and up to eleven decisions, three of which are taken back, told to the
real store by processes: the first ones are killed with SIGKILL at any instant, each follower tells all of it once more
in an order of its own, and in every process one transaction in seven is cut before its commit and told again.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from typing import Any

from _hub_room import databases
from _hub_seeds import PROCESSES, Room, each
from _hub_story import bench, chaos, child
from sqlalchemy import text

from landbridge.store import Store
from mdm.store.tables import metadata

RECORDS = 1_000
"""Orders told."""
RUNS = 1
KILLS = 2
"""Processes of an order that are killed, if they live so long."""


def run(records: int) -> dict[str, Any]:
    """How many of so many orders give the same, and how many processes were killed on the way."""
    identical = told = kills = 0
    with databases(PROCESSES, durable=False) as urls:
        for seed, found in each(records, urls, one):
            told += 1
            kills += int(found["kills"])
            identical += int(found["same"])
            if not found["same"]:
                print(f"   seed {seed} differs: FIRST={seed} matching.py --only orders --records {seed}", flush=True)
    return {"orders_identical": identical, "orders_told": told, "orders_kills": kills}


def empty(store: Store) -> None:
    """Take everything out of the hub."""
    with store.engine.begin() as connection:
        connection.execute(text("truncate " + ", ".join(table.name for table in metadata.sorted_tables)))


def one(room: Room, seed: int) -> dict[str, Any]:
    """Tell one history by processes that die; whether it is the same as all at once."""
    chance = random.Random(seed)
    kills = 0
    for order in range(1, KILLS + 2):
        last = order > KILLS
        pid = _begin(room.url, seed, 1_000 * seed + order)
        if not last:
            time.sleep(chance.random() * 0.3)
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        kills += os.WIFSIGNALED(status)
        if last and status != 0:
            raise RuntimeError(f"the process of seed {seed} ended with {status}")
    told = chaos.history(random.Random(seed))
    with room.store.reading() as connection:
        same = bench.picture(connection) == bench.batch(child.matching_of(seed), told.changes, told.standing)
    empty(room.store)
    return {"same": same, "kills": kills}


def _begin(url: str, seed: int, order: int) -> int:
    """A process of its own that tells everything: a fork, since starting Python takes longer than the telling."""
    pid = os.fork()
    if pid:
        return pid
    try:
        child.live(url, seed, order)
    except BaseException:  # noqa: BLE001 - whatever it was, this process must not go on as its parent
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
