"""OData by declaration: a gateway of v2 that was not written for it, published metadata, literals, guards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sap_s4_lab import AREA, Lab, lab
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.declarative import OData, ODataConfig
from connectors.declarative._edmx import Service
from connectors.declarative._odata_service import predicate, unwrapped
from connectors.declarative._odata_values import instant_literal, literal, plain, sent
from landbridge.connector import Delivered, LineWrite, Write
from landbridge.errors import Conflict, Denied, OutcomeUnknown, Rejected
from landbridge.net import NetSettings, open_http
from landbridge.secrets import Secret
from landbridge.time import ManualClock
from sandbox._base import Clock, serve
from sandbox.odata import ODataSandbox

AT = datetime(2026, 11, 22, 8, 0, 0, 123000, tzinfo=UTC)
SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"


def connect(raw: dict[str, Any], clock: ManualClock | None = None) -> OData:
    config, clock = ODataConfig.model_validate(raw), clock or ManualClock(AT)
    return OData("erp", config, open_http("erp", config, NetSettings(connect=2, read=5), clock=clock), clock)


def write(odata: OData, entity: str, body: dict[str, Any], **change: Any) -> Any:
    parts = {"action": "create", "version": 1, "key": "k", "reference": "LB-1", "changed": body, **change}
    return odata.write(entity, [Write(entity=entity, subject=uuid4(), after=body, **parts)])[0]


# --- a gateway of v2 that was written for another connector


@pytest.fixture
def gateway() -> Iterator[Lab]:
    with lab() as found:
        yield found


def at_gateway(gateway: Lab, service: str, **entities: Any) -> OData:
    return connect(
        {
            "url": f"{gateway.url}/sap/opu/odata/sap/{service}",
            "protocol": "v2",
            "auth": {"type": "basic", "user": "LANDBRIDGE", "password": Secret.plain("sandbox-only")},
            "parameters": {"sap-client": "100"},
            "csrf": True,
            "page_size": 4,
            "entities": entities,
        },
        gateway.clock,
    )


def test_products_of_a_gateway_are_read_by_their_stamp(gateway: Lab) -> None:
    made = []
    for number in range(11):
        made.append(gateway.product(f"P{number:02}"))
        gateway.tick(1)
    odata = at_gateway(gateway, "API_PRODUCT_SRV", product={"set": "A_Product", "stamp": "LastChangeDateTime"})
    odata.check()
    pages = list(odata.read("product", None))
    assert len(pages) > 2
    assert {row.key for page in pages for row in page.rows} == set(made)
    fields = odata.describe("product").fields
    assert (fields["Product"].type, fields["Product"].length) == ("string", 40)
    [row] = odata.fetch("product", ["P03"])
    assert row.body is not None
    assert row.body["Product"] == "P03"
    assert not [name for name in row.body if name.startswith("__") or "@" in name]
    gateway.tick(400)
    settled = list(odata.read("product", pages[-1].cursor))[-1]  # the overlap is read once more, then no more
    gateway.sandbox.edit("A_Product", {"Product": "P05"}, {"ProductManufacturerNumber": "new"})
    changed = [row.key for page in odata.read("product", settled.cursor) for row in page.rows]
    assert changed == ["P10", "P05"], "from the newest stamp on, that one included"


def test_an_order_of_a_gateway_is_made_found_and_changed(gateway: Lab) -> None:
    customer, product = gateway.customer(), gateway.product("CHAI")
    lines = {"under": "to_Item", "key": "SalesOrderItem", "reference": "PurchaseOrderByCustomer"}
    odata = at_gateway(
        gateway,
        "API_SALES_ORDER_SRV",
        sales_order={"set": "A_SalesOrder", "reference": "PurchaseOrderByShipToParty", "lines": lines},
    )
    line = {"Material": product, "RequestedQuantity": Decimal("3"), "RequestedQuantityUnit": "PC"}
    body = {"SalesOrderType": "OR", **AREA, "SoldToParty": customer, "SalesOrderDate": "2026-11-02T00:00:00"}
    made = write(odata, "sales_order", body, lines=(LineWrite("insert", "a", None, None, line),))
    assert isinstance(made, Delivered), made
    [order] = gateway.sandbox.records("A_SalesOrder", PurchaseOrderByShipToParty="LB-1")
    assert made.target_id == order["SalesOrder"]
    assert made.lines == {"a": "10"}
    found = odata.find("sales_order", "LB-1")
    assert found is not None
    assert found.target_id == made.target_id
    assert odata.find("sales_order", "LB-1' or '1' eq '1") is None
    change = (
        LineWrite("update", "a", "10", line, {"RequestedQuantity": "5"}),
        LineWrite("insert", "b", None, None, {**line, "RequestedQuantity": "7"}),
    )
    done = write(
        odata, "sales_order", body, action="update", target_id=made.target_id, expected=found.version,
        before=body, changed={"CustomerPurchaseOrderDate": "2026-11-03T00:00:00"}, lines=change,
    )  # fmt: skip
    assert isinstance(done, Delivered), done
    items = gateway.sandbox.records("A_SalesOrderItem", SalesOrder=made.target_id)
    assert {item["SalesOrderItem"]: Decimal(item["RequestedQuantity"]) for item in items} == {"10": 5, "20": 7}
    assert done.lines["b"] == "20"


# --- metadata of vendors


@pytest.mark.parametrize("path", sorted(SPECS.glob("sap/*.edmx")), ids=lambda path: path.stem)
def test_published_metadata_is_described(path: Path) -> None:
    service = Service(path.read_bytes(), path.stem)
    assert service.sets
    for name in service.sets:
        kind = service.type_of(name)
        fields = service.describe(name, tuple(kind.navigations)[:3]).fields
        assert set(kind.properties) <= set(fields)
        assert all(key in fields for key in kind.keys), name
        assert all(each.type != "any" for each in fields.values() if "." not in each.name), name
        targets = {navigation.type for navigation in kind.navigations.values()}
        assert all(service.whole(target).keys for target in targets if target in service.sets.values())


def test_there_are_specs_or_this_is_another_checkout() -> None:
    if not SPECS.is_dir():
        pytest.skip("the vendors' files are not here")
    assert len(list(SPECS.glob("sap/*.edmx"))) >= 8


METADATA = b"""<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="a.b" Alias="s" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="Base" Abstract="true"><Key><PropertyRef Name="Id"/></Key>
  <Property Name="Id" Type="Edm.Guid" Nullable="false"/></EntityType>
