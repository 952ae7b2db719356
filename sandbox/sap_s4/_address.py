"""Resource paths: `Set(key)/navigation/$count` and the system query options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.sap_s4._edm import EntitySet, Property, Service
from sandbox.sap_s4._errors import bad_request, not_found
from sandbox.sap_s4._filter import find_property, parse_filter, parse_order
from sandbox.sap_s4._read import Expand, Query
from sandbox.sap_s4._values import Value, from_text

_SEGMENT = re.compile(r"([A-Za-z_$][\w$]*)(?:\((.*)\))?", re.DOTALL)
_PAIR = re.compile(r"\s*(?:(\w+)\s*=\s*)?((?:datetimeoffset|datetime|guid|time)?'(?:[^']|'')*'|[\w.-]+)\s*(?:,|$)")
_LITERAL = re.compile(r"(?:datetimeoffset|datetime|guid|time)?'((?:[^']|'')*)'")
_KNOWN = {
    "$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$inlinecount", "$format", "$skiptoken", "$count",
}  # fmt: skip
_DEPTH = 5


@dataclass
class Segment:
    """One step of a path: a name and, if given, the text between its parentheses."""

    name: str
    key: str | None


def segments(path: str) -> list[Segment]:
    """The steps of a resource path; a slash inside quotes belongs to the key."""
    parts, current, quoted = [], "", False
    for letter in path:
        if letter == "'":
            quoted = not quoted
        if letter == "/" and not quoted:
            parts.append(current)
            current = ""
        else:
            current += letter
    found = []
    for part in filter(None, [*parts, current]):
        match = _SEGMENT.fullmatch(part)
        if match is None:
            raise bad_request(f"Malformed URI segment '{part}'")
        found.append(Segment(match.group(1), match.group(2)))
    return found


def parse_key(one: EntitySet, text: str) -> dict[str, Value]:
    """The key of `Set('x')` or `Set(A='x',B='y')`."""
    found: dict[str, Value] = {}
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            raise bad_request(f"Malformed key predicate '({text})' for {one.name}")
        name = match.group(1) or (one.keys[0] if len(one.keys) == 1 else "")
        if name not in one.keys or name in found:
            raise bad_request(f"Invalid key predicate '({text})' for {one.name}: its keys are {', '.join(one.keys)}")
        found[name] = literal(one.properties[name], match.group(2))
        position = match.end()
    if len(found) != len(one.keys):
        raise bad_request(f"Invalid key predicate '({text})' for {one.name}: its keys are {', '.join(one.keys)}")
    return found


def literal(prop: Property, text: str) -> Value:
    """A literal of a URL as stored."""
    match = _LITERAL.fullmatch(text)
    if match is None:
        if prop.kind == "B" and text in ("true", "false"):
            return text == "true"
        if prop.kind in ("S", "D", "O", "G", "T"):
            raise bad_request(f"Value {text} of '{prop.name}' needs quotes", target=prop.name)
        return from_text(prop, text.rstrip("MmLlDdFf"))
    return from_text(prop, match.group(1).replace("''", "'"))


def parse_query(service: Service, one: EntitySet, options: Mapping[str, str]) -> Query:
    """The system query options; unknown ones are refused, custom ones (sap-client) pass."""
    for name in options:
        if name.startswith("$") and name not in _KNOWN:
            raise bad_request(f"Invalid system query option '{name}'")
    query = Query()
    if options.get("$filter"):
        query.filter = parse_filter(options["$filter"], one)
    if options.get("$orderby"):
        query.order = parse_order(options["$orderby"], one)
    query.expand = _expand(service, one, options.get("$expand", ""))
    query.select = _select(service, one, options.get("$select", ""))
    query.top = _whole("$top", options.get("$top"))
    query.skip = _whole("$skip", options.get("$skip")) or 0
    query.token = options.get("$skiptoken")
    inline = options.get("$inlinecount", "none")
    if inline not in ("none", "allpages"):
        raise bad_request(f"Invalid value '{inline}' for $inlinecount")
    query.count = inline == "allpages"
    return query


def _whole(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit():
        raise bad_request(f"Invalid value '{text}' for {name}")
    return int(text)


def _expand(service: Service, one: EntitySet, text: str) -> Expand:
    tree: dict[str, Any] = {}
    for path in filter(None, (part.strip() for part in text.split(","))):
        here, current = tree, one
        if path.count("/") >= _DEPTH:
            raise bad_request(f"$expand '{path}' is nested too deeply")
        for name in path.split("/"):
            if name not in current.navigations:
                raise bad_request(f"'{name}' is not a navigation property of {current.name}", code="/IWFND/CM_MGW/004")
            here = here.setdefault(name, {})
            current = service.sets[current.navigations[name].target]
    return tree


def _select(service: Service, one: EntitySet, text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    for path in names:
        current = one
        *links, last = path.split("/")
        for name in links:
            if name not in current.navigations:
                raise bad_request(f"'{name}' is not a navigation property of {current.name}", code="/IWFND/CM_MGW/004")
            current = service.sets[current.navigations[name].target]
        if last != "*" and last not in current.navigations:
            find_property(current, last)
    return names


def find_set(service: Service, name: str) -> EntitySet:
    """The entity set, or 404."""
    if name not in service.sets:
        raise not_found(f"Resource not found for segment '{name}'")
    return service.sets[name]
