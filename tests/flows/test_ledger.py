"""The ledger at its edges: first contact, a dead worker's rows, and what one bad record may hold up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from memory import Memory
from sqlalchemy import text
from workbench import balanced, engine, flow

from landbridge.connector import Entity, Identity
from landbridge.errors import Rejected, Unavailable
from landbridge.store import control, outbox

MINUTE = timedelta(minutes=1)
SETTLE = 5 * MINUTE


def entity(grade: str = "C", batch: int = 10, **more: Any) -> Entity:
    return Entity("Customer", create=grade, update="B" if grade == "C" else grade, batch=batch, settle=SETTLE, **more)


def two(store: Any, clock: Any, **more: Any) -> tuple[Memory, Memory, Any]:
    crm, erp = Memory("crm", clock, customer=entity()), Memory("erp", clock, customer=entity(**more))
    return crm, erp, engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])


def queue(made: Any) -> None:
    """Everything into the outbox, as another process's processing would."""
    made.extract(made.parts.flows["customers"])
    made.process("crm", "customer")


# -- first contact ---------------------------------------------------------------------------------------------------


def test_a_worker_that_meets_another_organisation_writes_nothing_and_pauses(store, clock):
    crm, erp, made = two(store, clock)
    crm.put("customer", "C1", {"name": "A"})
    made.run("customers")
    crm.put("customer", "C2", {"name": "B"})
    other = engine(store, clock, [crm, erp], list(made.parts.flows.values()))
    erp.organisation = "org-copy"
    queue(other)
    written = erp.written()
    other.deliver()
    assert erp.written() == written
    with store.reading() as connection:
        assert "erp answers as org-copy, this store is bound to org-erp" in control.paused(connection)["customers"]
    erp.organisation = "org-erp"
    with store.transaction("test") as connection:
        control.resume(connection, "customers", clock.now())
    clock.advance(2 * MINUTE)
    other.deliver()
    assert balanced(made)[0].delivered == 2


def test_who_answers_is_asked_once_and_only_where_something_goes(store, clock, monkeypatch):
    crm, erp, made = two(store, clock)
    asked = []
    monkeypatch.setattr(erp, "check", lambda: asked.append(1) or Identity("org-erp"))
    made.deliver()
    assert asked == []
    for n in range(3):
        crm.put("customer", f"C{n}", {"name": str(n)})
        queue(made)
        made.deliver()
    assert len(asked) == 1 and balanced(made)[0].delivered == 3


@pytest.mark.parametrize("error", [Unavailable("down", sent=False), KeyError("who")], ids=["down", "the connector's"])
def test_a_system_that_does_not_say_who_it_is_costs_no_attempt(store, clock, monkeypatch, error):
    crm, erp, made = two(store, clock)
    answer = erp.check
    monkeypatch.setattr(erp, "check", lambda: (_ for _ in ()).throw(error))
    crm.put("customer", "C1", {"name": "A"})
    queue(made)
    for _ in range(20):
        made.deliver()
        clock.advance(MINUTE)
    assert erp.written() == 0
    monkeypatch.setattr(erp, "check", answer)
    clock.advance(2 * MINUTE)
    made.deliver()
    assert balanced(made)[0].delivered == 1
    with store.reading() as connection:
        assert connection.execute(text("select attempts from outbox")).scalar_one() == 1


# -- a dead worker's rows --------------------------------------------------------------------------------------------


def dies(erp: Memory, made: Any) -> None:
    erp.script = ["crash"]
    with pytest.raises(SystemExit):
        made.deliver()


@pytest.mark.parametrize(("grade", "waits"), [("A", False), ("B", False), ("C", True)])
def test_only_with_grade_c_a_row_waits_after_its_worker_died(store, clock, grade, waits):
    crm, erp, made = two(store, clock, grade=grade)
    crm.put("customer", "C1", {"name": "A"})
    queue(made)
    dies(erp, made)
    clock.advance(made.parts.lease + timedelta(seconds=1))
    made.deliver()
    assert len(erp.effects("customer")) == (0 if waits else 1)
    clock.advance(SETTLE)
    made.deliver()
    assert len(erp.effects("customer")) == 1 and balanced(made)[0].delivered == 1
    assert erp.written() == 2


def test_the_next_version_waits_until_the_dead_workers_write_cannot_come_any_more(store, clock):
    crm, erp, made = two(store, clock, grade="B")
    crm.put("customer", "C1", {"name": "v1"})
    made.run("customers")
    crm.put("customer", "C1", {"name": "v2"})
    queue(made)
    dies(erp, made)
    clock.advance(made.parts.lease + timedelta(seconds=1))
    crm.put("customer", "C1", {"name": "v3"})
    crm.put("customer", "C2", {"name": "other"})
    queue(made)
    made.deliver()
    assert erp.effects("customer")[0].header["name"] == "v2", "the repetition goes at once"
    assert len(erp.effects("customer")) == 2, "other lanes go on"
    clock.advance(SETTLE - 2 * timedelta(seconds=1))
    made.deliver()
    assert erp.effects("customer")[0].header["name"] == "v2", "the first v2 may still come"
    assert balanced(made)[0].in_flight == 2
    written = erp.written()
    clock.advance(3)
    made.deliver()
    assert erp.effects("customer")[0].header["name"] == "v3"
    assert erp.written() == written + 1, "what stands is not written once more"
    assert balanced(made)[0].delivered == 4