<EntityType Name="Party" BaseType="s.Base">
  <Property Name="Name" Type="Edm.String" MaxLength="40" Nullable="false"/>
  <Property Name="At" Type="Edm.DateTimeOffset"><Annotation Term="Org.OData.Core.V1.Computed"/></Property>
  <Property Name="Kind" Type="s.Kind"/><Property Name="Home" Type="s.Address"/>
  <Property Name="Tags" Type="Collection(Edm.String)"/>
  <NavigationProperty Name="Boss" Type="s.Party"/><NavigationProperty Name="Staff" Type="Collection(s.Party)"/>
</EntityType>
<ComplexType Name="Address"><Property Name="City" Type="Edm.String" MaxLength="max"/></ComplexType>
<EnumType Name="Kind"><Member Name="A" Value="0"/></EnumType>
<Annotations Target="s.Party/Name"><Annotation Term="Org.OData.Core.V1.Immutable" Bool="true"/></Annotations>
<EntityContainer Name="C"><EntitySet Name="Parties" EntityType="s.Party"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_metadata_with_inheritance_aliases_enums_and_annotations() -> None:
    service = Service(METADATA, "x")
    fields = service.describe("Parties", ("Staff",)).fields
    kinds = {name: each.type for name, each in fields.items() if not name.startswith("Staff.")}
    assert kinds == {
        "Id": "string", "Name": "string", "At": "datetime", "Kind": "string", "Home": "mapping",
        "Home.City": "string", "Tags": "array", "Staff": "array",
    }  # fmt: skip
    assert (fields["Name"].length, fields["Name"].required, fields["Name"].updatable) == (40, True, False)
    assert (fields["At"].creatable, fields["Id"].updatable, fields["Home.City"].length) == (False, False, None)
    assert "Staff.Name" in fields
    with pytest.raises(Rejected, match="no set Partys") as caught:
        service.type_of("Partys")
    assert "Did you mean 'Parties'?" in caught.value.hint


# --- values


