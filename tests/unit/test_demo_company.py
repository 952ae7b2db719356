"""The demonstration's company: read from CSV, made up from a seed, and an audit that finds what is planted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.demo import World, differences, generate, read_northwind
from sandbox.demo._northwind import CompanyError

FILES = {
    "customers": (
        "customer_id,company_name,address,city,region,postal_code,country,phone\n"
        "A,Müller,Gasse 1,Bern,,3000,Switzerland,1\n"
    ),
    "products": "product_id,product_name,unit_price,units_in_stock,discontinued\n1,Chai,18.0049,39,0\n",
    "suppliers": "supplier_id,company_name,address,city,country\n1,Exotic,Street 1,London,UK\n",
    "orders": (
        "order_id,customer_id,order_date,required_date,shipped_date,ship_via,freight,ship_address,ship_city,ship_country\n"
        "7,A,1996-07-04,1996-08-01,1996-07-16,3,32.3800011,Gasse 1,Bern,Switzerland\n"
    ),
    "order_details": "order_id,product_id,unit_price,quantity,discount\n7,1,9.80000019,10,0.150000006\n",
    "shippers": "shipper_id,company_name\n3,Federal Shipping\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """CSV files of a tiny company."""
    for name, text in FILES.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_what_is_crooked_is_made_straight_at_the_door(folder: Path) -> None:
    company = read_northwind(folder)
    (order,) = company.orders
    (line,) = order.lines
    assert company.products[0].price == Decimal("18.00")
    assert company.suppliers[0].address.country == "GB"
    assert (line.price, line.discount, line.net) == (Decimal("9.80"), Decimal("15.00"), Decimal("83.30"))
    assert (order.freight, order.total, order.carrier) == (Decimal("32.38"), Decimal("83.30"), "Federal Shipping")
    assert (order.shipped_on, order.ship_to.country) == (date(1996, 7, 16), "CH")


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("customers", "Switzerland", "Atlantis", "customers.csv:2: country 'Atlantis' is no country of ISO 3166"),
        ("products", "unit_price", "price", "products.csv: the column unit_price is missing in the first line"),
        ("order_details", "9.80000019", "cheap", "order_details.csv:2: unit_price 'cheap' cannot be read"),
        ("orders", "1996-07-04", "04.07.1996", "orders.csv:2: order_date '04.07.1996' cannot be read"),
        ("order_details", "7,1,9", "7,99,9", "order_details.csv names products that products.csv does not have: P-99"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    folder: Path, file: str, before: str, after: str, told: str
) -> None:
    path = folder / f"{file}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(CompanyError) as caught:
        read_northwind(folder)
    assert told in str(caught.value)


def test_a_missing_file_is_told_with_all_that_are_needed(folder: Path) -> None:
    (folder / "orders.csv").unlink()
    with pytest.raises(CompanyError, match=r"orders\.csv is not there; needed are customers\.csv"):
        read_northwind(folder)


def test_northwind_is_read_whole(shared: Path) -> None:
    company = read_northwind(shared / "data" / "northwind")
    lines = [line for order in company.orders for line in order.lines]
    assert (len(company.customers), len(company.products), len(company.suppliers)) == (91, 77, 29)
    assert (len(company.orders), len(lines), sum(1 for line in lines if line.discount)) == (830, 2155, 838)
    assert sum(1 for order in company.orders if order.shipped_on is None) == 21
    assert sum((order.total for order in company.orders), Decimal(0)) == Decimal("1265793.29")


def test_a_seed_always_makes_the_same_company_in_three_languages() -> None:
    company = generate(5)
    assert company == generate(5)
    assert company != generate(6)
    assert (len(company.customers), len(company.products), len(company.orders)) == (60, 40, 150)
    countries = {customer.address.country for customer in company.customers}
    assert countries == {"CN", "US", "GB", "DE", "AT"}
    names = "".join(customer.name for customer in company.customers)
    assert "有限公司" in names and "GmbH" in names and "Ltd" in names
    assert any(len(customer.name) > 40 for customer in company.customers), "names that SAP must split"
    assert any(line.discount for order in company.orders for line in order.lines)
    assert 0 < sum(1 for order in company.orders if order.shipped_on is None) < 50


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small company whose two systems were brought to agree by hand, without any flow."""
    found = World(tmp_path / "systems", generate(9, customers=4, products=3, orders=5))
    found.seed()
    area = found.erp.area
    partners = {}
    for customer in found.company.customers:
        at = customer.address
        partners[customer.number] = found.erp.seed_partner(
            customer.name, country=at.country, city=at.city, street=at.street, currency=customer.currency, areas=[area]
        )
    product_ids = {}
    for product in found.company.products:
        product_ids[product.number] = found.crm.insert(
            "Product2", {"Name": product.name[:40], "ProductCode": product.number, "IsActive": True}
        )
        found.crm.insert(
            "PricebookEntry",
            {
                "Pricebook2Id": found.crm.standard_pricebook_id,
                "Product2Id": product_ids[product.number],
                "UnitPrice": float(product.price),
                "CurrencyIsoCode": product.currency,
                "IsActive": True,
            },
        )
    found.place_orders()
    for order in found.company.orders:
        items = [
            {
                "Material": line.product,
                "RequestedQuantity": str(line.quantity),
                "to_PricingElement": [
                    _condition("PMP0", line.price, order.currency),
                    _condition("RB00", line.gross - line.net, order.currency),
                ],
            }
            for line in order.lines
        ]
        found.erp.create(
            "A_SalesOrder",
            {
                "SalesOrderType": "OR",
                "SalesOrganization": area[0],
                "DistributionChannel": area[1],
                "OrganizationDivision": area[2],
                "SoldToParty": partners[order.customer],
                "PurchaseOrderByCustomer": f"PO-{order.number}",
                "TransactionCurrency": order.currency,
                "to_Item": items,
                "to_PricingElement": [_condition("HD00", order.freight, order.currency)],
            },
        )
    found.ship()
    _report_back(found, product_ids)
    yield found
    found.close()


