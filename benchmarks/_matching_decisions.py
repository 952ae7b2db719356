"""What stewards decided holds against a million operations of automation that pull and push at it."""

from __future__ import annotations

import random
import time
from typing import Any

from _hub_room import database
from _hub_story import bench, chaos

from landbridge.errors import Conflict, Invalid
from landbridge.store import Store
from landbridge.time import SystemClock
from mdm.hub import Hub
from mdm.store import migrate

RECORDS = 1_000_000
"""Operations."""
RUNS = 1
COMPANY = 2_000
BATCH = 500
DECISIONS = 400


def run(records: int) -> dict[str, Any]:
    """How often a golden record contradicted a decision, looked at after every batch."""
    chance = random.Random(1)
    overridden, begun = 0, time.perf_counter()
    systems = {n: chance.choice(chaos.SYSTEMS) for n in range(1, COMPANY + 1)}

    def body() -> dict[str, Any]:
        company = chance.randrange(COMPANY // 4)
        made = chaos.body(chance, company)
        for field in ("phone", "vat"):
            if made.get(field) and chance.random() < 0.9:
                made[field] = f"{'V' if field == 'vat' else '+49'}{company}"
        return made

    with database(durable=False) as url:
        store = Store(url, SystemClock())
        migrate(store.engine)
        hub = Hub({"customer": bench.customers()}, SystemClock())
        with store.transaction("first") as connection:
            hub.take(connection, "customer", [bench.told(n, body(), system=systems[n]) for n in systems])
        _decide(chance, store, hub)
        for number in range(records // BATCH):
            changes = []
            for n in chance.choices(range(1, COMPANY + 1), k=BATCH):
                action = "delete" if chance.random() < 0.05 else "upsert"
                told = body() if action == "upsert" else None
                changes.append(
                    bench.told(n, told, system=systems[n], day=number, sequence=chance.randrange(9), action=action)
                )
            with store.transaction("take") as connection:
                hub.take(connection, "customer", changes)
                overridden += bench.overridden(connection)
        store.close()
    rate = records / (time.perf_counter() - begun)
    return {"decisions_overridden": overridden, "decisions_operations": records, "decisions_per_s": round(rate)}


def _decide(chance: random.Random, store: Store, hub: Hub) -> None:
    made = 0
    while made < DECISIONS:
        a, b = chance.sample(range(1, COMPANY + 1), 2)
        verdict = chance.choice(["same", "different", "pin", "parent_of", "split"])
        more = {"attribute": "city", "value": f"pinned {made}"} if verdict == "pin" else {}
        one = bench.decision(made, verdict, [a], () if verdict == "pin" else [b], **more)
        made += 1
        try:
            with store.transaction("decide") as connection:
                hub.decide(connection, "customer", one)
        except (Conflict, Invalid):
            pass  # it contradicts one that stands
