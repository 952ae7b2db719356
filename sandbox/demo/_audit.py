"""Compares the two systems record by record and to the cent, knowing nothing of what carried the records across."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.demo._backoffice import Held, LineKey
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
    """Each account is one customer of the ERP with its whole name and its place."""
    buyers = defaultdict(list)
    for buyer in world.backoffice.buyers():
        buyers[buyer.name.replace(" ", "")].append(buyer)
    wanted = Counter(customer.name.replace(" ", "") for customer in world.company.customers)
    for customer in world.company.customers:
        name = customer.name.replace(" ", "")
        found = buyers.get(name, [])
        if len(found) != wanted[name]:
            yield f"customer {customer.number} {customer.name}: {len(found)} in the ERP, {wanted[name]} expected"
            continue
        places = {(one.city, one.country) for one in found}
        if (customer.address.city, customer.address.country) not in places:
            yield f"customer {customer.number}: in {customer.address.city} in the CRM, in {places} in the ERP"
    extra = sum(map(len, buyers.values())) - len(world.company.customers)
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
        if same[0]["Name"] != product.name[: world.backoffice.name_length]:
            yield f"product {product.number}: '{product.name}' in the ERP, '{same[0]['Name']}' in the CRM"
        price = prices.get((same[0]["Id"], product.currency))
        if price is None or _decimal(price["UnitPrice"]) != product.price:
            shown = price["UnitPrice"] if price else "no price"
            yield f"product {product.number}: {product.price} {product.currency} in the ERP, {shown} in the CRM"


def _orders(world: World) -> Iterator[str]:
    """Each order stands in the ERP once, with the same lines, quantities, discounts and totals."""
    found = world.backoffice.held()
    for order in world.company.orders:
        same = found.pop(po_number(order), [])
        if len(same) != 1:
            yield f"order {order.number}: {len(same)} in the ERP, 1 expected"
            continue
        yield from _order(world, order, same[0])
    for number in found:
        yield f"order {number or '(no number)'}: in the ERP, but nobody ordered it"


def _order(world: World, order: Order, held: Held) -> Iterator[str]:
    if held.currency != order.currency:
        yield f"order {order.number}: {order.currency} in the CRM, {held.currency} in the ERP"
    items = _crm_lines(world, order)
    if all(off is None for _, _, off, _ in held.lines.elements()):  # an ERP that shows nets only
        items = _without_discounts(items)
    for missing in (items - held.lines).elements():
        yield f"order {order.number}: the CRM has {_shown(missing)}, the ERP has not"
    for extra in (held.lines - items).elements():
        yield f"order {order.number}: the ERP has {_shown(extra)}, the CRM has not"
    total = sum((net for _, _, _, net in items.elements()), Decimal(0))
    if held.net != total:
        yield f"order {order.number}: total {total} in the CRM, {held.net} in the ERP"
    if held.freight != order.freight:
        yield f"order {order.number}: freight {order.freight} in the CRM, {held.freight} in the ERP"


def _without_discounts(lines: Counter[LineKey]) -> Counter[LineKey]:
    found: Counter[LineKey] = Counter()
    for (product, quantity, _, net), number in lines.items():
        found[product, quantity, None, net] += number
    return found


def _crm_lines(world: World, order: Order) -> Counter[LineKey]:
    """The lines as the CRM has them now, reckoned by the declared rounding."""
    found: Counter[LineKey] = Counter()
    heads = world.crm.records("Order", {"PoNumber": po_number(order)})
    for item in world.crm.records("OrderItem", {"OrderId": heads[0]["Id"]}) if heads else []:
        gross = _decimal(item["Quantity"]) * _decimal(item["UnitPrice"])
        net = (gross * (1 - _decimal(item.get("Discount__c")) / 100)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        product = world.crm.get("Product2", item["Product2Id"]) or {}
        found[product.get("ProductCode", ""), _plain(item["Quantity"]), _plain(gross - net), _plain(net)] += 1
    return found


def _plain(value: Any) -> Decimal:
    return _decimal(value).normalize() + 0


def _shown(line: LineKey) -> str:
    return f"{line[1]} of {line[0]} for {line[3]}" + (f" (less {line[2]})" if line[2] is not None else "")


def _progress(world: World) -> Iterator[str]:
    """Each order in the CRM knows its number in the ERP; shipped ones are shipped, line by line."""
    items = defaultdict(list)
    for item in world.crm.records("OrderItem"):
        items[item["OrderId"]].append(item)
    heads = {one.get("PoNumber"): one for one in world.crm.records("Order")}
    numbers = {number: held[0].number for number, held in world.backoffice.held().items()}
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
    delivered = world.backoffice.deliveries()
    for number in delivered:
        same = found.pop(number, [])
        if len(same) != 1:
            yield f"delivery {number}: {len(same)} shipments in the CRM, 1 expected"
        elif sums[same[0]["Id"]] != delivered[number]:
            yield f"delivery {number}: {delivered[number]} in the ERP, {sums[same[0]['Id']]} in the CRM"
        elif not same[0].get("Order__c"):
            yield f"delivery {number}: on no order in the CRM"
    for left in found:
        yield f"shipment {left}: in the CRM, but the ERP did not deliver it"


def _stock(world: World) -> Iterator[str]:
    """The CRM shows what stands in the ERP; a product that is used up shows zero or nothing."""
    shown: dict[str, Decimal] = defaultdict(Decimal)
    for one in world.crm.records("Stock_Level__c"):
        shown[one.get("Product_Code__c") or ""] += _decimal(one.get("Available__c"))
    held = defaultdict(Decimal, world.backoffice.stock())
    for product in sorted(shown.keys() | held.keys()):
        if shown[product] != held[product]:
            yield f"stock of {product}: {held[product]} in the ERP, {shown[product]} in the CRM"
