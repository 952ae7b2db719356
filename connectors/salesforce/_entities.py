"""The entities that this connector knows, and how each stands in Salesforce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from landbridge.connector import Entity

# Salesforce moves these by itself, or by our own writes: they are no part of an echo.
MOVING = frozenset(
    {
        "attributes", "SystemModstamp", "LastModifiedDate", "LastModifiedById", "LastViewedDate", "LastReferencedDate",
        "LastActivityDate", "ActivatedDate",
    }
)  # fmt: skip
SETTLE = timedelta(minutes=10)  # Salesforce ends a request after 10 minutes


def _entity(native: str, *, lines: str | None = None) -> Entity:
    return Entity(
        native,
        create="B",
        update="B",
        delete="B",
        batch=200,
        settle=SETTLE,
        overlap=timedelta(minutes=5),
        lines=lines,
        ignored=MOVING,
    )


ENTITIES = {
    "customer": _entity("Account"),
    "supplier": _entity("Account"),
    "contact": _entity("Contact"),
    "product": _entity("Product2"),
    "price": _entity("PricebookEntry"),
    "sales_order": _entity("Order", lines="OrderItems"),
    "shipment": _entity("Shipment__c", lines="Shipment_Lines__r"),
    "inventory_level": _entity("Stock_Level__c"),
}


@dataclass(frozen=True, slots=True)
class Lines:
    """Where a document's lines stand: the sub-query's name, the object, and its field that names the document."""

    relation: str
    native: str
    parent: str


LINES = {
    "sales_order": Lines("OrderItems", "OrderItem", "OrderId"),
    "shipment": Lines("Shipment_Lines__r", "Shipment_Line__c", "Shipment__c"),
}

# Fields of other records that a reader needs to make sense of this one.
RELATED = {
    "OrderItem": ("Product2.ProductCode", "Product2.QuantityUnitOfMeasure"),
    "PricebookEntry": (
        "Product2.ProductCode",
        "Product2.QuantityUnitOfMeasure",
        "Pricebook2.IsStandard",
        "Pricebook2.Name",
    ),
    "Stock_Level__c": ("Product__r.ProductCode",),
    "Shipment_Line__c": ("Product__r.ProductCode",),
}
