"""Status of lines and orders: A not begun, B partly, C completely; always reckoned from the lines."""

from __future__ import annotations

from sandbox.sap_s4._store import Record
from sandbox.sap_s4._unit import dependants
from sandbox.sap_s4._values import as_decimal


def settle_status(document: Record) -> None:
    """Write the status of each line and of the whole order."""
    lines = dependants(document, "A_SalesOrderItem")
    for line in lines:
        wanted, shipped = as_decimal(line.get("RequestedQuantity")), as_decimal(line.get("_shipped"))
        delivery = "A" if shipped == 0 else "C" if shipped >= wanted else "B"
        rejected = bool(line.get("SalesDocumentRjcnReason"))
        if rejected:  # what is rejected needs no more delivery
            delivery = "C" if shipped else ""
        line["DeliveryStatus"] = delivery
        line["SDProcessStatus"] = "C" if rejected else delivery
        line["OrderRelatedBillingStatus"] = ""
    rejected_count = sum(bool(line.get("SalesDocumentRjcnReason")) for line in lines)
    document["OverallSDProcessStatus"] = _overall([line["SDProcessStatus"] for line in lines])
    deliveries = [line["DeliveryStatus"] for line in lines if line["DeliveryStatus"]]
    document["OverallDeliveryStatus"] = document["OverallTotalDeliveryStatus"] = _overall(deliveries)
    document["OverallSDDocumentRejectionSts"] = (
        "A" if rejected_count == 0 else "C" if rejected_count == len(lines) else "B"
    )
    document["TotalCreditCheckStatus"] = ""
    document["OverallOrdReltdBillgStatus"] = ""


def _overall(parts: list[str]) -> str:
    if not parts:
        return "A"
    if all(part == "C" for part in parts):
        return "C"
    return "A" if all(part == "A" for part in parts) else "B"
