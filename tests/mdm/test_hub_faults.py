"""Killed processes and processes at once change nothing; and faults that are planted on purpose are found."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hub_bench import batch, customers, decision, overridden, picture, told
from hub_chaos import history, noticed
from hub_child import matching_of

from landbridge.store import Store
from mdm.hub import Change, Hub, _take
from mdm.store import decisions, records
from mdm.survive import Member, _chain

CHILD = Path(__file__).with_name("hub_child.py")
SEEDS = range(1, 9)


def test_a_process_that_is_killed_leaves_no_trace(store, database_url):
    seed, chance = 11, random.Random(11)
    for order in range(1, 30):
        child = subprocess.Popen(
            [sys.executable, str(CHILD), database_url, str(seed), str(order)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None and child.stdout.readline() == b"begun\n"
        if order < 5:
            time.sleep(chance.random() * 0.3)
            child.kill()
        finished = b"done\n" in child.stdout.read()
        child.wait()
        if finished and order >= 5:
            break
    told = history(random.Random(seed))
    with store.reading() as connection:
        assert picture(connection) == batch(matching_of(seed), told.changes, told.standing)


def test_two_that_match_and_come_at_once_see_each_other(store, clock):
    hub, same = Hub({"customer": customers()}, clock), {"name": "Acme", "phone": "+1", "vat": "V1"}
    for round_ in range(8):
        numbers = [4 * round_ + n + 1 for n in range(4)]
        body = {**same, "name": f"Acme {round_}", "phone": f"+{round_}", "vat": f"V{round_}"}
        barrier = threading.Barrier(4)

        def take(number: int, body: dict = body, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            with store.transaction("test") as connection:
                hub.take(connection, "customer", [told(number, body)])

        threads = [threading.Thread(target=take, args=(n,)) for n in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.reading() as connection:
            groups = picture(connection).groups
            assert len({groups[id_] for id_ in groups if id_.int & 0xFFFF in numbers}) == 1


def test_without_its_turn_they_would_not(store, clock, monkeypatch):
    """The planted fault: no lock."""
    monkeypatch.setattr(records, "tick", lambda connection, entity, now, model: records.Ticked(now, model))
    hub, same = Hub({"customer": customers()}, clock), {"name": "Acme", "phone": "+1", "vat": "V1"}
    with store.transaction("one") as one, store.transaction("other") as other:
        hub.take(one, "customer", [told(1, same)])
        hub.take(other, "customer", [told(2, same)])
    with store.reading() as connection:
        assert len(set(picture(connection).groups.values())) == 2


# -- faults that are planted: each of them is found by the very run that proves the property (test_hub_orders) ------


@pytest.fixture
def runs(new_database, database_template, clock):
    """Runs of the property over its seeds, each against an empty store, until one of them notices something."""

    def found(meanwhile: Any = lambda: None) -> list[str]:
        for seed in SEEDS:
            store = Store(new_database(template=database_template), clock)
            try:
                if told_ := noticed(seed, store, clock, meanwhile=meanwhile):
                    return told_
            finally:
                store.close()
        return []

    return found


def test_without_a_planted_fault_nothing_is_found(runs):
    assert runs() == []


class Arrivals:
    """Numbers versions as they arrive: what no rule may look at. All at once they arrive in another order."""

    def __init__(self) -> None:
        self.of: dict = {}

    def number(self, record, digest) -> int:
        return self.of.setdefault((record, digest), len(self.of))


def test_a_rule_that_uses_the_time_of_arrival_is_found(runs, monkeypatch):
    arrivals = Arrivals()
    monkeypatch.setitem(
        _chain._WEIGHS, "recent", lambda _r, found, _a, _d: [arrivals.number(m.record, m.digest) for m in found]
    )
    found = runs(arrivals.of.clear)
    assert any("golden are not" in one for one in found), found


def test_a_tie_that_is_broken_by_insertion_is_found(runs, monkeypatch):
    arrivals, arrived = Arrivals(), _take.arrived

    def inserted(change: Change) -> Any:
        arrivals.number(change.record, "")
        return arrived(change)

    monkeypatch.setattr(_take, "arrived", inserted)
    monkeypatch.setattr(Member, "place", property(lambda self: (arrivals.number(self.record, ""),)))
    found = runs(arrivals.of.clear)
    assert any("golden are not" in one for one in found), found


def test_a_lost_cannot_link_is_found(runs, monkeypatch):
    append = decisions.append
    monkeypatch.setattr(
        decisions,
        "append",
        lambda c, row, written, links: append(c, row, written, [li for li in links if li[2] != "different"]),
    )
    assert any("groups are not" in one for one in runs())


def test_a_decision_that_is_overridden_is_counted(store, clock):
    hub = Hub({"customer": customers()}, clock)
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(n, {"name": "Acme", "phone": "+1"}) for n in (1, 2)])
        hub.decide(connection, "customer", decision(1, "different", [1], [2]))
        hub.decide(connection, "customer", decision(2, "pin", [1], attribute="name", value="Pinned"))
        assert overridden(connection) == 0
        connection.exec_driver_sql(
            "update hub_record set golden = (select min(cast(id as text))::uuid from hub_record)"
        )
        connection.exec_driver_sql("update hub_golden set values = '{}'")
        assert overridden(connection) == 2
