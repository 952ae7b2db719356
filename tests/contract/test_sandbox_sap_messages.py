"""Every entity that the SAP sandbox serves after a busy day fits the vendor's own EDMX, value by value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sap_client import DELIVERIES, Client, order_body

from sandbox._base import serve
from sandbox.sap_s4 import SapSandbox
from sandbox.sap_s4._services import services

SPECS = {
    "API_SALES_ORDER_SRV": "API_SALES_ORDER_SRV.edmx",
    "API_BUSINESS_PARTNER": "API_BUSINESS_PARTNER.edmx",
    "API_PRODUCT_SRV": "API_PRODUCT_SRV.edmx",
    "API_MATERIAL_STOCK_SRV": "API_MATERIAL_STOCK_SRV.edmx",
    "API_OUTBOUND_DELIVERY_SRV": "API_OUTBOUND_DELIVERY_SRV_0002.edmx",
}
PATTERNS = {
    "Edm.Decimal": r"-?\d+(\.\d+)?",
    "Edm.DateTime": r"/Date\(-?\d+\)/",
    "Edm.DateTimeOffset": r"/Date\(-?\d+\+0000\)/",
    "Edm.Time": r"PT\d\dH\d\dM\d\dS",
    "Edm.Guid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


def problems(entity: dict[str, Any], properties: dict[str, etree._Element]) -> list[str]:
    """What of an entity's values the vendor's type does not allow."""
    found = []
    for name, value in entity.items():
        if name == "__metadata" or isinstance(value, dict):
            continue
        prop = properties.get(name)
        if prop is None:
            found.append(f"{name}: unknown")
        elif value is None:
            if prop.get("Nullable") == "false":
                found.append(f"{name}: null")
        elif not fits(prop, value):
            found.append(
                f"{name}: {value!r} is no {prop.get('Type')}({prop.get('MaxLength') or prop.get('Precision')})"
            )
    return found


def fits(prop: etree._Element, value: Any) -> bool:
    kind = prop.get("Type")
    if kind == "Edm.Boolean":
        return isinstance(value, bool)
    if kind in ("Edm.Int16", "Edm.Int32", "Edm.Byte"):
        return isinstance(value, int)
    if kind == "Edm.Double":
        return isinstance(value, int | float | str)
    if not isinstance(value, str):
        return False
    if kind == "Edm.String":
        return len(value) <= int(prop.get("MaxLength") or len(value))
    if kind == "Edm.Decimal" and re.fullmatch(PATTERNS[kind], value):
        whole, _, places = value.lstrip("-").partition(".")
        scale = int(prop.get("Scale"))
        return len(places) <= scale and len(whole) <= int(prop.get("Precision")) - scale
    return re.fullmatch(PATTERNS[kind], value) is not None


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    sap = SapSandbox()
    customer = sap.seed_partner(
        "Ålesund Fjord Delikatessen und Feinkost-Großhandelsgesellschaft mbH & Co. KG",
        supplier=True, city="上海", street="南京路", tax_id="CN91310000", email="a@example.com", phone="+49 30 1",
    )  # fmt: skip
    sap.create(
        "A_BuPaIdentification",
        {"BusinessPartner": customer, "BPIdentificationType": "CRM", "BPIdentificationNumber": "1"},
    )
    sap.create("A_CustomerCompany", {"Customer": customer, "CompanyCode": "1010"})
    sap.create("A_SupplierCompany", {"Supplier": customer, "CompanyCode": "1010"})
    sap.create("A_SupplierPurchasingOrg", {"Supplier": customer, "PurchasingOrganization": "1010"})
    sap.seed_product(
        "CHAI", "Chai" * 20, price="18.005", per=100, stock="100.5", names={"ZH": "茶"}, ean="4006381333931"
    )
    body = order_body(customer, ("CHAI", "10.125"), ("CHAI", "5"))
    body["to_Item"][0]["to_PricingElement"] = [
        {"ConditionType": "PMP0", "ConditionRateValue": "9.876543"},
        {"ConditionType": "K007", "ConditionRateValue": "33.3"},
    ]
    body["to_Item"][0]["to_Text"] = [{"Language": "EN", "LongTextID": "0001", "LongText": "fragile\n" * 50}]
    body["to_PricingElement"] = [{"ConditionType": "HD00", "ConditionRateValue": "1.5"}]
    body["to_Text"] = [{"Language": "DE", "LongTextID": "0001", "LongText": "Grüße"}]
    body["to_Partner"] = [{"PartnerFunction": "SH", "Customer": customer}]
    number = sap.create("A_SalesOrder", body)["SalesOrder"]
    sap.ship(number, {"10": "3"}, carrier="A very long carrier's name", tracking="1Z" * 20)
    sap.return_items(number, {"10": "1.5"})
    sap.edit("A_SalesOrderItem", {"SalesOrder": number, "SalesOrderItem": "20"}, {"SalesDocumentRjcnReason": "10"})
    with serve(sap.app) as served:
        yield Client(served.url)
    sap.close()


@pytest.mark.parametrize("service", SPECS)
def test_every_served_value_fits_the_vendors_type(shared: Path, client: Client, service: str) -> None:
    schema = etree.parse(str(shared / "specs" / "sap" / SPECS[service]))
    types = {
        one.get("Name"): {prop.get("Name"): prop for prop in one.findall("{*}Property")}
        for one in schema.iter("{*}EntityType")
    }
    served: dict[str, int] = {}
    for name in services()[service].sets:
        path = DELIVERIES if "DELIVERY" in service else service
        rows = client.rows(path, name)
        served[name] = len(rows)
        for row in rows:
            assert row["__metadata"]["type"] == f"{service}.{name}Type"
            assert problems(row, types[f"{name}Type"]) == [], row["__metadata"]["uri"]
            if not name.startswith("A_Address"):
                again = client.http.get(row["__metadata"]["uri"], timeout=5)
                assert again.status_code == 200, row["__metadata"]["uri"]
    empty = {name for name, count in served.items() if count == 0}
    # what the busy day has none of
    assert empty <= {
        "A_SalesOrderItemPartner", "A_SalesOrderItemPartnerAddress", "A_BuPaAddressUsage", "A_AddressHomePageURL",
        "A_CustSalesPartnerFunc", "A_CustomerSalesAreaTax", "A_ProductBasicText", "A_ProductSales",
        "A_ProductSalesTax", "A_ProductUnitsOfMeasureEAN",
    }, empty  # fmt: skip


def test_the_check_of_values_sees_a_wrong_one(shared: Path) -> None:
    schema = etree.parse(str(shared / "specs" / "sap" / SPECS["API_SALES_ORDER_SRV"]))
    order = next(one for one in schema.iter("{*}EntityType") if one.get("Name") == "A_SalesOrderType")
    properties = {prop.get("Name"): prop for prop in order.findall("{*}Property")}
    assert problems({"SalesOrder": "1", "TotalNetAmount": "1.50", "CreationDate": "/Date(0)/"}, properties) == []
    for wrong in (
        {"SalesOrder": "12345678901"},
        {"TotalNetAmount": "1.2345"},
        {"TotalNetAmount": 5},
        {"CreationDate": "2026-11-21"},
        {"LastChangeDateTime": "/Date(0)/"},
        {"CompleteDeliveryIsDefined": "false"},
        {"SalesOrder": None},
        {"Nope": ""},
    ):
        assert len(problems(wrong, properties)) == 1, wrong
