"""The contract: an OpenAPI 3.1 document made from the operations, what they take and what they give."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from mdm.steward.api._operations import OPERATIONS, Operation

REF = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "status", "title", "hint"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "hint": {"type": "string", "description": "What to do now."},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message", "hint"],
                "properties": {name: {"type": "string"} for name in ("path", "message", "hint")},
            },
        },
    },
}
_ANSWERS = {
    "400": "It cannot be read.",
    "401": "It does not show the token.",
    "404": "The hub does not keep this.",
    "409": "It contradicts a decision that stands, or what was shown is not so any more.",
    "422": "What is asked makes no sense; `findings` say where and what to do.",
    "503": "Not now.",
}
_TAKEN = {
    "408": "The body came too slowly.",
    "413": "The body is too long.",
    "415": "The content encoding is not read.",
}


def openapi() -> dict[str, Any]:
    """The document."""
    models = [one.takes for one in OPERATIONS if one.takes is not None and one.method == "POST"]
    _, taken = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    schemas: dict[str, Any] = {"Problem": _PROBLEM, **taken.get("$defs", {})}
    paths: dict[str, Any] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    paths["/health"] = {"get": _open("health", "Whether it is well.")}
    paths["/openapi.json"] = {"get": _open("contract", "This document.")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Landbridge stewardship",
            "version": "1",
            "description": "Personal values are masked unless `personal` is true.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


def _operation(one: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
    gives = TypeAdapter(one.gives).json_schema(mode="serialization", ref_template=REF)
    schemas |= gives.pop("$defs", {})
    answers = _ANSWERS | (_TAKEN if one.method == "POST" else {})
    told: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "security": [{"token": []}],
        "responses": {
            "200": {"description": one.summary, "content": {"application/json": {"schema": gives}}},
            **{code: {"description": text, "content": problem} for code, text in sorted(answers.items())},
        },
    }
    parameters = _parameters(one)
    if parameters:
        told["parameters"] = parameters
    if one.method == "POST" and one.takes is not None:
        body = {"application/json": {"schema": {"$ref": REF.format(model=one.takes.__name__)}}}
        told["requestBody"] = {"required": True, "content": body}
    return told


def _parameters(one: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "{entity}" in one.path:
        found.append({"name": "entity", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}})
    if one.takes is not None and one.method == "GET":
        schema = one.takes.model_json_schema()
        for name, field in schema["properties"].items():
            required = name in schema.get("required", ())
            found.append({"name": name, "in": "query", "required": required, "schema": _without_null(field)})
    return found


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A query parameter cannot be null: it is there or not."""
    kinds = [kind for kind in field.get("anyOf", ()) if kind.get("type") != "null"]
    if not kinds:
        return field
    return {**{k: v for k, v in field.items() if k not in ("anyOf", "default")}, **kinds[0]}


def _open(name: str, summary: str) -> dict[str, Any]:
    answer = {"description": summary, "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"operationId": name, "summary": summary, "responses": {"200": answer}}
