"""What Salesforce does by itself around a save: addresses, price books, order totals, activation."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from sandbox._base import Document
from sandbox.salesforce._countries import countries, country_code
from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._objects import ORDER_STATUS
from sandbox.salesforce._schema import SObject


class Lookup(Protocol):
    """What the rules need of the store."""

    def get(self, sobject: str, record_id: str | None) -> Document | None:
        """A record that is not deleted, or None."""

    def find(self, sobject: str, field: str, value: Any, *, limit: int = 2) -> list[Document]:
        """Records that are not deleted and hold this value in an indexed field."""


Rule = Callable[[Lookup, Document, Document | None, bool], None]


def before_save(store: Lookup, sobject: SObject, new: Document, old: Document | None, *, trusted: bool) -> None:
    """Complete and check a record about to be saved; `trusted` writes come from the org's own people and seeds."""
    for prefix in _address_prefixes(sobject):
        _country(new, old, prefix)
    rule = _RULES.get(sobject.name)
    if rule is not None:
        rule(store, new, old, trusted)


def cents(value: Decimal) -> float:
    """Rounded half-up to two places."""
    return float(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def line_total(line: Document) -> float:
    """TotalPrice of an order product: quantity times unit price; Salesforce knows nothing of our discount field."""
    return cents(Decimal(str(line.get("Quantity") or 0)) * Decimal(str(line.get("UnitPrice") or 0)))


def _address_prefixes(sobject: SObject) -> list[str]:
    return [name.removesuffix("Address") for name, field in sobject.fields.items() if field.type == "address"]


def _country(new: Document, old: Document | None, prefix: str) -> None:
    """Keep name and code in step; what changed in this save leads."""
    name, code = f"{prefix}Country", f"{prefix}CountryCode"
    before = old or {}
    given_code, given_name = new.get(code), new.get(name)
    if given_code is not None and (given_code != before.get(code) or given_name is None):
        found = country_code(given_code) if len(given_code) == 2 else None
        wanted, shown = given_code, code
    elif given_name is not None and given_name != before.get(name):
        found, wanted, shown = country_code(given_name), given_name, name
    elif given_name is None or given_code is None:
        new.pop(name, None)
        new.pop(code, None)
        return
    else:
        return
    if found is None:
        message = (
            "There's a problem with this country, even though it may appear correct. "
            f"Please select a country/territory from the list of valid countries.: {wanted}"
        )
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, [shown])
    new[code], new[name] = found, countries()[found]


def _full_name(store: Lookup, new: Document, old: Document | None, trusted: bool) -> None:
    new["Name"] = " ".join(filter(None, (new.get("FirstName"), new.get("LastName"))))


def _custom_name(store: Lookup, new: Document, old: Document | None, trusted: bool) -> None:
    if not new.get("Name"):
        new["Name"] = new["Id"]


def _price(store: Lookup, new: Document, old: Document | None, trusted: bool) -> None:
    product, book = store.get("Product2", new["Product2Id"]), store.get("Pricebook2", new["Pricebook2Id"])
    if product is not None:
        new["Name"] = product["Name"]
        if product.get("ProductCode"):
            new["ProductCode"] = product["ProductCode"]
    if old is not None or book is None:
        return
    same = [
        entry
        for entry in store.find("PricebookEntry", "Product2Id", new["Product2Id"], limit=1000)
        if entry["CurrencyIsoCode"] == new["CurrencyIsoCode"]
    ]
    if any(entry["Pricebook2Id"] == new["Pricebook2Id"] for entry in same):
        raise SalesforceError("DUPLICATE_VALUE", "This price definition already exists in this price book", [])
    if not book.get("IsStandard"):
        books = (store.get("Pricebook2", entry["Pricebook2Id"]) for entry in same)
        if not any(each and each.get("IsStandard") for each in books):
            raise SalesforceError("STANDARD_PRICE_NOT_DEFINED", "No standard price defined for this product", [])


def _order(store: Lookup, new: Document, old: Document | None, trusted: bool) -> None:
    code = ORDER_STATUS[new["Status"]]
    before = (old or {}).get("StatusCode", "Draft")
    if code == "Activated" and before != "Activated" and not trusted:
        if old is None:
            message = "Choose a valid order status and save your changes. Ask your admin for details."
            raise SalesforceError("FAILED_ACTIVATION", message, ["Status"])
        if not store.find("OrderItem", "OrderId", new["Id"], limit=1):
            raise SalesforceError("FAILED_ACTIVATION", "An order must have at least one product.", [])
    if code == "Activated" and not new.get("ActivatedDate"):
        new["ActivatedDate"] = new["SystemModstamp"]
    if code == "Draft":
        new.pop("ActivatedDate", None)
    new["StatusCode"] = code
    if new.get("EndDate") and new["EndDate"] < new["EffectiveDate"]:
        message = "The order end date can't be earlier than the order start date."
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, ["EndDate"])


def _order_item(store: Lookup, new: Document, old: Document | None, trusted: bool) -> None:
    if old is None:
        _product_of_line(store, new)
    if not new.get("Quantity"):
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", "Quantity must be nonzero", ["Quantity"])
    new["TotalPrice"] = line_total(new)


def _product_of_line(store: Lookup, new: Document) -> None:
    order = store.get("Order", new["OrderId"]) or {}
    new["CurrencyIsoCode"] = order.get("CurrencyIsoCode", "USD")
    entry = store.get("PricebookEntry", new.get("PricebookEntryId"))
    if entry is None:
        if not new.get("Product2Id"):
            message = "Required fields are missing: [PricebookEntryId]"
            raise SalesforceError("REQUIRED_FIELD_MISSING", message, ["PricebookEntryId"])
        return
    if order.get("Pricebook2Id") not in {None, entry["Pricebook2Id"]}:
        message = "The pricebook entry is in a different pricebook than the one assigned to the order"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, ["PricebookEntryId"])
    if entry["CurrencyIsoCode"] != new["CurrencyIsoCode"]:
        message = "The pricebook entry currency code does not match the order currency code"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, ["PricebookEntryId"])
    if new.setdefault("Product2Id", entry["Product2Id"]) != entry["Product2Id"]:
        message = "The product does not match the product of the pricebook entry"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, ["Product2Id"])
    new["ListPrice"] = entry["UnitPrice"]


_RULES: dict[str, Rule] = {
    "Contact": _full_name,
    "User": _full_name,
    "Shipment__c": _custom_name,
    "PricebookEntry": _price,
    "Order": _order,
    "OrderItem": _order_item,
}
