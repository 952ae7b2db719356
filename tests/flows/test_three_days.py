"""The three days that Landbridge must survive, on both real sandboxes and the shipped configuration."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from house import PASSWORD, House

from landbridge import seam
from landbridge.engine import adopt
from landbridge.store import control

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


def test_what_the_erp_made_of_an_order_is_not_lost_while_nobody_knows_that_the_order_is_ours(house: House):
    account = masters(house, "CHAI")
    order = house.order(account, [("CHAI", 5, 10, 0)], PoNumber=PO)
    house.erp.faults.add({"method": "POST", "path_regex": "API_SALES_ORDER_SRV"}, "drop_after")
    house.run("orders_to_erp")
    assert states(house, "orders_to_erp") == ["unknown"]
    house.erp.ship(house.erp_order(PurchaseOrderByCustomer=PO)["SalesOrder"])
    house.run("order_status_to_crm", "shipments_to_crm")  # they see an order that no one claims yet
    assert (house.crm.get("Order", order) or {}).get("ERP_Status__c") is None
    house.tick(1200)
    house.run()
    house.run()
    there = house.crm.get("Order", order) or {}
    assert there["ERP_Number__c"] == house.erp_order(PurchaseOrderByCustomer=PO)["SalesOrder"]
    assert there["ERP_Status__c"] == "shipped"
    assert [line["Quantity_Shipped__c"] for line in house.crm_lines(order)] == [5]
    [shipment] = house.crm.records("Shipment__c")
    assert shipment["Order__c"] == order
    [parcel] = house.crm.records("Shipment_Line__c")
    assert parcel["Order_Item__c"] == house.crm_lines(order)[0]["Id"]
    assert house.troubles() == []
    assert house.converge() == 0
    house.accounts()


def test_a_shipment_that_gave_up_waiting_for_such_an_order_is_replayed(house: House):
    account = masters(house, "CHAI")
    order = house.order(account, [("CHAI", 5, 10, 0)], PoNumber=PO)
    house.erp.faults.add({"method": "POST", "path_regex": "API_SALES_ORDER_SRV"}, "drop_after")
    house.run("orders_to_erp")
    house.erp.ship(house.erp_order(PurchaseOrderByCustomer=PO)["SalesOrder"])
    house.run("order_status_to_crm", "shipments_to_crm")
    house.tick(4000)
    house.run("shipments_to_crm")
    assert states(house, "shipments_to_crm") == ["dead"]
    house.run("orders_to_erp", "order_status_to_crm")
    [dead] = house.rows("select id from outbox where state = 'dead'")
    with house.store.transaction("replay") as connection:
        control.replay(connection, [dead.id], house.clock.now())
    house.run("shipments_to_crm")
    assert house.troubles() == []
    [shipment] = house.crm.records("Shipment__c")
    assert shipment["Order__c"] == order


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


# -- cut-over Monday ---------------------------------------------------------------------------------------------------

MANY = 2_000


def company(house: House, many: int) -> None:
    """So many customers on both sides, each known by its tax id; A and B are the first two."""
    first = house.erp.seed_partner("Customer 00000", number="10001", tax_id="DE000000000", city="Berlin")
    pattern = json.dumps(house.erp.store.get("A_BusinessPartner", first))

    def partner(number: int) -> tuple[str, dict[str, Any]]:
        text = pattern.replace("10001", str(10001 + number)).replace("DE000000000", f"DE{number:09}")
        return str(10001 + number), json.loads(text.replace("Customer 00000", f"Customer {number:05}"))

    house.erp.store.put_many("A_BusinessPartner", (partner(number) for number in range(1, many)))
    address = {"BillingCity": "Berlin", "BillingCountryCode": "DE", "CurrencyIsoCode": "EUR"}
    house.crm.bulk_insert(
        "Account",
        ({"Name": f"Customer {n:05}", "Tax_Id__c": f"DE{n:09}", "Type": "Customer", **address} for n in range(many)),
    )


def adopted(house: House, many: int) -> None:
    """The Monday's first hour: what both sides hold is linked, and nothing was written."""
    company(house, many)
    house.tick(2)
    [done] = adopt(house.engine, "customers_to_erp", "tax_id")
    assert done.counts["linked"] == many
    assert done.ambiguous == [] and done.missing == []
    house.run("customers_to_erp")
    assert house.writes() == Counter(), "neither adoption nor the first run writes"


