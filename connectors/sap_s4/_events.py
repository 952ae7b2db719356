"""Business events of S/4HANA: CloudEvents that name a document by its key, which is then read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from landbridge.connector import CloudEvent, Event, cloud_events
from landbridge.errors import Finding, Invalid

if TYPE_CHECKING:
    from landbridge.signatures import Request

_TYPE = re.compile(r"sap\.s4\.beh\.[a-z0-9]+\.v\d+\.([A-Za-z0-9]+)\.[A-Za-z0-9]+\.v\d+", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/+-]{0,38}[A-Za-z0-9._/+-])?", re.ASCII)

ENTITIES: Mapping[str, tuple[str, ...]] = {
    "SalesOrder": ("sales_order",),
    "BusinessPartner": ("customer", "supplier"),
    "Product": ("product",),
    "OutboundDelivery": ("shipment",),
}
"""The object of an event's type, which is also the field of its data with the key, and what it is to us."""


def events_of(request: Request) -> list[Event]:
    """The records that events name; those of other objects are none, Invalid where a key is missing."""
    return [event for told in cloud_events(request) for event in _events(told)]


def _events(told: CloudEvent) -> Iterator[Event]:
    of_sap = _TYPE.fullmatch(told.type)
    entities = ENTITIES.get(of_sap[1], ()) if of_sap else ()
    if not entities or of_sap is None:
        return
    key = told.data.get(of_sap[1]) if isinstance(told.data, dict) else None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        hint = "Send SAP's standard business events; their data names the key."
        raise Invalid([Finding(of_sap[1], "business_event", f"an event {told.type} has no key", hint)])
    for entity in entities:
        yield Event(entity, _external(key), id=f"{told.unique} {entity}")


def _external(key: str) -> str:
    """A key as OData shows it: numbers are kept with leading zeros and shown without."""
    return key.lstrip("0") or "0" if key.isdigit() else key
