"""What makes the way short and must stay so: few statements, prepared ones, and connections known to stand unasked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from memory import Memory
from sqlalchemy import Engine as Database
from sqlalchemy import event, text
from workbench import engine, flow

from landbridge.connector import Entity, Row
from landbridge.engine._deliver import Deliver
from landbridge.store import Presence
from landbridge.store import _presence as presence_module
from landbridge.store import _store as store_module

CUSTOMER = Entity("Customer", create="A", update="A", batch=1, settle=timedelta(minutes=1))
CLAIM = "select count(*) from pg_prepared_statements where statement like '%with head as materialized%'"
END_ALL = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"""


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement of every store's pools, except of what psycopg is asked directly."""
    found: list[str] = []

    def told(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(" ".join(statement.split())[:60])

    event.listen(Database, "before_cursor_execute", told)
    try:
        yield found
    finally:
        event.remove(Database, "before_cursor_execute", told)


def end_every_connection(store: Any) -> None:
    """The server ends every connection of this database but the one that asks for it."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(END_ALL))
    time.sleep(0.1)


@pytest.fixture
def made(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    found = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    found.parts.concurrency = {"erp": 4}
    return found


def bring(made: Any, *names: str) -> None:
    """Changes of customers, received and processed."""
    for name in names:
        made.parts.systems["crm"].put("customer", name, {"name": name})
    made.extract(made.parts.flows["customers"])
    made.process("crm", "customer")


# -- few statements ---------------------------------------------------------------------------------------------------


def test_one_message_costs_few_statements(made):
    """Each is a round trip that the next one waits for; at 100 messages a second they are what the time goes into."""
    bring(made, "W")
    made.deliver(sweep=False)  # the system has said who it is
    made.parts.systems["crm"].put("customer", "C1", {"name": "A"})
    made.extract(made.parts.flows["customers"])
    with counted() as processing:
        made.process_some("crm", "customer")
    with counted() as delivering:
        assert made.deliver(sweep=False)["customers"]["created"] == 1
    assert len(processing) <= 7, processing
    assert len(delivering) <= 5, delivering  # what is paused; claim and links; record; and that nothing more is due


def test_a_claim_stays_prepared(made):
    """psycopg forgets what it prepared at every rollback: one between two claims, and each is planned anew."""
    for n in range(8):
        bring(made, f"C{n}")
        made.deliver(sweep=False)
    with made.parts.store.asking() as connection:  # the connection that was used last
        assert connection.execute(text(CLAIM)).scalar_one() >= 1


def test_what_several_calls_came_to_is_recorded_together(made, monkeypatch):
    bring(made, *(f"C{n}" for n in range(16)))
    record, sizes = Deliver._record, []

    def slow(self: Deliver, done: Any) -> None:
        sizes.append(len(done))
        time.sleep(0.05)
        record(self, done)

    monkeypatch.setattr(Deliver, "_record", slow)
    counts = made.deliver(sweep=False)["customers"]
    assert counts["created"] == 16
    assert sum(sizes) == 16, "each outcome is recorded once"
    assert len(sizes) < 16
    [row] = made.accounting()
    assert (row.delivered, row.in_flight) == (16, 0)


def test_a_deletion_after_a_change_that_has_a_stamp_is_news(made):
    """Keys that are told without a stamp are compared with their last state, which a stamped change makes old."""
    crm, customers = made.parts.systems["crm"], made.parts.flows["customers"]
    told = [Row("C1", None, action="delete"), Row("C1", {"name": "A"}, "2"), Row("C1", None, action="delete")]
    for row in told:
        crm.rows.setdefault("customer", []).append(row)
        made.extract(customers)
    with made.parts.store.reading() as connection:
        kept = [row.action for row in connection.execute(text("select action from inbox order by id"))]
    assert kept == ["delete", "upsert", "delete"]
    crm.rows["customer"] += [Row("C1", {"name": "A"}, "2"), Row("C1", None, action="delete")]
    assert made.extract(customers).new == 0, "a change that came before is no news, and makes nothing old"


# -- connections that stand -------------------------------------------------------------------------------------------


def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used(store):
    for wait in (True, False):
        with store.transaction("x", wait=wait) as connection:
            connection.execute(text("select 1"))
    end_every_connection(store)
    for wait in (True, False):
        with store.transaction("x", wait=wait) as connection:
            assert connection.execute(text("select 1")).scalar_one() == 1
    with store.asking() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1


def test_connections_are_not_asked_before_each_transaction(store, monkeypatch):
    asked: Counter[str] = Counter()
    with store.transaction("x") as connection:
        execute = type(connection.connection.driver_connection).execute

    def told(self: Any, query: Any, *more: Any, **named: Any) -> Any:
        asked[query] += 1
        return execute(self, query, *more, **named)

    monkeypatch.setattr("psycopg.Connection.execute", told)
    for _ in range(5):
        with store.transaction("x"):
            pass
    assert not asked, "a silent line stands"
    monkeypatch.setattr(store_module, "ASKED_AFTER", 0.0)
    with store.transaction("x"):
        pass
    assert asked == {"select 1": 1}, "after a long rest it is asked"


def test_a_worker_asks_for_its_life_once_for_the_steps_of_one_write(store, monkeypatch):
    presence = Presence(store)
    try:
        number = presence.number()
        monkeypatch.setattr(presence_module, "FRESH", 60.0)
        assert presence.stands(number)
        asked = presence._answered
        assert presence.stands(number) and presence.number() == number
        assert presence._answered == asked, "it was not asked again"
        monkeypatch.setattr(presence_module, "FRESH", 0.0)
        assert presence.stands(number)
        assert presence._answered > asked
    finally:
        presence.close()


def test_a_worker_whose_session_was_ended_knows_it_though_it_asked_a_moment_ago(store, monkeypatch):
    monkeypatch.setattr(presence_module, "FRESH", 60.0)
    presence = Presence(store)
    try:
        number = presence.number()
        assert presence.stands(number)
        end_every_connection(store)
        assert not presence.stands(number)
        second = presence.number()
        assert second != number
        end_every_connection(store)
        assert presence.number() != second, "nor does it claim under a number that is gone"
    finally:
        presence.close()


def test_a_claim_under_a_number_whose_session_ended_is_not_sent(made, store, monkeypatch):
    """What a worker claims without asking for its life it does not send without."""
    made.parts.presence = Presence(store)
    try:
        bring(made, "C1")
        erp, claim = made.parts.systems["erp"], Deliver._go

        def ended_meanwhile(self: Deliver, *more: Any) -> None:
            end_every_connection(store)
            claim(self, *more)

        monkeypatch.setattr(Deliver, "_go", ended_meanwhile)
        threads = threading.active_count()
        made.deliver({"customers"}, going=_once())
        assert [name for name, _ in erp.calls if name == "write"] == []
        monkeypatch.setattr(Deliver, "_go", claim)
        assert made.deliver(sweep=False)["customers"]["created"] == 1
        assert threading.active_count() == threads
    finally:
        made.parts.presence.close()


def _once() -> Any:
    left = [True, True]  # asked by the loop, and before its first batch
    return lambda: bool(left) and left.pop()
