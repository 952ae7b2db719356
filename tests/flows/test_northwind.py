"""Northwind, the whole company: what the CRM sold stands in the ERP to the cent, and what the ERP did is told back."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from house import FLOWS, PASSWORD, House

from landbridge.store import Store
from landbridge.time import ManualClock
from sandbox.demo import World, differences, read_northwind

CENT = Decimal("0.01")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def company(shared: Path) -> Path:
    """The CSV files."""
    return shared / "data" / "northwind"


@pytest.fixture
def world(company: Path, tmp_path: Path, clock: ManualClock) -> World:
    """Both systems on disk, with customers, products and suppliers in them."""
    made = World(tmp_path, read_northwind(company), erp_password=PASSWORD)
    for one in (made.crm.clock, made.erp.clock):
        one.freeze()
        one.set(clock.now())
    made.seed()
    return made


@pytest.fixture
def northwind(
    root: Path, store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, world: World
) -> Iterator[House]:
    """Both systems of Northwind and the shipped configuration between them."""
    made = House(root, store, clock, monkeypatch.setenv, crm=world.crm, erp=world.erp)
    yield made
    made.close()


def test_every_order_arrives_to_the_cent_and_what_became_of_it_comes_back(
    northwind: House, world: World, company: Path
) -> None:
    masters = northwind.run("customers_to_erp", "products_to_crm", "prices_to_crm")
    assert [run.counts["created"] for run in masters.values()] == [91, 77, 77]
    placed = world.place_orders()
    assert placed == {"orders": 830, "lines": 2155}
    orders = northwind.run("orders_to_erp")["orders_to_erp"]
    assert orders.counts["created"] == 830
    expect_the_orders(northwind, company)

    world.ship()
    news = northwind.run("order_status_to_crm", "shipments_to_crm", "inventory_to_crm")
    assert news["shipments_to_crm"].counts["created"] == 809  # 21 orders of Northwind were never shipped
    assert northwind.troubles() == []
    assert differences(world) == []
    northwind.accounts()

    before, picture = northwind.writes(), northwind.picture()
    for flow in FLOWS:
        northwind.tick(2)
        assert northwind.engine.run(flow).written == 0, flow
    assert northwind.written_since(before) == Counter()
    assert northwind.changed_since(picture) == []

    changed = world.change_order()
    northwind.run("orders_to_erp")
    assert [one for one in northwind.changed_since(picture) if one.startswith("erp")] == [
        f"erp A_SalesOrder {changed['erp']}"
    ]


def expect_the_orders(house: House, folder: Path) -> None:
    """The ERP holds each order once, with the lines, quantities, discounts and total that the CSV files give."""
    lines: dict[str, list[tuple[str, Decimal, Decimal, Decimal]]] = defaultdict(list)
    with (folder / "order_details.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            quantity = Decimal(row["quantity"])
            price = Decimal(row["unit_price"]).quantize(CENT, ROUND_HALF_UP)  # 34.7999992 is 34.80
            percent = (Decimal(row["discount"]) * 100).quantize(CENT, ROUND_HALF_UP)  # 15.0000006 is 15.00 %
            net = (quantity * price * (1 - percent / 100)).quantize(CENT, ROUND_HALF_UP)
            lines[row["order_id"]].append((f"P-{row['product_id']}", quantity, quantity * price - net, net))
    heads = {one["PurchaseOrderByCustomer"]: one for one in house.erp.records("A_SalesOrder")}
    assert heads.keys() == {f"PO-{number}" for number in lines}
    found: dict[str, list[tuple[str, Decimal, Decimal, Decimal]]] = defaultdict(list)
    discounts: Counter[tuple[str, str]] = Counter()
    off: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for element in house.erp.records("A_SalesOrderItemPrElement"):
        if element["ConditionType"] in ("RA00", "RB00"):
            key = element["SalesOrder"], element["SalesOrderItem"]
            discounts[key] += 1
            off[key] -= Decimal(element["ConditionAmount"])
    for item in house.erp.records("A_SalesOrderItem"):
        taken = off[item["SalesOrder"], item["SalesOrderItem"]]
        line = (item["Material"], Decimal(item["RequestedQuantity"]), taken, Decimal(item["NetAmount"]))
        found[item["SalesOrder"]].append(line)
    assert sum(discounts.values()) == 838, "so many of Northwind's 2,155 lines carry a discount"
    for number, expected in lines.items():
        head = heads[f"PO-{number}"]
        assert Counter(found[head["SalesOrder"]]) == Counter(expected), number
        assert Decimal(head["TotalNetAmount"]) == sum(net for *_, net in expected), number
    freight = {
        one["SalesOrder"]: Decimal(one["ConditionRateValue"])
        for one in house.erp.records("A_SalesOrderHeaderPrElement", ConditionType="HD00")
    }
    with (folder / "orders.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            asked = Decimal(row["freight"]).quantize(CENT, ROUND_HALF_UP)
            assert freight.get(heads[f"PO-{row['order_id']}"]["SalesOrder"], Decimal(0)) == asked, row["order_id"]
