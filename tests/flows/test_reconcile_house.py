"""Reconcile between both real sandboxes, over the wire: what no feed tells is found, and nothing else."""

from __future__ import annotations

import pytest
from house import House

from landbridge.reconcile import reconcile

BOTH_WAYS = ("customers_to_erp", "orders_to_erp", "products_to_crm", "prices_to_crm", "order_status_to_crm")


@pytest.fixture
def order(house: House) -> str:
    """A customer, a product and an order that stand on both sides."""
    account = house.account()
    house.product("CHAI")
    house.run()
    found = house.order(account, [("CHAI", 3, 18, 0)])
    house.converge()
    assert not house.troubles()
    return found


def test_where_both_sides_agree_nothing_is_found_and_nothing_is_sent(house: House, order: str) -> None:
    before = house.writes()
    for flow in BOTH_WAYS:
        for _ in range(2):
            report = reconcile(house.engine, flow, apply=True)
            told = {kind: [one.detail for one in found] for kind, found in report.samples.items()}
            assert (report.differences, report.counts["sent"]) == (0, 0), (flow, told)
            assert report.counts["known"] >= 1, flow
    assert reconcile(house.engine, "orders_to_erp").counts["linked"] == 1
    assert house.writes() == before


def test_a_row_changed_directly_in_the_erp_is_set_right(house: House, order: str) -> None:
    [item] = house.erp_lines(house.erp_order()["SalesOrder"])
    key = {name: item[name] for name in ("SalesOrder", "SalesOrderItem")}
    house.tick(60)
    house.erp.edit("A_SalesOrderItem", key, {"RequestedQuantity": "30"})
    report = reconcile(house.engine, "orders_to_erp")
    [found] = report.samples["changed"]
    assert (found.source_key, report.differences) == (order, 1)
    assert any("RequestedQuantity" in name for name in (found.detail or {})["fields"])
    assert reconcile(house.engine, "orders_to_erp", apply=True).counts["updated"] == 1
    [item] = house.erp_lines(house.erp_order()["SalesOrder"])
    assert float(item["RequestedQuantity"]) == 3
    assert reconcile(house.engine, "orders_to_erp").differences == 0
    house.accounts()


def test_a_deletion_that_the_feed_does_not_tell(house: House, order: str) -> None:
    """The record and its tombstone are gone, as after an emptied recycle bin."""
    second = house.order(house.crm.records("Account")[0]["Id"], [("CHAI", 1, 18, 0)])
    house.converge()
    for line in house.crm.records("OrderItem", {"OrderId": second}):
        house.crm.state.delete("OrderItem", line["Id"])
    house.crm.state.delete("Order", second)
    before = house.writes()
    house.run("orders_to_erp")
    assert house.writes() == before, "the feed told it"
    report = reconcile(house.engine, "orders_to_erp", apply=True)
    assert [one.source_key for one in report.samples["deleted"]] == [second]
    assert report.counts["sent"] == 1
    house.tick(3600)
    house.engine.run("orders_to_erp")
    rejected = [
        line["SalesDocumentRjcnReason"] for line in house.erp.records("A_SalesOrderItem") if line["RequestedQuantity"]
    ]
    assert sorted(bool(reason) for reason in rejected) == [False, True]
    assert reconcile(house.engine, "orders_to_erp", apply=True).differences == 0
    house.accounts()


def test_a_row_that_the_erp_lost_is_written_again(house: House, order: str) -> None:
    house.erp.store.state.delete("A_SalesOrder", house.erp_order()["SalesOrder"])
    assert not house.erp.records("A_SalesOrder")
    report = reconcile(house.engine, "orders_to_erp", apply=True)
    assert (report.counts["lost"], report.counts["created"]) == (1, 1)
    [line] = house.erp_lines(house.erp_order()["SalesOrder"])
    assert float(line["RequestedQuantity"]) == 3
    assert reconcile(house.engine, "orders_to_erp").differences == 0
    house.accounts()