@pytest.mark.parametrize(
    ("value", "kind", "v2", "v4"),
    [
        ("O'Neil", "Edm.String", "'O''Neil'", "'O''Neil'"),
        ("4711", "Edm.Int32", "4711", "4711"),
        ("4711", "Edm.Int64", "4711L", "4711"),
        ("1.50", "Edm.Decimal", "1.50M", "1.50"),
        ("0" * 8 + "-0000-0000-0000-" + "0" * 12, "Edm.Guid", "guid'00000000-0000-0000-0000-000000000000'", None),
        ("2026-11-22", "Edm.Date", "2026-11-22", "2026-11-22"),
        ("true", "Edm.Boolean", "true", "true"),
    ],
)
def test_literals(value: str, kind: str, v2: str, v4: str | None) -> None:
    assert literal(value, kind, "v2") == v2
    assert literal(value, kind, "v4") == (v4 or value)


@pytest.mark.parametrize(("value", "kind"), [("1 or 1 eq 1", "Edm.Int32"), ("x' or '", "Edm.Guid")])
def test_a_value_of_another_type_never_becomes_a_filter(value: str, kind: str) -> None:
    with pytest.raises(Rejected):
        literal(value, kind, "v4")


def test_instants() -> None:
    assert instant_literal(AT, "Edm.DateTimeOffset", "v4") == "2026-11-22T08:00:00.123000Z"
    assert instant_literal(AT, "Edm.DateTimeOffset", "v2") == "datetimeoffset'2026-11-22T08:00:00.123000Z'"
    assert instant_literal(AT, "Edm.DateTime", "v2") == "datetime'2026-11-22T08:00:00.123000'"
    assert instant_literal(AT, "Edm.Date", "v4") == "2026-11-22"
    assert plain("/Date(1795334400123+0000)/") == "2026-11-22T08:00:00.123000Z"
    assert plain("/Date(1795334400000)/") == "2026-11-22T08:00:00"
    assert sent("2026-11-22T08:00:00", "Edm.DateTime", "v2") == "/Date(1795334400000)/"
    assert sent("2026-11-22T09:00:00+01:00", "Edm.DateTimeOffset", "v2") == "/Date(1795334400000+0000)/"
    assert sent("2026-11-22T09:00:00+01:00", "Edm.DateTimeOffset", "v4") == "2026-11-22T09:00:00+01:00"
    assert sent(Decimal("1.10"), "Edm.Decimal", "v4") == "1.10"


def test_bodies_lose_their_annotations_and_nothing_else() -> None:
    v2 = {
        "d": {
            "__metadata": {"etag": "x"}, "A": 1, "B": {"__deferred": {"uri": "u"}},
            "C": {"results": [{"__metadata": {}, "D": None}]},
        }
    }  # fmt: skip
    assert unwrapped(v2) == {"A": 1, "C": [{"D": None}]}
    v4 = {"@odata.context": "c", "value": [{"@odata.etag": "x", "A": {"B": 1}, "A@odata.type": "t"}]}
    assert unwrapped(v4) == [{"A": {"B": 1}}]


def test_a_key_of_several_properties_is_a_predicate() -> None:
    kind = Service(METADATA, "x").type_of("Parties")
    assert predicate(("Name", "Kind"), kind, {"Name": "a'b", "Kind": "A"}, "v4") == "Name='a''b',Kind='A'"
    with pytest.raises(Rejected, match="no Kind"):
        predicate(("Name", "Kind"), kind, {"Name": "a"}, "v4")


# --- a service of ours


@pytest.fixture
def service() -> Iterator[tuple[ODataSandbox, str]]:
    made = ODataSandbox("v4", clock=Clock(AT, frozen=True), longest=3)
    with serve(made.app) as server:
        yield made, f"{server.url}/odata"


def test_a_snapshot_counts(service: tuple[ODataSandbox, str]) -> None:
    made, url = service
    made.store.load("customers", ({"name": f"C{number}"} for number in range(10)))
    odata = connect({"url": url, "page_size": 5, "entities": {"customer": {"set": "Customers"}}})
    pages = list(odata.read("customer", None))
    assert [len(page.rows) for page in pages] == [3, 2, 3, 2], "links lead through our own pages"
    assert [page.complete for page in pages] == [False, False, False, True]
    assert pages[-1].total == 10
    shown = connect(
        {"url": url, "entities": {"customer": {"set": "Customers", "select": ["id", "name"], "filter": "id le 4"}}}
    )
    rows = [row for page in shown.read("customer", None) for row in page.rows]
    assert len(rows) == 4
    assert all(set(row.body or {}) == {"id", "name"} for row in rows)


