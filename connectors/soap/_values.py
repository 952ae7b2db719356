"""Between XML and JSON, by the types of the WSDL: exact, a list wherever the WSDL says many, nil apart from absent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from landbridge.errors import Rejected
from landbridge.net import SoapField, SoapType, nil, typed
from landbridge.strict import did_you_mean
from landbridge.strict.xml import Element

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL, _TYPE = f"{_XSI}nil", f"{_XSI}type"
TYPE, TEXT = "_type", "_value_1"
_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
Named = Callable[[str], SoapType | None]


class Reader:
    """Elements of a reply as JSON."""

    def __init__(self, named: Named) -> None:
        self._named = named

    def value(self, element: Element, kind: SoapType) -> Any:
        """An element by its type; what the type does not name is taken as it stands."""
        if element.get(_NIL) in ("true", "1"):
            return None
        said = element.get(_TYPE)
        other = self._named(said.rpartition(":")[2]) if said is not None else None
        kind = other or kind
        if kind.kind == "any":
            return _open(element)
        if kind.kind != "mapping":
            return _simple(element.text or "", kind)
        found = self._mapping(element, kind)
        if other is not None:
            found[TYPE] = other.name
        return found

    def _mapping(self, element: Element, kind: SoapType) -> dict[str, Any]:
        found: dict[str, Any] = {}
        fields, elements = kind.fields, kind.elements
        for name, text in element.items():
            key = kind.attributes.get(name.rpartition("}")[2])
            if key is not None and not name.startswith(_XSI):
                found[key] = _simple(text, fields[key].type)
        if TEXT in fields:
            found[TEXT] = _simple(element.text or "", fields[TEXT].type)
            return found
        for child in element:
            name = child.tag.rpartition("}")[2]
            known = elements.get(name)
            if known is None:
                _add(found, name, _open(child))
            elif known.repeated:
                found.setdefault(name, []).append(self.value(child, known.type))
            else:
                found[name] = self.value(child, known.type)
        return found


def _simple(text: str, kind: SoapType) -> Any:
    """A text by its type; one that does not fit its type stays the text that it is."""
    if kind.kind == "string":
        return text
    plain = text.strip()
    if kind.kind == "integer":
        return int(plain) if _INTEGER.fullmatch(plain) and len(plain) < 19 else plain
    if kind.kind == "boolean":
        return _TRUTH.get(plain, plain)
    if kind.kind == "date" and (found := _DATE.fullmatch(plain)):
        return found[1]  # a business date has no zone
    return plain


def _open(element: Element) -> Any:
    """An element that the WSDL does not describe: its text, or its children by name."""
    if element.get(_NIL) in ("true", "1"):
        return None
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        _add(found, child.tag.rpartition("}")[2], _open(child))
    return found


def _add(found: dict[str, Any], name: str, value: Any) -> None:
    """A second one of a name makes a list of them."""
    if name not in found:
        found[name] = value
    elif isinstance(found[name], list):
        found[name].append(value)
    else:
        found[name] = [found[name], value]


class Writer:
    """JSON as the arguments of an operation: everything checked before a byte is sent."""

    def __init__(self, named: Named, *, empty_nulls: bool = False) -> None:
        self._named = named
        self._empty = empty_nulls

    def arguments(self, values: Mapping[str, Any], kind: SoapType, where: str) -> dict[str, Any]:
        """The fields of a complex type as zeep takes them; Rejected, unsent, at the first that does not fit."""
        made: dict[str, Any] = {}
        for name, value in values.items():
            if name == TYPE:
                continue
            field = kind.fields.get(name)
            if field is None:
                hint = did_you_mean(name, kind.fields) or f"Known: {', '.join(kind.fields) or 'none'}."
                raise _refused(f"{where} has no field '{name}'.", hint)
            given = self._field(value, field, f"{where}.{name}")
            if given is None:
                continue
            if field.group:
                each = given if isinstance(given, list) else [given]
                made.setdefault(field.group, []).extend({field.name: one} for one in each)
            else:
                made[name] = given
        for name, field in kind.fields.items():
            if field.required and name not in values and not field.nillable:
                raise _refused(f"{where}.{name} is required and missing.", "Map it, or give it a constant.")
        return made

    def _field(self, value: Any, field: SoapField, where: str) -> Any:
        if value is None:
            return self._null(field, where)
        if isinstance(value, list):
            if not field.repeated:
                raise _refused(f"{where} takes one value, not a list.", "Take one of them in the mapping.")
            return [nil() if each is None else self._value(each, field.type, where) for each in value]
        one = self._value(value, field.type, where)
        return [one] if field.repeated else one

    def _null(self, field: SoapField, where: str) -> Any:
        if field.nillable:
            return [nil()] if field.repeated else nil()
        if field.required:
            raise _refused(f"{where} is required and null.", "Map it, or give it a default.")
        return "" if self._empty and field.type.kind == "string" else None

    def _value(self, value: Any, kind: SoapType, where: str) -> Any:
        if kind.kind == "mapping":
            if not isinstance(value, dict):
                raise _refused(f"{where} takes a mapping of fields.", "Map its fields one by one.")
            said = value.get(TYPE)
            if said is None:
                return self.arguments(value, kind, where)
            other = self._named(str(said))
            if other is None:
                raise _refused(f"{where}: the WSDL has no type '{said}'.", "Look at `_type` in the mapping.")
            return typed(other, self.arguments(value, other, where))
        if kind.kind == "any":
            raise _refused(f"{where} is of no declared type (xsd:any).", "Such fields are read only.")
        if isinstance(value, (dict, list)):
            raise _refused(f"{where} takes a {kind.kind}.", "Map one value to it.")
        return _text(value, kind, where)


def _text(value: Any, kind: SoapType, where: str) -> Any:
    """A plain value as the text that XML carries."""
    if kind.kind == "boolean":
        if not isinstance(value, bool) and value not in ("true", "false"):
            raise _refused(f"{where} takes true or false.", "Convert it in the mapping.")
        return value if isinstance(value, bool) else value == "true"
    if isinstance(value, bool):
        raise _refused(f"{where} takes a {kind.kind}, not true or false.", "Convert it in the mapping.")
    text = _plain(value)
    if kind.kind == "integer" and not _INTEGER.fullmatch(text):
        raise _refused(f"{where} takes a whole number.", "Round it in the mapping.")
    if kind.kind == "decimal" and not _DECIMAL.fullmatch(text):
        raise _refused(f"{where} takes a number.", "Convert it in the mapping.")
    if kind.kind == "date" and not _DATE.fullmatch(text):
        raise _refused(f"{where} takes a date such as 2026-11-22.", "Convert it by `| date` in the mapping.")
    if kind.length is not None and len(text) > kind.length:
        hint = f"Shorten it, such as by `cut({kind.length})`."
        raise _refused(f"{where} takes {kind.length} characters, not {len(text)}.", hint)
    if kind.codes and text not in kind.codes:
        hint = did_you_mean(text, kind.codes) or f"Known: {', '.join(kind.codes[:20])}."
        raise _refused(f"{where} takes one of its codes only.", hint)
    return text


def _plain(value: Any) -> str:
    if isinstance(value, (Decimal, float)):
        try:
            return format(Decimal(str(value)), "f")
        except InvalidOperation:
            return str(value)
    return str(value)


def _refused(message: str, hint: str) -> Rejected:
    return Rejected(message, hint=hint, status="value", sent=False)
