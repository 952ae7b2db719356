"""Records as V2 JSON and, for who does not ask for JSON, as a plain Atom."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from sandbox.sap_s4._edm import EntitySet, Service
from sandbox.sap_s4._read import Expand, Reader
from sandbox.sap_s4._store import Record
from sandbox.sap_s4._values import json_moment, key_literal, xml_value


def etag_of(one: EntitySet, record: Record) -> str | None:
    """The ETag of an entity, or None where the system keeps none."""
    name = one.etag
    if name is None:
        return None
    value = record.get(name, "")
    if one.properties[name].kind == "O":
        return f"W/\"datetimeoffset'{quote(f'{value}Z', safe='')}'\""
    return f"W/\"'{value}'\""


def uri_of(one: EntitySet, record: Record, base: str) -> str:
    """The canonical address of an entity."""
    if len(one.keys) == 1:
        return f"{base}/{one.name}({_key(one, record, one.keys[0])})"
    parts = ",".join(f"{name}={_key(one, record, name)}" for name in one.keys)
    return f"{base}/{one.name}({parts})"


def _key(one: EntitySet, record: Record, name: str) -> str:
    prop = one.properties[name]
    value = record.get(name, prop.default)
    if prop.kind == "S" and value is not None and str(value).isalnum() and str(value).isascii():
        return f"'{value}'"
    return quote(key_literal(prop, value), safe="'")


class Renderer:
    """Turns records of one service into JSON structures."""

    def __init__(self, service: Service, reader: Reader, base: str) -> None:
        self._service, self._reader, self._base = service, reader, base

    def entity(self, one: EntitySet, document: Record, record: Record, select: list[str], expand: Expand) -> Record:
        """One entity with metadata, expanded and deferred links."""
        uri = uri_of(one, record, self._base)
        meta = {"id": uri, "uri": uri, "type": f"{self._service.name}.{one.type_name}"}
        etag = etag_of(one, record)
        if etag is not None:
            meta["etag"] = etag
        shown: Record = {"__metadata": meta}
        if select and "*" not in select:
            for name in select:
                if name in one.properties:
                    shown[name] = record.get(name, one.defaults[name])
        else:
            shown.update(one.defaults)
            for name, value in record.items():
                if name[0] != "_":
                    shown[name] = value
        for name, kind in one.timed:
            value = shown.get(name)
            if value:
                shown[name] = json_moment(kind, value)
        for nav in one.navigations.values():
            if nav.name in expand:
                shown[nav.name] = self._expanded(one, document, record, nav.name, select, expand[nav.name])
            elif not select or nav.name in select:
                shown[nav.name] = {"__deferred": {"uri": f"{uri}/{nav.name}"}}
        return shown

    def _expanded(
        self, one: EntitySet, document: Record, record: Record, name: str, select: list[str], expand: Expand
    ) -> Any:
        nav = one.navigations[name]
        target = self._service.sets[nav.target]
        prefix = f"{name}/"
        inner = [path[len(prefix) :] for path in select if path.startswith(prefix)]
        found = self._reader.follow(self._service, document, one, record, nav)
        shown = [self.entity(target, document, other, inner, expand) for other in found]
        if nav.many:
            return {"results": shown}
        return shown[0] if shown else None


def atom(service: Service, one: EntitySet, records: list[Record], base: str, *, feed: bool) -> bytes:
    """The records as Atom, without expanded links: enough to show that JSON was not asked for."""
    head = (
        ' xmlns="http://www.w3.org/2005/Atom" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
        ' xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"'
    )
    entries = []
    for record in records:
        uri = escape(uri_of(one, record, base))
        fields = []
        for prop in one.properties.values():
            value = record.get(prop.name, prop.default)
            empty = value is None
            text = "" if empty else escape(xml_value(prop.kind, value))
            fields.append(f'<d:{prop.name} m:null="true"/>' if empty else f"<d:{prop.name}>{text}</d:{prop.name}>")
        kind = f"{service.name}.{one.type_name}"
        scheme = "http://schemas.microsoft.com/ado/2007/08/dataservices/scheme"
        entries.append(
            f'<entry{"" if feed else head}><id>{uri}</id><title type="text">{escape(one.name)}</title>'
            f'<category term="{kind}" scheme="{scheme}"/><content type="application/xml"><m:properties>'
            f"{''.join(fields)}</m:properties></content></entry>"
        )
    body = "".join(entries)
    if feed:
        body = f"<feed{head}><id>{escape(base)}/{one.name}</id><title>{one.name}</title>{body}</feed>"
    return f'<?xml version="1.0" encoding="utf-8"?>{body}'.encode()
