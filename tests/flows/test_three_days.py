"""The three days that Landbridge must survive, on both real sandboxes and the shipped configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta

import pytest
from house import House

from landbridge import seam

PO = "4500017"


class Killed(BaseException):
    """The worker's process is gone: nothing that it would still have done happens."""


@contextmanager
def worker(house: House, *, times_out_after: float, dies: bool) -> Iterator[None]:
    """A worker whose call to the ERP meets the fault: its time-out takes so long, and it may die before it records."""
    [fault] = house.erp.faults.list()
    waited = False

    def hook(step: str, name: str) -> None:
        nonlocal waited
        if fault.hits and not waited:
            waited = True
            house.tick(times_out_after)
        if waited and dies and step in ("commit", "send"):
            raise Killed

    with seam.install(hook), pytest.raises(Killed) if dies else nullcontext():
        yield
    assert waited


def states(house: House, flow: str) -> list[str]:
    """The states of a flow's rows, oldest first."""
    sql = "select o.state from outbox o join route r on r.id = o.route_id where r.flow = :flow order by o.id"
    return [row.state for row in house.rows(sql, flow=flow)]


def masters(house: House, *products: str) -> str:
    """A customer and products on both sides; returns the account."""
    account = house.account()
    for product in products:
        house.product(product, 10)
    house.run("customers_to_erp", "products_to_crm", "prices_to_crm")
    assert house.troubles() == []
    return account


def by_reference(house: House) -> dict[str, dict[str, str]]:
    """The orders of the ERP by our reference: at most one each, whatever happens."""
    found = house.erp.records("A_SalesOrder")
    references = [one["PurchaseOrderByShipToParty"] for one in found]
    assert len(set(references)) == len(references), "two orders carry one reference of ours"
    return {one["PurchaseOrderByShipToParty"]: one for one in found}


# -- late commit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [True, False], ids=["in one call", "in a call of its own"])
@pytest.mark.parametrize("dies", ["before it recorded the time-out", "after it recorded the time-out"])
def test_late_commit(house: House, together: bool, dies: str):
    account = masters(house, "CHAI", "CHANG")
    first = house.order(account, [("CHAI", 100, 10, 0)], PoNumber=PO)
    if together:
        house.order(account, [("CHANG", 7, 10, 0)], PoNumber=PO)
    start = house.clock.now()

    def at(seconds: float) -> None:
        house.tick(seconds - (house.clock.now() - start).total_seconds())

    house.erp.faults.add({"method": "POST", "path_regex": "API_SALES_ORDER_SRV"}, "commit_later", after=240)
    with worker(house, times_out_after=30, dies=dies.startswith("before")):
        house.engine.run("orders_to_erp")
    assert house.clock.now() - start == timedelta(seconds=30)
    rows = 2 if together else 1
    assert states(house, "orders_to_erp") == ["claimed" if dies.startswith("before") else "unknown"] * rows
    assert house.erp.clock.pending() == 1, "the create is still under way in the ERP"
    assert house.erp.records("A_SalesOrder") == []
    at(60)
    house.restart()
    at(90)
    house.crm.update("OrderItem", house.crm_lines(first)[0]["Id"], {"Quantity": 80})
    if not together:
        house.order(account, [("CHANG", 7, 10, 0)], PoNumber=PO)
    for seconds in (95, 150, 210, 239, 241, 300, *range(360, 3600, 120)):
        at(seconds)
        house.engine.run("orders_to_erp")
        assert len(by_reference(house)) <= 2
        assert house.erp.clock.pending() == (seconds < 240)
    orders = by_reference(house).values()
    assert [one["PurchaseOrderByCustomer"] for one in orders] == [PO, PO]
    items = [house.erp_lines(one["SalesOrder"]) for one in orders]
    assert sorted((x["Material"], x["RequestedQuantity"]) for [x] in items) == [("CHAI", "80"), ("CHANG", "7")]
    assert house.troubles() == []
    assert house.converge() <= 1
    house.accounts()


# -- half-shipped edit -------------------------------------------------------------------------------------------------


def test_half_shipped_edit(house: House):
    account = masters(house, "A", "B", "C")
    order = house.order(account, [("A", 100, 10, 0), ("B", 10, 10, 0)], PoNumber=PO)
    house.run("orders_to_erp")
    number = house.erp_order(PurchaseOrderByCustomer=PO)["SalesOrder"]
    house.erp.ship(number, {"10": 60})
    house.run()

    line_a, line_b = house.crm_lines(order)
    house.crm.update("OrderItem", line_a["Id"], {"Quantity": 50, "Line_Number__c": 2})
    house.crm.update("Order", order, {"Status": "Draft"})
    house.crm.delete("OrderItem", line_b["Id"])
    line_c = house.order_line(order, 1, "C", 30, 10)
    house.crm.update("Order", order, {"Status": "Activated"})
    house.erp.return_items(number, {"10": 5})
    house.run()
    house.run()

    lines = {x["SalesOrderItem"]: x for x in house.erp_lines(number)}
    assert {key: (x["Material"], x["RequestedQuantity"], x["SalesDocumentRjcnReason"]) for key, x in lines.items()} == {
        "10": ("A", "100", ""),  # not 50: 60 are shipped
        "20": ("B", "10", "01"),  # rejected, and nobody else's
        "30": ("C", "30", ""),  # new, although it is the first line in the CRM
    }

    [(flow, state, reason)] = house.troubles()
    assert (flow, state) == ("orders_to_erp", "conflict")
    assert reason == (
        "order 00000100 line {}: 60 of 100 are shipped in erp, crm asks 50. "
        "hint: use 60 or more, or create a return.".format(line_a["Id"])
    )
    told = {
        x["Id"]: (x["Quantity"], x["Quantity_Shipped__c"], x.get("Quantity_Returned__c"))
        for x in house.crm_lines(order)
    }
    assert told == {line_a["Id"]: (50, 60, 5), line_c: (30, 0, 0)}
    assert (house.crm.get("Order", order) or {})["ERP_Status__c"] == "partly_shipped"
    before = house.writes()
    house.run()
    assert house.written_since(before) == Counter(), "what a person must decide is not tried again and again"
    house.accounts()

    house.crm.update("OrderItem", line_a["Id"], {"Quantity": 70})  # the person decided
    house.run()
    assert house.erp_lines(number)[0]["RequestedQuantity"] == "70"
