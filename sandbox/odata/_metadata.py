"""The `$metadata` document of the service, in both versions."""

from __future__ import annotations

TYPES: dict[str, dict[str, str]] = {
    "Customer": {
        "id": "Edm.Int32",
        "name": "Edm.String:80!",
        "note": "Edm.String:4000",
        "city": "Edm.String:60",
        "credit": "Edm.Decimal",
        "external_ref": "Edm.String:80",
        "updated_at": "Edm.DateTimeOffset",
        "created_at": "Edm.DateTimeOffset",
        "revision": "Edm.Int32",
    },
    "Order": {
        "id": "Edm.Int32",
        "customer_id": "Edm.Int32!",
        "note": "Edm.String:200",
        "external_ref": "Edm.String:80",
        "updated_at": "Edm.DateTimeOffset",
        "created_at": "Edm.DateTimeOffset",
        "revision": "Edm.Int32",
    },
    "OrderLine": {
        "id": "Edm.Int32",
        "line_ref": "Edm.String:80",
        "sku": "Edm.String:40",
        "quantity": "Edm.Decimal!",
    },
}
SETS = {"Customers": "Customer", "Orders": "Order", "OrderLines": "OrderLine"}
COMPUTED = ("id", "updated_at", "created_at", "revision")
_EDMX = {"v4": "http://docs.oasis-open.org/odata/ns/edmx", "v2": "http://schemas.microsoft.com/ado/2007/06/edmx"}
_EDM = {"v4": "http://docs.oasis-open.org/odata/ns/edm", "v2": "http://schemas.microsoft.com/ado/2008/09/edm"}
_SAP = "http://www.sap.com/Protocols/SAPData"


def metadata(version: str) -> bytes:
    """The document as a service of that version writes it."""
    types = "".join(_type(name, properties, version) for name, properties in TYPES.items())
    sets = "".join(f'<EntitySet Name="{name}" EntityType="shop.{kind}"/>' for name, kind in SETS.items())
    association = ""
    if version == "v2":
        ends = (
            '<End Type="shop.Order" Role="order" Multiplicity="1"/>'
            '<End Type="shop.OrderLine" Role="lines" Multiplicity="*"/>'
        )
        association = f'<Association Name="order_lines">{ends}</Association>'
    schema = f'{types}{association}<EntityContainer Name="container">{sets}</EntityContainer>'
    number = {"v4": "4.0", "v2": "1.0"}[version]
    data = '<edmx:DataServices xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
    return (
        f'<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="{number}" xmlns:edmx="{_EDMX[version]}">{data}'
        f'<Schema Namespace="shop" xmlns="{_EDM[version]}" xmlns:sap="{_SAP}">{schema}</Schema>'
        "</edmx:DataServices></edmx:Edmx>"
    ).encode()


def _type(name: str, properties: dict[str, str], version: str) -> str:
    inside = '<Key><PropertyRef Name="id"/></Key>' + "".join(
        _property(each, told, version) for each, told in properties.items()
    )
    if name == "Order":
        told = 'Type="Collection(shop.OrderLine)"'
        if version == "v2":
            told = 'Relationship="shop.order_lines" FromRole="order" ToRole="lines"'
        inside += f'<NavigationProperty Name="lines" {told}/>'
    return f'<EntityType Name="{name}">{inside}</EntityType>'


def _property(name: str, told: str, version: str) -> str:
    needed = told.endswith("!") or name == "id"
    kind, _, length = told.removesuffix("!").partition(":")
    text = f'Name="{name}" Type="{kind}"' + (f' MaxLength="{length}"' if length else "")
    text += ' Nullable="false"' if needed else ""
    if name not in COMPUTED:
        return f"<Property {text}/>"
    if version == "v2":
        return f'<Property {text} sap:creatable="false" sap:updatable="false"/>'
    return f'<Property {text}><Annotation Term="Org.OData.Core.V1.Computed" Bool="true"/></Property>'
