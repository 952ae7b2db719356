"""A hundred orders from the CRM into a real ERP and what became of them back, by the flows that are shipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from landbridge.demo._project import compose
from landbridge.engine import RunResult
from landbridge.installation import Installation
from landbridge.settings import Settings
from landbridge.store import Store
from landbridge.time import SystemClock
from sandbox._base import serve
from sandbox.demo import Company, World, differences, generate
from sandbox.demo._tryton import TrytonBackoffice
from sandbox.tryton import Tryton

MASTERS = ("customers_to_erp", "products_to_crm", "prices_to_crm")
BACK = ("order_status_to_crm", "shipments_to_crm", "inventory_to_crm")
FLOWS = (*MASTERS, "orders_to_erp", *BACK)


class Crossing:
    """A company's CRM and its Tryton, with the project that `make demo ERP=tryton` runs between them."""

    def __init__(
        self, root: Path, folder: Path, url: str, company: Company, environ: pytest.MonkeyPatch, **settings: Any
    ) -> None:
        self.backoffice = TrytonBackoffice(folder / "erp", company.products[0].currency)
        self.world = World(folder, company, backoffice=self.backoffice)
        self.crm, self.people = self.world.crm, self.backoffice.people
        self.crm.register_client("landbridge", "a-secret-of-this-test")
        self.world.seed()
        self._served = serve(self.crm.app)
        with self.backoffice.serving() as erp:
            variables = {
                **erp,
                "DEMO_CRM_URL": self._served.url,
                "DEMO_CRM_CLIENT_ID": "landbridge",
                "DEMO_CRM_CLIENT_SECRET": "a-secret-of-this-test",
            }
        for name, value in variables.items():
            environ.setenv(name, value)
        project = compose(root, root / "sandbox" / "demo" / "tryton", folder / "project")
        if settings:
            file = project / "config" / "systems.yaml"
            told = "".join(f"    {name}: {json.dumps(value)}\n" for name, value in settings.items())
            before = file.read_text(encoding="utf-8")
            assert "    database: erp\n" in before
            file.write_text(before.replace("    database: erp\n", f"    database: erp\n{told}"), encoding="utf-8")
        clock = SystemClock()  # Tryton stamps by the machine's own
        self.store = Store(url, clock)
        self.installation = Installation(project, Settings.load(project, "demo"), self.store, clock)
        self.engine = self.installation.engine

    def close(self) -> None:
        self.installation.close()
        self._served.stop()
        self.world.close()

    def run(self, *flows: str) -> dict[str, RunResult]:
        """Run these flows, one after another."""
        return {flow: self.engine.run(flow) for flow in flows}

    def changed(self) -> list[str]:
        """What is another in the ERP since the mark."""
        return [key.removeprefix("erp ") for key in self.world.changed() if key.startswith("erp ")]

    def troubles(self) -> list[tuple[str, str, str]]:
        """(flow, state, reason) of everything that is not on its way and not done."""
        with self.store.reading() as connection:
            rows = connection.execute(
                text(
                    "select r.flow, o.state, o.reason from outbox o join route r on r.id = o.route_id "
                    "where o.state not in ('delivered', 'suppressed') order by o.id"
                )
            )
            return [(row.flow, row.state, row.reason or "") for row in rows]

    def sale(self, number: str) -> dict[str, Any]:
        """The one order of the ERP with this number of the customer's."""
        fields = ["number", "state", "untaxed_amount", "tax_amount", "total_amount", "shipments", "lines"]
        return self.people.one("sale.sale", [["reference", "=", number]], fields)

    def lines(self, number: str) -> list[dict[str, Any]]:
        """Its lines, as they stand on the order."""
        fields = ["product.code", "quantity", "unit_price", "amount", "description", "taxes", "shipment_cost"]
        return self.people.rows("sale.line", [["sale.reference", "=", number]], fields)


