"""Random orders of arrival, with late updates, deletions, duplicates, decisions, crashes and processes that are killed.

Every order of a history must give the groups, golden values and lineage of all its versions at once.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import Any

from _hub_room import database
from _hub_story import TESTS, bench, chaos
from sqlalchemy import text

from landbridge.store import Store
from landbridge.time import SystemClock
from mdm.declaration import Guard
from mdm.hub import Hub
from mdm.store import migrate
from mdm.store.tables import metadata

RECORDS = 1_000
"""Orders told."""
RUNS = 1
KILLED = 10
"""One order in so many is told by processes that are killed with SIGKILL."""


def run(records: int) -> dict[str, Any]:
    """How many of so many orders give the same."""
    identical = 0
    with database(durable=False) as url:
        store = Store(url, SystemClock())
        migrate(store.engine)
        for seed in range(1, records + 1):
            same = _killed(store, url, seed) if seed % KILLED == 0 else _told(store, seed)
            identical += same
            if not same:
                print(f"   seed {seed} differs: MDM_SEED={seed} pytest tests/mdm/test_hub_orders.py", flush=True)
            empty(store)
        store.close()
    return {"orders_identical": identical}


def empty(store: Store) -> None:
    """Take everything out of the hub."""
    with store.engine.begin() as connection:
        connection.execute(text("truncate " + ", ".join(table.name for table in metadata.sorted_tables)))


def _told(store: Store, seed: int) -> bool:
    chance = random.Random(seed)
    guard = Guard(members=chance.choice([3, 6, 40]), density=0.3, hot=chance.choice([4, 30]))
    matching = bench.customers(guard=guard, one_to_one=chance.random() < 0.2)
    told = chaos.history(chance)
    chaos.tell(chance, store, Hub({"customer": matching}, SystemClock()), told)
    with store.reading() as connection:
        return bool(bench.picture(connection) == bench.batch(matching, told.changes, told.standing))


def _killed(store: Store, url: str, seed: int) -> bool:
    chance = random.Random(seed)
    for order in range(1, 100):
        command = [sys.executable, str(TESTS / "hub_child.py"), url, str(seed), str(order)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            if order < 4:
                time.sleep(chance.random() * 0.2)
                child.kill()
            if b"done\n" in child.stdout.read() and order >= 4:
                break
    changes = chaos.history(random.Random(seed)).changes
    with store.reading() as connection:
        return bool(bench.picture(connection) == bench.batch(bench.customers(), changes))
