"""One durable upsert against a loaded hub, and upserts in batches as an inbox that holds more than one gives them."""

from __future__ import annotations

import gc
import random
import statistics
import time
from typing import Any

from _customers import _typo
from _hub_room import Prepared, change, prepared

RECORDS = 1_000_000
RUNS = 1  # the load before it takes minutes
SINGLE = 3_000
BATCHED = 6_000
BATCH = 50


def run(records: int) -> dict[str, Any]:
    """Latency of single upserts and the rate of batches: half of them new records, half changes of known ones."""
    with prepared(records, more=SINGLE + BATCHED) as room:
        return {"million_store_s": round(room.seconds["store"], 1), **measured(room)}


def measured(room: Prepared) -> dict[str, Any]:
    """The figures of a hub that is loaded."""
    upserts = _upserts(room)
    for one in upserts[:100]:  # connections, plans, caches
        _take(room, [one])
    gc.collect()
    gc.freeze()
    single = [_take(room, [one]) for one in upserts[100:SINGLE]]
    begun = time.perf_counter()
    for start in range(SINGLE, SINGLE + BATCHED, BATCH):
        _take(room, upserts[start : start + BATCH])
    rate = BATCHED / (time.perf_counter() - begun)
    cuts = statistics.quantiles(single, n=100)
    return {
        "upsert_p50_ms": round(cuts[49] * 1000, 3),
        "upsert_p99_ms": round(cuts[98] * 1000, 3),
        "upserts_per_s": round(rate, 1),
    }


def _upserts(room: Prepared) -> list[Any]:
    chance = random.Random(7)
    found = []
    for new in range(room.loaded, len(room.rows)):
        if chance.random() < 0.5:
            found.append(change(new, room.rows[new]))
        else:
            known = chance.randrange(room.loaded)
            row = {**room.rows[known], "name": _typo(chance, room.rows[known]["name"], 1.0)}
            found.append(change(known, row, day=1))
    return found


def _take(room: Prepared, changes: list[Any]) -> float:
    begun = time.perf_counter()
    with room.store.transaction("upsert") as connection:
        room.hub.take(connection, "customer", changes)
    return time.perf_counter() - begun
