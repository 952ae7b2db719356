"""The API's own description, as far as its records go."""

from __future__ import annotations

from typing import Any


def openapi() -> dict[str, Any]:
    """The OpenAPI document."""
    own = {
        "id": {"type": "integer", "readOnly": True},
        "created_at": {"type": "string", "format": "date-time", "readOnly": True},
        "updated_at": {"type": "string", "format": "date-time", "readOnly": True},
        "revision": {"type": "integer", "readOnly": True},
        "deleted": {"type": "boolean", "readOnly": True},
        "external_ref": {"type": "string", "maxLength": 80},
    }
    customer = {
        "name": {"type": "string", "maxLength": 80},
        "note": {"type": ["string", "null"], "maxLength": 4000},
        "city": {"type": "string", "maxLength": 60},
        "state": {"type": "string", "enum": ["active", "blocked"]},
        "credit": {"type": "string", "format": "decimal"},
    }
    line = {
        "id": {"type": "integer", "readOnly": True},
        "line_ref": {"type": "string", "maxLength": 80},
        "sku": {"type": "string", "maxLength": 40},
        "quantity": {"type": "string", "format": "decimal"},
    }
    order = {
        "customer_id": {"type": "integer"},
        "note": {"type": "string", "maxLength": 200},
        "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
    }
    schemas = {
        "Record": {"type": "object", "properties": own},
        "Line": {"type": "object", "properties": line, "required": ["quantity"]},
        "Customer": _extends(customer, ["name"]),
        "Order": _extends(order, ["customer_id"]),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sandbox", "version": "1"},
        "paths": {},
        "components": {"schemas": schemas},
    }


def _extends(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    own = {"type": "object", "properties": properties, "required": required}
    return {"allOf": [{"$ref": "#/components/schemas/Record"}, own]}
