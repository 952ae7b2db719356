"""One message's way: received once, delivered once, whatever the target answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from memory import Memory
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError
from workbench import balanced, engine, flow

from landbridge.connector import Accepted, Entity
from landbridge.engine._process import Process
from landbridge.errors import Conflict, Denied, Finding, Invalid, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Breaker
from landbridge.store import control

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))


@pytest.fixture
def two(store, clock):
    """A CRM and an ERP with one flow of customers between them."""
    crm = Memory("crm", clock, customer=CUSTOMER)
    erp = Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    return crm, erp, made


def states(made):
    return {row.state for row in attention(made)}


def attention(made, *wanted):
    with made.parts.store.reading() as connection:
        return control.attention(connection, wanted or ("dead", "quarantined", "conflict"))


def test_a_record_is_created_once_and_a_second_run_writes_nothing(two):
    crm, erp, made = two
    for n in range(7):
        crm.put("customer", f"C{n}", {"name": f"Customer {n}"})
    first = made.run("customers")
    assert (first.counts["read"], first.counts["new"], first.counts["created"]) == (7, 7, 7)
    calls = erp.written()
    second = made.run("customers")
    assert second.written == 0 and second.counts["new"] == 0
    assert erp.written() == calls
    assert [r.header["name"] for r in erp.effects("customer")] == [f"Customer {n}" for n in range(7)]
    assert balanced(made)[0].delivered == 7


def test_rows_read_again_by_an_overlap_are_known(two):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"}, stamp="2026-01-01T00:00:00Z")
    made.run("customers")
    crm.put("customer", "C1", {"name": "A"}, stamp="2026-01-01T00:00:00Z")
    result = made.run("customers")
    assert result.counts["read"] == 1 and result.counts["new"] == 0 and erp.written() == 1


def test_records_without_a_stamp_are_compared_with_the_last_state_only(two):
    crm, erp, made = two
    for name in ("10", "8", "10", "10"):
        crm.put("customer", "C1", {"name": name})
        crm.rows["customer"][-1].stamp = None
    made.run("customers")
    made.run("customers")
    with made.parts.store.reading() as connection:
        from sqlalchemy import text

        assert connection.execute(text("select count(*) from inbox")).scalar_one() == 3
    assert erp.effects("customer")[0].header["name"] == "10"


def test_an_update_changes_only_what_differs(two):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A", "city": "Berlin"})
    made.run("customers")
    crm.put("customer", "C1", {"name": "A", "city": "Bremen"})
    made.run("customers")
    write = erp.calls[-1][1][0]
    assert write.action == "update" and write.changed == {"city": "Bremen"} and write.expected == "1"
    crm.put("customer", "C1", {"name": "A", "city": "Bremen"}, stamp="later, but the same")
    assert made.run("customers").counts["unchanged"] == 1


def test_a_rejected_record_is_a_dead_letter_and_the_others_go_on(two):
    crm, erp, made = two
    for n in range(3):
        crm.put("customer", f"C{n}", {"name": str(n)})
    erp.script = [None, Rejected("Name is too short.", hint="Use three letters.", status="422"), None]
    made.run("customers")
    dead = attention(made, "dead")
    assert len(erp.effects("customer")) == 2
    assert [(d.source_key, d.code) for d in dead] == [("C1", "rejected")]
    assert "Use three letters." in dead[0].reason
    assert balanced(made)[0].dead == 1


def test_an_unavailable_target_is_tried_again_with_backoff_and_its_own_wait(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = [Unavailable("busy", wait=90.0), Unavailable("busy")]
    made.run("customers")
    assert erp.effects("customer") == []
    clock.advance(80)
    made.deliver()
    assert erp.written() == 1, "Retry-After was not honoured"
    clock.advance(11)
    made.deliver()
    clock.advance(timedelta(minutes=1))
    made.deliver()
    assert len(erp.effects("customer")) == 1 and erp.written() == 3


def test_retries_end_in_a_dead_letter_after_the_flows_attempts(two, clock):
    crm, erp, made = two
    made.parts.breakers = {"erp": Breaker(after=0)}  # else only its own failures would be counted, not its probes'
    crm.put("customer", "C1", {"name": "A"})
    erp.script = [Unavailable("busy")] * 50
    for _ in range(20):
        made.deliver() if erp.calls else made.run("customers")
        clock.advance(timedelta(minutes=11))
    assert erp.written() == 8
    assert [d.code for d in attention(made, "dead")] == ["unavailable"]


@pytest.mark.parametrize("stood", [True, False], ids=["the effect stood", "nothing stood"])
def test_an_unknown_outcome_is_looked_up_after_the_settle_time_and_leaves_one_effect(two, clock, stood):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = ["after" if stood else OutcomeUnknown("timed out")]
    made.run("customers")
    clock.advance(timedelta(minutes=4))
    made.deliver()
    assert not any(kind == "find" for kind, _ in erp.calls), "asked before the settle time"
    clock.advance(timedelta(minutes=20))
    made.deliver()
    assert len(erp.effects("customer")) == 1
    assert erp.written() == (1 if stood else 2)
    assert balanced(made)[0].delivered == 1


def test_a_worker_that_dies_while_writing_leaves_one_effect(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = ["crash"]
    with pytest.raises(SystemExit):
        made.run("customers")
    made.deliver()
    assert erp.effects("customer") == []
    clock.advance(timedelta(minutes=2, seconds=1))
    made.deliver()
    assert erp.effects("customer") == [], "a lane taken over must wait the settle time"
    clock.advance(timedelta(minutes=20))
    made.deliver()
    assert len(erp.effects("customer")) == 1


def test_an_unexpected_exception_of_a_connector_is_an_unknown_outcome(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    whole = erp.write

    def fails_after(entity, writes):
        whole(entity, writes)
        raise KeyError("results")

    erp.write = fails_after
    made.run("customers")
    erp.write = whole
    clock.advance(timedelta(minutes=30))
    made.deliver()
    assert len(erp.effects("customer")) == 1 and erp.written() == 1


def test_a_denied_write_pauses_the_flow_and_nothing_is_lost(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = [Denied("The user may not create customers.", hint="Grant the role.")]
    made.run("customers")
    clock.advance(timedelta(minutes=5))
    made.deliver()
    assert erp.written() == 1
    with made.parts.store.transaction("test") as connection:
        assert "Grant the role." in control.paused(connection)["customers"]
        control.resume(connection, "customers", clock.now())
    made.deliver()
    assert len(erp.effects("customer")) == 1


def test_a_conflict_waits_for_a_person_with_both_values(two):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = [Conflict("Two records match.", ours="A", theirs="B")]
    made.run("customers")
    [row] = attention(made, "conflict")
    assert row.findings == [{"ours": "A", "theirs": "B", "message": "Two records match."}]


def test_a_staged_write_goes_on_at_its_stage(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = [Accepted("job 7", "submit", wait=30.0)]
    made.run("customers")
    clock.advance(31)
    made.deliver()
    write = erp.calls[-1][1][0]
    assert (write.stage, write.handle, write.action) == ("submit", "job 7", "create")
    assert balanced(made)[0].delivered == 1


def test_an_invalid_body_is_quarantined_on_every_route_and_the_rest_goes_on(two):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    crm.put("customer", "C2", {"name": "bad"})
    reading = made.parts.mappings["crm", "customer"]

    def read(native, context):
        if native["name"] == "bad":
            raise Invalid([Finding("name", "code", "unknown", "Add it.")])
        return dict(native)

    reading._read = read
    result = made.run("customers")
    assert result.counts["quarantined"] == 1 and len(erp.effects("customer")) == 1
    [row] = attention(made, "quarantined")
    assert row.findings[0]["path"] == "name" and "Add it." in row.reason
    assert balanced(made)[0].quarantined == 1


def test_an_older_version_is_superseded_before_it_leaves(two):
    crm, erp, made = two
    for n in range(4):
        crm.put("customer", "C1", {"name": f"v{n}"})
    made.run("customers")
    assert erp.written() == 1 and erp.effects("customer")[0].header["name"] == "v3"
    assert balanced(made)[0].suppressed == 3


def test_a_store_belongs_to_its_systems(two):
    _crm, erp, made = two
    made.run("customers")
    erp.organisation = "someone else"
    made._bound.clear()
    with pytest.raises(Denied, match="erp answers as someone else, this store is bound to org-erp"):
        made.run("customers")


def test_what_we_wrote_does_not_come_back(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    flows = [flow("there", "crm", "customer", "erp"), flow("back", "erp", "customer", "crm")]
    made = engine(store, clock, [crm, erp], flows)
    crm.put("customer", "C1", {"name": "A"})
    made.run("there")
    [record] = erp.effects("customer")
    erp.put("customer", record.id, erp.native(record), version="1")
    back = made.run("back")
    assert back.written == 0 and crm.written() == 0
    erp.put("customer", record.id, {**erp.native(record), "name": "A GmbH"}, version="2")
    assert made.run("back").counts["updated"] + made.run("back").counts["created"] <= 1


def test_older_data_never_overwrites_newer(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "old"})
    erp.script = [Rejected("not today")]
    made.run("customers")
    crm.put("customer", "C1", {"name": "new"})
    made.run("customers")
    [dead] = attention(made, "dead")
    with made.parts.store.transaction("test") as connection:
        assert control.replay(connection, [dead.id], clock.now()) == 1
    made.deliver()
    assert erp.effects("customer")[0].header["name"] == "new"
    assert balanced(made)[0].suppressed == 1


def test_a_target_with_external_ids_is_written_again_without_being_asked(store, clock):
    upsert = Entity("Account", create="B", update="B", batch=10, settle=timedelta(minutes=5))
    erp, crm = Memory("erp", clock, customer=CUSTOMER), Memory("crm", clock, customer=upsert)
    made = engine(store, clock, [erp, crm], [flow("customers", "erp", "customer", "crm")])
    erp.put("customer", "C1", {"name": "A"})
    crm.script = [OutcomeUnknown("timed out")]
    made.run("customers")
    clock.advance(timedelta(minutes=30))
    made.deliver()
    assert len(crm.effects("customer")) == 1
    assert not any(kind == "find" for kind, _ in crm.calls)


def test_what_a_target_has_it_is_told_though_the_condition_no_longer_holds(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    gold = {"to": "erp", "when": {"class": ["gold"]}}
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", gold)])
    crm.put("customer", "C1", {"name": "A", "class": "gold"})
    crm.put("customer", "C2", {"name": "B", "class": "tin"})
    assert made.run("customers").counts["not_meant"] == 1
    crm.put("customer", "C1", {"name": "A", "class": "tin"})
    made.run("customers")
    [record] = erp.effects("customer")
    assert record.header == {"name": "A", "class": "tin"}


def test_a_target_that_accepts_and_never_finishes_ends_as_a_dead_letter(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = [Accepted("job 7", "audit", wait=600.0)] * 400
    made.run("customers")
    for _ in range(200):
        clock.advance(timedelta(minutes=10))
        made.deliver()
    [dead] = attention(made, "dead")
    assert "has not finished stage audit" in dead.reason and dead.code == "outcome_unknown"


def test_a_batch_that_was_locked_out_by_another_begins_again(two, monkeypatch):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    whole, calls = Process._batch, []

    def locked_out(self):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("select", {}, DeadlockDetected("deadlock detected"))
        return whole(self)

    monkeypatch.setattr(Process, "_batch", locked_out)
    made.run("customers")
    assert len(calls) >= 2 and len(erp.effects("customer")) == 1


def test_retention_keeps_the_accounting_an_equation(two, clock):
    crm, _, made = two
    crm.put("customer", "C1", {"name": "A"})
    made.run("customers")
    with made.parts.store.transaction("test") as connection:
        assert "inbox_2026_01" in control.drop_older(connection, "inbox", clock.now() + timedelta(days=60))
    assert balanced(made)[0].received == 0
