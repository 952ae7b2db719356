"""The resident worker: woken by news, many at once, none in the other's way, stopped without leaving anything half."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hooked import SECRET, Desk, Hooked, change, endpoint
from memory import Memory
from sqlalchemy import text
from workbench import balanced, engine, flow

from landbridge.connector import Entity
from landbridge.errors import Unavailable
from landbridge.store import control
from landbridge.worker import Worker
from landbridge.worker._polling import Pace

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))
FEED = {"from": "crm", "entity": "customer", "webhook": True}


def until(what: Callable[[], Any], seconds: float = 20.0) -> float:
    """Wait until it is so; how long that took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, "it does not come"
        time.sleep(0.002)
    return time.monotonic() - began


@contextmanager
def at_work(*workers: Worker) -> Iterator[None]:
    """The workers in threads of their own, stopped afterwards."""
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive(), "it does not stop"


@pytest.fixture
def made(store, clock, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    crm, erp = Hooked("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    return engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp", extract=FEED)])


@pytest.fixture
def desk(made, clock) -> Iterator[Desk]:
    with endpoint({"standard": {"secrets": ["env:HOOK_SECRET"]}}, made, clock) as found:
        yield found


def effects(made: Any) -> dict[str, Any]:
    return {one.header["name"]: one for one in made.parts.systems["erp"].effects("customer")}


def test_a_webhook_wakes_the_worker_and_stands_in_the_target(made, desk):
    with at_work(Worker(made)):
        assert desk.send(change("C1")).ok
        until(lambda: "C1" in effects(made))
        took = []
        for n in range(10):
            desk.send(change(f"D{n}"))
            took.append(until(lambda n=n: f"D{n}" in effects(made)))
    assert sorted(took)[5] < 0.4, f"it was not woken, it looked by itself: {took}"
    assert balanced(made)[0].delivered == 11


def test_two_workers_make_one_effect_each_and_keep_the_order_of_a_record(made, desk, clock):
    with at_work(Worker(made), Worker(made)):
        for n in range(60):
            assert desk.send(*(change(f"C{k}", stamp=f"{n:03d}", body={"name": f"C{k}", "n": n}) for k in range(5))).ok
        until(lambda: balanced(made)[0].in_flight == 0)
    stood = effects(made)
    assert sorted(stood) == [f"C{k}" for k in range(5)]
    assert {one.header["n"] for one in stood.values()} == {59}
    written: dict[str, list[int]] = {}
    for kind, writes in made.parts.systems["erp"].calls:
        for write in writes if kind == "write" else ():
            written.setdefault(write.after["name"], []).append(write.after["n"])
    assert all(numbers == sorted(numbers) for numbers in written.values()), "an older state was written later"


def test_a_record_that_was_only_named_is_read(made, desk):
    crm = made.parts.systems["crm"]
    crm.fetch = lambda entity, ids: [_row(id_) for id_ in ids]
    with at_work(Worker(made)):
        assert desk.send(change("K1", body=None)).ok
        until(lambda: "fetched K1" in effects(made))


def _row(key: str) -> Any:
    from landbridge.connector import Row

    return Row(key, {"name": f"fetched {key}"}, stamp="1")


def test_a_system_that_does_not_answer_rests_and_the_others_go_on(store, clock, monkeypatch):
    crm, shop = Hooked("crm", clock, customer=CUSTOMER), Memory("shop", clock, customer=CUSTOMER)
    erp = Memory("erp", clock, customer=CUSTOMER)
    calls = []

    def read(entity: str, since: str | None, *, limit: int | None = None) -> Any:
        calls.append(entity)
        raise Unavailable("shop: out of order", wait=60.0)

    shop.read = read
    polled = {"from": "shop", "entity": "customer", "fastest": "1s", "every": "1m"}
    flows = [
        flow("customers", "crm", "customer", "erp", extract={**FEED, "fastest": "1s", "every": "1m"}),
        flow("shoppers", "shop", "customer", "erp", extract=polled),
    ]
    made = engine(store, clock, [crm, shop, erp], flows)
    crm.put("customer", "C1", {"name": "C1"})
    with at_work(Worker(made)):
        until(lambda: "C1" in effects(made))
        clock.advance(5)
        crm.put("customer", "C2", {"name": "C2"})
        until(lambda: "C2" in effects(made))
        assert len(calls) == 1, "it was asked again before the time it asked for"
        clock.advance(60)
        until(lambda: len(calls) == 2)


