"""The shipped mappings against what the org really sends and takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bench_salesforce import SalesforceBench
from connectors_under_test import REGISTRY
from suite import as_update, delivered

from landbridge.canonical import Canonical
from landbridge.connector import LineWrite, Write
from landbridge.engine import _lines as engine_lines
from landbridge.errors import Invalid
from landbridge.translator import Context, Mapping, Tables, Translator

ENTITIES = ("customer", "product", "price", "sales_order", "shipment", "inventory_level")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SalesforceBench]:
    made = SalesforceBench(REGISTRY["salesforce"], tmp_path)
    made.start()
    yield made
    made.close()
    made.stop()


@pytest.fixture(scope="module")
def canonical(root: Path) -> Canonical:
    return Canonical.load(root / "schemas" / "canonical")


@pytest.fixture(scope="module")
def mappings(root: Path, canonical: Canonical) -> dict[str, Mapping]:
    translator = Translator(root / "mappings", Tables(root / "config"), canonical)
    return {name: translator.load_file(root / "mappings" / "salesforce" / f"{name}.yaml") for name in ENTITIES}


def read(bench: SalesforceBench, mapping: Mapping, entity: str, key: str) -> dict[str, Any]:
    [row] = bench.connector().fetch(entity, [key])
    assert row.body is not None
    return mapping.read(row.body, Context(system="crm", now=bench.clock.now()))


def write(bench: SalesforceBench, mapping: Mapping, entity: str, body: dict[str, Any], **ids: str) -> Write:
    """A create as the engine makes it; `ids` are target ids by subject."""
    context = Context(system="crm", now=bench.clock.now(), target_id=lambda entity, subject: ids[subject])
    native = mapping.write(body, context, creating=True)
    header, lines = engine_lines.split(native, bench.connector().entity(entity).lines)
    writes = tuple(LineWrite("insert", key, None, None, line) for key, line in lines.items())
    return Write(entity, "create", uuid4(), 1, "k", f"ref-{entity}", header, dict(header), lines=writes)


def test_an_order_of_the_org_becomes_canonical(bench, mappings, canonical):
    bench.org.update("Product2", bench.product, {"QuantityUnitOfMeasure": "Box"})
    key = bench.org.insert(
        "Order",
        {
            **bench.native_document(),
            "Status": "Draft",
            "CurrencyIsoCode": "USD",
            "Freight__c": 32.38,
            "ShippingCity": "Reims",
            "ShippingCountry": "France",
        },
    )
    for discount in (0, 15):
        line = {"OrderId": key, **bench.native_line("12"), "Discount__c": discount, "Line_Number__c": 1}
        bench.org.insert("OrderItem", line)
    order = read(bench, mappings["sales_order"], "sales_order", key)
    canonical.check("sales_order", order)
    assert order["parties"][0]["ref"]["id"] == bench.account
    assert order["parties"][1]["address"]["country"] == "FR"
    assert [line["discounts"] for line in order["lines"]] == [[], [{"kind": "percent", "value": "15"}]]
    assert order["lines"][0]["quantities"] == {"ordered": {"value": "12", "unit": "BX"}}
    assert order["lines"][0]["price"] == {"amount": "18", "currency": "USD", "per": {"value": "1", "unit": "BX"}}
    assert order["charges"] == [{"kind": "freight", "amount": {"amount": "32.38", "currency": "USD"}}]


def test_an_order_without_lines_is_invalid(bench, mappings, canonical):
    key = bench.org.insert("Order", {**bench.native_document(), "Status": "Draft"})
    with pytest.raises(Invalid) as caught:
        canonical.check("sales_order", read(bench, mappings["sales_order"], "sales_order", key))
    assert any(finding.path.startswith("lines") for finding in caught.value.findings)


def test_a_customer_there_and_back_is_the_same(bench, mappings, canonical):
    body = {
        "number": "1001",
        "name": "北京星辰科技有限公司",
        "currency": "CNY",
        "identifiers": [{"scheme": "tax_id", "value": "91110108MA01"}],
        "addresses": [
            {"role": "main", "street": "中关村大街 1 号", "city": "北京", "postal_code": "100080", "country": "CN"}
        ],
        "phones": [{"kind": "main", "number": "+861062510000"}],
        "website": "https://example.cn",
    }
    canonical.check("customer", body)
    made = delivered(bench.connector(), write(bench, mappings["customer"], "customer", body))
    back = read(bench, mappings["customer"], "customer", made.target_id)
    canonical.check("customer", back)
    for name, value in body.items():
        if name == "addresses":
            assert {**back[name][0], **value[0]} == back[name][0]
        else:
            assert back[name] == value, name


def test_product_price_and_stock_there_and_back_are_the_same(bench, mappings, canonical):
    product = {"number": "P-7", "name": "梨干", "base_unit": "BX", "status": "active", "group": "03"}
    made = delivered(bench.connector(), write(bench, mappings["product"], "product", product))
    back = read(bench, mappings["product"], "product", made.target_id)
    canonical.check("product", back)
    assert {name: back[name] for name in product} == product

    price = {
        "product": {"ref": {"subject": "p"}},
        "price": {"amount": "3050", "currency": "EUR", "per": {"value": "100", "unit": "BX"}},
        "active": True,
    }
    entry = delivered(bench.connector(), write(bench, mappings["price"], "price", price, p=made.target_id))
    back = read(bench, mappings["price"], "price", entry.target_id)
    canonical.check("price", back)
    assert back["price"] == {"amount": "30.5", "currency": "EUR", "per": {"value": "1", "unit": "BX"}}
    assert back["product"]["ref"]["id"] == made.target_id

    stock = {
        "product": {"ref": {"subject": "p"}, "number": "P-7"},
        "site": "1010",
        "available": {"value": "39.5", "unit": "BX"},
        "as_of": "2026-11-21T08:00:00Z",
    }
    level = write(bench, mappings["inventory_level"], "inventory_level", stock, p=made.target_id)
    back = read(bench, mappings["inventory_level"], "inventory_level", delivered(bench.connector(), level).target_id)
    canonical.check("inventory_level", back)
    assert {name: back[name] for name in ("site", "available", "as_of")} == {
        name: stock[name] for name in ("site", "available", "as_of")
    }


def test_progress_and_shipment_come_back_onto_the_order(bench, mappings, canonical):
    bench.org.update("Product2", bench.product, {"QuantityUnitOfMeasure": "Box"})
    order = bench.org.insert("Order", {**bench.native_document(), "Status": "Draft"})
    item = bench.org.insert("OrderItem", {"OrderId": order, **bench.native_line("12")})
    progress = {
        "extensions": {"erp_number": "4711"},
        "status": "partly_shipped",
        "lines": [{"line_key": item, "quantities": {"shipped": {"value": "5", "unit": "BX"}}}],
    }
    native = mappings["sales_order"].write(progress, Context(), creating=False)
    header, lines = engine_lines.split(native, "OrderItems")
    changes = tuple(LineWrite("update", key, key, None, line) for key, line in lines.items())
    status = Write("sales_order", "update", uuid4(), 1, "k", "ref", header, header, target_id=order, lines=changes)
    delivered(bench.connector(), status)
    assert bench.org.get("Order", order)["ERP_Number__c"] == "4711"
    held = bench.org.get("OrderItem", item)
    assert (held["Quantity_Shipped__c"], held["Line_Status__c"]) == (5, "shipped")
    assert held["Quantity"] == 12

    fulfils = {"relation": "fulfils", "entity": "sales_order", "document": {"subject": "o"}}
    shipment = {
        "number": "80000001",
        "status": "shipped",
        "shipped_on": "2026-11-21",
        "tracking": ["JD01"],
        "refs": [fulfils],
        "lines": [
            {
                "line_key": "000010",
                "position": "10",
                "product": {"ref": {"subject": "p"}},
                "quantities": {"shipped": {"value": "5", "unit": "BX"}},
                "refs": [{**fulfils, "line_key": item}],
            }
        ],
    }
    made = write(bench, mappings["shipment"], "shipment", shipment, o=order, p=bench.product)
    done = delivered(bench.connector(), made)
    back = read(bench, mappings["shipment"], "shipment", done.target_id)
    canonical.check("shipment", back)
    assert back["refs"][0]["document"]["id"] == order
    assert back["lines"][0]["refs"][0]["line_key"] == item
    again = as_update(made, done.target_id, before=made.after, changed={})
    assert delivered(bench.connector(), again).lines == done.lines
