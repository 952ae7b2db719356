"""The demonstration's company in a real Tryton: seeded in few calls, shipped and counted by its people, and audited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.demo import Company, generate
from sandbox.demo._tryton import TrytonBackoffice
from sandbox.tryton import Tryton


@pytest.fixture(scope="module")
def company() -> Company:
    """Thirty orders over two months."""
    return generate(11, customers=8, products=9, orders=30)


@pytest.fixture(scope="module")
def backoffice(
    tryton: Tryton, tmp_path_factory: pytest.TempPathFactory, company: Company
) -> Iterator[TrytonBackoffice]:
    """Its ERP with products, stock, suppliers and carriers; `tryton` skips where there is none."""
    made = TrytonBackoffice(tmp_path_factory.mktemp("erp"), "EUR")
    calls = made.people.calls
    made.seed(company, {product.number: product.stock + 5000 for product in company.products})
    assert made.people.calls - calls < 20, "seeded in batches, not record by record"
    yield made
    made.close()


def sell(backoffice: TrytonBackoffice, company: Company) -> dict[str, int]:
    """Enter the orders as an integration would, behind the back of every flow; the sales by the customer's number."""
    people = backoffice.erp.client()
    units = {row["symbol"]: row["id"] for row in people.rows("product.uom", [], ["symbol"])}
    money = {row["code"]: row["id"] for row in people.rows("currency.currency", [], ["code"])}
    things = {row["code"]: row for row in people.rows("product.product", [], ["code", "default_uom.symbol"])}
    countries = {row["code"]: row["id"] for row in people.rows("country.country", [], ["code"])}
    parties = people.create(
        "party.party",
        [
            {
                "name": one.name,
                "addresses": [["create", [{"city": one.address.city, "country": countries[one.address.country]}]]],
            }
            for one in company.customers
        ],
    )
    party = dict(zip([one.number for one in company.customers], parties, strict=True))
    address = {row["party"]: row["id"] for row in people.rows("party.address", [], ["party"])}
    rows: list[dict[str, Any]] = []
    for order in company.orders:
        lines = [
            {
                "product": things[line.product]["id"],
                "unit": units[things[line.product]["default_uom."]["symbol"]],
                "quantity": float(line.quantity),
                "unit_price": line.price,
            }
            for line in order.lines
        ]
        at = address[party[order.customer]]
        rows.append(
            {
                "reference": f"PO-{order.number}",
                "party": party[order.customer],
                "invoice_address": at,
                "shipment_address": at,
                "currency": money[order.currency],
                "company": people.context["company"],
                "lines": [["create", lines]],
            }
        )
    sales = people.create("sale.sale", rows)
    for button in ("quote", "confirm", "process"):
        people.press("sale.sale", button, sales)
    return {row["reference"]: sale for row, sale in zip(rows, sales, strict=True)}


@pytest.fixture(scope="module")
def sold(backoffice: TrytonBackoffice, company: Company) -> dict[str, int]:
    """The sales by the customer's number."""
    return sell(backoffice, company)


def test_what_was_ordered_stands_there_to_the_cent(
    backoffice: TrytonBackoffice, company: Company, sold: dict[str, int]
) -> None:
    held = backoffice.held()
    assert held.keys() == sold.keys()
    for order in company.orders:
        [one] = held[f"PO-{order.number}"]
        gross = Counter((line.product, Decimal(line.quantity).normalize() + 0, None) for line in order.lines)
        assert Counter(line[:3] for line in one.lines.elements()) == gross
        assert (one.net, one.currency) == (sum(line.gross for line in order.lines), order.currency)
        assert one.freight == 0
    only = backoffice.held([f"PO-{company.orders[3].number}"])
    assert list(only) == [f"PO-{company.orders[3].number}"]


def test_customers_are_told_from_the_company_s_own_parties(
    backoffice: TrytonBackoffice, company: Company, sold: dict[str, int]
) -> None:
    buyers = Counter((one.name, one.city, one.country) for one in backoffice.buyers())
    assert buyers == Counter((one.name, one.address.city, one.address.country) for one in company.customers)


def test_the_past_is_shipped_on_its_days_and_the_stock_is_counted(
    backoffice: TrytonBackoffice, company: Company, sold: dict[str, int]
) -> None:
    assert backoffice.deliveries() == {}
    before = backoffice.digests()
    past = {f"PO-{one.number}": one for one in company.orders if one.shipped_on}
    assert 0 < len(past) < len(company.orders)
    assert backoffice.ship({f"PO-{one.number}": one for one in company.orders}) == len(past)
    sales = backoffice.people.rows("sale.sale", [], ["reference", "shipment_state", "shipments"])
    assert {row["reference"] for row in sales if row["shipment_state"] == "sent"} == set(past)
    of = {row["reference"]: row["shipments"] for row in sales}
    rows = backoffice.people.rows("stock.shipment.out", [], ["effective_date", "carrier.party.name"])
    done = {row["id"]: (row["effective_date"], row["carrier."]) for row in rows}
    for number, order in past.items():
        [shipment] = of[number]
        day, carrier = done[shipment]
        assert (day, carrier["party."]["name"]) == (order.shipped_on, order.carrier)
    sent = sum(line.quantity for one in past.values() for line in one.lines)
    assert sum(backoffice.deliveries().values()) == sent
    changed = {key for key, digest in backoffice.digests().items() if before.get(key) != digest}
    assert {f"sale.sale {sold[number]}" for number in past} <= changed
    assert not {f"sale.sale {sold[number]}" for number in sold.keys() - past.keys()} & changed

    stock = {product.number: product.stock for product in company.products}
    backoffice.count(stock)
    assert {code: number for code, number in backoffice.stock().items() if code in stock} == stock


def test_a_change_changes_one_key_and_looking_changes_none(
    backoffice: TrytonBackoffice, company: Company, sold: dict[str, int]
) -> None:
    before = backoffice.digests()
    assert backoffice.digests() == before
    sale = next(iter(sold.values()))
    backoffice.people.write("sale.sale", [sale], {"comment": "a note"})
    after = backoffice.digests()
    assert {key for key in after if after[key] != before.get(key)} == {f"sale.sale {sale}"}
