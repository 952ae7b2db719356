"""References between records: {system, scope, entity, id} in a canonical body before resolve, {subject} after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from landbridge.store._identity import Key, Who

Places = tuple[tuple[str, bool, "Places | None"], ...]
"""Where an entity's bodies hold references: (name, is a list, what lies inside it; None: the reference itself)."""


def places_of(paths: Iterable[str]) -> Places:
    """The places of paths such as `lines[].product.ref`."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for name in path.split("."):
            node = node.setdefault(name, {})
    return _frozen(tree)


def _frozen(tree: dict[str, Any]) -> Places:
    return tuple(
        (name.removesuffix("[]"), name.endswith("[]"), _frozen(inner) if inner else None)
        for name, inner in tree.items()
    )


def at(body: dict[str, Any], places: Places) -> list[dict[str, Any]]:
    """Every reference of a body that was checked against its schema; the very dicts."""
    found: list[dict[str, Any]] = []
    _at(body, places, found)
    return found


def _at(value: dict[str, Any], places: Places, found: list[dict[str, Any]]) -> None:
    for name, many, inner in places:
        held = value.get(name)
        if not held:
            continue
        if inner is None:
            found.extend(held) if many else found.append(held)
        elif many:
            for element in held:
                _at(element, inner, found)
        else:
            _at(held, inner, found)


def references(body: dict[str, Any], places: Places | None = None) -> list[dict[str, Any]]:
    """Every unresolved reference inside a canonical body; the very dicts, so that they can be resolved in place."""
    found = everywhere(body) if places is None else at(body, places)
    return [reference for reference in found if "id" in reference]


def everywhere(body: Any) -> list[dict[str, Any]]:
    """Every reference of a body whose schema is not known: whatever has the form of one."""
    found = []
    stack = [body]
    while stack:
        value = stack.pop()
        if type(value) is not dict:
            stack.extend([inner for inner in value if type(inner) is dict or type(inner) is list])
        elif _is_reference(value):
            found.append(value)
        else:
            stack.extend([inner for inner in value.values() if type(inner) is dict or type(inner) is list])
    return found


def _is_reference(value: dict[str, Any]) -> bool:
    return ("id" in value and "entity" in value and "system" in value) or type(value.get("subject")) is str


uuid_of = lru_cache(maxsize=1 << 16)(UUID)  # the same products and customers come again and again


def subjects(body: dict[str, Any] | None, places: Places | None = None) -> list[tuple[str, UUID]]:
    """Every resolved reference inside a canonical body, as (entity, subject)."""
    if body is None:
        return []
    found = everywhere(body) if places is None else at(body, places)
    return [(one.get("entity", ""), uuid_of(one["subject"])) for one in found if "subject" in one]


def key_of(reference: Mapping[str, Any]) -> Key:
    """The cross-reference key of an unresolved reference."""
    return Key(reference["system"], reference["entity"], reference.get("scope") or "", str(reference["id"]))


def resolve(reference: dict[str, Any], who: Who) -> None:
    """Turn a reference into its resolved form, in place; it keeps saying which entity it means.

    It names the record, not its group: when records are merged or split later, what refers to them follows by itself.
    """
    entity = reference["entity"]
    reference.clear()
    reference["subject"] = str(who.record)
    reference["entity"] = entity


_CHAINING = ("sales_order", "purchase_order", "production_order", "quotation", "opportunity")


def chain_key(body: Mapping[str, Any]) -> Key | None:
    """The document whose chain this one belongs to: an order's shipments and invoices share its lane."""
    for candidate in _document_references(body):
        if candidate.get("entity") in _CHAINING:
            document = candidate.get("document")
            if isinstance(document, Mapping) and "id" in document and "system" in document:
                return key_of(document)
    return None


def _document_references(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from body.get("refs") or ()
    for line in body.get("lines") or ():
        yield from line.get("refs") or ()


def name_lines(body: Mapping[str, Any], own: Key, who: Mapping[Key, Who]) -> None:
    """Give the lines of a document, and those it refers to, our line keys, in place and before references resolve.

    A document that we delivered to the system comes back with the system's own line numbers. A line that was added
    there has no key of ours: it is named after the system, so that it is never taken for another line.
    """
    known = who.get(own)
    if known is not None and known.lines:
        _name(body.get("lines") or (), own.system, known.lines)
    for candidate in _document_references(body):
        document = candidate.get("document")
        if "line_key" in candidate and isinstance(document, Mapping) and "id" in document:
            other = who.get(key_of(document))
            if other is not None and other.lines:
                _name((candidate,), own.system, other.lines)


def _name(lines: Any, system: str, numbers: Mapping[str, str]) -> None:
    ours = {number: key for key, number in numbers.items()}
    for line in lines:
        number = str(line.get("line_key"))
        line["line_key"] = ours.get(number, f"{system}:{number}")
