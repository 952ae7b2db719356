"""The store's own promises: its schema, its partitions, its leases and fences, its budgets, its erasure."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from memory import Memory
from sqlalchemy import text
from workbench import engine, flow

from landbridge.connector import Entity
from landbridge.net import Usage
from landbridge.store import StoreBudget, control, ensure_partitions, erasure, identity, migrate, outbox
from landbridge.store._identity import Key
from landbridge.store._migrate import alembic_config
from landbridge.store._outbox import Recorded
from landbridge.store.tables import metadata
from landbridge.time import uuid7

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)
PARTITION = re.compile(r"(inbox|body|attempt|history)_(default|\d{4}_\d{2})")


def test_the_migrated_schema_is_the_declared_one(store):
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            difference
            for difference in compare_metadata(context, metadata)
            if not PARTITION.match(getattr(difference[1], "name", "") or "")
        ]
    assert differences == []


def test_the_comparison_sees_a_column_that_is_missing(store):
    with store.engine.begin() as connection:
        connection.execute(text("alter table xref drop column target_version"))
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        assert any(entry[0] == "add_column" and entry[3].name == "target_version" for entry in found)


def test_migrating_again_and_from_several_threads_changes_nothing(store, clock):
    threads = [threading.Thread(target=migrate, args=(store.engine, clock.now())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as connection:
        head = ScriptDirectory.from_config(alembic_config(connection)).get_current_head()
        assert connection.execute(text("select version_num from alembic_version")).scalars().all() == [head]


def test_rows_that_came_before_their_month_had_a_partition_move_into_it(store):
    late = datetime(2026, 9, 3, tzinfo=UTC)
    with store.engine.begin() as connection:
        control.note(connection, "paused", "test", late)
        assert connection.execute(text("select count(*) from history_default")).scalar_one() == 1
        assert "history_2026_09" in ensure_partitions(connection, late)
        assert connection.execute(text("select count(*) from history_2026_09")).scalar_one() == 1


def test_old_partitions_are_dropped_and_those_in_flight_stay(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    crm.put("customer", "C1", {"name": "A"})
    made.extract(made.parts.flows["customers"])
    with store.engine.begin() as connection:
        assert control.drop_older(connection, "body", datetime(2026, 12, 1, tzinfo=UTC)) == []
    made.run("customers")
    with store.engine.begin() as connection:
        dropped = control.drop_older(connection, "body", datetime(2026, 12, 1, tzinfo=UTC))
        assert "body_2026_01" in dropped
        assert control.drop_older(connection, "inbox", datetime(2026, 1, 15, tzinfo=UTC)) == []


@pytest.fixture
def one_row(store, clock):
    """A house with one row that waits to leave."""
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    crm.put("customer", "C1", {"name": "A"})
    made.extract(made.parts.flows["customers"])
    made.process("crm", "customer")
    return made


def claim(store, clock, routes=(1,), limit=10):
    with store.transaction("test") as connection:
        return outbox.claim(connection, routes, routes, limit, clock.now(), timedelta(minutes=2))


def done(row, fence):
    return Recorded(row.id, fence, "delivered", "delivered", 1, row.received_at, done=True, target_id="9")


def test_a_worker_whose_fence_has_moved_on_records_nothing(store, clock, one_row):
    [stale] = claim(store, clock)
    clock.advance(timedelta(minutes=3))
    with store.transaction("test") as connection:
        assert outbox.take_over(connection, [1], clock.now(), timedelta(minutes=5)) == 1
    clock.advance(timedelta(hours=1))
    [fresh] = claim(store, clock)
    assert fresh.fence == stale.fence + 1 and fresh.was == "unknown"
    with store.transaction("test") as connection:
        assert outbox.record(connection, [done(stale, stale.fence)], [1], clock.now()) == (0, [])
        assert connection.execute(text("select count(*) from attempt")).scalar_one() == 0
        assert outbox.record(connection, [done(fresh, fresh.fence)], [1], clock.now()) == (1, [])


def test_without_the_fencing_check_the_zombie_would_have_written(store, clock, one_row):
    """The planted fault: the same statement without its fence records the stale outcome."""
    [stale] = claim(store, clock)
    clock.advance(timedelta(minutes=3))
    with store.transaction("test") as connection:
        outbox.take_over(connection, [1], clock.now(), timedelta(0))
    clock.advance(1)
    claim(store, clock)
    unfenced = text(outbox._RECORD.text.replace("o.fence = r.fence", "true"))
    with store.transaction("test") as connection:
        rows = outbox.records([outbox._row(done(stale, stale.fence))])
        assert connection.execute(unfenced, {"rows": rows, "peers": [1], "now": clock.now()}).scalar_one() == 1


def test_many_workers_never_hold_two_rows_of_one_lane(store, clock):
    crm, erp = Memory("crm", clock, sales_order=CUSTOMER), Memory("erp", clock, sales_order=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("orders", "crm", "sales_order", "erp")])
    for n in range(60):
        crm.put("sales_order", f"O{n % 6}", {"number": str(n)})
    made.extract(made.parts.flows["orders"])
    made.process("crm", "sales_order")
    taken, lock = [], threading.Lock()

    def work():
        rows = claim(store, clock, limit=4)
        with lock:
            taken.extend(rows)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < len(taken) <= 6
    assert len({row.subject for row in taken}) == len(taken)
    assert all(row.version == 1 for row in taken)


def test_a_budget_is_shared_and_never_exceeded(store, clock):
    first, second = (StoreBudget(store, "crm", 10, 1.0, chunk=1) for _ in range(2))
    start = clock.now()
    for _ in range(20):
        first.acquire()
        second.acquire()
    spent = (clock.now() - start).total_seconds()
    assert 2.9 <= spent <= 3.2, "40 requests at 10 a second, 10 of them at once, take 3 seconds"


def test_what_a_system_says_about_waiting_holds_for_every_process(store, clock):
    first, second = (StoreBudget(store, "crm", 100, 1.0) for _ in range(2))
    first.acquire()
    first.learn(Usage(wait=30.0))
    before = clock.now()
    second.acquire()
    assert (clock.now() - before).total_seconds() >= 30


def test_erasure_removes_every_body_of_a_subject_and_keeps_the_counts(store, clock, one_row):
    one_row.deliver()
    with store.transaction("test") as connection:
        subject = connection.execute(text("select subject from inbox")).scalar_one()
        done = erasure.erase(connection, erasure.Scope("customer", [subject], [subject], None), clock.now())
        assert done.bodies == 3
        assert connection.execute(text("select count(*) from body")).scalar_one() == 0
    assert one_row.accounting()[0].delivered == 1


def test_the_accounting_notices_a_row_that_vanished(store, clock, one_row):
    with store.engine.begin() as connection:
        connection.execute(text("delete from outbox"))
    [row] = one_row.accounting()
    assert (row.received, row.delivered + row.in_flight) == (1, 0)


def test_two_systems_may_use_the_same_id_for_different_records(store, clock):
    keys = {Key("crm", "customer", "", "1"), Key("erp", "customer", "", "1"), Key("erp", "customer", "CN01", "1")}
    with store.transaction("test") as connection:
        who = identity.mint(connection, keys, {}, uuid7, clock.now(), "source")
    assert len({w.subject for w in who.values()}) == 3


def test_minting_at_the_same_time_gives_one_subject(store, clock):
    keys = {Key("crm", "customer", "", str(n)) for n in range(50)}
    found = []

    def mint():
        with store.transaction("test") as connection:
            found.append(identity.mint(connection, keys, {}, uuid7, clock.now(), "reference"))

    threads = [threading.Thread(target=mint) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(result == found[0] for result in found)


def test_only_what_can_be_done_again_does_not_wait_for_the_disk(store, clock):
    """A claim that a power cut takes back would send blind what was sent already: it waits for the disk."""
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    crm.put("customer", "C1", {"name": "A"})
    with store.engine.begin() as connection:  # the tests' server waits for nothing
        name = connection.execute(text("select quote_ident(current_database())")).scalar_one()
        connection.execute(text(f"alter database {name} set synchronous_commit = on"))
    store.engine.dispose()
    whole, waits = store.transaction, {}

    @contextmanager
    def watched(what, **more):
        with whole(what, **more) as connection:
            yield connection
            waits[what] = connection.execute(text("show synchronous_commit")).scalar_one() == "on"

    store.transaction = watched
    made.run("customers")
    assert {what for what, waited in waits.items() if not waited} == {"extract", "process", "record"}
    assert waits["claim"]
