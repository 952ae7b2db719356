"""Bodies of canonical records that the tests start from."""

from __future__ import annotations

import copy
from typing import Any


def quantity(value: Any, unit: str = "C62") -> dict[str, str]:
    return {"value": str(value), "unit": unit}


def money(amount: Any, currency: str = "EUR") -> dict[str, str]:
    return {"amount": str(amount), "currency": currency}


def line(key: str, ordered: Any, **others: Any) -> dict[str, Any]:
    """A line; quantities by name as keywords, anything else as it is."""
    states = ("confirmed", "shipped", "returned", "invoiced", "cancelled")
    quantities = {name: quantity(others.pop(name)) for name in states if name in others}
    return {
        "line_key": key,
        "product": {"ref": {"system": "crm", "entity": "product", "id": f"P-{key}"}},
        "quantities": {"ordered": quantity(ordered), **quantities},
        **others,
    }


def order(*lines: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "number": "SO-1001",
        "customer_po": "4500017",
        "ordered_on": "2026-11-21",
        "currency": "EUR",
        "parties": [
            {"role": "sold_to", "ref": {"system": "crm", "entity": "customer", "id": "0015"}},
            {"role": "ship_to", "name": "柏林贸易 GmbH", "address": {"street": "Dock Rd 12", "country": "DE"}},
        ],
        "lines": list(lines) or [line("1", 5), line("2", "2.5")],
        "changed_at": "2026-11-21T10:15:00.5+08:00",
        **others,
    }


REF = {"system": "erp", "entity": "product", "id": "100"}

VALID: dict[str, dict[str, Any]] = {
    "sales_order": order(),
    "customer": {
        "name": "北京机械有限公司",
        "number": "C-1",
        "names": [{"language": "zh-Hans", "text": "北京机械有限公司"}, {"language": "en", "text": "Beijing Machinery"}],
        "kind": "company",
        "identifiers": [{"scheme": "uscc", "value": "91110000600037341L", "country": "CN"}],
        "addresses": [{"role": "main", "street": "长安街 1", "city": "北京", "country": "CN", "postal_code": "100006"}],
        "scopes": [{"sales_area": {"organisation": "1310", "channel": "10"}}, {"company": "CN01", "status": "blocked"}],
        "merged_into": {"subject": "01933b7a-0000-7000-8000-000000000001"},
    },
    "supplier": {"name": "Exotic Liquids", "emails": [{"address": "orders@supplier.example"}], "blocked": False},
    "product": {
        "number": "P-1",
        "name": "Chai",
        "base_unit": "C62",
        "units": [{"unit": "XBX", "numerator": "10", "denominator": "1", "gtin": "4006381333931"}],
        "weight": {"net": {"value": "0.5", "unit": "KGM"}},
    },
    "price": {
        "product": {"ref": REF},
        "price": {"amount": "18.00", "currency": "USD", "per": quantity(100), "tax_included": False},
        "valid_from": "2026-01-01",
        "scales": [{"from": quantity(1000), "price": {"amount": "17", "currency": "USD", "per": quantity(100)}}],
    },
    "shipment": {
        "number": "80000001",
        "tracking": ["1Z"],
        "lines": [
            {
                "line_key": "10",
                "quantities": {"shipped": quantity(60)},
                "refs": [
                    {
                        "relation": "fulfils",
                        "entity": "sales_order",
                        "document": {"system": "erp", "entity": "sales_order", "id": "1"},
                        "line_key": "10",
                    }
                ],
            }
        ],
    },
    "inventory_level": {
        "product": {"ref": REF},
        "site": "1010",
        "location": "0001",
        "stock_type": "unrestricted",
        "owner": {"kind": "own"},
        "available": quantity("-3"),
        "as_of": "2026-11-21T00:00:00Z",
    },
}


def valid(entity: str) -> dict[str, Any]:
    """A fresh copy of a valid body."""
    return copy.deepcopy(VALID[entity])
