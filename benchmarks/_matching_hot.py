"""Fifty thousand records on one phone number: each still takes no longer, and the number is reported as hot."""

from __future__ import annotations

import statistics
import time
from typing import Any

from _hub_room import change, prepared

from mdm.store import reading

RECORDS = 50_000
RUNS = 1
WORST = ("hot_p99_ms",)
KNOWN = 5_000
"""Records that are there before, from which the model was trained."""


def run(records: int) -> dict[str, Any]:
    """Latency of an upsert while ever more records share a phone number."""
    with prepared(KNOWN, more=records) as room:
        seconds = []
        for number, row in enumerate(room.rows[KNOWN:], KNOWN):
            one = change(number, {**row, "phone": "030 12345678", "country": "DE", "tax": ""})
            begun = time.perf_counter()
            with room.store.transaction("hot", wait=False) as connection:
                room.hub.take(connection, "customer", [one])
            seconds.append(time.perf_counter() - begun)
        with room.store.reading() as connection:
            hot = reading.hot(connection, "customer")
    cuts = statistics.quantiles(seconds, n=100)
    return {
        "hot_p99_ms": round(cuts[98] * 1000, 2),
        "hot_max_ms": round(max(seconds) * 1000, 1),
        "hot_reported": max((one.records for one in hot), default=0),
    }
