"""Snapshots are taken whole or refused whole; merges and deletions are events of their own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from memory import Memory
from workbench import Plain, balanced, engine, flow

from landbridge.connector import Entity, Page, Row

STOCK = Entity("Stock", create="B", update="B", batch=50, snapshot=True)
TARGET = Entity("Stock", create="B", update="B", batch=50)
CUSTOMER = Entity("Customer", create="C", update="B", batch=10)


@pytest.fixture
def stock(store, clock):
    erp = Memory("erp", clock, inventory_level=STOCK)
    crm = Memory("crm", clock, inventory_level=TARGET)
    crm.versions = False
    erp.absent = lambda entity, last: {**last, "available": "0"}
    made = engine(store, clock, [erp, crm], [flow("stock", "erp", "inventory_level", "crm")])
    return erp, crm, made


def pages(levels, *, size=2, missing=(), total=None, complete=True):
    rows = [Row(key, {"product": key, "available": value}) for key, value in levels.items()]
    cut = [rows[i : i + size] for i in range(0, len(rows), size)]
    kept = [page for n, page in enumerate(cut) if n not in missing]
    return [
        Page(page, None, complete=complete and n == len(kept) - 1, total=len(rows) if total is None else total)
        for n, page in enumerate(kept)
    ]


def levels(crm):
    return {r.header["product"]: r.header["available"] for r in crm.effects("inventory_level")}


def test_a_snapshot_moves_what_differs_and_nothing_else(stock):
    erp, crm, made = stock
    erp.pages["inventory_level"] = pages({"P1": "5", "P2": "7", "P3": "9"})
    assert made.run("stock").counts["created"] == 3
    assert made.run("stock").written == 0
    erp.pages["inventory_level"] = pages({"P1": "5", "P2": "6", "P3": "9"})
    assert made.run("stock").counts["updated"] == 1
    assert levels(crm) == {"P1": "5", "P2": "6", "P3": "9"}


def test_what_a_complete_snapshot_no_longer_holds_is_zero(stock):
    erp, crm, made = stock
    many = {f"P{n}": "5" for n in range(10)}
    erp.pages["inventory_level"] = pages(many)
    made.run("stock")
    del many["P1"]
    erp.pages["inventory_level"] = pages(many)
    made.run("stock")
    assert levels(crm)["P1"] == "0" and levels(crm)["P2"] == "5"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"missing": {2}, "total": 10}, id="a page is missing"),
        pytest.param({"complete": False}, id="the last page did not come"),
    ],
)
def test_an_incomplete_snapshot_is_refused_whole(stock, broken):
    erp, crm, made = stock
    many = {f"P{n}": "5" for n in range(10)}
    erp.pages["inventory_level"] = pages(many)
    made.run("stock")
    changed = dict.fromkeys(many, "1")
    erp.pages["inventory_level"] = pages(changed, **broken)
    result = made.run("stock")
    assert "refused whole" in result.refused and result.written == 0
    assert set(levels(crm).values()) == {"5"}
    erp.pages["inventory_level"] = pages(changed)
    assert made.run("stock").counts["updated"] == 10


def test_a_snapshot_that_shrank_by_more_than_a_fifth_is_refused(stock):
    erp, _crm, made = stock
    erp.pages["inventory_level"] = pages({f"P{n}": "5" for n in range(10)})
    made.run("stock")
    erp.pages["inventory_level"] = pages({f"P{n}": "5" for n in range(7)})
    assert "7 records came, the last snapshot had 10" in made.run("stock").refused


def test_a_merge_relinks_and_an_early_delete_event_blocks_nobody(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    flows = [flow("customers", "crm", "customer", {"to": "erp", "on_delete": "block"})]
    made = engine(store, clock, [crm, erp], flows)
    crm.put("customer", "A", {"name": "A"})
    crm.put("customer", "B", {"name": "B"})
    made.run("customers")
    crm.rows["customer"].append(Row("B", None, "t1", "delete"))
    made.run("customers")
    crm.rows["customer"].append(Row("B", None, "t2", "merge", into="A"))
    made.run("customers")
    clock.advance(timedelta(days=1))
    made.deliver()
    assert all("blocked" not in r.header for r in erp.effects("customer"))
    crm.put("customer", "A", {"name": "A merged"})
    made.run("customers")
    assert [r.header["name"] for r in erp.effects("customer")] == ["A merged", "B"]
    balanced(made)


def test_a_real_deletion_blocks_the_record_after_the_grace(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", {"to": "erp", "on_delete": "block"})])
    crm.put("customer", "B", {"name": "B"})
    made.run("customers")
    crm.rows["customer"].append(Row("B", None, "t1", "delete"))
    made.run("customers")
    assert "blocked" not in erp.effects("customer")[0].header
    clock.advance(timedelta(hours=1))
    made.deliver()
    assert erp.effects("customer")[0].header["blocked"] == "block"


def test_a_deletion_of_a_record_nobody_saw_is_suppressed(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", {"to": "erp", "on_delete": "block"})])
    crm.rows["customer"] = [Row("X", None, "t1", "delete")]
    made.run("customers")
    assert balanced(made)[0].suppressed == 1 and erp.written() == 0


def test_a_reading_that_dies_half_way_goes_on_at_its_cursor(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(
        store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], {("crm", "customer"): Plain()}
    )
    for n in range(8):
        crm.put("customer", f"C{n}", {"name": str(n)})
    whole = crm.read

    def dies(entity, since, *, limit=None):
        for n, page in enumerate(whole(entity, since)):
            if n == 1:
                raise ConnectionError("cut")
            yield page

    crm.read = dies
    with pytest.raises(ConnectionError):
        made.run("customers")
    crm.read = whole
    made.run("customers")
    assert len(erp.effects("customer")) == 8
