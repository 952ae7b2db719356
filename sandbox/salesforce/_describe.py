"""What describe tells about objects and fields."""

from __future__ import annotations

from typing import Any

from sandbox.salesforce._countries import countries
from sandbox.salesforce._objects import CHILDREN, SOBJECTS
from sandbox.salesforce._schema import NUMERIC, TEXTUAL, Field, SObject

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
    "address": "urn:address",
}  # fmt: skip


def describe_global(base: str) -> dict[str, Any]:
    """All objects in short."""
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [brief(each, base) for each in SOBJECTS.values()]}


def brief(sobject: SObject, base: str) -> dict[str, Any]:
    """One object without its fields."""
    url = f"{base}/sobjects/{sobject.name}"
    return {
        "name": sobject.name,
        "label": sobject.name.removesuffix("__c").replace("_", " "),
        "labelPlural": sobject.name.removesuffix("__c").replace("_", " ") + "s",
        "keyPrefix": sobject.prefix,
        "custom": sobject.custom,
        "createable": sobject.writable,
        "updateable": sobject.writable,
        "deletable": sobject.writable,
        "mergeable": sobject.name in {"Account", "Contact"},
        "queryable": True,
        "retrieveable": True,
        "replicateable": True,
        "undeletable": False,
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }


def describe(sobject: SObject, base: str) -> dict[str, Any]:
    """One object with its fields and child relationships."""
    children = [
        {
            "childSObject": child.sobject,
            "field": child.field,
            "relationshipName": child.name,
            "cascadeDelete": child.on_delete == "cascade",
            "restrictedDelete": child.on_delete == "restrict",
        }
        for child in CHILDREN[sobject.name]
    ]
    fields = [_field(sobject, each) for each in sobject.fields.values()]
    return {**brief(sobject, base), "fields": fields, "childRelationships": children, "recordTypeInfos": []}


def _field(sobject: SObject, field: Field) -> dict[str, Any]:
    listed = field.values
    if field.name.endswith("CountryCode"):
        listed = tuple(countries())
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * 3,
        "precision": field.precision,
        "scale": field.scale,
        "digits": 9 if field.type == "int" else 0,
        "nillable": not field.required and field.type not in {"boolean", "id"},
        "createable": field.createable and sobject.writable,
        "updateable": field.updateable and sobject.writable,
        "defaultedOnCreate": field.default is not None or field.name == "OwnerId" or field.auto is not None,
        "autoNumber": field.auto is not None,
        "calculated": False,
        "custom": field.custom,
        "externalId": field.external_id,
        "idLookup": field.external_id or field.type == "id",
        "unique": field.unique,
        "caseSensitive": False,
        "filterable": field.filterable,
        "sortable": field.filterable,
        "groupable": field.type in TEXTUAL | {"reference", "date", "boolean"} and field.filterable,
        "aggregatable": field.type in NUMERIC | {"date", "datetime", "id", "reference"},
        "nameField": field.name == "Name",
        "restrictedPicklist": field.restricted,
        "picklistValues": [
            {"value": each, "label": each, "active": True, "defaultValue": each == field.default, "validFor": None}
            for each in listed
        ],
        "referenceTo": [field.references] if field.references else [],
        "relationshipName": field.relationship,
        "compoundFieldName": _compound(sobject, field),
        "cascadeDelete": field.on_delete == "cascade",
        "restrictedDelete": field.on_delete == "restrict",
        "defaultValue": field.default,
        "inlineHelpText": None,
    }


def _compound(sobject: SObject, field: Field) -> str | None:
    for prefix in ("Billing", "Shipping", "Mailing"):
        if field.name.startswith(prefix) and field.type != "address" and f"{prefix}Address" in sobject.fields:
            return f"{prefix}Address"
    return None
