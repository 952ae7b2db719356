"""Where each entity stands in Tryton: its model, what is read along, and whose changes are changes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from landbridge.connector import FieldType

_ADDRESS = ("party_name", "street", "city", "postal_code", "country.code", "subdivision.name")
_STAMPS = ("create_date", "write_date", "_timestamp")


@dataclass(frozen=True, slots=True)
class Watch:
    """Records whose change is a change of ours, to which `parent` leads: Tryton does not stamp it for them."""

    model: str
    parent: str
    domain: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One entity; `locks` are the time stamps that make up a record's version, its own first; `reckoned` we add."""

    model: str
    fields: tuple[str, ...]
    watched: tuple[Watch, ...] = ()
    lines: str | None = None
    references: frozenset[str] = frozenset()
    domain: tuple[Any, ...] = ()
    locks: tuple[str, ...] = ("_timestamp",)
    reckoned: Mapping[str, FieldType] = field(default_factory=dict)


def _along(field: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{field}.{name}" for name in names)


_PARTY = Source(
    "party.party",
    (
        "code", "name", "active", "lang.code", *_STAMPS, *_along("addresses", (*_ADDRESS, "active")),
        *_along("contact_mechanisms", ("type", "value", "active")), *_along("identifiers", ("type", "code", "active")),
    ),
    (
        Watch("party.address", "party"),
        Watch("party.contact_mechanism", "party"),
        Watch("party.identifier", "party"),
    ),
)  # fmt: skip
_PRODUCT = Source(
    "product.product",
    (
        "code", "suffix_code", "description", "active", *_STAMPS,
        *_along("template", (
            "name", "type", "active", "salable", "purchasable", "default_uom.symbol", "sale_uom.symbol",
            "account_category.name", "_timestamp", "write_date",
        )),
        *_along("identifiers", ("type", "code")),
    ),
    (Watch("product.template", "products"), Watch("product.identifier", "product")),
    locks=("_timestamp", "template._timestamp"),
)  # fmt: skip
_PRICE = Source(
    "product.product",
    (
        "code", "active", "list_price", "default_uom.symbol", *_STAMPS,
        *_along("template", ("list_price", "_timestamp", "write_date")),
    ),
    (Watch("product.template", "products"),),
    locks=("_timestamp", "template._timestamp"),
)  # fmt: skip
_LINES = (
    "type", "product.code", "description", "quantity", "unit.symbol", "unit_price", "amount",
    "moves.state", "moves.quantity", "invoice_lines.quantity", "invoice_lines.invoice.state",
)  # fmt: skip
_ORDER = (
    "number", "reference", "state", "shipment_state", "invoice_state", "currency.code", "party", "invoice_party",
    "payment_term.name", "company", "warehouse.code", "untaxed_amount", "tax_amount", "total_amount", *_STAMPS,
    *_along("invoice_address", _ADDRESS), *_along("lines", _LINES),
)  # fmt: skip
_DONE = ["state", "in", ["done", "cancelled"]]

SOURCES: Mapping[str, Source] = {
    "customer": _PARTY,
    "supplier": _PARTY,
    "product": _PRODUCT,
    "price": _PRICE,
    "sales_order": Source(
        "sale.sale",
        (*_ORDER, "sale_date", "shipping_date", "shipment_party", *_along("shipment_address", _ADDRESS)),
        (Watch("sale.line", "sale"), Watch("stock.move", "sale", (["sale", "!=", None], _DONE))),
        lines="lines",
    ),
    "purchase_order": Source(
        "purchase.purchase",
        (*_ORDER, "purchase_date", "delivery_date", *_along("lines", ("delivery_date",))),
        (Watch("purchase.line", "purchase"), Watch("stock.move", "purchase", (["purchase", "!=", None], _DONE))),
        lines="lines",
    ),
    "shipment": Source(
        "stock.shipment.out",
        (
            "number", "state", "reference", "customer", "effective_date", "planned_date", "warehouse.code",
            "carrier.party.name", *_STAMPS, *_along("delivery_address", _ADDRESS),
            *_along("outgoing_moves", ("state", "quantity", "unit.symbol", "product.code", "sale", "origin")),
        ),
        (Watch("stock.move", "shipment", (["shipment", "like", "stock.shipment.out,%"],)),),
        lines="outgoing_moves",
        references=frozenset({"origin"}),
    ),
    "inventory_level": Source(
        "product.product",
        ("code", "default_uom.symbol", "quantity"),
        reckoned={"available": "decimal", "product": "any", "warehouse": "any", "unit": "any"},
    ),
}  # fmt: skip
