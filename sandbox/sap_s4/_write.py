"""Writing: request bodies checked against the model, ETags, and the way to each application's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sandbox.sap_s4._edm import EntitySet, Navigation, Service
from sandbox.sap_s4._errors import ODataError, bad_request, business
from sandbox.sap_s4._read import Reader
from sandbox.sap_s4._render import etag_of
from sandbox.sap_s4._store import Record
from sandbox.sap_s4._unit import Node, Unit
from sandbox.sap_s4._values import from_json

# Sets that are closed by themselves and open as part of the document that they belong to.
_NESTED_ONLY = {"A_Customer", "A_Supplier", "A_OutbDeliveryItem"}


class Rules(Protocol):
    """What an application knows about one kind of document."""

    kind: str

    def create(self, unit: Unit, node: Node) -> Record: ...
    def add(self, unit: Unit, document: Record, node: Node, inherited: Record) -> Record: ...
    def change(self, unit: Unit, document: Record, one: EntitySet, record: Record, fields: Record) -> None: ...
    def remove(self, unit: Unit, document: Record, one: EntitySet, record: Record) -> None: ...
    def derive(self, document: Record, name: str) -> list[Record]: ...


class Writer:
    """Creates, changes and deletes; `lenient` ignores read-only fields in bodies instead of refusing them."""

    def __init__(self, reader: Reader, rules: Mapping[str, Rules], *, lenient: bool = False) -> None:
        self._reader, self._rules, self._lenient = reader, rules, lenient

    def create(self, unit: Unit, service: Service, one: EntitySet, body: Any) -> tuple[Record, Record]:
        """POST to an entity set; returns (document, record)."""
        if not one.creatable:
            raise _closed(one, "created")
        node = self._node(service, one, body)
        rules = self._rules_of(one)
        if one.is_root:
            document = rules.create(unit, node)
            return document, document
        key = one.root_key
        if key is None or not node.fields.get(key):
            raise bad_request(f"{one.name} is created through its parent's navigation property", target=key or "")
        document = self._document(unit, one, str(node.fields[key]))
        return document, rules.add(unit, document, node, {})

    def create_under(
        self, unit: Unit, service: Service, parent: EntitySet, found: tuple[Record, Record], nav: Navigation, body: Any
    ) -> tuple[Record, Record]:
        """POST to a navigation property; returns (document, record)."""
        one = service.sets[nav.target]
        if not one.creatable or one.is_root:
            raise _closed(one, "created")
        document, record = found
        inherited = {theirs: record.get(own) for own, theirs in nav.join}
        node = self._node(service, one, body)
        for name, value in inherited.items():
            if name in node.fields and node.fields[name] != value:
                raise bad_request(f"Property '{name}' contradicts the address of the request", target=name)
        return document, self._rules_of(one).add(unit, document, node, inherited)

    def change(
        self, unit: Unit, one: EntitySet, found: tuple[Record, Record], body: Any, if_match: str | None, *, whole: bool
    ) -> None:
        """PATCH, MERGE or PUT of an entity's own fields; a `whole` one resets what it does not name."""
        if not one.updatable:
            raise _closed(one, "updated")
        check_etag(one, found, if_match)
        fields: Record = {}
        if not isinstance(body, dict):
            raise bad_request("The request body must be one entity")
        for name, value in body.items():
            if name == "__metadata" or name in one.keys:
                continue
            if name in one.navigations:
                if isinstance(value, dict) and "__deferred" in value:
                    continue
                text = f"Deep update is not supported: '{name}' must be changed by a request of its own"
                raise bad_request(text, target=name, code="/IWBEP/CM_MGW_RT/060")
            if name not in one.properties:
                raise _unknown(one, name)
            if not one.properties[name].updatable:
                if self._lenient:
                    continue
                raise bad_request(f"Property '{name}' of {one.name} is not updatable", target=name)
            fields[name] = from_json(one.properties[name], value)
        if whole:
            rest = [p for p in one.properties.values() if p.updatable and p.name not in one.keys]
            fields = {**{prop.name: prop.default for prop in rest}, **fields}
        document, record = found
        self._rules_of(one).change(unit, document, one, record, fields)

    def remove(self, unit: Unit, one: EntitySet, found: tuple[Record, Record], if_match: str | None) -> None:
        """DELETE of an entity."""
        if not one.deletable:
            raise _closed(one, "deleted")
        check_etag(one, found, if_match)
        self._rules_of(one).remove(unit, found[0], one, found[1])

    def _node(self, service: Service, one: EntitySet, body: Any) -> Node:
        if not isinstance(body, dict):
            raise bad_request("The request body must be one entity")
        node = Node(one, {})
        for name, value in body.items():
            if name == "__metadata":
                continue
            if name in one.navigations:
                children = self._children(service, one.navigations[name], value)
                if children:
                    node.children[name] = children
                continue
            if name not in one.properties:
                raise _unknown(one, name)
            if not one.properties[name].creatable:
                if self._lenient:
                    continue
                raise bad_request(f"Property '{name}' of {one.name} is not creatable", target=name)
            stored = from_json(one.properties[name], value)
            if stored != one.defaults[name] or (name in one.keys and not one.is_root):
                node.fields[name] = stored
        return node

    def _children(self, service: Service, nav: Navigation, value: Any) -> list[Node]:
        target = service.sets[nav.target]
        if value is None or (isinstance(value, dict) and "__deferred" in value):
            return []
        if isinstance(value, dict) and isinstance(value.get("results"), list):
            value = value["results"]
        bodies = value if isinstance(value, list) else [value]
        if nav.many != isinstance(value, list):
            raise bad_request(f"'{nav.name}' needs {'a list' if nav.many else 'one entity'}", target=nav.name)
        if bodies and (target.is_root or not (target.creatable or target.name in _NESTED_ONLY)):
            raise _closed(target, "created")
        return [self._node(service, target, one) for one in bodies]

    def _document(self, unit: Unit, one: EntitySet, key: str) -> Record:
        document = unit.store.get(one.root, key)
        if document is None:
            raise business("/IWBEP/CM_MGW_RT/020", f"{one.root}('{key}') does not exist", target=one.root_key or "")
        return document

    def _rules_of(self, one: EntitySet) -> Rules:
        if one.root not in self._rules:
            raise _closed(one, "changed")
        return self._rules[one.root]


def check_etag(one: EntitySet, found: tuple[Record, Record], if_match: str | None) -> None:
    """428 without If-Match where the entity has an ETag, 412 if it is another one; `*` fits any."""
    etag = etag_of(one, found[1])
    if etag is None:  # the metadata gives dependants no ConcurrencyMode: If-Match is not looked at
        return
    if if_match is None:
        text = "Precondition required: send the entity's ETag in If-Match"
        raise ODataError(428, "/IWFND/CM_MGW_RT/118", text)
    if if_match.strip() != "*" and if_match.strip() not in (etag, etag.removeprefix("W/")):
        text = "Precondition failed: the entity was changed since it was read"
        raise ODataError(412, "/IWFND/CM_MGW_RT/117", text)


def _closed(one: EntitySet, word: str) -> ODataError:
    text = f"{one.name} cannot be {word}"
    return ODataError(405, "SADL_GW/CX_SADL_ENTITY_CUD_DISABLED", text, target=one.name)


def _unknown(one: EntitySet, name: str) -> ODataError:
    return bad_request(f"Property '{name}' is invalid for {one.name}", target=name, code="/IWBEP/CM_MGW_RT/011")