def test_a_link_to_another_host_is_refused(service: tuple[ODataSandbox, str]) -> None:
    made, url = service
    body = {"value": [{"id": 1}], "@odata.nextLink": "https://evil.example/Customers?$skiptoken=1"}
    made.faults.add({"path_regex": r"/Customers\?"}, "reply", status=200, body=body)
    odata = connect({"url": url, "entities": {"customer": {"set": "Customers"}}})
    with pytest.raises(Denied, match="evil"):
        list(odata.read("customer", None))


def test_an_older_version_is_a_conflict_and_a_lost_line_an_unknown_outcome(service: tuple[ODataSandbox, str]) -> None:
    made, url = service
    lines = {"under": "lines", "key": "id", "reference": "line_ref"}
    odata = connect(
        {"url": url, "entities": {"sales_order": {"set": "Orders", "reference": "external_ref", "lines": lines}}}
    )
    line = {"sku": "A", "quantity": "1"}
    body = {"customer_id": 1}
    first = write(odata, "sales_order", body, lines=(LineWrite("insert", "a", None, None, line),))
    assert isinstance(first, Delivered), first
    again = {"action": "update", "target_id": first.target_id, "before": body, "changed": {"note": "x"}}
    stale = write(odata, "sales_order", body, **again, expected='"1-99"')
    assert isinstance(stale, Conflict)
    made.faults.add({"path_regex": "/OrderLines", "method": "PATCH"}, "503")
    change = (LineWrite("update", "a", first.lines["a"], line, {"quantity": "2"}),)
    found = odata.find("sales_order", "LB-1")
    assert found is not None
    lost = write(odata, "sales_order", body, **again, expected=found.version, lines=change)
    assert isinstance(lost, OutcomeUnknown), "the header stands already: a mere repetition would meet its own version"
    found = odata.find("sales_order", "LB-1")
    assert found is not None
    done = write(odata, "sales_order", body, **again, expected=found.version, lines=change)
    assert isinstance(done, Delivered)
    [order] = made.store.all("orders")
    assert [each["quantity"] for each in order["lines"]] == ["2"]


