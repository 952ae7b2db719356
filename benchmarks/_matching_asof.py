"""As-of queries in both times that reproduce the stored hash, and the lineage of every golden attribute."""

from __future__ import annotations

import random
import statistics
import time
from datetime import timedelta
from typing import Any

from _hub_room import change, prepared
from sqlalchemy import text

from mdm.store import reading
from mdm.survive import told

RECORDS = 20_000
RUNS = 1
WORST = ("asof_p95_ms",)
QUERIES = 10_000


def run(records: int) -> dict[str, Any]:
    """How many as-of queries reproduce what was stored then, how fast, and the share of attributes with lineage."""
    chance = random.Random(3)
    with prepared(records, more=records // 4) as room:
        changes = [change(n, room.rows[n]) for n in range(records, len(room.rows))]
        for day in range(1, 4):  # later versions, some of them late
            for n in chance.sample(range(records), records // 10):
                row = {
                    **room.rows[n],
                    "city": f"{room.rows[n]['city']} {day}",
                    "name": chance.choice(room.rows)["name"],
                }
                changes.append(change(n, row, day=chance.choice((day, day, -day))))
        chance.shuffle(changes)
        for start in range(0, len(changes), 100):
            with room.store.transaction("take", wait=False) as connection:
                room.hub.take(connection, "customer", changes[start : start + 100])
        with room.store.reading() as connection:
            stored = list(connection.execute(text("select id, version, at, state, hash from hub_golden")))
            asked = [one for one in chance.choices(stored, k=2 * QUERIES) if one.state != "retired"][:QUERIES]
            identical, seconds = 0, []
            for one in asked:
                valid = chance.choice((None, one.at + timedelta(days=3650)))
                begun = time.perf_counter()
                found = room.hub.as_of(connection, "customer", one.id, valid=valid, recorded=one.at)
                seconds.append(time.perf_counter() - begun)
                identical += found is not None and found.golden.hash == one.hash and found.reproduced
            with_lineage = attributes = 0
            newest = reading.stored(connection, list({one.id for one in stored}))
            for golden in newest.values():
                lines = {line.attribute: line for line in told(golden.values, golden.lineage)}
                attributes += len(golden.values)
                with_lineage += sum(
                    name in lines and bool(lines[name].rule and (lines[name].winners or lines[name].pin))
                    for name in golden.values
                )
    return {
        "asof_identical": identical,
        "asof_queries": len(asked),
        "asof_p95_ms": round(statistics.quantiles(seconds, n=100)[94] * 1000, 2),
        "lineage": round(with_lineage / attributes, 6),
    }