@pytest.fixture
def crossings(
    tryton: Tryton, root: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Makes the crossing of a company, with more settings of the ERP; `tryton` skips where there is none."""
    made: list[Crossing] = []

    def make(company: Company, **settings: Any) -> Crossing:
        made.append(Crossing(root, tmp_path, database_url, company, monkeypatch, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_hundred_orders_cross_to_the_cent_and_what_became_of_them_comes_back(crossings: Any) -> None:
    company = generate(13, customers=30, products=24, orders=100)
    crossing: Crossing = crossings(company)
    masters = crossing.run(*MASTERS)
    assert [masters[flow].counts["created"] for flow in MASTERS] == [30, 25, 25], "shipping is a product too"
    crossing.world.place_orders()
    orders = crossing.run("orders_to_erp")["orders_to_erp"]
    assert crossing.troubles() == []
    assert orders.counts["created"] == 100
    sales = crossing.people.rows("sale.sale", [], ["state"])
    assert [row["state"] for row in sales] == ["processing"] * 100

    shipped = sum(1 for order in company.orders if order.shipped_on)
    assert 50 < shipped < 100
    assert crossing.world.ship() == {"deliveries": shipped, "stock_levels": 24}
    back = crossing.run(*BACK)
    assert back["shipments_to_crm"].counts["created"] == shipped
    assert crossing.troubles() == []
    assert differences(crossing.world) == []

    crossing.world.mark()
    for flow, result in crossing.run(*FLOWS).items():
        assert result.written == 0, (flow, result.counts)
    assert crossing.world.changed() == []

    order = crossing.world.change_order()
    crossing.run("orders_to_erp")
    assert crossing.troubles() == []
    assert [f"erp {key}" for key in crossing.changed()] == [order["changes"]]
    crossing.run(*BACK)
    assert differences(crossing.world) == []


@pytest.mark.parametrize("until", ["quote", "process"])
def test_a_tax_and_a_shipping_line_of_the_erp_survive_a_later_change(crossings: Any, until: str) -> None:
    company = generate(17, customers=4, products=6, orders=3)
    # Every order goes by a carrier, and its freight is the order's: Tryton adds a line for it when it is quoted.
    defaults = {"sales_order": {"carrier": 1, "shipment_cost_method": "order"}}
    crossing: Crossing = crossings(company, until=until, defaults=defaults)
    crossing.run(*MASTERS)
    crossing.world.place_orders()
    crossing.run("orders_to_erp")
    assert crossing.troubles() == []

    order = company.orders[0]
    number = f"PO-{order.number}"
    placed = crossing.sale(number)
    assert placed["state"] == {"quote": "quotation", "process": "processing"}[until]
    shipping = [row for row in crossing.lines(number) if row["shipment_cost"] is not None]
    assert [(row["product."]["code"], row["amount"]) for row in shipping] == [("SHIP", Decimal("9.50"))]
    assert placed["untaxed_amount"] == order.total + order.freight + Decimal("9.50")
    tax = crossing.people.search("account.tax")
    ours = [row["id"] for row in crossing.lines(number) if row["product."] and row["shipment_cost"] is None]
    assert len(ours) == len(order.lines)
    crossing.people.write("sale.line", ours, {"taxes": [["add", tax]]})
    taxed = crossing.sale(number)

    crossing.run(*FLOWS)
    crossing.world.mark()
    for flow, result in crossing.run(*FLOWS).items():
        assert result.written == 0, (flow, result.counts)
    assert crossing.changed() == [], "what the ERP added is no difference"
    assert crossing.troubles() == []

    [head] = crossing.crm.records("Order", {"PoNumber": number})
    lines = crossing.crm.records("OrderItem", {"OrderId": head["Id"]})
    first = min(lines, key=lambda line: line["Line_Number__c"])
    crossing.crm.update("OrderItem", first["Id"], {"Quantity": first["Quantity"] + 1})
    crossing.run("orders_to_erp")
    assert crossing.troubles() == []
    assert crossing.changed() == [f"sale.sale {placed['id']}"]

    now = crossing.sale(number)
    assert now["state"] == placed["state"]
    rest = sum((line.net for line in order.lines[1:]), Decimal(0))
    bigger = replace(order.lines[0], quantity=order.lines[0].quantity + 1)
    assert now["untaxed_amount"] == bigger.net + rest + order.freight + Decimal("9.50")
    kept = {row["id"]: row for row in crossing.lines(number)}
    assert [row["amount"] for row in kept.values() if row["shipment_cost"] is not None] == [Decimal("9.50")]
    assert all(kept[line]["taxes"] == tax for line in ours), "the same lines, still taxed"
    if until == "quote":
        assert taxed["tax_amount"] > 0
        assert abs(now["tax_amount"] - (bigger.net + rest + Decimal("9.50")) / 10) <= Decimal("0.01") * len(kept)


def test_the_nightly_look_at_its_fields_pauses_nothing(crossings: Any) -> None:
    crossing: Crossing = crossings(generate(19, customers=2, products=2, orders=1))
    report = crossing.installation.check_drift()
    assert (report.stopping, report.paused, report.unreached) == ([], [], {})
    described = crossing.installation.systems["erp"].describe("sales_order").fields
    assert {name for name, field in described.items() if field.required} == {"party"}