@pytest.mark.parametrize(
    ("entity", "says"),
    [
        ({}, "set"),
        ({"set": "A b"}, "pattern"),
        ({"set": "A", "upsert": True}, "`reference` is needed"),
        ({"set": "A", "reference": "r", "lines": {"under": "l", "key": "k"}}, "`lines.reference`"),
        ({"set": "A", "stamp": "s", "zone": "Berlin"}, "no time zone"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(entity: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ODataConfig.model_validate({"url": "https://x.example", "entities": {"customer": entity}})


def test_check_names_what_the_set_has_not(service: tuple[ODataSandbox, str]) -> None:
    odata = connect({"url": service[1], "entities": {"customer": {"set": "Customers", "stamp": "updated"}}})
    with pytest.raises(Rejected, match="no property updated"):
        odata.check()


# --- a service of v4 whose key is our reference


THINGS = """<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="s"><EntityType Name="Thing">
<Key><PropertyRef Name="Ref"/></Key>
<Property Name="Ref" Type="Edm.String"/><Property Name="Name" Type="Edm.String"/>
<Property Name="Note" Type="Edm.String"/>
<Property Name="Price" Type="Edm.Decimal"/><Property Name="At" Type="Edm.DateTimeOffset"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="Things" EntityType="s.Thing"/></EntityContainer></Schema>
</edmx:DataServices></edmx:Edmx>"""


class Things:
    """Upserts by PATCH and replaces by PUT at a key (OData 4.01, 11.4.4), as it is written."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.seen: list[tuple[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        content = await request.body()
        await self._said(request, content)(scope, receive, send)

    def _said(self, request: Request, content: bytes) -> Response:
        path = unquote(request.scope["raw_path"].decode())
        self.seen.append((request.method, path))
        if path.endswith("$metadata"):
            return Response(THINGS, media_type="application/xml")
        if "(" not in path:
            wanted = request.query_params["$filter"].removeprefix("Ref eq '").removesuffix("'").replace("''", "'")
            return JSONResponse({"value": [each for key, each in self.held.items() if key == wanted]})
        key = path.partition("('")[2].removesuffix("')").replace("''", "'")
        body = json.loads(content) if content else {}
        if request.method == "GET":
            found = self.held.get(key)
            return JSONResponse(found) if found else JSONResponse({"error": {"code": "404", "message": "none"}}, 404)
        new = key not in self.held
        kept = {} if request.method == "PUT" else self.held.get(key, {})
        self.held[key] = {"Name": None, "Note": None, **kept, **body, "Ref": key}
        return JSONResponse(self.held[key], 201 if new else 200)


@pytest.fixture
def things() -> Iterator[tuple[Things, str]]:
    made = Things()
    with serve(made) as server:
        yield made, f"{server.url}/odata"


THING = {"set": "Things", "reference": "Ref", "upsert": True}


@pytest.mark.parametrize("reference", ["LB-1", "O'Neil/上海 #1 (x), a=b?c&d", "100%25"])
def test_upsert_is_one_record_at_the_key_that_is_our_reference(things: tuple[Things, str], reference: str) -> None:
    service, url = things
    odata = connect({"url": url, "entities": {"thing": THING}})
    assert (odata.entity("thing").create, odata.entity("thing").update) == ("B", "B")
    first = write(odata, "thing", {"Name": "a"}, reference=reference)
    again = write(odata, "thing", {"Name": "a"}, reference=reference)
    assert (first.target_id, first.created, again.created) == (reference, True, False)
    service.held[reference]["Note"] = "theirs"
    change = {"action": "update", "target_id": reference, "before": {"Name": "a"}, "changed": {"Name": "b"}}
    assert isinstance(write(odata, "thing", {"Name": "b"}, reference=reference, **change), Delivered)
    assert [(each["Ref"], each["Name"], each["Note"]) for each in service.held.values()] == [(reference, "b", "theirs")]
    found = odata.find("thing", reference)
    assert found is not None
    assert found.target_id == reference
    assert odata.find("thing", "LB-2") is None


def test_a_change_by_put_sends_the_whole_record(things: tuple[Things, str]) -> None:
    service, url = things
    odata = connect(
        {"url": url, "change": "PUT", "entities": {"thing": {**THING, "policies": {"block": {"Note": "x"}}}}}
    )
    body = {"Name": "a", "Price": Decimal("1")}
    assert isinstance(write(odata, "thing", body), Delivered)
    after = {"Name": "b", "Price": Decimal("1")}
    change = {"action": "update", "target_id": "LB-1", "before": body, "changed": {"Name": "b"}}
    assert isinstance(write(odata, "thing", after, **change), Delivered)
    assert (service.held["LB-1"]["Name"], service.held["LB-1"]["Price"]) == ("b", "1"), "PUT empties what is not sent"
    blocked = {"action": "delete", "target_id": "LB-1", "policy": "block", "before": after}
    assert isinstance(write(odata, "thing", after, **blocked), Delivered)
    assert (service.held["LB-1"]["Name"], service.held["LB-1"]["Note"]) == ("b", "x")


def test_a_value_that_is_no_date_refuses_the_record_and_is_no_unknown_outcome() -> None:
    """An outcome that is unknown would be looked up and tried for ever."""
    with pytest.raises(Rejected, match=r"no Edm.DateTime"):
        sent("in March", "Edm.DateTime", "v2")
    with pytest.raises(Rejected, match=r"no Edm.DateTimeOffset"):
        literal("in March", "Edm.DateTimeOffset", "v4")


def test_dates_before_1970_and_numbers_without_an_exponent() -> None:
    assert sent("1923-10-29T12:00:00.250+00:00", "Edm.DateTimeOffset", "v2") == "/Date(-1457179199750+0000)/"
    assert plain("/Date(-1457179199750+0060)/") == "1923-10-29T12:00:00.250000Z"
    assert plain("/Date(99999999999999999)/") == "/Date(99999999999999999)/"
    assert instant_literal(datetime(1923, 10, 29, 12, tzinfo=UTC), "Edm.DateTimeOffset", "v4") == "1923-10-29T12:00:00Z"
    assert [sent(Decimal(text), "Edm.Decimal", "v2") for text in ("1E+3", "1E-7")] == ["1000", "0.0000001"]
