"""What a canonical entity looks like, as far as a mapping needs to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SCALARS = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "null": "null"}


@dataclass(slots=True)
class Shape:
    """One place of a canonical record."""

    type: str = "any"  # text | decimal | date | instant | integer | number | boolean | record | list | any
    words: tuple[str, ...] = ()  # an enumeration's
    nullable: bool = False
    required: bool = False  # the record that holds it must have it
    personal: bool = False
    open: bool = True  # may have fields that are not listed
    length: int | None = None
    fields: dict[str, Shape] = field(default_factory=dict)
    element: Shape | None = None

    def at(self, *names: str) -> Shape | None:
        """The place below, by field names; an element of a list is passed through."""
        here: Shape | None = self
        for name in names:
            while here is not None and here.type == "list":
                here = here.element
            here = here.fields.get(name) if here is not None else None
        return here

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Shape]]:
        """Every place with its dotted path."""
        for name, shape in self.fields.items():
            path = f"{prefix}.{name}" if prefix else name
            yield path, shape
            yield from (shape.element or shape).walk(path) if shape.type in ("record", "list") else ()


def shape_of(schema: Mapping[str, Any]) -> Shape:
    """The shape that a complete JSON Schema (no $ref) describes."""
    shape = Shape()
    _read(schema, shape)
    return shape


def _read(schema: Mapping[str, Any], shape: Shape) -> None:
    for part in (*schema.get("allOf", ()), *_branches(schema, shape)):
        _read(part, shape)
    _scalar(schema, shape)
    if isinstance(schema.get("properties"), dict):
        shape.type = "record"
        for name, inner in schema["properties"].items():
            child = shape.fields.setdefault(name, Shape())
            if isinstance(inner, dict):
                _read(inner, child)
    for name in schema.get("required", ()):
        shape.fields.setdefault(name, Shape()).required = True
    if isinstance(schema.get("items"), dict):
        shape.element = shape.element or Shape()
        _read(schema["items"], shape.element)
    closed = schema.get("additionalProperties", schema.get("unevaluatedProperties", True)) is False
    if closed:
        shape.open = False


def _branches(schema: Mapping[str, Any], shape: Shape) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for key in ("anyOf", "oneOf"):
        options = schema.get(key, ())
        if any(option.get("type") == "null" for option in options):
            shape.nullable = True
        real = [option for option in options if option.get("type") != "null"]
        # of several real branches nothing is required of all, so only their fields are taken
        found += real if len(real) == 1 else [{k: v for k, v in one.items() if k != "required"} for one in real]
    return found


def _scalar(schema: Mapping[str, Any], shape: Shape) -> None:
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds or ())
    if "null" in kinds:
        shape.nullable = True
        kinds.remove("null")
    if len(kinds) == 1 and shape.type not in ("decimal", "date", "instant"):
        kind = kinds[0]
        shape.type = {"object": "record", "array": "list"}.get(kind) or SCALARS.get(kind, "any")
    if schema.get("format") == "date":
        shape.type = "date"
    elif schema.get("format") == "date-time":
        shape.type = "instant"
    elif schema.get("format") == "decimal" or schema.get("x-type") == "decimal":
        shape.type = "decimal"
    words = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if words:
        shape.nullable = shape.nullable or None in words
        shape.words = tuple(word for word in words if isinstance(word, str))
    if schema.get("x-personal"):
        shape.personal = True
    if isinstance(schema.get("maxLength"), int):
        shape.length = schema["maxLength"]
