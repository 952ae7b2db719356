"""References between records: {system, scope, entity, id} in a canonical body before resolve, {subject} after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from landbridge.store._identity import Key, Who


def references(body: Any) -> Iterator[dict[str, Any]]:
    """Every unresolved reference inside a canonical body; the very dicts, so that they can be resolved in place."""
    stack = [body]
    while stack:
        value = stack.pop()
        if type(value) is dict:
            if "id" in value and "entity" in value and "system" in value:
                yield value
            else:
                for inner in value.values():
                    if type(inner) is dict or type(inner) is list:
                        stack.append(inner)
        else:
            stack.extend([inner for inner in value if type(inner) is dict or type(inner) is list])


uuid_of = lru_cache(maxsize=1 << 16)(UUID)  # the same products and customers come again and again


def subjects(body: Any) -> list[tuple[str, UUID]]:
    """Every resolved reference inside a canonical body, as (entity, subject)."""
    found = []
    stack = [body] if body is not None else []
    while stack:
        value = stack.pop()
        if type(value) is dict:
            if "subject" in value and type(value["subject"]) is str:
                found.append((value.get("entity", ""), uuid_of(value["subject"])))
            else:
                for inner in value.values():
                    if type(inner) is dict or type(inner) is list:
                        stack.append(inner)
        else:
            stack.extend([inner for inner in value if type(inner) is dict or type(inner) is list])
    return found


def key_of(reference: Mapping[str, Any]) -> Key:
    """The cross-reference key of an unresolved reference."""
    return Key(reference["system"], reference["entity"], reference.get("scope") or "", str(reference["id"]))


def resolve(reference: dict[str, Any], who: Who) -> None:
    """Turn a reference into its resolved form, in place; it keeps saying which entity it means."""
    entity = reference["entity"]
    reference.clear()
    reference["subject"] = str(who.subject)
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