def test_lines_wait_with_any_grade(store, clock):
    """A repetition might add a line twice: what stands is asked for first."""
    crm, erp, made = two(store, clock, grade="B", lines="items")
    crm.put("customer", "C1", {"name": "A", "items": []})
    queue(made)
    dies(erp, made)
    clock.advance(made.parts.lease + timedelta(seconds=1))
    made.deliver()
    assert erp.written() == 1


# -- one bad record --------------------------------------------------------------------------------------------------


def updates(store: Any, clock: Any) -> tuple[Memory, Memory, Any]:
    crm, erp, made = two(store, clock)
    for n in range(4):
        crm.put("customer", f"C{n}", {"name": f"old {n}"})
    made.run("customers")
    for n in range(4):
        crm.put("customer", f"C{n}", {"name": f"new {n}"})
    return crm, erp, made


def attempts(store: Any) -> dict[str, int]:
    with store.reading() as connection:
        found = connection.execute(
            text(
                "select i.source_key, o.attempts from outbox o join inbox i on i.id = o.message_id where o.version = 2"
            )
        )
        return {row.source_key: row.attempts for row in found}


@pytest.mark.parametrize("error", [Unavailable("500 of that one", status="500"), ValueError("of that one")])
def test_a_record_that_cannot_be_read_before_its_change_costs_only_itself_an_attempt(store, clock, monkeypatch, error):
    _, erp, made = updates(store, clock)
    fetch, bad = erp.fetch, erp.effects("customer")[2].id

    def fails(entity: str, ids: Any) -> Any:
        if bad in ids:
            raise error
        return fetch(entity, ids)

    monkeypatch.setattr(erp, "fetch", fails)
    made.run("customers")
    names = sorted(one.header["name"] for one in erp.effects("customer"))
    assert names == ["new 0", "new 1", "new 3", "old 2"]
    assert attempts(store) == {"C0": 1, "C1": 1, "C2": 1, "C3": 1}
    for _ in range(30):
        clock.advance(11 * MINUTE)
        made.deliver()
    assert balanced(made)[0].dead == 1, "the bad one ends as a dead letter of its own"


def test_a_target_that_answers_no_read_is_left_alone_and_nobody_pays_for_the_others(store, clock, monkeypatch):
    crm, erp, made = two(store, clock, batch=30)
    for n in range(30):
        crm.put("customer", f"C{n}", {"name": f"old {n}"})
    made.run("customers")
    for n in range(30):
        crm.put("customer", f"C{n}", {"name": f"new {n}"})
    reads = []

    def down(entity: str, ids: Any) -> Any:
        reads.append(len(ids))
        raise Unavailable("no connection", sent=False)

    with monkeypatch.context() as patched:
        patched.setattr(erp, "fetch", down)
        made.run("customers")
    assert reads == [30, 1, 1, 1, 1], "five failures in a row are enough"
    assert sum(attempts(store).values()) == 4
    clock.advance(5 * MINUTE)
    made.deliver()
    assert {one.header["name"] for one in erp.effects("customer")} == {f"new {n}" for n in range(30)}


def test_a_look_up_that_fails_for_one_record_leaves_the_others(store, clock, monkeypatch):
    crm, erp, made = two(store, clock, batch=1)
    for n in range(3):
        crm.put("customer", f"C{n}", {"name": str(n)})
    erp.script = ["after", "after", "after"]
    made.run("customers")
    clock.advance(SETTLE)
    find, asked = erp.find, []

    def fails(entity: str, reference: str) -> Any:
        asked.append(reference)
        if reference == asked[0]:
            raise KeyError("of that one")
        return find(entity, reference)

    monkeypatch.setattr(erp, "find", fails)
    made.deliver()
    row = balanced(made)[0]
    assert (row.delivered, row.in_flight) == (2, 1)
    assert len(erp.effects("customer")) == 3


def test_one_rejected_record_of_many_delays_no_other(store, clock):
    crm, erp, made = two(store, clock, batch=1)
    for n in range(10):
        crm.put("customer", f"C{n}", {"name": str(n)})
    erp.script = [None, Rejected("no")]
    made.run("customers")
    row = balanced(made)[0]
    assert (row.delivered, row.dead) == (9, 1)


# -- taking over under a lock ----------------------------------------------------------------------------------------


def test_taking_over_passes_by_what_is_locked(store, clock):
    crm, _, made = two(store, clock, batch=1)
    for n in range(2):
        crm.put("customer", f"C{n}", {"name": str(n)})
    queue(made)
    routes = made.peers("erp")
    with store.transaction("claim") as connection:
        held = outbox.claim(connection, routes, routes, 10, clock.now(), MINUTE)
    clock.advance(2 * MINUTE)
    with store.transaction("standing still") as locked:
        locked.execute(text("select from outbox where id = :id for update"), {"id": held[0].id})
        with store.transaction("take over") as connection:
            connection.execute(text("set local lock_timeout = '2s'"))
            assert outbox.take_over(connection, routes, clock.now(), SETTLE) == 1
