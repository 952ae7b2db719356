"""Dead letters by cause, what a mended mapping changes, and a replay that is given twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from memory import Memory
from workbench import Plain, balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.errors import Rejected
from landbridge.store import control, operate
from landbridge.strict import json

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)


class Company:
    """Customers for an erp whose mapping a test mends."""

    def __init__(self, store: Any, clock: Any) -> None:
        self.crm, self.erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
        self.group = "Z9"
        mappings = {("erp", "customer"): Plain(write=lambda body, _: dict(body) | {"group": self.group})}
        self.made = engine(store, clock, [self.crm, self.erp], [flow("customers", "crm", "customer", "erp")], mappings)
        self.clock = clock

    def dies(self, *reasons: str) -> list[int]:
        for n, _ in enumerate(reasons):
            self.crm.put("customer", f"C{n}", {"name": f"Name {n}"})
        self.erp.script = [Rejected(reason, hint="Choose another.") for reason in reasons]
        self.made.run("customers")
        with self.made.parts.store.reading() as connection:
            return sorted(row.id for row in operate.attention(connection, ["dead"]))


@pytest.fixture
def company(store: Any, clock: Any) -> Company:
    return Company(store, clock)


@pytest.fixture
def desk(company: Company, tmp_path: Path, monkeypatch: Any, capsys: Any) -> Desk:
    return Desk(company.made, tmp_path, monkeypatch, capsys, Canonical({"customer": {"type": "object"}}))


def test_the_same_mistake_is_one_cause_whatever_it_names(company: Company, desk: Desk) -> None:
    company.dies("Customer 4711: no group 'Z9'", "Customer 4712: no group 'Z8'", "Order 10 is locked by USER17")
    found = json.loads(desk("dead", "list", "--causes", "--json").out.encode())
    assert [one["rows"] for one in found] == [2, 1]
    assert "no group" in found[0]["cause"]
    assert "4711" not in found[0]["cause"]
    assert "such as row" in desk("dead", "list", "--causes").out


def test_diff_shows_what_a_mended_mapping_would_write(company: Company, desk: Desk) -> None:
    [row] = company.dies("no group Z9")
    same = desk("dead", "diff", row)
    assert same.code == 1
    assert "the same again" in same.err
    company.group = "B2"
    told = desk("dead", "diff", row, "--show-personal")
    assert told.code == 0, told
    assert "group: Z9 → B2" in told.out
    assert "a replay now: created" in told.out
    assert "Z9" not in desk("dead", "diff", row).out, "personal until proven otherwise"
    assert company.erp.effects("customer") == [], "looking writes nothing"
    changes = json.loads(desk("dead", "diff", row, "--json", "--show-personal").out.encode())["changes"]
    assert changes == [{"field": "group", "before": "Z9", "after": "B2"}]


def test_a_replay_that_is_given_twice_has_one_effect(company: Company, store: Any) -> None:
    rows = company.dies(*["no group Z9"] * 20)
    for _ in range(2):
        with store.transaction("test") as connection:
            control.replay(connection, rows, company.clock.now())
    company.made.deliver()
    with store.transaction("test") as connection:
        assert control.replay(connection, rows, company.clock.now()) == 0, "what is delivered stays"
    company.made.deliver()
    assert len(company.erp.effects("customer")) == 20
    [row] = balanced(company.made)
    assert (row.delivered, row.dead) == (20, 0)


def test_discarding_needs_a_reason_and_keeps_it(company: Company, desk: Desk) -> None:
    [row] = company.dies("no group Z9")
    assert desk("dead", "discard", row).code == 2
    assert desk("dead", "discard", row, "--reason", " ").code == 2
    assert desk("dead", "discard", row, "--reason", "a test record").code == 0
    assert "a test record" in desk("dead", "show", row).out
