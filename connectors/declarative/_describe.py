"""Fields where no document describes them: from the declaration, or from a sample of records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.declarative._block import FieldEntry
from landbridge.connector import Field, Fields, FieldType

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_DEEPEST = 4


def declared_fields(native: str, fields: Mapping[str, FieldEntry]) -> Fields:
    """The fields that the configuration names."""
    return Fields(
        native,
        {
            name: Field(
                name,
                each.type,
                each.length,
                required=each.required,
                creatable=not each.readonly,
                updatable=not each.readonly,
                codes=each.codes,
            )
            for name, each in fields.items()
        },
    )


def sampled_fields(native: str, records: Iterable[Mapping[str, Any]]) -> Fields:
    """The fields that records hold; their lengths and what is required stay unknown."""
    kinds: dict[str, FieldType | None] = {}
    for record in records:
        for name, kind in _kinds(record, "", 0):
            known = kinds.get(name)
            kinds[name] = kind if known is None else known if kind in (None, known) else _both(known, kind)
    return Fields(native, {name: Field(name, kind or "any") for name, kind in kinds.items()})


def _both(one: FieldType, other: FieldType) -> FieldType:
    if {one, other} == {"integer", "decimal"}:
        return "decimal"
    return "string" if {one, other} <= {"string", "date", "datetime"} else "any"


def _kinds(record: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, FieldType | None]]:
    for key, value in record.items():
        name = f"{prefix}{key}"
        yield name, _kind(value)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict) and depth < _DEEPEST:
            yield from _kinds(inner, f"{name}.", depth + 1)


def _kind(value: Any) -> FieldType | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "date" if _DATE.fullmatch(value) else "datetime" if _INSTANT.fullmatch(value) else "string"
    if isinstance(value, (Decimal, float)):
        return "decimal"
    return "integer" if isinstance(value, int) else "array" if isinstance(value, list) else "mapping"
