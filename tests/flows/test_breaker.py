"""A system that fails is left alone, by every process, and tried again by one row at a time."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from memory import Memory
from sqlalchemy import text
from workbench import balanced, engine, flow

from landbridge.connector import Delivered, Entity
from landbridge.errors import OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Breaker
from landbridge.store import Store, breakers
from landbridge.time import ManualClock

CUSTOMER = Entity("Customer", create="C", update="B", batch=1, settle=timedelta(minutes=5))
TERMS = Breaker(after=5, first=10, longest=80)
DOWN = Unavailable("503 Service Unavailable", status="503")


class Down(Memory):
    """Answers only while it is up; counts every request that reaches it."""

    up = False
    failure: Any = DOWN
    asked: list[str]

    def _one(self, entity: str, write: Any) -> Any:
        self.asked.append(write.after["name"])
        bad = callable(self.failure) and self.failure(write)
        if self.up and not bad:
            return super()._one(entity, write)
        return bad or self.failure

    def standing(self, made: Any) -> Any:
        with made.parts.store.reading() as connection:
            return breakers.standing(connection).get("erp")


@pytest.fixture
def erp(clock: ManualClock) -> Down:
    erp = Down("erp", clock, customer=CUSTOMER)
    erp.asked = []
    return erp


@pytest.fixture
def made(store: Store, clock: ManualClock, erp: Down) -> Any:
    crm = Memory("crm", clock, customer=CUSTOMER)
    for n in range(20):
        crm.put("customer", f"C{n}", {"name": f"C{n}"})
    return engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], breakers={"erp": TERMS})


def attempts(made: Any) -> int:
    with made.parts.store.reading() as connection:
        return int(connection.execute(text("select coalesce(sum(attempts), 0) from outbox")).scalar_one())


def another(made: Any) -> Any:
    """Another process on the same store."""
    parts = made.parts
    return engine(
        parts.store, parts.clock, list(parts.systems.values()), list(parts.flows.values()), breakers=parts.breakers
    )


def test_it_opens_after_so_many_failures_and_rows_that_wait_lose_no_attempt(made, erp, clock):
    made.run("customers")
    assert len(erp.asked) == 5, "what was claimed and not sent is given back"
    standing = erp.standing(made)
    assert (standing.failures, standing.opened, standing.state(clock.now())) == (5, 1, "open")
    assert timedelta(seconds=5) <= standing.open_until - clock.now() <= timedelta(seconds=10)
    assert attempts(made) == 5
    for _ in range(4):
        clock.advance(1)
        made.deliver()
        another(made).deliver()
    assert len(erp.asked) == 5, "every process knows it"
    assert attempts(made) == 5
    assert balanced(made)[0].in_flight == 20


def test_one_row_is_let_through_and_the_rest_grows_until_it_is_back(made, erp, clock):
    made.run("customers")
    for opened, most in ((2, 20), (3, 40), (4, 80), (5, 80), (6, 80)):
        clock.advance(erp.standing(made).open_until - clock.now())
        before = len(erp.asked)
        made.deliver()
        another(made).deliver()
        assert len(erp.asked) == before + 1
        standing = erp.standing(made)
        assert standing.opened == opened
        assert timedelta(seconds=most / 2) <= standing.open_until - clock.now() <= timedelta(seconds=most)
    assert attempts(made) == 5, "a probe that fails is no attempt of its row"
    assert len(set(erp.asked)) == 10, "each probe is another row"
    erp.up = True
    clock.advance(100)
    made.deliver()
    clock.advance(timedelta(minutes=1))
    made.deliver()
    assert erp.standing(made) is None
    assert len(erp.effects("customer")) == 20 and balanced(made)[0].delivered == 20


def test_two_processes_let_one_row_through_between_them(made, erp, clock, store):
    made.run("customers")
    clock.advance(30)
    now = clock.now()
    came, barrier = [], threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        with store.transaction("test") as connection:
            came.append(breakers.probe(connection, "erp", now, now + timedelta(minutes=2)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == [False] * 7 + [True]
    made.deliver()
    assert len(erp.asked) == 5, "somebody else's row is under way"
    clock.advance(timedelta(minutes=2))
    made.deliver()
    assert len(erp.asked) == 6, "who had it is gone"


def test_where_there_is_no_row_to_let_through_the_next_process_may(made, erp, clock):
    made.run("customers")
    clock.advance(timedelta(minutes=1))
    assert made.deliver({"another flow"}) == {}
    with made.parts.store.transaction("test") as connection:
        connection.execute(text("update outbox set state = 'held' where done_at is null"))
    made.deliver()
    assert len(erp.asked) == 5 and erp.standing(made).probe_until is None


def test_it_rests_as_long_as_the_system_asks(made, erp, clock):
    erp.failure = Unavailable("slow down", wait=600.0, status="429")
    made.run("customers")
    assert erp.standing(made).open_until - clock.now() >= timedelta(minutes=10)


def test_time_outs_open_it_and_what_may_have_happened_is_asked_for(made, erp, clock):
    erp.failure = OutcomeUnknown("timed out")
    made.run("customers")
    assert len(erp.asked) == 5
    erp.up = True
    clock.advance(timedelta(minutes=6))
    made.deliver()
    assert len(erp.effects("customer")) == 20


def test_one_poison_record_does_not_close_a_system_to_the_others(made, erp, clock):
    made.parts.systems["crm"].rows["customer"] = made.parts.systems["crm"].rows["customer"][:1]
    erp.failure = lambda write: OutcomeUnknown("500", status="500") if write.after["name"] == "C0" else None
    erp.up = True
    made.run("customers")
    for _ in range(7):
        clock.advance(timedelta(minutes=6))
        made.deliver()
    assert erp.asked.count("C0") == 8
    assert erp.standing(made).opened == 0, "eight failures of one record are not eight of the system"
    made.parts.systems["crm"].put("customer", "C99", {"name": "C99"})
    made.run("customers")
    assert "C99" in {one.header["name"] for one in erp.effects("customer")}


def test_poison_records_that_opened_it_do_not_hold_it_open(made, erp, clock):
    poison = {f"C{n}" for n in range(5)}
    erp.failure = lambda write: OutcomeUnknown("500", status="500") if write.after["name"] in poison else None
    erp.up = True
    made.run("customers")
    assert erp.standing(made).opened == 1
    clock.advance(10)
    made.deliver()
    assert erp.standing(made) is None
    assert len(erp.effects("customer")) == 15, "the first row that was let through was a good one"


@pytest.mark.parametrize("answer", [Rejected("422 no"), None], ids=["refused", "taken"])
def test_any_answer_ends_the_row_of_failures(made, erp, clock, answer):
    outcomes = [DOWN, DOWN, DOWN, DOWN, answer] * 4
    erp._one = lambda entity, write: outcomes.pop(0) or Delivered(write.after["name"])  # type: ignore[method-assign]  # the target's script
    made.run("customers")
    assert outcomes == [], "four failures in a row are not five"
    assert erp.standing(made) is None


def test_a_failure_that_another_process_counted_counts_here(made, erp, clock, store):
    with store.transaction("test") as connection:
        for n in range(4):
            breakers.fail(
                connection, "erp", [9_000 + n], clock.now(), after=5, rest=lambda _: timedelta(seconds=9),
                reason="down", alike=True, probe=False,
            )  # fmt: skip
    made.run("customers")
    assert len(erp.asked) == 1
    assert erp.standing(made).opened == 1


def test_after_nought_it_never_opens(made, erp):
    made.parts.breakers = {"erp": Breaker(after=0)}
    made.run("customers")
    assert len(erp.asked) == 20 and erp.standing(made) is None


def test_what_was_decided_stands_in_the_history(made, erp, clock, store):
    made.run("customers")
    erp.up = True
    clock.advance(timedelta(minutes=2))
    made.deliver()
    with store.reading() as connection:
        told = connection.execute(text("select event, actor, system, detail from history order by id")).all()
    assert [(row.event, row.actor, row.system) for row in told] == [
        ("breaker_opened", "engine", "erp"),
        ("breaker_closed", "engine", "erp"),
    ]
    assert told[0].detail["reason"].startswith("503")


@pytest.mark.parametrize(
    ("failures", "most"), [([DOWN], 6), ([DOWN, OutcomeUnknown("timed out")], 1000)], ids=["down", "down or silent"]
)
def test_a_system_that_comes_and_goes_loses_and_doubles_nothing(store, clock, failures, most, seed=20261122):
    dice = random.Random(seed)
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Down("erp", clock, customer=CUSTOMER)
    erp.asked = []
    flows = [flow("customers", "crm", "customer", "erp", retry={"attempts": most})]
    made = engine(store, clock, [crm, erp], flows, breakers={"erp": TERMS})
    for n in range(60):
        crm.put("customer", f"C{n}", {"name": f"C{n}"})
    made.run("customers")
    for _ in range(100):
        erp.up = dice.random() < 0.15
        erp.failure = dice.choice(failures)
        clock.advance(dice.randint(1, 120))
        made.deliver()
    erp.up = True
    for _ in range(20):
        clock.advance(timedelta(minutes=6))
        made.deliver()
    names = sorted(one.header["name"] for one in erp.effects("customer"))
    assert names == sorted(f"C{n}" for n in range(60)), f"seed {seed}"
    assert balanced(made)[0].delivered == 60
