"""Parties and orders as they are kept, and as they stand in XML."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree import ElementTree

from sandbox._base import Document
from sandbox.soap._envelope import NAMESPACE, NIL, Element, SoapError

PARTY = ("id", "name", "note", "taxNumber", "creditLimit", "foundedOn", "active", "email", "phone", "address",
         "externalRef", "changedAt")  # fmt: skip
ORDER = ("id", "customerId", "orderedOn", "status", "note", "externalRef", "changedAt", "lines")
LINE = ("id", "lineRef", "product", "quantity", "price")
ADDRESS = ("street", "city", "postalCode", "country")
_NULLABLE = frozenset({"note", "taxNumber", "creditLimit", "foundedOn", "externalRef"})
_DECIMALS = frozenset({"creditLimit", "quantity", "price"})
_LONGEST = {"name": 80, "note": 4000, "externalRef": 64, "lineRef": 64}


def written(kind: str, record: Document) -> Element:
    """A record as the service sends it: null is xsi:nil, what was never given is absent."""
    names = PARTY if kind == "party" else ORDER
    element = Element(f"{{{NAMESPACE}}}{kind}", {"version": str(record["version"])})
    if record.get("deleted"):
        element.set("deleted", "true")
    for name in names:
        if name == "address":
            for address in record.get("address", []):
                inner = _child(element, "address")
                inner.set("kind", address["kind"])
                _fields(inner, ADDRESS, address)
        elif name == "lines" and kind == "order":
            inner = _child(element, "lines")
            for line in record.get("lines", []):
                _fields(_child(inner, "line"), LINE, line)
        else:
            _fields(element, (name,), record)
    return element


def _fields(element: Element, names: tuple[str, ...], record: Document) -> None:
    for name in names:
        if name not in record:
            continue
        inner = _child(element, name)
        if record[name] is None:
            inner.set(NIL, "true")
        else:
            inner.text = str(record[name])


def _child(parent: Element, name: str) -> Element:
    return ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def read(kind: str, element: Element) -> Document:
    """What a caller gives of a record: only the fields that stand there; SoapError for a value that cannot be."""
    given: Document = {}
    names = PARTY if kind == "party" else ORDER
    for child in element:
        name = child.tag.partition("}")[2]
        if name not in names:
            raise SoapError("UNKNOWN_FIELD", f"There is no field {name}", name)
        if name == "address":
            address = {"kind": child.get("kind", ""), **{inner.tag.partition("}")[2]: inner.text for inner in child}}
            given.setdefault("address", []).append(address)
        elif name == "lines":
            given["lines"] = [{inner.tag.partition("}")[2]: _value(inner) for inner in line} for line in child]
        else:
            given[name] = _value(child)
    return given


def _value(element: Element) -> Any:
    name, text = element.tag.partition("}")[2], element.text or ""
    if element.get(NIL) in ("true", "1"):
        if name not in _NULLABLE:
            raise SoapError("NOT_NULLABLE", f"{name} cannot be nil", name)
        return None
    if name in _DECIMALS:
        try:
            if Decimal(text) < 0:
                raise SoapError("NEGATIVE", f"{name} must not be negative", name)
        except InvalidOperation:
            raise SoapError("INVALID_VALUE", f"{name} is no number", name) from None
    if name in ("orderedOn", "foundedOn"):
        try:
            date.fromisoformat(text[:10])
        except ValueError:
            raise SoapError("INVALID_VALUE", f"{name} is no date", name) from None
    if len(text) > _LONGEST.get(name, 100_000):
        raise SoapError("TOO_LONG", f"{name} is too long", name)
    return text


def instant(text: str) -> datetime:
    """An xs:dateTime with its zone; SoapError if it is none."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise SoapError("INVALID_VALUE", "changedSince is no dateTime", "changedSince") from None
    if found.tzinfo is None:
        raise SoapError("INVALID_VALUE", "changedSince has no zone", "changedSince")
    return found