def _condition(kind: str, amount: Decimal, currency: str) -> dict[str, str]:
    return {"ConditionType": kind, "ConditionRateValue": str(amount), "ConditionCurrency": currency}


def _report_back(world: World, products: dict[str, str]) -> None:
    shipped = {f"PO-{order.number}": order for order in world.company.orders if order.shipped_on}
    orders = {one["PoNumber"]: one["Id"] for one in world.crm.records("Order")}
    for number, record in orders.items():
        for item in world.crm.records("OrderItem", {"OrderId": record}):
            if number in shipped:
                world.crm.update("OrderItem", item["Id"], {"Quantity_Shipped__c": item["Quantity"]})
    po_of = {one["SalesOrder"]: one["PurchaseOrderByCustomer"] for one in world.erp.records("A_SalesOrder")}
    lines = world.erp.records("A_OutbDeliveryItem")
    for delivery in world.erp.records("A_OutbDeliveryHeader"):
        mine = [line for line in lines if line["DeliveryDocument"] == delivery["DeliveryDocument"]]
        order = orders[po_of[mine[0]["ReferenceSDDocument"]]]
        made = world.crm.insert("Shipment__c", {"ERP_Number__c": delivery["DeliveryDocument"], "Order__c": order})
        for line in mine:
            quantity = float(line["ActualDeliveryQuantity"])
            world.crm.insert("Shipment_Line__c", {"Shipment__c": made, "Quantity__c": quantity})
    for product in world.company.products:
        fields = {"Product__c": products[product.number], "Product_Code__c": product.number}
        world.crm.insert("Stock_Level__c", fields | {"Available__c": float(product.stock)})


def test_two_systems_that_agree_have_no_differences(world: World) -> None:
    assert differences(world) == []


def test_the_audit_finds_every_kind_of_difference(world: World) -> None:
    order = world.company.orders[0]
    head = world.crm.records("Order", {"PoNumber": f"PO-{order.number}"})[0]
    item = world.crm.records("OrderItem", {"OrderId": head["Id"]})[0]
    world.crm.update("OrderItem", item["Id"], {"UnitPrice": item["UnitPrice"] + 0.01})
    product = world.crm.records("Product2")[1]
    world.crm.update("Product2", product["Id"], {"Name": "Something else"})
    world.crm.update("PricebookEntry", world.crm.records("PricebookEntry")[2]["Id"], {"UnitPrice": 0.01})
    stock = world.crm.records("Stock_Level__c")[0]
    world.crm.update("Stock_Level__c", stock["Id"], {"Available__c": 123456})
    shipment = world.crm.records("Shipment__c")[0]
    world.crm.delete("Shipment__c", shipment["Id"])
    partner = world.erp.records("A_BusinessPartnerRole", BusinessPartnerRole="FLCU01")[0]["BusinessPartner"]
    world.erp.edit("A_BusinessPartner", {"BusinessPartner": partner}, {"OrganizationBPName1": "Nobody"})
    found = "\n".join(differences(world))
    assert f"order {order.number}: the CRM has" in found and f"order {order.number}: the ERP has" in found
    assert f"order {order.number}: total" in found
    assert f"product {product['ProductCode']}: " in found and "'Something else' in the CRM" in found
    assert "0.01 in the CRM" in found
    assert f"stock of {stock['Product_Code__c']}: " in found
    assert f"delivery {shipment['ERP_Number__c']}: 0 shipments in the CRM, 1 expected" in found
    assert "0 in the ERP" in found


def test_what_changed_since_a_mark_is_named(world: World) -> None:
    world.mark()
    assert world.changed() == []
    told = world.change_order()
    changed = world.changed()
    assert all(key.startswith("crm Order") for key in changed) and changed
    world.erp.confirm(told["erp"])
    assert f"erp A_SalesOrder {told['erp']}" in world.changed()
