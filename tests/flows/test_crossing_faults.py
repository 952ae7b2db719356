"""Both systems fail again and again while orders cross: in the end every effect stands there once."""

from __future__ import annotations

import contextlib
import random
from collections import Counter, defaultdict

import pytest
from house import FLOWS, House

from landbridge.errors import Failure
from landbridge.store import control

KINDS = ("429", "503", "500_before", "500_after", "drop_before", "drop_after", "stale_token", "html", "cut_body")


def afflict(house: House, dice: random.Random) -> None:
    """One request in eight of either system meets a mishap."""
    for system in (house.crm, house.erp):
        for kind in KINDS:
            system.faults.add(
                {
                    "path_regex": "/services/data|/sap/opu",
                    "times": None,
                    "probability": 1 / 70,
                    "seed": dice.randrange(10**9),
                },
                kind,
            )
    house.erp.faults.add(
        {"method": "POST", "path_regex": r"\$batch|A_SalesOrder$", "times": 1, "nth": dice.randint(1, 3)},
        "commit_later",
        after=dice.choice([60, 240, 600]),
    )


def run_all(house: House, rounds: int) -> None:
    """Run every flow so often, whatever fails; a person resumes what was paused."""
    for _ in range(rounds):
        for flow in FLOWS:
            house.tick(120)
            with contextlib.suppress(Failure):
                house.engine.run(flow)
        with house.store.transaction("resume") as connection:
            for name in control.paused(connection):
                control.resume(connection, name, house.clock.now())


@pytest.mark.parametrize("seed", [20261121, 2, 5])
def test_whatever_fails_every_effect_stands_there_once(house: House, seed: int):
    dice = random.Random(seed)
    afflict(house, dice)
    accounts = [house.account(f"Customer {number}") for number in range(4)]
    for number in range(4):
        house.product(f"P{number}", 10 + number, 1000)
    run_all(house, 4)
    orders = {}
    for number in range(12):
        lines = [(f"P{one}", dice.randint(1, 9), 10 + one, 0) for one in dice.sample(range(4), dice.randint(1, 3))]
        po = f"PO-{number}"
        orders[po] = house.order(dice.choice(accounts), lines, PoNumber=po), lines
    run_all(house, 4)
    for po in ("PO-0", "PO-1", "PO-2"):
        order, lines = orders[po]
        house.crm.update("OrderItem", house.crm_lines(order)[0]["Id"], {"Quantity": 20})
        lines[0] = (lines[0][0], 20, *lines[0][2:])
    run_all(house, 3)
    for found in house.erp.records("A_SalesOrder")[:6]:
        house.erp.ship(found["SalesOrder"])
    run_all(house, 3)
    house.crm.faults.clear()
    house.erp.faults.clear()
    run_all(house, 12)

    told = f"seed {seed}"
    assert house.troubles() == [], told
    assert Counter(x["OrganizationBPName1"] for x in house.erp.records("A_BusinessPartner")) == Counter(
        f"Customer {number}" for number in range(4)
    ), told
    assert Counter(x["ProductCode"] for x in house.crm.records("Product2")) == Counter(f"P{n}" for n in range(4)), told
    assert house.crm.count("PricebookEntry") == 4, told
    there = house.erp.records("A_SalesOrder")
    assert Counter(x["PurchaseOrderByCustomer"] for x in there) == Counter(orders.keys()), told
    shipped = {x["Order__c"] for x in house.crm.records("Shipment__c")}
    assert (len(shipped), house.crm.count("Shipment__c")) == (6, 6), told
    delivered = defaultdict(list)
    for one in house.erp.records("A_OutbDeliveryItem"):
        delivered[one["ReferenceSDDocument"]].append(one)
    for head in there:
        order, lines = orders[head["PurchaseOrderByCustomer"]]
        theirs = Counter((x["Material"], float(x["RequestedQuantity"])) for x in house.erp_lines(head["SalesOrder"]))
        assert theirs == Counter((product, float(quantity)) for product, quantity, *_ in lines), (told, head)
        assert (house.crm.get("Order", order) or {})["ERP_Number__c"] == head["SalesOrder"], told
        told_back = {x["Id"]: x["Quantity_Shipped__c"] for x in house.crm_lines(order)}
        moved = {
            x["ReferenceSDDocumentItem"].lstrip("0"): float(x["ActualDeliveryQuantity"])
            for x in delivered[head["SalesOrder"]]
        }
        keys = {x["SalesOrderItem"]: x["PurchaseOrderByShipToParty"] for x in house.erp_lines(head["SalesOrder"])}
        assert told_back == {keys[number]: moved.get(number, 0.0) for number in keys}, (told, head)
    assert house.converge() == 0, told
    house.accounts()


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_an_order_that_was_found_is_not_made_again_when_the_call_after_the_look_up_fails(house: House, failing: int):
    account = house.account()
    house.product("P1", 10, 1000)
    house.run("customers_to_erp", "products_to_crm", "prices_to_crm")
    house.order(account, [("P1", 3, 10, 0)], PoNumber="PO-1")
    house.erp.faults.add({"method": "POST", "path_regex": "API_SALES_ORDER_SRV"}, "drop_after")
    house.run("orders_to_erp")
    house.tick(1000)
    house.erp.faults.add(
        {"method": "GET", "path_regex": "API_SALES_ORDER_SRV/A_SalesOrder", "nth": failing}, "500_before"
    )
    for _ in range(5):
        house.run("orders_to_erp", wait=1000)
    assert [x["PurchaseOrderByCustomer"] for x in house.erp.records("A_SalesOrder")] == ["PO-1"]
    assert house.troubles() == []
    assert house.converge() <= 1


@pytest.mark.parametrize("added", [False, True], ids=["of a new order", "of a line added later"])
def test_item_numbers_that_could_not_be_read_back_are_asked_for_until_they_are_known(house: House, added: bool):
    account = house.account()
    house.product("P1", 10, 1000)
    house.product("P2", 10, 1000)
    house.run("customers_to_erp", "products_to_crm", "prices_to_crm")
    order = house.order(account, [("P1", 3, 10, 0)], PoNumber="PO-1")
    if added:
        house.run("orders_to_erp")
        house.crm.update("Order", order, {"Status": "Draft"})
        house.order_line(order, 2, "P2", 4, 10)
        house.crm.update("Order", order, {"Status": "Activated"})
    house.erp.faults.add(
        {"method": "GET", "path_regex": "API_SALES_ORDER_SRV/A_SalesOrder", "nth": 2 if added else 1, "times": 1},
        "500_before",
    )
    house.run("orders_to_erp")
    for _ in range(4):
        house.run("orders_to_erp", wait=1000)
    head = house.erp_order(PurchaseOrderByCustomer="PO-1")
    assert [x["RequestedQuantity"] for x in house.erp_lines(head["SalesOrder"])] == (["3", "4"] if added else ["3"])
    house.erp.ship(head["SalesOrder"])
    house.run()
    assert [x["Quantity_Shipped__c"] for x in house.crm_lines(order)] == ([3, 4] if added else [3])
    assert house.troubles() == []
    assert house.converge() <= 1
