"""The S/4HANA connector's wire: dates, literals, batches, error envelopes, and SAP's own metadata."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.sap_s4._batch import Operation, build, parse
from connectors.sap_s4._errors import Stale, explain, failure_of
from connectors.sap_s4._literals import address, any_of, chunks, literal
from connectors.sap_s4._metadata import Service, read_service
from connectors.sap_s4._reference import fit
from connectors.sap_s4._sources import SOURCES
from connectors.sap_s4._wire import exact_stamp, inward, outward, read_value, same, write_value
from landbridge.errors import Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Reply
from landbridge.strict import xml

NOW = datetime(2026, 11, 2, tzinfo=UTC)
FILES = {
    "API_SALES_ORDER_SRV": "API_SALES_ORDER_SRV.edmx",
    "API_BUSINESS_PARTNER": "API_BUSINESS_PARTNER.edmx",
    "API_PRODUCT_SRV": "API_PRODUCT_SRV.edmx",
    "API_MATERIAL_STOCK_SRV": "API_MATERIAL_STOCK_SRV.edmx",
    "API_OUTBOUND_DELIVERY_SRV;v=0002": "API_OUTBOUND_DELIVERY_SRV_0002.edmx",
}
EDMX = b"""<edmx:Edmx xmlns:edmx="e" xmlns:sap="http://www.sap.com/Protocols/SAPData"><Schema Namespace="S">
<EntityType Name="OrderType"><Key><PropertyRef Name="Order"/></Key>
<Property Name="Order" Type="Edm.String" MaxLength="10" Nullable="false"/>
<Property Name="Day" Type="Edm.DateTime"/><Property Name="Stamp" Type="Edm.DateTimeOffset" sap:updatable="false"/>
<Property Name="Clock" Type="Edm.Time"/><Property Name="Amount" Type="Edm.Decimal" sap:filterable="false"/>
<Property Name="Text" Type="Edm.String"/>
<NavigationProperty Name="to_Item" Relationship="S.a" FromRole="f" ToRole="t"/></EntityType>
<EntityType Name="ItemType"><Key><PropertyRef Name="Item"/></Key><Property Name="Item" Type="Edm.String"/>
<Property Name="Day" Type="Edm.DateTime"/></EntityType>
<Association Name="a"><End Type="S.OrderType" Multiplicity="1" Role="f"/>
<End Type="S.ItemType" Multiplicity="*" Role="t"/></Association>
<EntityContainer><EntitySet Name="Orders" EntityType="S.OrderType"/>
<EntitySet Name="Items" EntityType="S.ItemType" sap:creatable="false"/></EntityContainer></Schema></edmx:Edmx>"""


@pytest.fixture(scope="module")
def service() -> Service:
    return read_service("S", xml.parse(EDMX))


def reply(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Reply:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Reply("erp", "POST", "/x", False, status, headers or {}, content)


# -- values


@pytest.mark.parametrize(
    ("kind", "wire", "text"),
    [
        ("Edm.DateTime", "/Date(1795219200000)/", "2026-11-21"),
        ("Edm.DateTime", "/Date(-86400000)/", "1969-12-31"),
        ("Edm.DateTime", "/Date(253402214400000)/", "9999-12-31"),
        ("Edm.DateTime", "/Date(1795219261000)/", "2026-11-21T00:01:01"),
        ("Edm.DateTimeOffset", "/Date(1795219200123+0000)/", "2026-11-21T00:00:00.123Z"),
        ("Edm.DateTimeOffset", "/Date(1795219200000)/", "2026-11-21T00:00:00Z"),
        ("Edm.Time", "PT20H37M10S", "20:37:10"),
        ("Edm.Time", "PT0S", "00:00:00"),
    ],
)
def test_dates_of_the_wire_are_iso_and_go_back_the_same(kind: str, wire: str, text: str) -> None:
    assert read_value(kind, wire) == text
    assert read_value(kind, str(write_value(kind, text, "x"))) == text


def test_a_text_that_looks_like_a_date_stays_a_text(service: Service) -> None:
    body = inward(service, "Orders", {"Text": "/Date(0)/", "Day": "/Date(0)/", "Other": "/Date(0)/"})
    assert body == {"Text": "/Date(0)/", "Day": "1970-01-01", "Other": "/Date(0)/"}


def test_a_record_reads_plain_and_writes_as_sap_wants_it(service: Service) -> None:
    wire = {
        "__metadata": {"etag": "W/\"datetimeoffset'2026-11-21T00%3A00%3A00.1234567Z'\""},
        "Order": "1",
        "Amount": "0.10",
        "Stamp": "/Date(1795219200123+0000)/",
        "to_Item": {"results": [{"__metadata": {}, "Item": "10", "Day": None}]},
        "to_Text": {"__deferred": {"uri": "x"}},
    }
    body = inward(service, "Orders", wire)
    assert body == {
        "Order": "1",
        "Amount": "0.10",
        "Stamp": "2026-11-21T00:00:00.123Z",
        "to_Item": [{"Item": "10", "Day": None}],
    }
    assert exact_stamp(body, "Stamp", wire["__metadata"]["etag"]) == "2026-11-21T00:00:00.1234567Z"
    assert exact_stamp(body, "Stamp", 'W/"0001"') == "2026-11-21T00:00:00.123Z"
    sent = outward(service, "Orders", {"Day": "2026-11-21", "@line": "a", "Amount": 5, "to_Item": [{"Item": "10"}]})
    assert sent == {"Day": "/Date(1795219200000)/", "Amount": "5", "to_Item": {"results": [{"Item": "10"}]}}
    assert outward(service, "Orders", {"to_Item": []}) == {}


def test_what_is_no_date_is_refused_with_its_field(service: Service) -> None:
    with pytest.raises(Rejected, match=r"Orders\.Day: 'soon'") as caught:
        outward(service, "Orders", {"Day": "soon"})
    assert not caught.value.sent


@pytest.mark.parametrize(
    ("kind", "left", "right", "equal"),
    [
        ("Edm.Decimal", "5", "5.000", True),
        ("Edm.Decimal", "5", "5.001", False),
        ("Edm.String", None, "", True),
        ("Edm.String", "a ", "a", True),
        ("Edm.String", "a", "A", False),
        ("Edm.Boolean", True, True, True),
        ("Edm.Boolean", False, None, False),
        ("Edm.DateTime", "2026-11-21", "/Date(1795219200000)/", True),
        ("Edm.DateTimeOffset", "2026-11-21T00:00:00Z", "2026-11-21T00:00:00.123Z", True),
    ],
)
def test_values_that_sap_would_hold_as_one(kind: str, left: Any, right: Any, equal: bool) -> None:
    assert same(kind, left, right) is equal
    assert same(kind, right, left) is equal


def test_literals_cannot_break_out_of_a_filter() -> None:
    assert literal("Edm.String", "O'Brien' or 1 eq 1") == "'O''Brien'' or 1 eq 1'"
    assert address("A", {"$filter": "x eq 'a&b=c#d%20+'", "$top": None}) == "A?$filter=x%20eq%20'a%26b=c%23d%2520%2B'"
    assert literal("Edm.Guid", "x") == "guid'x'"
    assert literal("Edm.DateTime", "2026-11-21") == "datetime'2026-11-21T00:00:00'"


def test_chunks_fit_into_an_address_whatever_the_values() -> None:
    values = [f"北京 {number}" * 3 for number in range(500)]
    cut = list(chunks(values, per_value=20))
    assert [one for chunk in cut for one in chunk] == values
    assert len(cut) > 1
    assert all(len(address("A", {"$filter": any_of("Name", "Edm.String", chunk)})) < 8000 for chunk in cut)


def test_long_references_stay_apart() -> None:
    assert fit("short", 35) == "short"
    assert fit("x" * 99, None) == "x" * 99
    left, right = fit("x" * 60 + "1", 35), fit("x" * 60 + "2", 35)
    assert len(left) == len(right) == 35
    assert left != right


# -- batches


def test_a_batch_is_a_changeset_per_write() -> None:
    create = Operation("POST", "Orders", {"Text": "ä"}, "Orders")
    change = Operation("PATCH", "Orders('1')", {"Text": "b"}, "Orders", 'W/"1"')
    body = build([[create], [change, Operation("DELETE", "Items('1')", None, "Items")]], "B")
    assert body.count(b"multipart/mixed; boundary=changeset_B_") == 2
    assert b'If-Match: W/"1"' in body
    assert "ä".encode() in body
    assert b"Content-Length: 0" in body
    assert body.endswith(b"--B--\r\n")


PART = "Content-Type: application/http\r\n\r\nHTTP/1.1 {0}\r\nContent-Type: application/json\r\n\r\n{1}\r\n"


def test_the_replies_of_a_batch_are_told_apart() -> None:
    made = PART.format("201 Created", '{"d":{"Order":"1"}}')
    empty = (
        'Content-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\netag: W/"2"\r\nContent-Length: 0\r\n\r\n\r\n'
    )
    failed = PART.format("400 Bad Request", '{"error":{"code":"V1/1","message":{"value":"no"}}}')
    text = (
        f"--X\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n{made}--C\r\n{empty}--C--\r\n"
        f"--X\r\n{failed}--X--\r\n"
    )
    for content in (text.encode(), text.replace("\r\n", "\n").encode()):
        first, second = parse(reply(202, content, {"Content-Type": "multipart/mixed; boundary=X"}))
        assert [one.status for one in first] == [201, 204]
        assert first[0].json() == {"d": {"Order": "1"}}
        assert first[1].headers.get("ETag") == 'W/"2"'
        assert [one.status for one in second] == [400]


def test_a_batch_reply_that_was_cut_has_fewer_parts() -> None:
    text = f"--X\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n{PART.format('201 Created', '{}')}--C--\r\n"
    assert len(parse(reply(202, text.encode(), {"Content-Type": "multipart/mixed; boundary=X"}))) == 1


@pytest.mark.parametrize("kind", ["text/html", "", "multipart/mixed"])
def test_a_reply_that_is_no_batch_is_unknown(kind: str) -> None:
    with pytest.raises(OutcomeUnknown):
        parse(reply(200, b"<html>", {"Content-Type": kind}))


# -- errors


def test_an_error_names_code_text_and_field_and_leaves_wrappers_out() -> None:
    details = [
        {"code": "V1/302", "message": "Partner 1 is unknown", "propertyref": "SoldToParty", "severity": "error"},
        {"code": "V1/555", "message": "By the way", "severity": "warning"},
        {"code": "V1/777", "message": "Second reason", "severity": "error"},
        {"code": "/IWBEP/CX_MGW_BUSI_EXCEPTION", "message": "An exception was raised", "severity": "error"},
    ]
    error = {"code": "V1/302", "message": {"lang": "en", "value": "Partner 1 is unknown"}}
    code, text = explain(orjson.dumps({"error": {**error, "innererror": {"errordetails": details}}}))
    assert code == "V1/302"
    assert text == "Partner 1 is unknown (field SoldToParty); Second reason"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error":null}', b'{"error":{"message":7}}', b"\xff", b'{"error":[]}']
)
def test_an_error_that_is_none_of_saps_is_still_an_outcome(body: bytes) -> None:
    failure = failure_of(reply(400, body), now=NOW)
    assert isinstance(failure, Rejected)
    assert failure.hint


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (400, "Sales document 1 is currently being processed by user USER01", Unavailable),
        (400, "Object is locked by USER01", Unavailable),
        (400, "Business partner 17 is blocked for sales area 1010", Rejected),
        (400, "Customer locked out of credit", Rejected),
        (403, "No authorization", Denied),
        (401, "", Denied),
        (404, "not found", Rejected),
        (412, "", Stale),
        (428, "", Stale),
        (500, "dump", OutcomeUnknown),
        (503, "", Unavailable),
    ],
)
def test_what_a_status_and_a_text_mean(status: int, text: str, expected: type[Failure]) -> None:
    body = {"error": {"code": "X/1", "message": {"value": text}}}
    failure = failure_of(reply(status, body), now=NOW)
    assert type(failure) is expected


# -- metadata


def test_flags_lengths_and_ways_are_read(service: Service) -> None:
    orders = service["Orders"]
    assert orders.keys == ("Order",)
    assert orders.properties["Order"].length == 10
    assert not orders.properties["Stamp"].updatable
    assert not orders.filterable("Amount")
    assert not orders.filterable("Nowhere")
    assert orders.navigations["to_Item"].many
    assert not service["Items"].creatable
    assert service.has_path("Orders", "to_Item")
    assert not service.has_path("Orders", "to_Item/to_Nothing")
    with pytest.raises(Rejected, match="no entity set Invoices"):
        service["Invoices"]


@pytest.mark.parametrize("name", FILES)
def test_saps_own_metadata_has_every_set_key_and_way_that_is_read(name: str, shared: Path) -> None:
    theirs = read_service(name, xml.parse((shared / "specs" / "sap" / FILES[name]).read_bytes()))
    for source in SOURCES.values():
        if source.service != name:
            continue
        kind = theirs[source.entity_set]
        assert source.key in kind.properties
        assert set(source.stamp) <= set(kind.properties)
        for path in source.expand:
            assert theirs.has_path(source.entity_set, path), path
        for field in source.required:
            *ways, last = field.split(".")
            here = kind
            for way in ways:
                here = theirs.sets[here.navigations[way].target]
            assert here.properties[last].creatable, field


def test_saps_own_metadata_says_which_deliveries_may_be_filtered(shared: Path) -> None:
    def deliveries(file: str) -> Any:
        return read_service("D", xml.parse((shared / "specs" / "sap" / file).read_bytes()))["A_OutbDeliveryHeader"]

    assert not deliveries("API_OUTBOUND_DELIVERY_SRV_0002.edmx").filterable("LastChangeDate")
    assert deliveries("API_OUTBOUND_DELIVERY_SRV_newer2024.edmx").filterable("LastChangeDate")


def test_the_fields_that_carry_our_references_are_creatable_and_long_enough(shared: Path) -> None:
    folder = shared / "specs" / "sap"
    orders = read_service("O", xml.parse((folder / FILES["API_SALES_ORDER_SRV"]).read_bytes()))
    for entity_set in ("A_SalesOrder", "A_SalesOrderItem"):
        field = orders[entity_set].properties["PurchaseOrderByShipToParty"]
        assert (field.creatable, field.updatable, field.filterable, field.length) == (True, True, True, 35)
    assert not orders["A_SalesOrderPartnerAddress"].creatable
    partners = read_service("P", xml.parse((folder / FILES["API_BUSINESS_PARTNER"]).read_bytes()))
    number = partners["A_BuPaIdentification"].properties["BPIdentificationNumber"]
    assert (number.creatable, number.filterable, number.length) == (True, True, 60)
