"""A worker dies at every durable step in turn: whatever the step, a new one leaves each effect once and in order.

The n-th commit, send or receive raises, n = 1, 2, … until a run ends without it. Then a new engine on the same store,
its clock past lease and settle time, runs until nothing is open. What must hold is in `held`. Planted faults at the
end prove that the loop sees the classic mistakes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from crashing import Crash, CrashAt, Seamed, Staged
from sqlalchemy import text
from test_engine_documents import order_in, order_out
from workbench import Plain, balanced, engine, flow

from landbridge import seam
from landbridge.connector import Delivered, Entity, Page, Row
from landbridge.engine import Engine, _deliver, _extract, _plan
from landbridge.engine._deliver import Deliver
from landbridge.store import Store, inbox, outbox
from landbridge.store.tables import metadata
from landbridge.time import ManualClock, uuid7

SEED = 20261121
STEP = timedelta(minutes=20)  # longer than lease and settle time together
SETTLE = timedelta(minutes=10)

CUSTOMER = Entity("Customer", create="C", update="B", batch=2, settle=SETTLE)
ORDER = Entity("Order", create="C", update="B", batch=1, lines="items", settle=SETTLE)
STAGED = Entity("Order", create="C", update="B", batch=1, settle=SETTLE, stages=("make", "confirm"))
STOCK = Entity("Stock", create="B", update="B", batch=2, snapshot=True)
LEVEL = Entity("Stock", create="C", update="B", batch=2, settle=SETTLE)


@dataclass
class Scene:
    """One input, the systems around it, and what must stand at its end."""

    crm: Seamed
    erp: Seamed
    flows: list[str]
    make: Callable[[], Engine]
    expect: Callable[[], None]
    before: Callable[[], None] = lambda: None
    entities: list[str] = field(default_factory=list)


def customers(store: Store, clock: ManualClock, dice: random.Random) -> Scene:
    """Single records, some changed before and some after their first delivery; some outcomes are unknown."""
    crm, erp = Seamed("crm", clock, customer=CUSTOMER), Seamed("erp", clock, customer=CUSTOMER)
    for n in range(5):
        crm.put("customer", f"C{n}", {"name": f"{n} v1"})
    for n in (1, 3):
        crm.put("customer", f"C{n}", {"name": f"{n} v2"})
    erp.script = dice.sample([None, None, "after", None, None], 5)

    def expect() -> None:
        names = sorted(record.header["name"] for record in erp.effects("customer"))
        assert names == ["0 v1", "1 v2", "2 v1", "3 v2", "4 v1"]

    def make() -> Engine:
        return engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])

    return Scene(crm, erp, ["customers"], make, expect, entities=["customer"])


def orders(store: Store, clock: ManualClock, dice: random.Random) -> Scene:
    """Orders with lines and updates, beside the customers they wait for."""
    crm = Seamed("crm", clock, customer=CUSTOMER, sales_order=ORDER)
    erp = Seamed("erp", clock, customer=CUSTOMER, sales_order=ORDER)
    versions = {"1": [{"a": 5, "b": 2}, {"b": 3, "c": 1}], "2": [{"a": 1}]}
    for number, states in versions.items():
        for lines in states:
            body = {"number": number, "customer": "C1", "lines": [{"key": k, "qty": q} for k, q in lines.items()]}
            crm.put("sales_order", f"O-{number}", body)
    crm.put("customer", "C1", {"name": "A"})
    erp.script = dice.sample([None, None, None, "after"], 4)
    mappings = {
        ("crm", "sales_order"): Plain(order_in("crm"), None),
        ("erp", "sales_order"): Plain(order_in("erp"), order_out),
    }
    flows = [
        flow("orders", "crm", "sales_order", {"to": "erp", "after": ["customer"]}),
        flow("customers", "crm", "customer", "erp"),
    ]

    def expect() -> None:
        [customer] = erp.effects("customer")
        found = {r.header["number"]: r for r in erp.effects("sales_order")}
        assert sorted(found) == ["1", "2"] and all(r.header["customer"] == customer.id for r in found.values())
        standing = {
            number: {k: record.lines[i]["qty"] for k, i in record.keys.items() if "rejected" not in record.lines[i]}
            for number, record in found.items()
        }
        assert standing == {"1": {"b": "3", "c": "1"}, "2": {"a": "1"}}
        assert all(len(record.lines) == len(record.keys) for record in found.values()), "a line was added twice"

    def make() -> Engine:
        return engine(store, clock, [crm, erp], flows, mappings)

    return Scene(crm, erp, ["orders", "customers"], make, expect, entities=["customer", "sales_order"])


def staged(store: Store, clock: ManualClock, dice: random.Random) -> Scene:
    """Writes of two calls: the record is made, then confirmed."""
    crm, erp = Seamed("crm", clock, sales_order=STAGED), Staged("erp", clock, sales_order=STAGED)
    crm.put("sales_order", "O-1", {"number": "1"})
    crm.put("sales_order", "O-2", {"number": "2"})
    crm.put("sales_order", "O-1", {"number": "1", "text": "more"})

    def expect() -> None:
        found = {r.header["number"]: r.header for r in erp.effects("sales_order")}
        assert found == {
            "1": {"number": "1", "text": "more", "confirmed": True},
            "2": {"number": "2", "confirmed": True},
        }

    def make() -> Engine:
        return engine(store, clock, [crm, erp], [flow("orders", "crm", "sales_order", "erp")])

    return Scene(crm, erp, ["orders"], make, expect, entities=["sales_order"])


def snapshots(store: Store, clock: ManualClock, dice: random.Random) -> Scene:
    """A scope that is read whole: something changed, something came, something is no longer there."""
    erp, crm = Seamed("erp", clock, inventory_level=STOCK), Seamed("crm", clock, inventory_level=LEVEL)
    erp.absent = lambda entity, last: {**last, "available": "0"}  # type: ignore[method-assign]  # this scene alone tells of absence

    def pages(levels: dict[str, str]) -> list[Page]:
        rows = [Row(key, {"product": key, "available": value}) for key, value in levels.items()]
        cut = [rows[i : i + 2] for i in range(0, len(rows), 2)]
        return [Page(page, None, complete=page is cut[-1], total=len(rows)) for page in cut]

    first = {f"P{n}": "5" for n in range(6)}
    second = {**{k: v for k, v in first.items() if k != "P3"}, "P1": "8", "P9": "1"}
    erp.pages["inventory_level"] = pages(first)

    def before() -> None:
        engine_ = make()
        engine_.run("stock")
        erp.pages["inventory_level"] = pages(second)

    def expect() -> None:
        found = {r.header["product"]: r.header["available"] for r in crm.effects("inventory_level")}
        assert found == {**second, "P3": "0"}

    def make() -> Engine:
        return engine(store, clock, [erp, crm], [flow("stock", "erp", "inventory_level", "crm")])

    return Scene(erp, crm, ["stock"], make, expect, before, entities=["inventory_level"])


def deletes(store: Store, clock: ManualClock, dice: random.Random) -> Scene:
    """One record is deleted, one is deleted and comes again under the same key, one stays."""
    crm, erp = Seamed("crm", clock, customer=CUSTOMER), Seamed("erp", clock, customer=CUSTOMER)
    for n in range(3):
        crm.put("customer", f"C{n}", {"name": f"{n}", "blocked": ""})

    def before() -> None:
        make().run("customers")
        for key in ("C0", "C1"):
            crm.rows["customer"].append(Row(key, None, stamp=f"gone {key}", action="delete"))
        crm.put("customer", "C1", {"name": "1", "blocked": ""}, stamp="again")

    def expect() -> None:
        found = {r.header["name"]: r.header["blocked"] for r in erp.effects("customer")}
        assert found == {"0": "block", "1": "", "2": ""}

    def make() -> Engine:
        routes = {"to": "erp", "on_delete": "block"}
        return engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", routes)])

    return Scene(crm, erp, ["customers"], make, expect, before, entities=["customer"])


SCENES = [customers, orders, staged, snapshots, deletes]


def wipe(store: Store) -> None:
    with store.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(text(f"delete from {table.name}"))  # so few rows that a truncation takes longer


def one(make_scene: Callable[..., Scene], store: Store, clock: ManualClock, n: int) -> CrashAt:
    """Crash at the n-th step, go on with a new worker until nothing is open, and look."""
    wipe(store)
    scene = make_scene(store, clock, random.Random(SEED + n))
    scene.before()
    hook = CrashAt(n)
    worker = scene.make()
    with seam.install(hook):
        try:
            for name in scene.flows:
                worker.run(name)
        except Crash:
            pass
    later = scene.make()
    for rounds in range(12):
        clock.advance(STEP)
        for name in scene.flows:
            later.run(name)
        if rounds and not any(row.in_flight for row in later.accounting()):
            break
    held(scene, later)
    return hook


def held(scene: Scene, made: Engine) -> None:
    """What must stand at the end: every effect once, in order, all of it accounted for and nothing open."""
    for entity in scene.entities:
        assert scene.erp.duplicates(entity) == []
    assert scene.erp.inversions() == []
    scene.expect()
    for row in balanced(made):
        assert row.in_flight == 0, row
        assert row.delivered + row.suppressed == row.received, row


def every_point(make_scene: Callable[..., Scene], store: Store, clock: ManualClock, *, most: int = 200) -> int:
    """Crash at step 1, 2, … until a run ends without; returns how many steps there were."""
    for n in range(1, most):
        fired = ""
        try:
            hook = one(make_scene, store, clock, n)
            fired = hook.fired
        except AssertionError as error:
            raise AssertionError(f"crash at step {n} of {make_scene.__name__}, seed {SEED}: {error}") from error
        if not fired:
            return n - 1
    raise AssertionError(f"{most} steps and no end")


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_worker_may_die_at_every_durable_step(scene, store, clock):
    assert every_point(scene, store, clock) > 10


# -- planted faults: the loop must see them --------------------------------------------------------------------------


def recorded_before_it_is_written(monkeypatch, store):
    whole = Deliver._call

    def early(self, target, chunk, settle):
        self._record([settle.recorded(plan, Delivered(plan.target_id or "4711"), 0) for plan in chunk])
        return whole(self, target, chunk, settle)

    monkeypatch.setattr(Deliver, "_call", early)


def cursor_moved_before_its_rows(monkeypatch, store):
    def hasty(pages):
        for page in pages:
            with store.transaction("cursor") as connection:
                feed_id, _ = inbox.feed(connection, "crm", "customer")
                inbox.move_cursor(connection, feed_id, page.cursor, store.clock.now())
            yield page

    monkeypatch.setattr(_extract, "ahead", hasty)
    monkeypatch.setattr(inbox, "advance_cursor", lambda *_: True)


def a_new_key_on_every_attempt(monkeypatch, store):
    for module in (_plan, _deliver):
        monkeypatch.setattr(module, "reference_of", lambda subject: f"LB{uuid7()}")


def an_unknown_outcome_is_written_again_at_once(monkeypatch, store):
    monkeypatch.setattr(Deliver, "_ask", lambda self, target, plan, settle: None)


def rows_queued_apart_from_their_messages(monkeypatch, store):
    def apart(connection, done, mapping, routes=()):
        with store.transaction("processed early") as other:
            whole(other, done, mapping, routes)

    whole = inbox.end_processing
    monkeypatch.setattr(inbox, "end_processing", apart)


FAULTS = [
    recorded_before_it_is_written,
    cursor_moved_before_its_rows,
    a_new_key_on_every_attempt,
    an_unknown_outcome_is_written_again_at_once,
    rows_queued_apart_from_their_messages,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_loop_sees_a_planted_fault(fault, store, clock, monkeypatch):
    fault(monkeypatch, store)
    with pytest.raises(AssertionError, match="crash at step"):
        every_point(customers, store, clock)


def zombie(store, clock):
    """A worker that was away past its lease comes back while another holds its row; how many rows it records."""
    wipe(store)
    crm, erp = Seamed("crm", clock, customer=CUSTOMER), Seamed("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    crm.put("customer", "C1", {"name": "A"})
    made.extract(made.parts.flows["customers"])
    made.process("crm", "customer")
    routes, peers = [s.id for s in made.subscriptions("customers")], made.peers("erp")

    def claim():
        with store.transaction("claim") as connection:
            outbox.take_over(connection, routes, clock.now(), SETTLE)
            [row] = outbox.claim(connection, routes, peers, 10, clock.now(), timedelta(minutes=2))
            return row

    stale = claim()
    clock.advance(timedelta(minutes=3))
    with store.transaction("take over") as connection:
        outbox.take_over(connection, routes, clock.now(), SETTLE)
    clock.advance(SETTLE)
    claim()
    late = outbox.Recorded(stale.id, stale.fence, "ready", "unavailable", 1, clock.now(), done=False)
    with store.transaction("record") as connection:
        return outbox.record(connection, [late], peers, clock.now())[0]


def test_a_worker_that_lost_its_lease_records_nothing(store, clock):
    assert zombie(store, clock) == 0


def test_a_store_without_fencing_would_be_seen(store, clock, monkeypatch):
    unfenced = str(outbox._RECORD).replace("and o.fence = r.fence and o.state", "and o.state")
    assert unfenced != str(outbox._RECORD)
    monkeypatch.setattr(outbox, "_RECORD", text(unfenced))
    assert zombie(store, clock) == 1
