"""The SAP sandbox serves what the vendor's own metadata says, and an unmodified client understands it."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from pyodata.v2.model import MetadataBuilder

from sandbox.sap_s4._metadata import metadata
from sandbox.sap_s4._services import services

SPECS = {
    "API_SALES_ORDER_SRV": "API_SALES_ORDER_SRV.edmx",
    "API_BUSINESS_PARTNER": "API_BUSINESS_PARTNER.edmx",
    "API_PRODUCT_SRV": "API_PRODUCT_SRV.edmx",
    "API_MATERIAL_STOCK_SRV": "API_MATERIAL_STOCK_SRV.edmx",
    "API_OUTBOUND_DELIVERY_SRV": "API_OUTBOUND_DELIVERY_SRV_0002.edmx",
}
SAP = "{http://www.sap.com/Protocols/SAPData}"
HTTP = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}HttpMethod"
FLAGS = ("creatable", "updatable", "filterable", "sortable")
FACETS = ("Type", "MaxLength", "Precision", "Scale", "Nullable", "ConcurrencyMode")


def differences(ours: bytes, theirs: bytes) -> list[str]:
    """Everything that we serve and the vendor does not, or otherwise."""
    mine, vendor = etree.fromstring(ours), etree.fromstring(theirs)
    found = []
    types = {one.get("Name"): one for one in vendor.iter("{*}EntityType")}
    for one in mine.iter("{*}EntityType"):
        name = one.get("Name")
        if name not in types:
            found.append(f"{name}: no such type")
            continue
        other = types[name]
        if keys(one) != keys(other):
            found.append(f"{name}: keys {keys(one)}, theirs {keys(other)}")
        props = {prop.get("Name"): prop for prop in other.findall("{*}Property")}
        for prop in one.findall("{*}Property"):
            found += property_differences(name, prop, props.get(prop.get("Name")))
        navs = links(vendor, other)
        found += [
            f"{name}.{nav}: leads to {target}, theirs {navs.get(nav)}"
            for nav, target in links(mine, one).items()
            if navs.get(nav) != target
        ]
    sets = {one.get("Name"): one for one in vendor.iter("{*}EntitySet")}
    for one in mine.iter("{*}EntitySet"):
        other = sets.get(one.get("Name"))
        for flag in ("creatable", "updatable", "deletable"):
            left, right = one.get(SAP + flag), None if other is None else other.get(SAP + flag)
            if left != right:
                found.append(f"{one.get('Name')}: {flag} {left}, theirs {right}")
    functions = {one.get("Name"): one for one in vendor.iter("{*}FunctionImport")}
    for one in mine.iter("{*}FunctionImport"):
        other = functions[one.get("Name")]
        if (one.get("ReturnType"), one.get(HTTP)) != (other.get("ReturnType"), other.get(HTTP)):
            found.append(f"{one.get('Name')}: another signature")
    return found


def property_differences(owner: str, prop: etree._Element, other: etree._Element | None) -> list[str]:
    name = f"{owner}.{prop.get('Name')}"
    if other is None:
        return [f"{name}: no such property"]
    pairs = [(facet, prop.get(facet), other.get(facet)) for facet in FACETS]
    pairs += [(flag, prop.get(SAP + flag), other.get(SAP + flag)) for flag in FLAGS]
    return [f"{name}: {what} {left}, theirs {right}" for what, left, right in pairs if left != right]


def keys(one: etree._Element) -> list[str]:
    return [ref.get("Name") for ref in one.iter("{*}PropertyRef")]


def links(schema: etree._Element, one: etree._Element) -> dict[str, tuple[str, str]]:
    ends = {
        association.get("Name"): {end.get("Role"): end for end in association.findall("{*}End")}
        for association in schema.iter("{*}Association")
    }
    found = {}
    for nav in one.findall("{*}NavigationProperty"):
        end = ends[nav.get("Relationship").rpartition(".")[2]][nav.get("ToRole")]
        found[nav.get("Name")] = (end.get("Type").rpartition(".")[2], end.get("Multiplicity"))
    return found


@pytest.mark.parametrize("service", SPECS)
def test_every_type_key_property_length_and_flag_served_agrees_with_the_vendors_edmx(
    shared: Path, service: str
) -> None:
    theirs = (shared / "specs" / "sap" / SPECS[service]).read_bytes()
    assert differences(metadata(services()[service]), theirs) == []


def test_the_2024_edition_of_deliveries_has_the_flags_of_the_newer_edmx(shared: Path) -> None:
    theirs = (shared / "specs" / "sap" / "API_OUTBOUND_DELIVERY_SRV_newer2024.edmx").read_bytes()
    ours = metadata(services(delivery_filterable=True)["API_OUTBOUND_DELIVERY_SRV"])
    wrong = [text for text in differences(ours, theirs) if "filterable" in text]
    assert [text for text in wrong if text.startswith(("A_OutbDeliveryHeaderType", "A_OutbDeliveryItemType"))] == []


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            b'Name="PurchaseOrderByShipToParty" Type="Edm.String" MaxLength="35"',
            b'Name="PurchaseOrderByShipToParty" Type="Edm.String" MaxLength="36"',
            "MaxLength 36, theirs 35",
        ),
        (b'<PropertyRef Name="SalesOrderItem"/><PropertyRef Name="ScheduleLine"/>', b"", "keys"),
        (b'Name="TotalNetAmount" Type="Edm.Decimal"', b'Name="TotalNetAmount" Type="Edm.String"', "Type Edm.String"),
        (
            b'Name="ExternalDocumentID" Type="Edm.String" MaxLength="40" sap:creatable="false"',
            b'Name="ExternalDocumentID" Type="Edm.String" MaxLength="40"',
            "creatable None",
        ),
        (b' ConcurrencyMode="Fixed"', b"", "ConcurrencyMode None"),
        (b'Name="SoldToParty"', b'Name="SoldTo"', "no such property"),
    ],
)
def test_the_comparison_sees_a_wrong_document(shared: Path, before: bytes, after: bytes, says: str) -> None:
    theirs = (shared / "specs" / "sap" / SPECS["API_SALES_ORDER_SRV"]).read_bytes()
    ours = metadata(services()["API_SALES_ORDER_SRV"])
    assert before in ours
    found = differences(ours.replace(before, after), theirs)
    assert any(says in text for text in found), found


@pytest.mark.parametrize("service", services())
def test_an_unmodified_client_reads_the_metadata(service: str) -> None:
    one = services()[service]
    schema = MetadataBuilder(metadata(one)).build()
    assert {found.name for found in schema.entity_sets} == set(one.sets)
    for name, ours in one.sets.items():
        kind = schema.entity_set(name).entity_type
        assert {prop.name for prop in kind.key_proprties} == set(ours.keys)
        assert {nav.name for nav in kind.nav_proprties} == set(ours.navigations)
