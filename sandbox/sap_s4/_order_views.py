"""What an order implies without storing it: partners, addresses, schedule lines, the document flow."""

from __future__ import annotations

import uuid
from decimal import Decimal

from sandbox.sap_s4._partner import default_address
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._values import as_decimal, show_decimal

LINES = "A_SalesOrderItem"
SCHEDULE = "A_SalesOrderScheduleLine"
PARTNERS = "A_SalesOrderHeaderPartner"
ADDRESSES = "A_SalesOrderPartnerAddress"
FUNCTIONS = {"SP": "AG", "SH": "WE", "BP": "RE", "PY": "RG"}
_FLOW = uuid.UUID("6f2c1d6e-0c53-4d0e-9d56-5d2b8f0a7c11")


def implied(store: Store, document: Record, name: str, stored: list[Record]) -> list[Record]:
    """The dependants of a kind that are not among the stored ones."""
    if name == PARTNERS:
        return _standard_partners(document, {one["PartnerFunction"] for one in stored})
    if name == ADDRESSES:
        own = {one["PartnerFunction"] for one in stored}
        named: list[Record] = document.get("_c", {}).get(PARTNERS, [])
        partners = named + implied(store, document, PARTNERS, named)
        return [_address(store, document, one) for one in partners if one["PartnerFunction"] not in own]
    if name == SCHEDULE:
        own = {one["SalesOrderItem"] for one in stored}
        lines = document.get("_c", {}).get(LINES, ())
        return [_schedule(document, one) for one in lines if one["SalesOrderItem"] not in own]
    if name in ("A_SalesOrderSubsqntProcFlow", "A_SalesOrderItmSubsqntProcFlow"):
        return _flow(document, by_line=name == "A_SalesOrderItmSubsqntProcFlow")
    return []


def shipped_of(line: Record) -> Decimal:
    """How much of a line is delivered."""
    return as_decimal(line.get("_shipped"))


def _standard_partners(document: Record, present: set[str]) -> list[Record]:
    customer = document["SoldToParty"]
    return [
        {
            "SalesOrder": document["SalesOrder"],
            "PartnerFunction": shown,
            "PartnerFunctionInternalCode": internal,
            "Customer": customer,
            "ReferenceBusinessPartner": customer,
        }
        for shown, internal in FUNCTIONS.items()
        if shown not in present
    ]


def _address(store: Store, document: Record, partner: Record) -> Record:
    found = default_address(store, str(partner.get("Customer", "")), str(partner.get("AddressID", "")))
    return {
        "SalesOrder": document["SalesOrder"],
        "PartnerFunction": partner["PartnerFunction"],
        "AddressRepresentationCode": "",
        **found,
    }


def _schedule(document: Record, line: Record) -> Record:
    """The one schedule line of a line that was given none."""
    confirmed = as_decimal(line.get("ConfdDelivQtyInOrderQtyUnit"))
    record = {
        "SalesOrder": document["SalesOrder"],
        "SalesOrderItem": line["SalesOrderItem"],
        "ScheduleLine": "1",
        "RequestedDeliveryDate": document.get("RequestedDeliveryDate"),
        "ConfirmedDeliveryDate": document.get("RequestedDeliveryDate") if confirmed else None,
        "OrderQuantityUnit": line.get("OrderQuantityUnit", ""),
        "OrderQuantitySAPUnit": line.get("OrderQuantitySAPUnit", ""),
        "OrderQuantityISOUnit": line.get("OrderQuantityISOUnit", ""),
        "ScheduleLineOrderQuantity": line.get("RequestedQuantity", "0"),
        "ConfdOrderQtyByMatlAvailCheck": show_decimal(confirmed),
        "DeliveredQtyInOrderQtyUnit": line.get("_shipped", "0"),
        "OpenConfdDelivQtyInOrdQtyUnit": show_decimal(max(Decimal(0), confirmed - shipped_of(line))),
    }
    return {name: value for name, value in record.items() if value is not None}


def _flow(document: Record, *, by_line: bool) -> list[Record]:
    found: dict[str, Record] = {}
    for line in document.get("_c", {}).get(LINES, ()):
        for target, number, category, day in line.get("_flow", ()):
            record = {
                "SalesOrder": document["SalesOrder"],
                "SubsequentDocument": target,
                "SubsequentDocumentCategory": category,
                "ProcessFlowLevel": "1",
                "CreationDate": day,
            }
            if by_line:
                record |= {"SalesOrderItem": line["SalesOrderItem"], "SubsequentDocumentItem": number}
            name = "/".join(str(part) for part in record.values())
            record["DocRelationshipUUID"] = str(uuid.uuid5(_FLOW, name))
            found[name] = record
    return list(found.values())
