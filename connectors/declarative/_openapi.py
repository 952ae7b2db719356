"""What an OpenAPI or Swagger document says of the fields of a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from landbridge.connector import Field, Fields, FieldType
from landbridge.errors import Rejected
from landbridge.strict import did_you_mean

_DEEPEST = 6
_TYPES: dict[str, FieldType] = {
    "string": "string",
    "integer": "integer",
    "number": "decimal",
    "boolean": "boolean",
    "array": "array",
    "object": "mapping",
}
_FORMATS: dict[str, FieldType] = {
    "date": "date",
    "date-time": "datetime",
    "time": "time",
    "decimal": "decimal",
    "int32": "integer",
    "int64": "integer",
}


class OpenApi:
    """One document; references inside of it are followed, others are not."""

    def __init__(self, document: Any, where: str) -> None:
        if not isinstance(document, dict) or not ("openapi" in document or "swagger" in document):
            raise Rejected(f"{where} is no OpenAPI document.", hint="Look at `openapi` of the system.")
        self._document: dict[str, Any] = document
        self._where = where

    def fields(self, schema: str) -> Fields:
        """The fields of one schema by name, nested ones by dotted path."""
        schemas = self._schemas()
        if schema not in schemas:
            hint = did_you_mean(schema, schemas) or f"Known: {', '.join(sorted(schemas)[:20]) or 'none'}."
            raise Rejected(f"{self._where} knows no schema '{schema}'.", hint=hint)
        found = {each.name: each for each in self._of(schemas[schema], "", 0)}
        return Fields(schema, found)

    def _schemas(self) -> Mapping[str, Any]:
        inside = self._document.get("components", {}).get("schemas") or self._document.get("definitions") or {}
        return inside if isinstance(inside, dict) else {}

    def _of(self, schema: Any, prefix: str, depth: int) -> Iterator[Field]:
        whole = self._whole(schema)
        if depth > _DEEPEST:
            return
        required: list[Any] = whole["required"] if isinstance(whole.get("required"), list) else []
        for name, inner in (whole.get("properties") or {}).items():
            field = self._whole(inner)
            path = f"{prefix}{name}"
            yield _field(path, field, required=name in required)
            inside = self._whole(field.get("items")) if _type(field) == "array" else field
            if inside.get("properties"):
                yield from self._of(inside, f"{path}.", depth + 1)

    def _whole(self, schema: Any) -> dict[str, Any]:
        """A schema with its reference followed and its parts laid together."""
        seen = 0
        while isinstance(schema, dict) and "$ref" in schema and seen < 20:
            schema, seen = self._referred(schema["$ref"]), seen + 1
        if not isinstance(schema, dict):
            return {}
        parts = [self._whole(each) for each in schema.get("allOf") or ()]
        for word in ("oneOf", "anyOf"):
            told = [self._whole(each) for each in schema.get(word) or () if self._whole(each).get("type") != "null"]
            parts += told[:1] if len(told) == 1 else []
        if not parts:
            return schema
        properties: dict[str, Any] = {}
        required: list[str] = []
        merged: dict[str, Any] = {}
        for part in [*parts, schema]:
            properties |= part.get("properties") or {}
            required += part.get("required") or []
            merged |= {key: value for key, value in part.items() if key not in ("allOf", "oneOf", "anyOf")}
        return {**merged, "properties": properties, "required": required}

    def _referred(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return {}
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return found


def _type(field: Mapping[str, Any]) -> str:
    told = field.get("type")
    if isinstance(told, list):
        told = next((each for each in told if each != "null"), None)
    return str(told or ("object" if field.get("properties") else ""))


def _field(name: str, field: Mapping[str, Any], *, required: bool) -> Field:
    kind = _FORMATS.get(str(field.get("format"))) or _TYPES.get(_type(field), "any")
    length = field.get("maxLength")
    readonly = bool(field.get("readOnly"))
    return Field(
        name,
        kind,
        length if isinstance(length, int) and length > 0 else None,
        required=required and not readonly,
        creatable=not readonly,
        updatable=not readonly and not field.get("x-immutable"),
        label=str(field.get("title") or field.get("description") or "")[:120],
        codes=tuple(str(each) for each in field.get("enum") or () if each is not None),
    )
