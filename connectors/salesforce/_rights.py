"""What the integration user needs, asked before the first message."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.salesforce._entities import ENTITIES, LINES
from connectors.salesforce._schema import Schema
from landbridge.errors import Rejected

_WANTED = {"queryable": "read", "createable": "create", "updateable": "edit"}


def missing_rights(schema: Schema, entities: Iterable[str], reference: str) -> list[str]:
    """Every right and field that is missing for these entities, in words; empty if none is."""
    found = []
    natives = dict.fromkeys(
        native
        for entity in entities
        for native in (ENTITIES[entity].native, *([LINES[entity].native] if entity in LINES else []))
    )
    for native in natives:
        found += _missing(schema, native, reference)
    return found


def _missing(schema: Schema, native: str, reference: str) -> list[str]:
    try:
        raw = schema.raw(native)
    except Rejected:
        return [f"see {native} (it does not exist, or the permission set hides it)"]
    found = [f"{verb} {native}" for flag, verb in _WANTED.items() if not raw.get(flag)]
    field = next((each for each in raw["fields"] if each["name"] == reference), None)
    if field is None:
        return [*found, f"see {native}.{reference}"]
    if not field.get("externalId"):
        found.append(f"find {native} by {reference} (make it an external id)")
    if not field.get("updateable"):
        found.append(f"edit {native}.{reference}")
    return found
