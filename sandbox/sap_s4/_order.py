"""Sales orders: what the application demands of a new or changed order and what follows from it."""

from __future__ import annotations

from decimal import Decimal

from sandbox.sap_s4 import _pricing
from sandbox.sap_s4._availability import available
from sandbox.sap_s4._codes import UNITS, check_currency, check_unit, unit_of_iso
from sandbox.sap_s4._edm import EntitySet
from sandbox.sap_s4._errors import bad_request, business
from sandbox.sap_s4._order_views import FUNCTIONS, LINES, PARTNERS, SCHEDULE, implied, shipped_of
from sandbox.sap_s4._partner import customer_of, sales_area
from sandbox.sap_s4._status import settle_status
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._unit import Node, Unit, attach, compact, dependants
from sandbox.sap_s4._values import as_decimal, show_decimal

KIND = "A_SalesOrder"
_INTERNAL = {internal: shown for shown, internal in FUNCTIONS.items()}
_REQUIRED = ("SalesOrderType", "SalesOrganization", "DistributionChannel", "OrganizationDivision", "SoldToParty")


class Orders:
    """The rules of API_SALES_ORDER_SRV."""

    kind = KIND

    def __init__(self, store: Store, plant: str, confirm: bool = True) -> None:
        self._store, self._plant, self._confirm = store, plant, confirm

    def create(self, unit: Unit, node: Node) -> Record:
        """A new order with everything nested in it."""
        head = dict(node.fields)
        for name in _REQUIRED:
            if not head.get(name):
                raise business("V1/000", f"{name} is required to create a sales order", target=name)
        customer = self._sold_to(head)
        number = str(head.get("SalesOrder") or unit.store.number("SalesOrder", 1000001))
        if unit.store.get(KIND, number) is not None:
            raise business("V1/041", f"Sales document {number} already exists", target="SalesOrder")
        area = sales_area(customer, head)
        currency = str(head.get("TransactionCurrency") or area.get("Currency") or "EUR")
        check_currency(currency)
        document: Record = {
            "SalesOrderDate": unit.day,
            "PricingDate": unit.day,
            "RequestedDeliveryDate": unit.day,
            **head,
            "SalesOrder": number,
            "TransactionCurrency": currency,
            "SalesOrderTypeInternalCode": head["SalesOrderType"],
            "CreationDate": unit.day,
            "CreatedByUser": unit.user,
        }
        for name in ("CustomerPaymentTerms", "IncotermsClassification", "ShippingCondition"):
            if area.get(name):
                document.setdefault(name, area[name])
        document = compact(node.one, document)
        if not node.children.get("to_Item"):
            unit.warn("V1/555", "The sales order has no items")
        for nav in ("to_Text", "to_Partner", "to_PricingElement", "to_Item"):
            for child in node.children.get(nav, ()):
                self._add(unit, document, child, {"SalesOrder": number})
        return self._settle(unit, document)

    def add(self, unit: Unit, document: Record, node: Node, inherited: Record) -> Record:
        """A new dependant of an order."""
        record = self._add(unit, document, node, {"SalesOrder": document["SalesOrder"], **inherited})
        self._settle(unit, document)
        return record

    def change(self, unit: Unit, document: Record, one: EntitySet, record: Record, fields: Record) -> None:
        """Changed fields of an order or of one of its dependants."""
        before = dict(record)
        if one.name == LINES:
            self._check_line_change(unit, document, record, fields)
        elif one.name == KIND:
            self._check_head_change(document, fields)
        record = self._own(document, one, record)
        record.update(fields)
        for name in [name for name in fields if record[name] == one.defaults[name] and name not in one.keys]:
            del record[name]
        if one.name == PARTNERS:
            self._check_partner(document, record)
        if one.name in (_pricing.LINE, _pricing.HEADER):
            _pricing.complete(record, document["TransactionCurrency"])
        if one.name == LINES and before.get("RequestedQuantity") != record.get("RequestedQuantity"):
            self._drop_schedule(document, record)
        if one.name == SCHEDULE:
            self._take_schedule(document, record)
        self._settle(unit, document)

    def remove(self, unit: Unit, document: Record, one: EntitySet, record: Record) -> None:
        """Delete an order or one of its dependants."""
        shipped = [line for line in dependants(document, LINES) if shipped_of(line)]
        if one.name == KIND:
            if shipped:
                text = f"Sales document {document['SalesOrder']} has subsequent documents and cannot be deleted"
                raise business("V1/043", text)
            for line in dependants(document, LINES):
                self._release(unit, line)
            unit.store.delete(KIND, document["SalesOrder"])
            return
        if one.name == LINES:
            if record in shipped:
                shown = f"{record['SalesOrderItem']} of {document['SalesOrder']}"
                raise business("V1/046", f"Item {shown} cannot be deleted: {record['_shipped']} are already delivered")
            self._release(unit, record)
            number = record["SalesOrderItem"]
            for name, records in document["_c"].items():
                if name != LINES:
                    document["_c"][name] = [other for other in records if other.get("SalesOrderItem") != number]
        place = dependants(document, one.name)
        if record not in place:
            raise business("V1/047", f"{one.name}: the entry follows from the sold-to party and cannot be deleted")
        place.remove(record)
        self._settle(unit, document)

    def derive(self, document: Record, name: str) -> list[Record]:
        """Stored dependants and those that follow from the order."""
        stored: list[Record] = document.get("_c", {}).get(name, [])
        return stored + implied(self._store, document, name, stored)

    def touch(self, unit: Unit, document: Record) -> None:
        """Reckon status and totals anew and stamp the change."""
        self._settle(unit, document)

    def _add(self, unit: Unit, document: Record, node: Node, inherited: Record) -> Record:
        name = node.one.name
        if name == LINES:
            return self._add_line(unit, document, node)
        if name in (_pricing.LINE, _pricing.HEADER):
            line = _line(document, inherited) if name == _pricing.LINE else {}
            _pricing.complete(node.fields, document["TransactionCurrency"], str(line.get("RequestedQuantityUnit", "")))
        if name == PARTNERS:
            self._check_partner(document, node.fields)
        if name == SCHEDULE:
            node.fields.setdefault("ScheduleLine", self._next_schedule(document, inherited))
        record = attach(document, node, inherited)
        if name == SCHEDULE:
            self._take_schedule(document, record)
        return record

    def _add_line(self, unit: Unit, document: Record, node: Node) -> Record:
        fields, children = node.fields, node.children
        node = Node(node.one, fields)
        numbers = [int(line["SalesOrderItem"]) for line in dependants(document, LINES)]
        number = str(fields.get("SalesOrderItem") or max(numbers, default=0) // 10 * 10 + 10)
        product = self._product(document, str(fields.get("Material", "")))
        self._quantity(product, fields)
        plant = str(fields.get("ProductionPlant") or product["_area"].get("SupplyingPlant") or self._plant)
        texts = {
            one["Language"]: one.get("ProductDescription", "") for one in dependants(product, "A_ProductDescription")
        }
        node.fields = {
            "SalesOrderItemText": texts.get("EN") or next(iter(texts.values()), ""),
            "SalesOrderItemCategory": "TAN",
            "MaterialGroup": product.get("ProductGroup", ""),
            **fields,
            "SalesOrderItem": number,
            "ProductionPlant": plant,
            "TransactionCurrency": document["TransactionCurrency"],
        }
        line = attach(document, node, {"SalesOrder": document["SalesOrder"]})
        inherited = {"SalesOrder": document["SalesOrder"], "SalesOrderItem": number}
        for nav in ("to_Partner", "to_Text", "to_PricingElement", "to_ScheduleLine"):
            for child in children.get(nav, ()):
                self._add(unit, document, child, inherited)
        self._list_price(document, line, product)
        return line

    def _list_price(self, document: Record, line: Record, product: Record) -> None:
        """Without a price of the caller's own the product's list price counts."""
        own = [one for one in dependants(document, _pricing.LINE) if one["SalesOrderItem"] == line["SalesOrderItem"]]
        if any(_pricing.TYPES[one["ConditionType"]].role == "price" for one in own):
            return
        found = next((one for one in dependants(product, "A_ProductValuation") if one.get("StandardPrice")), None)
        if found is None or found.get("Currency") != document["TransactionCurrency"]:
            return
        element: Record = {
            "SalesOrder": document["SalesOrder"],
            "SalesOrderItem": line["SalesOrderItem"],
            "ConditionType": "PPR0",
            "ConditionRateValue": found["StandardPrice"],
            "ConditionQuantity": found.get("PriceUnitQty") or "1",
            "ConditionOrigin": "A",
        }
        _pricing.complete(element, document["TransactionCurrency"], product["BaseUnit"])
        dependants(document, _pricing.LINE).append(element)

    def _sold_to(self, head: Record) -> Record:
        number = str(head["SoldToParty"])
        customer = customer_of(self._store, number)
        area = f"{head['SalesOrganization']} {head['DistributionChannel']} {head['OrganizationDivision']}"
        if customer is None or sales_area(customer, head) == {}:
            text = f"Sold-to party {number} not maintained for sales area {area}"
            raise business("V1/308", text, target="SoldToParty")
        blocked = customer.get("BusinessPartnerIsBlocked") or sales_area(customer, head).get(
            "OrderIsBlockedForCustomer"
        )
        if blocked or customer.get("IsMarkedForArchiving"):
            raise business("V1/309", f"Sold-to party {number} is blocked for sales area {area}", target="SoldToParty")
        return customer

    def _product(self, document: Record, number: str) -> Record:
        product = self._store.get("A_Product", number) if number else None
        if product is None:
            raise business(
                "M3/305", f"The material {number or '(none)'} does not exist or is not activated", target="Material"
            )
        where = document["SalesOrganization"], document["DistributionChannel"]
        area = next(
            (
                one
                for one in dependants(product, "A_ProductSalesDelivery")
                if (one["ProductSalesOrg"], one["ProductDistributionChnl"]) == where
            ),
            None,
        )
        if area is None:
            text = f"Material {number} is not defined for sales org. {where[0]}, distr. chan. {where[1]}, language EN"
            raise business("V1/382", text, target="Material")
        if product.get("IsMarkedForDeletion") or area.get("IsMarkedForDeletion"):
            raise business("V1/384", f"Material {number} is flagged for deletion", target="Material")
        product["_area"] = area
        return product

    def _quantity(self, product: Record, fields: Record) -> None:
        iso = fields.get("RequestedQuantityISOUnit")
        given = fields.get("RequestedQuantityUnit") or fields.get("RequestedQuantitySAPUnit")
        found = str(given or (unit_of_iso(str(iso)) if iso else product["BaseUnit"]))
        check_unit(found, "RequestedQuantityUnit")
        known = {
            product["BaseUnit"],
            *(one["AlternativeUnit"] for one in dependants(product, "A_ProductUnitsOfMeasure")),
        }
        if found not in known:
            text = f"Unit {found} is not defined for material {product['Product']}"
            raise business("V1/385", text, target="RequestedQuantityUnit")
        if as_decimal(fields.get("RequestedQuantity")) <= 0:
            raise business("V1/386", "Enter a quantity greater than zero", target="RequestedQuantity")
        for name in ("RequestedQuantityUnit", "RequestedQuantitySAPUnit", "OrderQuantityUnit", "OrderQuantitySAPUnit"):
            fields[name] = found
        fields["RequestedQuantityISOUnit"] = fields["OrderQuantityISOUnit"] = UNITS[found]

    def _check_line_change(self, unit: Unit, document: Record, line: Record, fields: Record) -> None:
        shipped = shipped_of(line)
        shown = f"{line['SalesOrderItem']} of {document['SalesOrder']}"
        if "Material" in fields and fields["Material"] != line["Material"]:
            if shipped:
                raise business("V1/481", f"Item {shown} is delivered; its material cannot change", target="Material")
            self._product(document, str(fields["Material"]))
        units = {"RequestedQuantityUnit", "RequestedQuantitySAPUnit", "RequestedQuantityISOUnit"}
        if "RequestedQuantity" in fields or units & fields.keys():
            merged = {**{name: line.get(name) for name in ("RequestedQuantity", "RequestedQuantityUnit")}, **fields}
            if fields.keys() & units and "RequestedQuantityUnit" not in fields:
                merged.pop("RequestedQuantityUnit")
            self._quantity(self._product(document, str(line["Material"])), merged)
            fields.update({name: value for name, value in merged.items() if value is not None})
            if as_decimal(fields["RequestedQuantity"]) < shipped:
                asked = fields["RequestedQuantity"]
                text = f"Item {shown}: quantity {asked} is below the {line['_shipped']} already delivered"
                raise business("V4/083", text, target="RequestedQuantity")
        if fields.get("SalesDocumentRjcnReason"):
            if shipped and shipped >= as_decimal(line.get("RequestedQuantity")):
                text = f"Item {shown} is completely delivered and cannot be rejected"
                raise business("V1/484", text, target="SalesDocumentRjcnReason")
            self._release(unit, line)

    def _check_head_change(self, document: Record, fields: Record) -> None:
        delivered = any(shipped_of(line) for line in dependants(document, LINES))
        for name in ("SoldToParty", "TransactionCurrency"):
            if delivered and name in fields and fields[name] != document.get(name):
                raise business("V1/482", f"{name} cannot change: deliveries exist", target=name)
        if "SoldToParty" in fields:
            self._sold_to({**document, **fields})
        if fields.get("TransactionCurrency"):
            check_currency(str(fields["TransactionCurrency"]))

    def _check_partner(self, document: Record, fields: Record) -> None:
        function = str(fields.get("PartnerFunction", ""))
        function = _INTERNAL.get(function, function)
        fields["PartnerFunction"] = function
        fields["PartnerFunctionInternalCode"] = FUNCTIONS.get(function, function)
        number = str(fields.get("Customer") or "")
        if function in FUNCTIONS:
            customer = customer_of(self._store, number or document["SoldToParty"])
            if customer is None:
                raise business("VP/200", f"Partner {number} for function {function} does not exist", target="Customer")
            fields["Customer"] = fields["ReferenceBusinessPartner"] = customer["BusinessPartner"]
            address = str(fields.get("AddressID") or "")
            known = [one["AddressID"] for one in dependants(customer, "A_BusinessPartnerAddress")]
            if address and address not in known:
                text = f"Address {address} does not belong to partner {customer['BusinessPartner']}"
                raise business("VP/201", text, target="AddressID")

    def _own(self, document: Record, one: EntitySet, record: Record) -> Record:
        """The stored record to change; one that was derived becomes stored."""
        if one.is_root:
            return record
        place = dependants(document, one.name)
        if not any(other is record for other in place):
            place.append(record)
        return record

    def _settle(self, unit: Unit, document: Record) -> Record:
        total = Decimal(0)
        for line in dependants(document, LINES):
            net = _pricing.price(document, line)
            if not line.get("SalesDocumentRjcnReason"):  # rejected lines leave the total, as on real systems
                total += net
            self._promise(unit, document, line)
        for element in dependants(document, _pricing.HEADER):
            if _pricing.TYPES[element["ConditionType"]].role == "freight":
                element["ConditionAmount"] = show_decimal(as_decimal(element.get("ConditionRateValue")), money=True)
        document["TotalNetAmount"] = show_decimal(total, money=True)
        settle_status(document)
        document["LastChangeDateTime"] = unit.stamp_after(document.get("LastChangeDateTime"))
        document["LastChangeDate"] = document["LastChangeDateTime"][:10]
        unit.store.put(KIND, document["SalesOrder"], document)
        return document

    def _promise(self, unit: Unit, document: Record, line: Record) -> None:
        """Confirm what stock allows; lines that were confirmed keep it."""
        if line.get("SalesDocumentRjcnReason"):
            line.pop("ConfdDelivQtyInOrderQtyUnit", None)
            return
        wanted = as_decimal(line.get("RequestedQuantity"))
        confirmed = as_decimal(line.get("ConfdDelivQtyInOrderQtyUnit"))
        if confirmed == wanted or not self._confirm:
            return
        reserved = as_decimal(line.get("_reserved"))
        free = available(unit.store, line["Material"], line["ProductionPlant"]) + reserved
        granted = min(wanted, max(free + shipped_of(line), Decimal(0)))
        open_part = granted - shipped_of(line)
        unit.store.reserve(line["Material"], line["ProductionPlant"], open_part - reserved)
        line["_reserved"] = show_decimal(open_part)
        line["ConfdDelivQtyInOrderQtyUnit"] = show_decimal(granted)
        if granted < wanted:
            unit.warn(
                "V4/082",
                f"Item {line['SalesOrderItem']}: {show_decimal(granted)} of {show_decimal(wanted)} confirmed",
            )

    def _release(self, unit: Unit, line: Record) -> None:
        unit.store.reserve(line["Material"], line["ProductionPlant"], -as_decimal(line.pop("_reserved", None)))

    def _next_schedule(self, document: Record, inherited: Record) -> str:
        number = inherited.get("SalesOrderItem")
        taken = [one["ScheduleLine"] for one in dependants(document, SCHEDULE) if one["SalesOrderItem"] == number]
        return str(max((int(one) for one in taken), default=0) + 1)

    def _take_schedule(self, document: Record, record: Record) -> None:
        """Schedule lines given one by one add up to the line's quantity."""
        line = _line(document, record)
        own = [one for one in dependants(document, SCHEDULE) if one["SalesOrderItem"] == line["SalesOrderItem"]]
        total = sum((as_decimal(one.get("ScheduleLineOrderQuantity")) for one in own), Decimal(0))
        if total < shipped_of(line):
            raise business(
                "V4/083", f"Schedule lines of item {line['SalesOrderItem']} are below the delivered quantity"
            )
        if total:
            line["RequestedQuantity"] = show_decimal(total)

    def _drop_schedule(self, document: Record, line: Record) -> None:
        own = [one for one in dependants(document, SCHEDULE) if one["SalesOrderItem"] == line["SalesOrderItem"]]
        for one in own[1:]:
            dependants(document, SCHEDULE).remove(one)
        if own:
            own[0]["ScheduleLineOrderQuantity"] = line.get("RequestedQuantity", "0")


def _line(document: Record, keys: Record) -> Record:
    number = keys.get("SalesOrderItem")
    for line in dependants(document, LINES):
        if line["SalesOrderItem"] == number:
            return line
    raise bad_request(f"Item {number} does not exist in sales order {document['SalesOrder']}")
