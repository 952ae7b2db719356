"""Outbound deliveries and customer returns: what the warehouse does to an order."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.sap_s4._availability import issue
from sandbox.sap_s4._edm import EntitySet
from sandbox.sap_s4._errors import bad_request, business
from sandbox.sap_s4._order import KIND as ORDER
from sandbox.sap_s4._order import Orders
from sandbox.sap_s4._order_views import LINES
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._unit import Node, Unit, dependants
from sandbox.sap_s4._values import as_decimal, show_decimal

KIND, ITEMS, PARTNERS = "A_OutbDeliveryHeader", "A_OutbDeliveryItem", "A_OutbDeliveryPartner"
RETURN, RETURN_ITEMS = "A_CustomerReturn", "A_CustomerReturnItem"


class Deliveries:
    """The rules of API_OUTBOUND_DELIVERY_SRV;v=0002."""

    kind = KIND

    def __init__(self, store: Store, orders: Orders, *, stamp_order: bool = True) -> None:
        self._store, self._orders, self._stamp_order = store, orders, stamp_order

    def create(self, unit: Unit, node: Node) -> Record:
        """A delivery for order lines named by ReferenceSDDocument and ReferenceSDDocumentItem."""
        wanted: dict[str, dict[str, Decimal]] = {}
        for child in node.children.get("to_DeliveryDocumentItem", ()):
            order = str(child.fields.get("ReferenceSDDocument") or "")
            number = str(child.fields.get("ReferenceSDDocumentItem") or "").lstrip("0")
            if not order or not number:
                raise business("VL/001", "A delivery item needs a reference to an order item")
            wanted.setdefault(order, {})[number] = as_decimal(child.fields.get("ActualDeliveryQuantity"))
        if len(wanted) != 1:
            raise business("VL/002", "A delivery needs items of one sales order")
        order, lines = next(iter(wanted.items()))
        return self.deliver(unit, order, lines)

    def deliver(self, unit: Unit, number: str, lines: Mapping[str, Decimal]) -> Record:
        """Create a delivery of some quantities of an order's lines; a quantity of 0 means all that is open."""
        order = self._order(number)
        if order.get("DeliveryBlockReason"):
            raise business("VL/150", f"Sales order {number} is blocked for delivery ({order['DeliveryBlockReason']})")
        delivery: Record = {
            "DeliveryDocument": unit.store.number("DeliveryDocument", 80000001),
            "DeliveryDocumentType": "LF",
            "SDDocumentCategory": "J",
            "DeliveryVersion": "0001",
            "CreationDate": unit.day,
            "CreationTime": unit.clock,
            "CreatedByUser": unit.user,
            "DocumentDate": unit.day,
            "DeliveryDate": order.get("RequestedDeliveryDate", unit.day),
            "PlannedGoodsIssueDate": unit.day,
            "SalesOrganization": order["SalesOrganization"],
            "SoldToParty": order["SoldToParty"],
            "TransactionCurrency": order["TransactionCurrency"],
            "Shippinglocationtimezone": "UTC",
            "Receivinglocationtimezone": "UTC",
            "OverallPickingStatus": "A",
            "OverallGoodsMovementStatus": "A",
            "OverallSDProcessStatus": "A",
        }
        partners = {one["PartnerFunction"]: one for one in self._orders.derive(order, "A_SalesOrderHeaderPartner")}
        delivery["ShipToParty"] = partners["SH"]["Customer"]
        for function, partner in partners.items():
            own = {"PartnerFunction": function, "SDDocument": delivery["DeliveryDocument"]}
            dependants(delivery, PARTNERS).append({**own, "Customer": partner["Customer"]})
        for line_number, quantity in lines.items():
            line = _line(order, line_number)
            item = self._item(unit, delivery, order, line, quantity)
            dependants(delivery, ITEMS).append(item)
            flow = [delivery["DeliveryDocument"], item["DeliveryDocumentItem"], "J", unit.day]
            line.setdefault("_flow", []).append(flow)
            line["_shipped"] = show_decimal(
                as_decimal(line.get("_shipped")) + as_decimal(item["ActualDeliveryQuantity"])
            )
        self._touch_order(unit, order)
        self._save(unit, delivery)
        return delivery

    def pick(self, unit: Unit, number: str) -> None:
        """PickAllItems."""
        delivery = self._delivery(number)
        for item in dependants(delivery, ITEMS):
            item["PickingStatus"] = "C"
        delivery["OverallPickingStatus"] = "C"
        delivery["OverallSDProcessStatus"] = "B"
        self._save(unit, delivery)

    def post_goods_issue(self, unit: Unit, number: str, on: str | None = None) -> None:
        """PostGoodsIssue: the goods leave stock, the reservation of the order ends."""
        delivery = self._delivery(number)
        if delivery["OverallGoodsMovementStatus"] == "C":
            raise business("VL/609", f"Goods issue of delivery {number} is already posted")
        if delivery["OverallPickingStatus"] != "C":
            raise business("VL/608", f"Delivery {number} is not completely picked")
        for item in dependants(delivery, ITEMS):
            quantity = as_decimal(item["ActualDeliveryQuantity"])
            if not issue(unit.store, item["Material"], item["Plant"], quantity):
                shown = f"{show_decimal(quantity)} of {item['Material']} in plant {item['Plant']}"
                raise business("M7/021", f"Deficit of unrestricted-use stock: {shown}")
            order = self._order(item["ReferenceSDDocument"])
            line = _line(order, item["ReferenceSDDocumentItem"].lstrip("0"))
            self._unreserve(unit, line, quantity)
            unit.store.put(ORDER, order["SalesOrder"], order)
            item["GoodsMovementStatus"] = item["SDProcessStatus"] = "C"
            item["LastChangeDate"] = unit.day
        delivery["OverallGoodsMovementStatus"] = delivery["OverallSDProcessStatus"] = "C"
        delivery["ActualGoodsMovementDate"] = on or unit.day
        delivery["ActualGoodsMovementTime"] = unit.clock
        self._save(unit, delivery)
        self._touch_order(unit, self._order(dependants(delivery, ITEMS)[0]["ReferenceSDDocument"]))

    def give_back(self, unit: Unit, number: str, lines: Mapping[str, Decimal], reason: str) -> Record:
        """A returns order (type CBAR) for some quantities of an order's lines, listed in the order's document flow."""
        order = self._order(number)
        document: Record = {
            "CustomerReturn": unit.store.number("CustomerReturn", 60000001),
            "CustomerReturnType": "CBAR",
            "ReferenceSDDocument": number,
            "ReferenceSDDocumentCategory": "C",
            "CreationDate": unit.day,
            "CreatedByUser": unit.user,
            "CustomerReturnDate": unit.day,
            "SDDocumentReason": reason,
            "OverallSDProcessStatus": "A",
            "OverallSDDocumentRejectionSts": "A",
            "LastChangeDateTime": unit.stamp,
            "LastChangeDate": unit.day,
        }
        same = "SalesOrganization DistributionChannel OrganizationDivision SoldToParty TransactionCurrency"
        for name in (*same.split(), "PurchaseOrderByCustomer"):
            if order.get(name):
                document[name] = order[name]
        total = Decimal(0)
        for position, (line_number, quantity) in enumerate(lines.items(), start=1):
            line = _line(order, line_number)
            before = as_decimal(line.get("_returned"))
            if quantity <= 0 or before + quantity > as_decimal(line.get("_shipped")):
                left = show_decimal(as_decimal(line.get("_shipped")) - before)
                raise business("V1/610", f"Item {line_number} of {number}: only {left} can be returned")
            share = as_decimal(line.get("NetAmount")) * quantity / as_decimal(line["RequestedQuantity"])
            total += share.quantize(Decimal("0.01"))
            line["_returned"] = show_decimal(before + quantity)
            item = str(position * 10)
            line.setdefault("_flow", []).append([document["CustomerReturn"], item, "H", unit.day])
            dependants(document, RETURN_ITEMS).append(
                {
                    "CustomerReturn": document["CustomerReturn"],
                    "CustomerReturnItem": item,
                    "CustomerReturnItemCategory": "CBEN",
                    "CustomerReturnItemText": line.get("SalesOrderItemText", ""),
                    "Material": line["Material"],
                    "RequestedQuantity": show_decimal(quantity),
                    "RequestedQuantityUnit": line["RequestedQuantityUnit"],
                    "ProductionPlant": line["ProductionPlant"],
                    "TransactionCurrency": order["TransactionCurrency"],
                    "NetAmount": show_decimal(share.quantize(Decimal("0.01")), money=True),
                    "ReturnReason": reason,
                    "ReferenceSDDocument": number,
                    "ReferenceSDDocumentItem": line["SalesOrderItem"],
                    "ReferenceSDDocumentCategory": "C",
                    "SDProcessStatus": "A",
                }
            )
        document["TotalNetAmount"] = show_decimal(total, money=True)
        unit.store.put(RETURN, document["CustomerReturn"], document)
        self._touch_order(unit, order)
        return document

    def add(self, unit: Unit, document: Record, node: Node, inherited: Record) -> Record:
        """Nothing can be added to a delivery."""
        raise business("VL/003", f"{node.one.name} cannot be added to delivery {document['DeliveryDocument']}")

    def change(self, unit: Unit, document: Record, one: EntitySet, record: Record, fields: Record) -> None:
        """Changed dates and texts of a delivery; its quantities only before goods issue."""
        if document["OverallGoodsMovementStatus"] == "C" and "ActualDeliveryQuantity" in fields:
            raise business(
                "VL/610", "Goods issue is posted; the quantity cannot change", target="ActualDeliveryQuantity"
            )
        if "ActualDeliveryQuantity" in fields:
            order = self._order(record["ReferenceSDDocument"])
            line = _line(order, record["ReferenceSDDocumentItem"].lstrip("0"))
            change = as_decimal(fields["ActualDeliveryQuantity"]) - as_decimal(record["ActualDeliveryQuantity"])
            line["_shipped"] = show_decimal(as_decimal(line.get("_shipped")) + change)
            self._touch_order(unit, order)
        record.update(fields)
        self._save(unit, document)

    def remove(self, unit: Unit, document: Record, one: EntitySet, record: Record) -> None:
        """Deliveries are not deleted here."""
        raise business("VL/004", f"Delivery {document['DeliveryDocument']} cannot be deleted")

    def derive(self, document: Record, name: str) -> list[Record]:
        """Dependants as stored."""
        found: list[Record] = document.get("_c", {}).get(name, [])
        return found

    def _item(self, unit: Unit, delivery: Record, order: Record, line: Record, quantity: Decimal) -> Record:
        shown = f"{line['SalesOrderItem']} of {order['SalesOrder']}"
        if line.get("SalesDocumentRjcnReason"):
            raise business("VL/151", f"Item {shown} is rejected and cannot be delivered")
        left = as_decimal(line.get("RequestedQuantity")) - as_decimal(line.get("_shipped"))
        quantity = quantity or left
        if quantity <= 0 or quantity > left:
            raise business("VL/152", f"Item {shown}: {show_decimal(quantity)} asked, {show_decimal(left)} open")
        text = show_decimal(quantity)
        return {
            "DeliveryDocument": delivery["DeliveryDocument"],
            # the delivery service shows item numbers with their zeros, the order service without
            "DeliveryDocumentItem": f"{(len(dependants(delivery, ITEMS)) + 1) * 10:06}",
            "DeliveryDocumentItemCategory": "TAN",
            "DeliveryDocumentItemText": line.get("SalesOrderItemText", ""),
            "DeliveryVersion": delivery["DeliveryVersion"],
            "Material": line["Material"],
            "MaterialByCustomer": line.get("MaterialByCustomer", ""),
            "Plant": line["ProductionPlant"],
            "ActualDeliveryQuantity": text,
            "OriginalDeliveryQuantity": text,
            "ActualDeliveredQtyInBaseUnit": text,
            "DeliveryQuantityUnit": line["RequestedQuantityUnit"],
            "BaseUnit": line["RequestedQuantityUnit"],
            "DeliveryToBaseQuantityNmrtr": "1",
            "DeliveryToBaseQuantityDnmntr": "1",
            "ReferenceSDDocument": order["SalesOrder"],
            "ReferenceSDDocumentItem": f"{int(line['SalesOrderItem']):06}",
            "ReferenceSDDocumentCategory": "C",
            "GoodsMovementType": "601",
            "GoodsMovementStatus": "A",
            "PickingStatus": "A",
            "SDProcessStatus": "A",
            "SDDocumentCategory": "J",
            "CreationDate": unit.day,
            "CreationTime": unit.clock,
            "CreatedByUser": unit.user,
        }

    def _unreserve(self, unit: Unit, line: Record, quantity: Decimal) -> None:
        reserved = as_decimal(line.get("_reserved"))
        part = min(reserved, quantity)
        unit.store.reserve(line["Material"], line["ProductionPlant"], -part)
        line["_reserved"] = show_decimal(reserved - part)

    def _touch_order(self, unit: Unit, order: Record) -> None:
        stamp, day = order.get("LastChangeDateTime"), order.get("LastChangeDate")
        self._orders.touch(unit, order)
        if not self._stamp_order:
            order["LastChangeDateTime"], order["LastChangeDate"] = stamp, day
            unit.store.put(ORDER, order["SalesOrder"], order)

    def _order(self, number: str) -> Record:
        order = self._store.get(ORDER, number)
        if order is None:
            raise business("VL/005", f"Sales order {number} does not exist")
        return order

    def _delivery(self, number: str) -> Record:
        delivery = self._store.get(KIND, number)
        if delivery is None:
            raise bad_request(f"Delivery {number} does not exist", code="VL/006")
        return delivery

    def _save(self, unit: Unit, delivery: Record) -> None:
        if delivery.get("_saved"):
            delivery["DeliveryVersion"] = f"{int(delivery['DeliveryVersion']) + 1:04}"
            delivery["LastChangeDate"], delivery["LastChangedByUser"] = unit.day, unit.user
            for item in dependants(delivery, ITEMS):
                item["DeliveryVersion"] = delivery["DeliveryVersion"]
        delivery["_saved"] = delivery["_looked"] = True
        unit.store.put(KIND, delivery["DeliveryDocument"], delivery)


def _line(order: Record, number: str) -> Record:
    found: dict[str, Any] | None = next(
        (line for line in dependants(order, LINES) if line["SalesOrderItem"] == str(number).lstrip("0")), None
    )
    if found is None:
        raise business("VL/007", f"Item {number} does not exist in sales order {order['SalesOrder']}")
    return found
