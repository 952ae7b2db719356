"""Several workers, random outcomes, records changed again and again: effects equal the input, each record in order.

The seed is in every failure's message; `LANDBRIDGE_SEED` replays it.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crashing import Seamed
from test_engine_documents import order_in, order_out
from workbench import Plain, balanced, engine, flow

from landbridge.connector import Delivered, Entity, Outcome, Write
from landbridge.errors import OutcomeUnknown, Unavailable

SEED = int(os.environ.get("LANDBRIDGE_SEED", "20261121"))
WORKERS = 3
ROUNDS = 6
PARENTS = 12
DOCUMENTS = 25
CUSTOMER = Entity("Customer", create="C", update="B", batch=5, settle=timedelta(minutes=5))
ORDER = Entity("Order", create="C", update="B", batch=2, lines="items", settle=timedelta(minutes=5))


class Moody(Seamed):
    """Answers a fifth of all writes badly: nothing happened, or it did and nobody says so, one by one or in whole."""

    dice = random.Random(SEED)
    bad = 0.2

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        with self._one_at_a_time:
            outcomes = [self._moody(entity, write) for write in writes]
            if self.dice.random() < self.bad / 4:
                raise ConnectionResetError("cut")
            return outcomes

    def _commit(self, entity: str, write: Write) -> Delivered:
        done = super()._commit(entity, write)
        for line in write.lines:
            if line.action == "update":  # a line that was cancelled and comes again is open again
                self.records[entity][done.target_id].lines[line.line_id or ""].pop("rejected", None)
        return done

    def _moody(self, entity: str, write: Write) -> Outcome:
        mood = self.dice.random()
        if mood < self.bad / 2:
            return Unavailable("busy") if mood < self.bad / 4 else OutcomeUnknown("timed out before")
        done = self._commit(entity, write)
        return OutcomeUnknown("timed out after") if mood < self.bad else done


def test_workers_and_moods_leave_every_record_once_and_in_order(store, clock):
    dice = random.Random(SEED)
    crm = Seamed("crm", clock, customer=CUSTOMER, sales_order=ORDER)
    erp = Moody("erp", clock, customer=CUSTOMER, sales_order=ORDER)
    retry = {"attempts": 100, "within": "90d", "first": "1s"}
    flows = [
        flow("customers", "crm", "customer", "erp", retry=retry),
        flow("orders", "crm", "sales_order", {"to": "erp", "after": ["customer"]}, retry=retry),
    ]
    mappings = {
        ("crm", "sales_order"): Plain(order_in("crm"), None),
        ("erp", "sales_order"): Plain(order_in("erp"), order_out),
    }
    workers = [
        engine(store, clock, [crm, erp], flows, mappings, batch=dice.choice([3, 7, 20]), concurrency={"erp": 2})
        for _ in range(WORKERS)
    ]
    names, lines = {}, {}
    for number in range(ROUNDS):
        for _ in range(PARENTS):
            key = dice.randrange(PARENTS)
            names[key] = f"{key} in round {number}, {dice.random():.6f}"
            crm.put("customer", f"C{key}", {"name": names[key]})
        for _ in range(DOCUMENTS // 2):
            key, parent = dice.randrange(DOCUMENTS), dice.choice(sorted(names))
            wanted = {f"l{n}": dice.randrange(1, 99) for n in dice.sample(range(5), dice.randrange(1, 4))}
            parent = lines.get(key, (parent, {}))[0]  # an order stays with its customer
            lines[key] = (parent, wanted)
            body = {"number": str(key), "customer": f"C{parent}"}
            crm.put("sales_order", f"O{key}", {**body, "lines": [{"key": k, "qty": q} for k, q in wanted.items()]})
        _together(workers, dice)
        clock.advance(timedelta(minutes=dice.choice([1, 6, 20])))
    erp.bad = 0.0
    for _ in range(20):
        clock.advance(timedelta(minutes=20))
        for name in ("customers", "orders"):
            workers[0].run(name)
    _check(erp, workers[0], names, lines)


def _together(workers: Sequence[Any], dice: random.Random) -> None:
    failed: list[BaseException] = []

    def run(worker: Any, names: Sequence[str]) -> None:
        try:
            for name in names:
                worker.run(name)
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            failed.append(error)

    plans = [dice.sample(["customers", "orders", "customers", "orders"], 4) for _ in workers]
    threads = [threading.Thread(target=run, args=pair) for pair in zip(workers, plans, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, f"seed {SEED}: {failed!r}"


def _check(erp: Moody, made: Any, names: dict[int, str], lines: dict[int, tuple[int, dict[str, int]]]) -> None:
    said = f"seed {SEED}"
    assert erp.duplicates("customer") == [] and erp.duplicates("sales_order") == [], said
    assert erp.inversions() == [], said
    found = {r.id: r.header["name"] for r in erp.effects("customer")}
    assert sorted(found.values()) == sorted(names.values()), said
    orders = {int(r.header["number"]): r for r in erp.effects("sales_order")}
    assert sorted(orders) == sorted(lines), said
    for number, record in orders.items():
        parent, wanted = lines[number]
        standing = {k: int(record.lines[i]["qty"]) for k, i in record.keys.items() if "rejected" not in record.lines[i]}
        assert standing == wanted, f"{said}, order {number}"
        assert found[record.header["customer"]] == names[parent], f"{said}, order {number}"
        assert len(record.lines) == len(record.keys), f"{said}, order {number}: a line was added twice"
    for row in balanced(made):
        assert row.in_flight == 0 and row.dead == 0, (said, row)
