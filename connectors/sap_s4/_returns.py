"""What came back of an order: read from the customer returns that follow it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from connectors.sap_s4._gateway import Gateway
from connectors.sap_s4._literals import any_of, chunks
from connectors.sap_s4._sources import RETURNS
from connectors.sap_s4._wire import same_key
from landbridge.errors import Denied, Rejected

RETURNED, SHIPPED = "@returned", "@shipped"
_RETURN = "H"  # SAP's document category of returns
_OVERHEAD = 40


class Returns:
    """Adds shipped and returned quantities to the items of orders."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._absent = False

    def complete(self, bodies: Iterable[dict[str, Any]]) -> None:
        """Write `@shipped` and `@returned` into each item; a system without the returns service reads no returns."""
        orders = [body for body in bodies if "to_Item" in body]
        returned = self._returned([str(body["SalesOrder"]) for body in orders if _has_returns(body)])
        for body in orders:
            lines = returned.get(str(body["SalesOrder"]), ())
            for item in body["to_Item"]:
                item[SHIPPED] = _total(
                    one.get("DeliveredQtyInOrderQtyUnit") for one in item.get("to_ScheduleLine") or []
                )
                item[RETURNED] = _total(
                    line["RequestedQuantity"]
                    for line in lines
                    if same_key(line["ReferenceSDDocumentItem"], item["SalesOrderItem"])
                )

    def _returned(self, orders: list[str]) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = {}
        if self._absent:
            return found
        for chunk in chunks(orders, per_value=_OVERHEAD):
            try:
                kind = self._gateway.service(RETURNS)["A_CustomerReturnItem"].properties["ReferenceSDDocument"].type
            except (Denied, Rejected):
                self._absent = True
                return found
            query = {"$filter": any_of("ReferenceSDDocument", kind, chunk)}
            for line in self._gateway.all(RETURNS, "A_CustomerReturnItem", query):
                if not line.get("SalesDocumentRjcnReason"):
                    found.setdefault(str(line["ReferenceSDDocument"]).lstrip("0"), []).append(line)
        return found


def _has_returns(body: Mapping[str, Any]) -> bool:
    flow = body.get("to_SubsequentProcFlowDoc") or []
    return any(one.get("SubsequentDocumentCategory") == _RETURN for one in flow)


def _total(values: Iterable[Any]) -> str:
    total = sum((Decimal(str(value or "0")) for value in values), Decimal(0))
    text = format(total, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
