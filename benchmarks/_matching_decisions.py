"""What stewards decided holds against a million operations of automation that pull and push at it.

An operation is a version of a record, or its deletion; what it says moves the record to any of 500 groups. They come
to the real store in transactions of 500, and inside of every transaction all standing decisions are held against the
golden records. Stewards go on deciding and revoking meanwhile. A round is a company of 2,000 records and 50,000
operations.
"""

from __future__ import annotations

import random
import time
from typing import Any

from _hub_room import databases
from _hub_seeds import PROCESSES, Room, each
from _hub_story import bench, chaos
from _matching_orders import empty

from landbridge.errors import Conflict, Invalid
from landbridge.store import Store
from landbridge.time import SystemClock
from mdm.hub import Decision, Hub

RECORDS = 1_000_000
"""Operations."""
RUNS = 1
COMPANY = 2_000
BATCH = 500
ROUND = 50_000
DECISIONS = 400
"""Decisions that stand before the first operation is told."""


def run(records: int) -> dict[str, Any]:
    """How often a golden record contradicted a decision, looked at after every batch."""
    found = {"overridden": 0, "operations": 0, "decisions": 0, "looks": 0}
    begun = time.perf_counter()
    rounds = max(1, records // ROUND)
    with databases(PROCESSES, durable=False) as urls:
        for seed, figures in each(rounds, urls, _Round(min(records, ROUND)), every=2):
            found = {name: count + figures[name] for name, count in found.items()}
            if figures["overridden"]:
                print(f"   seed {seed}: {figures['overridden']} overridden", flush=True)
    rate = found["operations"] / (time.perf_counter() - begun)
    return {f"decisions_{name}": count for name, count in found.items()} | {"decisions_per_s": round(rate)}


class _Round:
    """So many operations at one company."""

    def __init__(self, operations: int) -> None:
        self._operations = operations

    def __call__(self, room: Room, seed: int) -> dict[str, Any]:
        chance = random.Random(seed)
        hub = Hub({"customer": bench.customers()}, SystemClock())
        steward = _Steward(chance, room.store, hub)
        systems = {n: chance.choice(chaos.SYSTEMS) for n in range(1, COMPANY + 1)}
        with room.store.transaction("first") as connection:
            first = [bench.told(n, _body(chance), system=systems[n]) for n in systems]
            hub.take(connection, "customer", first)
        while steward.made < DECISIONS:
            steward.decide()
        overridden = looks = 0
        for number in range(self._operations // BATCH):
            changes = []
            for n in chance.choices(range(1, COMPANY + 1), k=BATCH):
                action = "delete" if chance.random() < 0.05 else "upsert"
                told = _body(chance) if action == "upsert" else None
                sequence = chance.randrange(9)
                changes.append(bench.told(n, told, system=systems[n], day=number, sequence=sequence, action=action))
            with room.store.transaction("take") as connection:
                hub.take(connection, "customer", changes)
                overridden += bench.overridden(connection)
                looks += 1
            if number % 10 == 9:
                for _ in range(4):
                    steward.decide()
                steward.revoke()
        empty(room.store)
        return {"overridden": overridden, "operations": looks * BATCH, "decisions": steward.made, "looks": looks}


def _body(chance: random.Random) -> dict[str, Any]:
    company = chance.randrange(COMPANY // 4)
    made = chaos.body(chance, company)
    for field in ("phone", "vat"):
        if made.get(field) and chance.random() < 0.9:
            made[field] = f"{'V' if field == 'vat' else '+49'}{company}"
    return made


class _Steward:
    """Decides what comes to mind, and takes some of it back."""

    def __init__(self, chance: random.Random, store: Store, hub: Hub) -> None:
        self._chance, self._store, self._hub = chance, store, hub
        self._standing: list[Decision] = []
        self._number = 0
        self.made = 0

    def decide(self) -> None:
        """One decision about records drawn by lot; what contradicts another that stands is refused, as it must be."""
        a, b = self._chance.sample(range(1, COMPANY + 1), 2)
        verdict = self._chance.choice(["same", "different", "pin", "parent_of", "split"])
        more = {"attribute": "city", "value": f"pinned {self._number}"} if verdict == "pin" else {}
        one = bench.decision(self._number, verdict, [a], () if verdict == "pin" else [b], **more)
        self._number += 1
        try:
            with self._store.transaction("decide") as connection:
                self._hub.decide(connection, "customer", one)
        except (Conflict, Invalid):
            return
        self.made += 1
        self._standing.append(one)

    def revoke(self) -> None:
        """Take one decision back."""
        one = self._standing.pop(self._chance.randrange(len(self._standing)))
        with self._store.transaction("revoke") as connection:
            self._hub.revoke(connection, "customer", one.id, "steward")
