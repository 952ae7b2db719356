"""The fields of an entity as a flat list of paths: for lint, "did you mean", masking and the reference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_TYPES = {"string": "text", "object": "record", "array": "list"}
_FORMATS = {"date": "date", "date-time": "instant"}
_INDEX = re.compile(r"\[[0-9*]*\]")


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """What is known of one field; `required` means that the record that holds it must have it."""

    path: str
    type: str  # text decimal date instant integer number boolean record list any
    required: bool = False
    nullable: bool = False
    personal: bool = False
    description: str = ""
    max_length: int | None = None
    words: tuple[str, ...] = ()
    open: bool = False  # any key may stand below


def fields_of(schema: Mapping[str, Any]) -> Mapping[str, FieldInfo]:
    """Every field below a complete schema, by path, parents first."""
    return MappingProxyType({info.path: info for info in _below(schema, "")})


def normal_path(path: str) -> str:
    """The path without its indexes: `lines[2].price` is `lines[].price`."""
    return _INDEX.sub("[]", path)


def _below(schema: Mapping[str, Any], prefix: str) -> Iterator[FieldInfo]:
    seen: dict[str, tuple[Mapping[str, Any], bool]] = {}
    branches = _branches(schema)
    for branch in branches:
        for name, inner in branch.get("properties", {}).items():
            seen.setdefault(name, (inner, name in branch.get("required", ()) and len(branches) == 1))
    for name, (inner, required) in seen.items():
        path = f"{prefix}.{name}" if prefix else name
        info = _info(inner, path, required)
        yield info
        for part in _branches(inner):
            if isinstance(part.get("items"), dict):
                yield from _elements(part["items"], f"{path}[]")
        if info.type == "record":
            yield from _below(inner, path)


def _elements(schema: Mapping[str, Any], path: str) -> Iterator[FieldInfo]:
    info = _info(schema, path, required=False)
    if info.type == "record":
        yield from _below(schema, path)
    else:
        yield info


def _branches(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schema itself, or its alternatives that describe a value other than null."""
    found = [schema] if "properties" in schema or "items" in schema or "type" in schema else []
    for word in ("oneOf", "anyOf"):
        for option in schema.get(word, ()):
            if option.get("type") != "null":
                found += [part for part in _branches(option) if len(part) > 1 or "required" not in part]
    return found or [schema]


def _info(schema: Mapping[str, Any], path: str, required: bool) -> FieldInfo:
    parts = _branches(schema)
    kinds = {kind for part in (schema, *parts) for kind in _kinds(part)}
    nullable = "null" in kinds or any(option.get("type") == "null" for option in schema.get("anyOf", ()))
    kinds.discard("null")
    kind = next(iter(kinds)) if len(kinds) == 1 else "any"
    first = parts[0]
    return FieldInfo(
        path=path,
        type=str(first.get("x-type") or _FORMATS.get(str(first.get("format"))) or _TYPES.get(kind, kind)),
        required=required,
        nullable=nullable,
        personal=bool(schema.get("x-personal", first.get("x-personal", False))),
        description=str(schema.get("description") or first.get("description") or ""),
        max_length=first.get("maxLength"),
        words=tuple(word for word in first.get("enum", ()) if word is not None),
        open=first.get("additionalProperties", False) is not False,
    )


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)
