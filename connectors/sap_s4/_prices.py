"""Prices: the standard price of each valuation area of a product, a record of its own."""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.connector import Fields, Row

_OF_PRODUCT = ("Product", "BaseUnit", "LastChangeDateTime", "IsMarkedForDeletion")


def prices_of(row: Row) -> Iterator[Row]:
    """One row per valuation area; what a product has no price in is no row."""
    body = row.body
    if body is None:
        yield row
        return
    for valuation in body.get("to_Valuation") or []:
        price = {**valuation, **{name: body.get(name) for name in _OF_PRODUCT}}
        price["to_SalesDelivery"] = body.get("to_SalesDelivery") or []
        key = f"{row.key}|{valuation['ValuationArea']}|{valuation.get('ValuationType') or ''}"
        yield Row(key, price, row.stamp, version=row.version)


def price_fields(product: Fields) -> Fields:
    """The fields of such a row, out of those of the product it is read from."""
    inner = {name.removeprefix("to_Valuation."): one for name, one in product.fields.items()}
    outer = (*_OF_PRODUCT, "to_SalesDelivery")
    kept = {
        name: one
        for name, one in inner.items()
        if f"to_Valuation.{name}" in product.fields or name in outer or name.startswith("to_SalesDelivery.")
    }
    return Fields("A_ProductValuation", kept)
