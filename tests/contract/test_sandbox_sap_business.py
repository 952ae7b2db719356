"""The SAP sandbox's application rules: orders, prices, stock, deliveries, returns, partners, products."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from sap_client import DELIVERIES, ORDERS, PARTNERS, PRODUCTS, RETURNS, STOCK, Client, Switch, order_body

from sandbox._base import Clock, serve
from sandbox.sap_s4 import SapSandbox

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CENT = Decimal("0.01")


@pytest.fixture
def sap() -> Iterator[SapSandbox]:
    system = SapSandbox(clock=Clock(NOW, frozen=True))
    system.seed_partner("Alfreds Futterkiste", number="10001", city="Berlin", street="Obere Str. 57", tax_id="DE811")
    system.seed_product("A", "Product A", price="10.00", stock=100)
    system.seed_product("B", "Product B", price="20.00", stock=100)
    system.seed_product("C", "Product C", price="5.00", stock=3)
    yield system
    system.close()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Switch, str]]:
    switch = Switch()
    with serve(switch) as served:
        yield switch, served.url


@pytest.fixture
def client(sap: SapSandbox, server: tuple[Switch, str]) -> Client:
    server[0].app = sap.app
    return Client(server[1])


def text_of(answer: requests.Response) -> str:
    return answer.json()["error"]["message"]["value"]


def line_path(order: str, line: str) -> str:
    return f"A_SalesOrderItem(SalesOrder='{order}',SalesOrderItem='{line}')"


# --- orders


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SoldToParty": "99999"}, "V1/308"),
        ({"SalesOrganization": "9999"}, "V1/308"),
        ({"SalesOrderType": ""}, "V1/000"),
        ({"TransactionCurrency": "XXQ"}, "V1/356"),
        ({"to_Item": [{"Material": "NO", "RequestedQuantity": "1"}]}, "M3/305"),
        ({"to_Item": [{"Material": "FOREIGN", "RequestedQuantity": "1"}]}, "V1/382"),
        ({"to_Item": [{"Material": "A", "RequestedQuantity": "0"}]}, "V1/386"),
        ({"to_Item": [{"Material": "A", "RequestedQuantity": "1", "RequestedQuantityUnit": "KG"}]}, "V1/385"),
        ({"to_Item": [{"Material": "A", "RequestedQuantity": "1", "RequestedQuantityUnit": "QQ"}]}, "BM/301"),
        ({"to_Partner": [{"PartnerFunction": "SH", "Customer": "4711"}]}, "VP/200"),
        ({"to_Partner": [{"PartnerFunction": "SH", "AddressID": "4711"}]}, "VP/201"),
    ],
)
def test_an_order_that_the_application_cannot_take_is_refused_whole(
    client: Client, sap: SapSandbox, change: dict[str, Any], code: str
) -> None:
    sap.seed_product("FOREIGN", "Sold elsewhere", areas=[("2020", "10", "00")])
    answer = client.send("POST", ORDERS, "A_SalesOrder", {**order_body("10001", ("A", "1")), **change})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert error["innererror"]["errordetails"][-1]["code"] == "/IWBEP/CX_MGW_BUSI_EXCEPTION"
    assert sap.count("A_SalesOrder") == 0


def test_a_blocked_customer_gets_no_order(client: Client, sap: SapSandbox) -> None:
    sap.edit("A_BusinessPartner", {"BusinessPartner": "10001"}, {"BusinessPartnerIsBlocked": True})
    answer = client.send("POST", ORDERS, "A_SalesOrder", order_body("10001", ("A", "1")))
    assert answer.json()["error"]["code"] == "V1/309"


def test_two_orders_may_carry_the_same_customer_po_and_each_its_own_reference(client: Client) -> None:
    for number in (1, 2):
        body = order_body("10001", ("A", "1"), reference=f"SO-100{number}", PurchaseOrderByCustomer="4500017")
        client.create(ORDERS, "A_SalesOrder", body)
    assert len(client.rows(ORDERS, "A_SalesOrder", filter="PurchaseOrderByCustomer eq '4500017'")) == 2
    assert len(client.rows(ORDERS, "A_SalesOrder", filter="PurchaseOrderByShipToParty eq 'SO-1002'")) == 1


def test_totals_follow_the_declared_rounding_and_keep_what_was_ordered(client: Client) -> None:
    dice = random.Random(seed := 20261121)
    lines, expected = [], Decimal(0)
    for _ in range(60):
        price, quantity = Decimal(dice.randint(1, 99999)) / 100, dice.randint(1, 130)
        percent = dice.choice(["0", "5", "10", "15", "20", "25", "3.5"])
        elements = [{"ConditionType": "PMP0", "ConditionRateValue": str(price)}]
        if percent != "0":
            elements.append({"ConditionType": "K007", "ConditionRateValue": percent})
        lines.append({"Material": "A", "RequestedQuantity": str(quantity), "to_PricingElement": elements})
        expected += (price * quantity * (1 - Decimal(percent) / 100)).quantize(CENT, ROUND_HALF_UP)
    body = {**order_body("10001"), "to_Item": lines, "TransactionCurrency": "USD"}
    body["to_PricingElement"] = [{"ConditionType": "HD00", "ConditionRateValue": "32.38"}]
    order = client.create(ORDERS, "A_SalesOrder", body)
    assert Decimal(order["TotalNetAmount"]) == expected, f"seed {seed}"
    read = client.one(
        ORDERS, f"A_SalesOrder('{order['SalesOrder']}')", expand="to_Item/to_PricingElement,to_PricingElement"
    )
    freight = read["to_PricingElement"]["results"][0]
    assert (freight["ConditionType"], freight["ConditionAmount"], freight["ConditionCurrency"]) == (
        "HD00",
        "32.38",
        "USD",
    )
    for sent, got in zip(lines, read["to_Item"]["results"], strict=True):
        kept = [(one["ConditionType"], one["ConditionRateValue"]) for one in got["to_PricingElement"]["results"]]
        assert kept == [(one["ConditionType"], plain(one["ConditionRateValue"])) for one in sent["to_PricingElement"]]


def plain(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def test_a_price_may_be_per_hundred_and_the_list_price_stands_in_when_none_is_sent(client: Client) -> None:
    per_hundred = {"ConditionType": "PMP0", "ConditionRateValue": "12.50", "ConditionQuantity": "100"}
    body = order_body("10001", ("A", "30"), ("B", "2"))
    body["to_Item"][0]["to_PricingElement"] = [per_hundred]
    number = client.create(ORDERS, "A_SalesOrder", body)["SalesOrder"]
    lines = client.rows(ORDERS, f"A_SalesOrder('{number}')/to_Item")
    assert [line["NetAmount"] for line in lines] == ["3.75", "40.00"]
    key = f"SalesOrder='{number}',SalesOrderItem='10',PricingProcedureStep='20',PricingProcedureCounter='1'"
    element = f"A_SalesOrderItemPrElement({key})"
    assert client.send("PATCH", ORDERS, element, {"ConditionRateValue": "13"}).status_code == 204
    assert client.one(ORDERS, f"A_SalesOrder('{number}')")["TotalNetAmount"] == "43.90"


def test_every_northwind_order_arrives_with_its_total_to_the_cent(shared: Path) -> None:
    folder = shared / "data" / "northwind"
    sap = SapSandbox(area=("1010", "10", "00"))
    for row in read_csv(folder / "customers.csv"):
        sap.seed_partner(row["company_name"], number=f"NW{row['customer_id']}", currency="USD")
    for row in read_csv(folder / "products.csv"):
        sap.seed_product(f"NW{row['product_id']}", row["product_name"], price=money(row["unit_price"]), currency="USD")
    details: dict[str, list[dict[str, str]]] = {}
    for row in read_csv(folder / "order_details.csv"):
        details.setdefault(row["order_id"], []).append(row)
    for row in read_csv(folder / "orders.csv"):
        expected, lines = Decimal(0), []
        for line in details[row["order_id"]]:
            price, percent = money(line["unit_price"]), money(line["discount"]) * 100
            expected += (price * int(line["quantity"]) * (1 - percent / 100)).quantize(CENT, ROUND_HALF_UP)
            elements = [{"ConditionType": "PMP0", "ConditionRateValue": str(price)}]
            elements += [{"ConditionType": "K007", "ConditionRateValue": str(percent)}] if percent else []
            material = f"NW{line['product_id']}"
            lines.append({"Material": material, "RequestedQuantity": line["quantity"], "to_PricingElement": elements})
        body = {**order_body(f"NW{row['customer_id']}", reference=row["order_id"]), "to_Item": lines}
        order = sap.create("A_SalesOrder", {**body, "TransactionCurrency": "USD"})
        assert Decimal(order["TotalNetAmount"]) == expected, row["order_id"]
    assert (sap.count("A_SalesOrder"), sap.count("A_SalesOrderItem")) == (830, 2155)
    sap.close()


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def money(text: str) -> Decimal:
    return Decimal(text).quantize(CENT, ROUND_HALF_UP)


def test_lines_keep_their_numbers_when_others_come_and_go(client: Client, sap: SapSandbox) -> None:
    number = client.create(ORDERS, "A_SalesOrder", order_body("10001", ("A", "1"), ("B", "1")))["SalesOrder"]
    path = f"A_SalesOrder('{number}')"
    assert client.send("DELETE", ORDERS, line_path(number, "10")).status_code == 204
    added = client.create(ORDERS, f"{path}/to_Item", {"Material": "A", "RequestedQuantity": "7"})
    assert added["SalesOrderItem"] == "30"
    named = client.create(ORDERS, f"{path}/to_Item", {"SalesOrderItem": "5", "Material": "A", "RequestedQuantity": "2"})
    assert named["SalesOrderItem"] == "5"
    again = client.send(
        "POST", ORDERS, f"{path}/to_Item", {"SalesOrderItem": "5", "Material": "A", "RequestedQuantity": "2"}
    )
    assert (again.status_code, "already exists" in text_of(again)) == (400, True)
    assert [one["SalesOrderItem"] for one in sap.records("A_SalesOrderItem")] == ["5", "20", "30"]


def test_stock_confirms_what_it_can_and_says_so(client: Client) -> None:
    answer = client.send("POST", ORDERS, "A_SalesOrder", order_body("10001", ("C", "2")))
    assert "sap-message" not in answer.headers
    second = client.send("POST", ORDERS, "A_SalesOrder", order_body("10001", ("C", "5")))
    assert '"severity":"warning"' in second.headers["sap-message"]
    number = second.json()["d"]["SalesOrder"]
    schedule = client.rows(ORDERS, "A_SalesOrderScheduleLine", filter=f"SalesOrder eq '{number}'")
    assert [(one["ScheduleLineOrderQuantity"], one["ConfdOrderQtyByMatlAvailCheck"]) for one in schedule] == [
        ("5", "1")
    ]


def test_the_ship_to_address_is_patched_since_it_cannot_be_created(client: Client) -> None:
    number = client.create(ORDERS, "A_SalesOrder", order_body("10001", ("A", "1")))["SalesOrder"]
    partners = client.rows(ORDERS, f"A_SalesOrder('{number}')/to_Partner", expand="to_Address")
    assert [one["PartnerFunction"] for one in partners] == ["SP", "SH", "BP", "PY"]
    assert partners[1]["to_Address"]["results"][0]["StreetName"] == "Obere Str. 57"
    path = f"A_SalesOrderPartnerAddress(SalesOrder='{number}',PartnerFunction='SH',AddressRepresentationCode='')"
    assert client.send("POST", ORDERS, "A_SalesOrderPartnerAddress", {"CityName": "Bonn"}).status_code == 405
    assert client.send("PATCH", ORDERS, path, {"CityName": "Münster", "PostalCode": "44087"}).status_code == 204
    extra = {"BusinessPartner": "10001", "Country": "AT", "CityName": "Graz"}
    address = client.create(PARTNERS, "A_BusinessPartnerAddress", extra)["AddressID"]
    payer = f"A_SalesOrderHeaderPartner(SalesOrder='{number}',PartnerFunction='PY')"
    assert client.send("PATCH", ORDERS, payer, {"AddressID": address}).status_code == 204
    after = client.rows(ORDERS, f"A_SalesOrder('{number}')/to_Partner", expand="to_Address")
    after.sort(key=lambda one: ["SP", "SH", "BP", "PY"].index(one["PartnerFunction"]))
    assert [one["to_Address"]["results"][0]["CityName"] for one in after] == ["Berlin", "Münster", "Berlin", "Graz"]


def test_an_address_of_the_partner_can_be_named_with_the_order(client: Client) -> None:
    extra = {"BusinessPartner": "10001", "Country": "AT", "CityName": "Graz"}
    address = client.create(PARTNERS, "A_BusinessPartnerAddress", extra)["AddressID"]
    body = order_body("10001", ("A", "1"), to_Partner=[{"PartnerFunction": "SH", "AddressID": address}])
    number = client.create(ORDERS, "A_SalesOrder", body)["SalesOrder"]
    path = f"A_SalesOrderHeaderPartner(SalesOrder='{number}',PartnerFunction='SH')/to_Address"
    assert client.rows(ORDERS, path)[0]["CityName"] == "Graz"


# --- the warehouse


def test_the_half_shipped_order_keeps_its_lines_apart(client: Client, sap: SapSandbox) -> None:
    """60 of A = 100 are shipped; then A = 50 is refused, B is rejected, C comes, 5 of A come back."""
    number = client.create(ORDERS, "A_SalesOrder", order_body("10001", ("A", "100"), ("B", "10")))["SalesOrder"]
    before = client.one(ORDERS, f"A_SalesOrder('{number}')")
    sap.clock.advance(60)
    delivery = sap.ship(number, {"10": 60}, on="2026-11-20", carrier="Speedy Express", tracking="1Z999")
    order = client.one(ORDERS, f"A_SalesOrder('{number}')")
    assert order["LastChangeDateTime"] > before["LastChangeDateTime"], "a delivery moves the order's stamp"
    assert order["OverallTotalDeliveryStatus"] == "B"

    refused = client.send("PATCH", ORDERS, line_path(number, "10"), {"RequestedQuantity": "50"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "V4/083")
    assert client.send("DELETE", ORDERS, line_path(number, "10")).status_code == 400
    assert client.send("PATCH", ORDERS, line_path(number, "10"), {"RequestedQuantity": "60"}).status_code == 204
    assert client.send("PATCH", ORDERS, line_path(number, "20"), {"SalesDocumentRjcnReason": "10"}).status_code == 204
    client.create(ORDERS, f"A_SalesOrder('{number}')/to_Item", {"Material": "C", "RequestedQuantity": "30"})
    back = sap.return_items(number, {"10": 5})

    lines = {one["SalesOrderItem"]: one for one in client.rows(ORDERS, f"A_SalesOrder('{number}')/to_Item")}
    assert [(key, one["Material"], one["DeliveryStatus"], one["SDProcessStatus"]) for key, one in lines.items()] == [
        ("10", "A", "C", "C"),
        ("20", "B", "", "C"),
        ("30", "C", "A", "A"),
    ]
    order = client.one(ORDERS, f"A_SalesOrder('{number}')")
    assert (order["OverallSDDocumentRejectionSts"], order["TotalNetAmount"]) == ("B", "750.00")
    schedule = client.rows(
        ORDERS, "A_SalesOrderScheduleLine", filter=f"SalesOrder eq '{number}' and SalesOrderItem eq '10'"
    )
    assert schedule[0]["DeliveredQtyInOrderQtyUnit"] == "60"
    flow = client.rows(ORDERS, f"{line_path(number, '10')}/to_SubsequentProcFlowDocItem")
    assert {(one["SubsequentDocument"], one["SubsequentDocumentCategory"]) for one in flow} == {
        (delivery, "J"),
        (back, "H"),
    }
    returned = client.rows(RETURNS, "A_CustomerReturnItem", filter=f"ReferenceSDDocument eq '{number}'")
    assert [(one["ReferenceSDDocumentItem"], one["RequestedQuantity"]) for one in returned] == [("10", "5")]
    with pytest.raises(Exception, match="only 55 can be returned"):
        sap.return_items(number, {"10": 56})


def test_a_delivery_says_what_was_shipped_when_and_by_whom_and_takes_it_from_stock(
    client: Client, sap: SapSandbox
) -> None:
    number = client.create(ORDERS, "A_SalesOrder", order_body("10001", ("A", "100"), ("B", "10")))["SalesOrder"]
    delivery = sap.ship(number, {"10": 60}, on="2026-11-20", carrier="Speedy Express", tracking="1Z999")
    head = client.one(
        DELIVERIES, f"A_OutbDeliveryHeader('{delivery}')", expand="to_DeliveryDocumentItem,to_DeliveryDocumentPartner"
    )
    assert head["ActualGoodsMovementDate"] == "/Date(1795132800000)/"
    assert (head["OverallGoodsMovementStatus"], head["MeansOfTransport"], head["BillOfLading"]) == (
        "C",
        "Speedy Express",
        "1Z999",
    )
    item = head["to_DeliveryDocumentItem"]["results"][0]
    assert (item["DeliveryDocumentItem"], item["ReferenceSDDocumentItem"]) == ("000010", "000010"), "with zeros here"
    assert (item["ReferenceSDDocument"], item["ActualDeliveryQuantity"]) == (number, "60")
    assert {one["PartnerFunction"] for one in head["to_DeliveryDocumentPartner"]["results"]} == {"SP", "SH", "BP", "PY"}
    stock = client.rows(STOCK, "A_MatlStkInAcctMod", filter="Material eq 'A'")
    assert [one["MatlWrhsStkQtyInMatlBaseUnit"] for one in stock] == ["40"]


def test_picking_and_goods_issue_go_by_function_import_with_an_etag(client: Client, sap: SapSandbox) -> None:
    number = client.create(ORDERS, "A_SalesOrder", order_body("10001", ("A", "10")))["SalesOrder"]
    items = [
        {
            "ReferenceSDDocument": number,
            "ReferenceSDDocumentItem": "10",
            "ActualDeliveryQuantity": "4",
            "DeliveryQuantityUnit": "PC",
        }
    ]
    delivery = client.create(DELIVERIES, "A_OutbDeliveryHeader", {"to_DeliveryDocumentItem": {"results": items}})
    call = f"?DeliveryDocument='{delivery['DeliveryDocument']}'"
    assert client.send("POST", DELIVERIES, f"PickAllItems{call}").status_code == 428
    early = client.send("POST", DELIVERIES, f"PostGoodsIssue{call}", None, {"If-Match": "*"})
    assert (early.status_code, early.json()["error"]["code"]) == (400, "VL/608")
    for name in ("PickAllItems", "PostGoodsIssue"):
        assert client.send("POST", DELIVERIES, f"{name}{call}", None, {"If-Match": "*"}).status_code == 200
    again = client.send("POST", DELIVERIES, f"PostGoodsIssue{call}", None, {"If-Match": "*"})
    assert again.json()["error"]["code"] == "VL/609"
    assert sap.records("A_MatlStkInAcctMod", Material="A")[0]["MatlWrhsStkQtyInMatlBaseUnit"] == "96"
    assert client.one(ORDERS, line_path(number, "10"))["DeliveryStatus"] == "B"


def test_more_than_there_is_cannot_be_shipped(client: Client, sap: SapSandbox) -> None:
    number = client.create(ORDERS, "A_SalesOrder", order_body("10001", ("C", "5")))["SalesOrder"]
    with pytest.raises(Exception, match="Deficit of unrestricted-use stock"):
        sap.ship(number)
    assert sap.count("A_OutbDeliveryHeader") == 0, "the whole transaction is undone"
    with pytest.raises(Exception, match="6 asked, 5 open"):
        sap.ship(number, {"10": 6})


def test_sold_out_stock_disappears_and_everything_open_can_be_shipped_at_once(client: Client, sap: SapSandbox) -> None:
    first = client.create(ORDERS, "A_SalesOrder", order_body("10001", ("C", "3"), ("A", "1")))["SalesOrder"]
    client.create(ORDERS, "A_SalesOrder", order_body("10001", ("C", "1")))
    assert len(sap.ship_all(carrier="United Package")) == 1
    assert client.one(ORDERS, f"A_SalesOrder('{first}')")["OverallSDProcessStatus"] == "C"
    assert client.rows(STOCK, "A_MatlStkInAcctMod", filter="Material eq 'C'") == []
    assert sap.ship_all() == []


def test_stock_rows_differ_by_plant_place_batch_and_kind(client: Client, sap: SapSandbox) -> None:
    sap.stock_set("A", "1010", 7, batch="B1")
    sap.stock_set("A", "1020", 9)
    sap.stock_set("A", "1010", 2, stock_type="07")
    sap.stock_set("A", "1010", 4, special="K")
    rows = client.rows(STOCK, "A_MatlStkInAcctMod", filter="Material eq 'A'")
    assert len(rows) == 5
    assert len({one["__metadata"]["uri"] for one in rows}) == 5
    assert client.http.get(rows[0]["__metadata"]["uri"], timeout=5).json()["d"]["Material"] == "A"
    sap.stock_set("A", "1020", 0)
    assert len(client.rows(STOCK, "A_MatlStkInAcctMod", filter="Material eq 'A' and Plant eq '1020'")) == 0


def test_the_order_stamp_may_stay_when_the_system_is_so_minded() -> None:
    sap = SapSandbox(stamp_order=False)
    sap.seed_partner("Alfreds", number="10001")
    sap.seed_product("A", "A", price=1, stock=5)
    number = sap.create("A_SalesOrder", order_body("10001", ("A", "5")))["SalesOrder"]
    before = sap.records("A_SalesOrder")[0]["LastChangeDateTime"]
    sap.ship(number)
    after = sap.records("A_SalesOrder")[0]
    assert (after["LastChangeDateTime"], after["OverallTotalDeliveryStatus"]) == (before, "C")
    sap.close()


# --- partners and products


def partner_body(**more: Any) -> dict[str, Any]:
    area = {"SalesOrganization": "1010", "DistributionChannel": "10", "Division": "00", "Currency": "EUR"}
    return {
        "BusinessPartnerCategory": "2",
        "OrganizationBPName1": "上海进出口有限公司",
        "SearchTerm1": "shanghai",
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}],
        "to_BusinessPartnerAddress": [
            {
                "Country": "CN",
                "CityName": "上海",
                "StreetName": "南京路 1",
                "PostalCode": "200000",
                "to_EmailAddress": [{"EmailAddress": "a@example.com"}],
            }
        ],
        "to_BusinessPartnerTax": [{"BPTaxType": "CN0", "BPTaxNumber": "91310000"}],
        "to_BuPaIdentification": [{"BPIdentificationType": "CRM", "BPIdentificationNumber": "001xx0001"}],
        "to_Customer": {"to_CustomerSalesArea": {"results": [area]}},
        **more,
    }


def test_a_customer_is_made_by_role_and_found_by_tax_number_or_identification(client: Client) -> None:
    made = client.create(PARTNERS, "A_BusinessPartner", partner_body())
    number = made["BusinessPartner"]
    assert (made["Customer"], made["Supplier"], made["SearchTerm1"]) == (number, "", "SHANGHAI")
    assert made["BusinessPartnerFullName"] == "上海进出口有限公司"
    read = client.one(
        PARTNERS,
        f"A_BusinessPartner('{number}')",
        expand="to_BusinessPartnerAddress/to_EmailAddress,to_Customer/to_CustomerSalesArea,to_BusinessPartnerRole",
    )
    address = read["to_BusinessPartnerAddress"]["results"][0]
    assert (address["CityName"], address["to_EmailAddress"]["results"][0]["EmailAddress"]) == ("上海", "a@example.com")
    assert read["to_Customer"]["to_CustomerSalesArea"]["results"][0]["Currency"] == "EUR"
    for path, text in (
        ("A_BusinessPartnerTaxNumber", "BPTaxNumber eq '91310000'"),
        ("A_BuPaIdentification", "BPIdentificationNumber eq '001xx0001' and BPIdentificationType eq 'CRM'"),
    ):
        assert [one["BusinessPartner"] for one in client.rows(PARTNERS, path, filter=text)] == [number]
    assert client.http.get(address["to_EmailAddress"]["results"][0]["__metadata"]["uri"], timeout=5).status_code == 200
    assert client.send("POST", ORDERS, "A_SalesOrder", order_body(number, ("A", "1"))).status_code == 201


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"BusinessPartnerCategory": ""}, "category"),
        ({"OrganizationBPName1": ""}, "OrganizationBPName1 is required"),
        ({"OrganizationBPName1": "x" * 41}, "maximum length 40"),
        ({"to_BusinessPartnerRole": []}, "needs one of the roles"),
        ({"to_BusinessPartnerAddress": [{"Country": "ZZ"}]}, "does not exist"),
        ({"BusinessPartner": "10001"}, "already exists"),
        ({"Customer": "5"}, "not creatable"),
    ],
)
def test_a_partner_that_makes_no_sense_is_refused(
    client: Client, sap: SapSandbox, change: dict[str, Any], says: str
) -> None:
    answer = client.send("POST", PARTNERS, "A_BusinessPartner", partner_body(**change))
    assert (answer.status_code, says in text_of(answer)) == (400, True), answer.text
    assert sap.count("A_BusinessPartner") == 1


def test_a_role_added_later_makes_a_supplier_and_blocking_is_a_change(client: Client) -> None:
    path = "A_BusinessPartner('10001')"
    side = client.send(
        "POST", PARTNERS, "A_SupplierPurchasingOrg", {"Supplier": "10001", "PurchasingOrganization": "1010"}
    )
    assert (side.status_code, "not a supplier" in text_of(side)) == (400, True)
    client.create(PARTNERS, f"{path}/to_BusinessPartnerRole", {"BusinessPartnerRole": "FLVN01"})
    assert client.one(PARTNERS, f"{path}/to_Supplier")["Supplier"] == "10001"
    etag = {"If-Match": client.one(PARTNERS, path)["__metadata"]["etag"]}
    assert client.send("PATCH", PARTNERS, path, {"BusinessPartnerIsBlocked": True}, etag).status_code == 204
    assert client.one(PARTNERS, path)["BusinessPartnerIsBlocked"] is True


def test_a_product_carries_texts_units_areas_and_its_list_price(client: Client, sap: SapSandbox) -> None:
    sap.seed_product(
        "TEA", "Tea", price="12.50", per=10, names={"ZH": "茶", "DE": "Tee"}, ean="4006381333931",
        units=[{"AlternativeUnit": "BOX", "QuantityNumerator": "12", "QuantityDenominator": "1", "BaseUnit": "PC"}],
    )  # fmt: skip
    expand = "to_Description,to_Valuation,to_ProductUnitsOfMeasure,to_SalesDelivery,to_Plant"
    product = client.one(PRODUCTS, "A_Product('TEA')", expand=expand)
    texts = {one["Language"]: one["ProductDescription"] for one in product["to_Description"]["results"]}
    assert texts == {"EN": "Tea", "ZH": "茶", "DE": "Tee"}
    price = product["to_Valuation"]["results"][0]
    assert (price["StandardPrice"], price["PriceUnitQty"], price["Currency"]) == ("12.50", "10", "EUR")
    body = order_body("10001", ("TEA", "2"))
    body["to_Item"][0]["RequestedQuantityUnit"] = "BOX"
    assert client.send("POST", ORDERS, "A_SalesOrder", body).status_code == 201
    sap.clock.advance(5)
    text = "A_ProductDescription(Product='TEA',Language='EN')"
    assert client.send("PATCH", PRODUCTS, text, {"ProductDescription": "Green tea"}).status_code == 204
    after = client.one(PRODUCTS, "A_Product('TEA')")
    assert after["LastChangeDateTime"] > product["LastChangeDateTime"]


def test_the_control_api_reaches_the_back_office(client: Client, sap: SapSandbox) -> None:
    number = client.create(ORDERS, "A_SalesOrder", order_body("10001", ("A", "2")))["SalesOrder"]
    office = f"{client.url}/__sandbox__/office"
    answer = requests.post(f"{office}/ship", json={"order": number, "lines": {"10": "2"}, "carrier": "X"}, timeout=5)
    assert answer.json()["result"].startswith("8")
    assert requests.post(f"{office}/ship", json={"order": "0"}, timeout=5).status_code == 400
    assert requests.post(f"{office}/nothing", json={}, timeout=5).status_code == 404
    counts = requests.get(f"{client.url}/__sandbox__/counts", timeout=5).json()
    assert (counts["A_SalesOrder"], counts["A_OutbDeliveryHeader"]) == (1, 1)
    found = requests.get(f"{client.url}/__sandbox__/records/A_SalesOrder?SalesOrder={number}", timeout=5).json()
    assert found[0]["OverallSDProcessStatus"] == "C"
