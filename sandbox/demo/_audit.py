"""Compares the two systems record by record and to the cent, knowing nothing of what carried the records across."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.demo._company import Order
from sandbox.demo._world import World, po_number

Record = dict[str, Any]


def differences(world: World) -> list[str]:
    """Everything in which CRM, ERP and what the company ordered disagree; empty when all is well."""
    return [
        *_customers(world),
        *_products(world),
        *_orders(world),
        *_progress(world),
        *_shipments(world),
        *_stock(world),
    ]


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value if value not in (None, "") else 0))


def _customers(world: World) -> Iterator[str]:
    """Each account is one business partner with its whole name and its place."""
    partners = defaultdict(list)
    roles = {one["BusinessPartner"] for one in world.erp.records("A_BusinessPartnerRole", BusinessPartnerRole="FLCU01")}
    cities = {one["BusinessPartner"]: one for one in world.erp.records("A_BusinessPartnerAddress")}
    for partner in world.erp.records("A_BusinessPartner"):
        if partner["BusinessPartner"] in roles:
            words = " ".join(partner.get(f"OrganizationBPName{number}") or "" for number in (1, 2, 3, 4))
            partners[words.replace(" ", "")].append(partner["BusinessPartner"])
    wanted = Counter(customer.name.replace(" ", "") for customer in world.company.customers)
    for customer in world.company.customers:
        name = customer.name.replace(" ", "")
        found = partners.get(name, [])
        if len(found) != wanted[name]:
            yield f"customer {customer.number} {customer.name}: {len(found)} business partners, {wanted[name]} expected"
            continue
        places = {(cities[one].get("CityName"), cities[one].get("Country")) for one in found if one in cities}
        if (customer.address.city, customer.address.country) not in places:
            yield f"customer {customer.number}: in {customer.address.city} in the CRM, in {places} in the ERP"
    extra = len(roles) - len(world.company.customers)
    if extra > 0:
        yield f"customers: the ERP has {extra} more than the CRM"


def _products(world: World) -> Iterator[str]:
    """Each product of the ERP is one in the CRM, at the same price."""
    found = defaultdict(list)
    for one in world.crm.records("Product2"):
        found[one.get("ProductCode")].append(one)
    prices = {(one["Product2Id"], one["CurrencyIsoCode"]): one for one in world.crm.records("PricebookEntry")}
    for product in world.company.products:
        same = found.get(product.number, [])
        if len(same) != 1:
            yield f"product {product.number}: {len(same)} in the CRM, 1 expected"
            continue
        if same[0]["Name"] != product.name[:40]:  # SAP keeps 40 characters
            yield f"product {product.number}: '{product.name}' in the ERP, '{same[0]['Name']}' in the CRM"
        price = prices.get((same[0]["Id"], product.currency))
        if price is None or _decimal(price["UnitPrice"]) != product.price:
            shown = price["UnitPrice"] if price else "no price"
            yield f"product {product.number}: {product.price} {product.currency} in the ERP, {shown} in the CRM"


def _orders(world: World) -> Iterator[str]:
    """Each order stands in the ERP once, with the same lines, quantities, discounts and totals."""
    found = defaultdict(list)
    for one in world.erp.records("A_SalesOrder"):
        found[one.get("PurchaseOrderByCustomer", "")].append(one)
    lines, elements = defaultdict(list), defaultdict(list)
    for line in world.erp.records("A_SalesOrderItem"):
        lines[line["SalesOrder"]].append(line)
    for element in world.erp.records("A_SalesOrderItemPrElement"):
        elements[element["SalesOrder"], element["SalesOrderItem"]].append(element)
    freight = {
        one["SalesOrder"]: _decimal(one.get("ConditionRateValue"))
        for one in world.erp.records("A_SalesOrderHeaderPrElement", ConditionType="HD00")
    }
    for order in world.company.orders:
        same = found.pop(po_number(order), [])
        if len(same) != 1:
            yield f"order {order.number}: {len(same)} in the ERP, 1 expected"
            continue
        number = same[0]["SalesOrder"]
        yield from _order(world, order, same[0], lines[number], elements)
        if freight.get(number, Decimal(0)) != order.freight:
            yield f"order {order.number}: freight {order.freight} in the CRM, {freight.get(number)} in the ERP"
    for number in found:
        yield f"order {number or '(no number)'}: in the ERP, but nobody ordered it"


def _order(
    world: World, order: Order, head: Record, lines: list[Record], elements: dict[tuple[str, str], list[Record]]
) -> Iterator[str]:
    if head["TransactionCurrency"] != order.currency:
        yield f"order {order.number}: {order.currency} in the CRM, {head['TransactionCurrency']} in the ERP"
    items = _crm_lines(world, order)
    theirs = Counter(_erp_line(line, elements[head["SalesOrder"], line["SalesOrderItem"]]) for line in lines)
    for missing in (items - theirs).elements():
        yield f"order {order.number}: the CRM has {_shown(missing)}, the ERP has not"
    for extra in (theirs - items).elements():
        yield f"order {order.number}: the ERP has {_shown(extra)}, the CRM has not"
    total = sum((net for _, _, _, net in items.elements()), Decimal(0))
    if _decimal(head["TotalNetAmount"]) != total:
        yield f"order {order.number}: total {total} in the CRM, {head['TotalNetAmount']} in the ERP"


_Line = tuple[str, Decimal, Decimal, Decimal]  # product, quantity, taken off by discounts, net


def _crm_lines(world: World, order: Order) -> Counter[_Line]:
    """The lines as the CRM has them now, reckoned by the declared rounding."""
    found: Counter[_Line] = Counter()
    heads = world.crm.records("Order", {"PoNumber": po_number(order)})
    for item in world.crm.records("OrderItem", {"OrderId": heads[0]["Id"]}) if heads else []:
        gross = _decimal(item["Quantity"]) * _decimal(item["UnitPrice"])
        net = (gross * (1 - _decimal(item.get("Discount__c")) / 100)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        product = world.crm.get("Product2", item["Product2Id"]) or {}
        found[product.get("ProductCode", ""), _plain(item["Quantity"]), _plain(gross - net), _plain(net)] += 1
    return found


def _erp_line(line: Record, elements: list[Record]) -> _Line:
    off = sum(
        (-_decimal(one.get("ConditionAmount")) for one in elements if one["ConditionType"] in _DISCOUNTS), Decimal(0)
    )
    return line["Material"], _plain(line["RequestedQuantity"]), _plain(off), _plain(line["NetAmount"])


_DISCOUNTS = {"RB00", "RA00", "RA01", "K007", "HA00"}


def _plain(value: Any) -> Decimal:
    return _decimal(value).normalize() + 0


def _shown(line: _Line) -> str:
    return f"{line[1]} of {line[0]} for {line[3]} (less {line[2]})"


def _progress(world: World) -> Iterator[str]:
    """Each order in the CRM knows its number in the ERP; shipped ones are shipped, line by line."""
    items = defaultdict(list)
    for item in world.crm.records("OrderItem"):
        items[item["OrderId"]].append(item)
    heads = {one.get("PoNumber"): one for one in world.crm.records("Order")}
    numbers = {one.get("PurchaseOrderByCustomer"): one["SalesOrder"] for one in world.erp.records("A_SalesOrder")}
    for order in world.company.orders:
        head = heads.get(po_number(order))
        if head is None:
            yield f"order {order.number}: not in the CRM"
            continue
        if head.get("ERP_Number__c") not in (None, numbers.get(po_number(order))):
            yield f"order {order.number}: the CRM knows it as {head['ERP_Number__c']}, the ERP as another"
        for item in items[head["Id"]]:
            wanted = _decimal(item["Quantity"]) if order.shipped_on else Decimal(0)
            if _decimal(item.get("Quantity_Shipped__c")) != wanted:
                told = f"{item.get('Quantity_Shipped__c')} of {item['Quantity']} shipped in the CRM"
                yield f"order {order.number} line {item['Line_Number__c']}: {told}, {wanted} in the ERP"


def _shipments(world: World) -> Iterator[str]:
    """Each delivery of the ERP stands in the CRM once, on its order, with its lines."""
    found = defaultdict(list)
    for one in world.crm.records("Shipment__c"):
        found[one.get("ERP_Number__c")].append(one)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in world.crm.records("Shipment_Line__c"):
        sums[line["Shipment__c"]] += _decimal(line.get("Quantity__c"))
    delivered: dict[str, Decimal] = defaultdict(Decimal)
    for item in world.erp.records("A_OutbDeliveryItem"):
        delivered[item["DeliveryDocument"]] += _decimal(item["ActualDeliveryQuantity"])
    for delivery in world.erp.records("A_OutbDeliveryHeader"):
        number = delivery["DeliveryDocument"]
        same = found.pop(number, [])
        if len(same) != 1:
            yield f"delivery {number}: {len(same)} shipments in the CRM, 1 expected"
        elif sums[same[0]["Id"]] != delivered[number]:
            yield f"delivery {number}: {delivered[number]} in the ERP, {sums[same[0]['Id']]} in the CRM"
        elif not same[0].get("Order__c"):
            yield f"delivery {number}: on no order in the CRM"
    for number in found:
        yield f"shipment {number}: in the CRM, but the ERP did not deliver it"


def _stock(world: World) -> Iterator[str]:
    """The CRM shows what stands in the ERP; a product that is used up shows zero or nothing."""
    shown: dict[str, Decimal] = defaultdict(Decimal)
    for one in world.crm.records("Stock_Level__c"):
        shown[one.get("Product_Code__c") or ""] += _decimal(one.get("Available__c"))
    held: dict[str, Decimal] = defaultdict(Decimal)
    for row in world.erp.records("A_MatlStkInAcctMod", InventoryStockType="01"):
        held[row["Material"]] += _decimal(row["MatlWrhsStkQtyInMatlBaseUnit"])
    for product in sorted(shown.keys() | held.keys()):
        if shown[product] != held[product]:
            yield f"stock of {product}: {held[product]} in the ERP, {shown[product]} in the CRM"