def test_a_line_to_the_store_that_broke_is_opened_again(made, desk):
    with at_work(Worker(made)):
        desk.send(change("C1"))
        until(lambda: "C1" in effects(made))
        with made.parts.store.transaction("test") as connection:
            ended = connection.execute(
                text("select count(pg_terminate_backend(pid)) from pg_stat_activity where query like 'listen %'")
            ).scalar_one()
        assert ended == 1
        desk.send(change("C2"))
        until(lambda: "C2" in effects(made))


def test_what_passed_is_one_run_per_window(made, desk):
    with at_work(Worker(made)):
        for n in range(5):
            desk.send(change(f"C{n}"))
        until(lambda: len(effects(made)) == 5)
    with made.parts.store.reading() as connection:
        [run] = control.runs(connection)
    assert (run.flow, run.trigger, run.state) == ("customers", "realtime", "succeeded")
    assert run.counts["created"] == 5


def test_the_flow_of_another_host_is_left_alone(store, clock):
    crm, erp = Hooked("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp", realtime="dag", extract=FEED)])
    crm.put("customer", "C1", {"name": "C1"})
    made.extract(made.parts.flows["customers"])
    Worker(made).drain()
    assert effects(made) == {}
    Worker(made, host="dag").drain()
    assert set(effects(made)) == {"C1"}


def test_polling_is_fast_while_changes_come_and_slow_when_they_do_not(clock):
    pace = Pace.begin(timedelta(seconds=5), timedelta(minutes=1), clock.now())
    assert pace.due == clock.now()
    waits = []
    for new in (3, 0, 0, 0, 0, 0, 0, 0, 0, 1):
        pace.read(new, clock.now())
        waits.append((pace.due - clock.now()).total_seconds())
    assert waits[0] == 5
    assert waits == [*sorted(waits[:-1]), 5]
    assert waits[-2] == 60
    pace.failed(clock.now(), 90)
    assert pace.due == clock.now() + timedelta(seconds=90)


def test_what_was_written_to_is_read_again_soon(store, clock, monkeypatch):
    """An order that was just placed is confirmed a moment later: the ERP is asked, however long it had been quiet."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    crm, erp = Hooked("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    back = flow("back", "erp", "customer", "crm", extract={"from": "erp", "entity": "customer", "fastest": "1s"})
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp", extract=FEED), back])
    worker = Worker(made)
    [pace] = worker._readers["erp"]._paces.values()
    with endpoint({"standard": {"secrets": ["env:HOOK_SECRET"]}}, made, clock) as desk, at_work(worker):
        until(lambda: pace.due > clock.now())
        for _ in range(12):
            clock.advance((pace.due - clock.now()).total_seconds())
            until(lambda: pace.due > clock.now())
        assert pace.every > timedelta(seconds=60), "it should have grown slow"
        desk.send(change("C1"))
        until(lambda: pace.due <= clock.now() + timedelta(seconds=1))
        assert "C1" in effects(made)


def test_what_is_due_behind_another_row_is_not_asked_for_again_and_again(made, clock):
    erp = made.parts.systems["erp"]
    erp.script.append(Unavailable("erp: out of order", wait=600.0))
    crm = made.parts.systems["crm"]
    crm.put("customer", "C1", {"name": "C1"}, stamp="1")
    worker = Worker(made)
    calls = []
    deliver = made.deliver
    made.deliver = lambda *args, **more: calls.append(1) or deliver(*args, **more)
    made.extract(made.parts.flows["customers"])
    with at_work(worker):
        until(lambda: erp.written() == 1)
        crm.put("customer", "C1", {"name": "C1", "n": 2}, stamp="2")
        made.extract(made.parts.flows["customers"])
        made.process("crm", "customer")
        clock.advance(3)
        until(lambda: len(calls) > 1)
        before = len(calls)
        time.sleep(1.0)
        assert len(calls) - before < 4, "it spins"