def test_cut_over_links_what_exists_on_both_sides_and_writes_nothing(house: House):
    adopted(house, MANY)
    [account] = house.crm.records("Account", {"Tax_Id__c": "DE000001234"})
    house.crm.update("Account", account["Id"], {"BillingCity": "Potsdam"})
    picture = house.picture()
    house.run("customers_to_erp")
    assert house.changed_since(picture) == ["erp A_BusinessPartner 11235"], (
        "a change goes to the partner that was linked"
    )
    assert house.erp.count("A_BusinessPartner") == MANY
    house.accounts()


@pytest.mark.parametrize("on_delete", ["ignore", "block"])
@pytest.mark.parametrize("merge_follows", [True, False])
def test_a_merge_whose_deletion_shows_first_blocks_no_partner(
    house: House, tmp_path: Path, on_delete: str, merge_follows: bool
):
    if on_delete != "ignore":
        flow = "config/flows/customers_to_erp.yaml"
        house.change_project(tmp_path, **{flow: ("on_delete: ignore", f"on_delete: {on_delete}")})
    adopted(house, 20)
    house.product("P1", 10)
    house.erp.bulk_seed(1, customers=["10002"], products=["P1"])
    house.run("products_to_crm", "prices_to_crm")
    before = house.writes()
    account_a, account_b = (
        house.crm.records("Account", {"Tax_Id__c": tax_id})[0]["Id"] for tax_id in ("DE000000000", "DE000000001")
    )
    house.crm.delete("Account", account_b)
    house.run("customers_to_erp")
    house.tick(30)
    if merge_follows:  # only now the org tells that it was a merge
        deleted = house.crm.get("Account", account_b) or {}
        told = {"MasterRecordId": account_a, "SystemModstamp": house.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")}
        house.crm.state.put("Account", account_b, {**deleted, **told})
    for _ in range(8):
        house.run("customers_to_erp", wait=60)
    blocked = [x["BusinessPartner"] for x in house.erp.records("A_BusinessPartner") if x["BusinessPartnerIsBlocked"]]
    assert blocked == (["10002"] if on_delete == "block" and not merge_follows else [])
    assert house.erp.count("A_BusinessPartner") == 20, "nobody was created"
    if merge_follows:
        assert house.written_since(before) == Counter()
        order = house.order(account_a, [("P1", 2, 10, 0)], PoNumber=PO)
        house.run()
        assert house.erp_order(PurchaseOrderByCustomer=PO)["SoldToParty"] == "10001"
        assert (house.crm.get("Order", order) or {})["ERP_Number__c"]
    assert house.troubles() == []
    house.accounts()


def test_a_stock_snapshot_without_its_third_page_is_refused_and_the_next_full_one_sets_zero(
    house: House, tmp_path: Path
):
    house.change_project(
        tmp_path, **{"config/systems.yaml": ("    reference: {sales_order", "    page: 3\n    reference: {sales_order")}
    )
    products = [f"P{number}" for number in range(10)]
    for product in products:
        house.product(product, 10, 7)
    house.run("products_to_crm", "inventory_to_crm")
    house.erp.log.clear()
    house.run("inventory_to_crm")
    pages = house.erp.log.counts["GET /sap/opu/odata/sap/API_MATERIAL_STOCK_SRV/A_MatlStkInAcctMod"]
    assert pages == 5

    def levels() -> dict[str, float]:
        return {x["Product_Code__c"]: x["Available__c"] for x in house.crm.records("Stock_Level__c")}

    assert levels() == dict.fromkeys(products, 7)
    house.erp.stock_set("P1", quantity=0)  # sold out: it is in no row any more
    house.erp.stock_set("P2", quantity=3)
    path = "/sap/opu/odata/sap/API_MATERIAL_STOCK_SRV/A_MatlStkInAcctMod"
    later = requests.get(
        house.erp_server.url + path,
        {"$filter": "Material ge 'P6'", "$orderby": "Material", "$top": "3", "$format": "json"},
        auth=("LANDBRIDGE", PASSWORD),
        timeout=10,
    ).json()
    house.erp.faults.add(
        {"method": "GET", "path_regex": r"A_MatlStkInAcctMod\?", "nth": 3}, "reply", status=200, body=later
    )
    before = house.writes()
    refused = house.run("inventory_to_crm")["inventory_to_crm"]
    assert "refused whole" in refused.refused and "8 of 9 records came" in refused.refused
    assert "the next complete one is" in refused.refused
    assert house.written_since(before) == Counter()
    assert levels() == dict.fromkeys(products, 7), "nothing of an incomplete snapshot is believed"

    complete = house.run("inventory_to_crm")["inventory_to_crm"]
    assert (complete.refused, complete.written) == ("", 2)
    assert levels() == dict.fromkeys(products, 7) | {"P1": 0, "P2": 3}
    house.accounts()
