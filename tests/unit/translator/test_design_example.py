# ruff: noqa: E501  # the mapping stands here as the design writes it
"""The mapping that the design shows works as it is written there, both twins alike, valid against the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from landbridge.canonical import Canonical
from landbridge.errors import Invalid
from landbridge.translator import Context, Mapping, Tables, Translator, run_tests

TEXT = """
entity: sales_order
native: Order
in:
  number:      OrderNumber
  currency:    CurrencyIsoCode
  status:      {from: Status, code: shop/order_status}
  ordered_on:  EffectiveDate | date
  parties:
    - {role: sold_to, ref: {customer: AccountId}}
    - role: ship_to
      when: {ShippingCity: {exists: true}}
      address: {street: ShippingStreet, city: ShippingCity, postal_code: ShippingPostalCode, country: ShippingCountry | country}
  lines:
    each: OrderItems.records
    line_key:  Id
    product:   {ref: {product: Product2Id}}
    quantities: {ordered: {value: Quantity, unit: QuantityUnit__c | code(shop/unit)}}
    price:     {amount: UnitPrice, currency: ../CurrencyIsoCode, per: {value: 1, unit: same}}
  changed_at:  LastModifiedDate | instant
tests:
  - name: an activated order with one line
    in:
      context: {system: crm}
      given:
        OrderNumber: "00001"
        CurrencyIsoCode: EUR
        Status: Activated
        EffectiveDate: "2026-11-20"
        AccountId: 001A
        ShippingStreet: Kai 1
        ShippingCity: Hamburg
        ShippingPostalCode: "20095"
        ShippingCountry: Germany
        OrderItems: {records: [{Id: 802A, Product2Id: 01tA, Quantity: 3.0, QuantityUnit__c: Each, UnitPrice: 12.5}]}
        LastModifiedDate: 2026-11-21T10:00:00.000+0000
      expect:
        number: "00001"
        currency: EUR
        status: confirmed
        ordered_on: 2026-11-20
        parties:
          - {role: sold_to, ref: {system: crm, scope: null, entity: customer, id: 001A}}
          - {role: ship_to, address: {street: Kai 1, city: Hamburg, postal_code: "20095", country: DE}}
        lines:
          - line_key: 802A
            product: {ref: {system: crm, scope: null, entity: product, id: 01tA}}
            quantities: {ordered: {value: "3", unit: C62}}
            price: {amount: "12.5", currency: EUR, per: {value: "1", unit: C62}}
        changed_at: 2026-11-21T10:00:00Z
"""


@pytest.fixture
def order(tables: Tables, canonical: Canonical, tmp_path: Path) -> Mapping:
    return Translator(tmp_path, tables, canonical).load_text(TEXT, file="mappings/shop/sales_order.yaml")


def given(order: Mapping) -> dict[str, Any]:
    from landbridge.translator._shorts import json_value

    found: dict[str, Any] = json_value(order.tests[0]["in"]["given"].value)
    return found


def test_its_own_test_passes_and_its_result_is_canonical(order: Mapping, canonical: Canonical) -> None:
    (result,) = run_tests(order, canonical)
    assert result.passed, str(result)


def test_both_twins_agree(order: Mapping, context: Context) -> None:
    assert order.inward is not None
    message = given(order)
    assert order.read(message, context) == order.inward.slow(message, context, True)


def test_everything_wrong_is_said_at_once_with_file_line_path_and_hint(order: Mapping, context: Context) -> None:
    message = given(order)
    message["Status"] = "Activatd"
    message["EffectiveDate"] = "2026-02-30"
    message["OrderItems"]["records"][0]["Quantity"] = "three"
    with pytest.raises(Invalid) as caught:
        order.read(message, context)
    status, date, quantity = caught.value.findings
    assert status.path == "Status"
    assert status.where == "mappings/shop/sales_order.yaml:7"
    assert "sales_order.status: a text ('Activatd') is not in the code list shop/order_status" in status.message
    assert "Did you mean 'Activated'?" in status.hint
    assert date.path == "EffectiveDate"
    assert quantity.path == "OrderItems.records[0].Quantity"
    assert quantity.message.startswith("sales_order.lines[0].quantities.ordered.value: ")
    assert quantity.where == "mappings/shop/sales_order.yaml:18"


def test_a_personal_value_is_not_shown(tables: Tables, canonical: Canonical, tmp_path: Path, context: Context) -> None:
    text = """
entity: sales_order
in:
  number: Nr | fits(3)
  parties:
    - {role: ship_to, address: {street: Street | fits(3)}}
  extensions: {hobby: Hobby | fits(3)}
out:
  Street: parties[role=ship_to].address.street | fits(3)
  Number: number | fits(3)
"""
    mapping = Translator(tmp_path, tables, canonical).load_text(text, file="m.yaml")
    with pytest.raises(Invalid) as caught:
        mapping.read({"Nr": "12345", "Street": "Lane 7", "Hobby": "Chess"}, context)
    said = str([one.as_dict() for one in caught.value.findings])
    assert "12345" in said
    assert "Lane" not in said
    assert "Chess" not in said
    assert "sales_order.parties[0].address.street: the value is refused (length); it is personal and not shown." in said
    with pytest.raises(Invalid) as caught:
        body = {"number": "12345", "parties": [{"role": "ship_to", "address": {"street": "Lane 7"}}]}
        mapping.write(body, context, creating=True)
    said = str([one.as_dict() for one in caught.value.findings])
    assert "12345" in said
    assert "Lane" not in said


def test_a_field_missing_now_and_then_is_left_out_and_learnt(order: Mapping, context: Context) -> None:
    message = given(order)
    del message["ShippingStreet"]
    assert order.inward is not None
    before = order.inward.optional
    results = [order.read(message, context) for _ in range(4)]
    assert all(result == results[0] for result in results)
    assert "street" not in results[0]["parties"][1]["address"]
    assert "ShippingStreet" in order.inward.optional - before


def test_null_money_and_quantities_are_null_not_half_filled(order: Mapping, context: Context) -> None:
    message = given(order)
    message["OrderItems"]["records"][0]["UnitPrice"] = None
    assert order.read(message, context)["lines"][0]["price"] is None
