"""Descriptions as the store keeps them: what is as usual of a field is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from landbridge.connector import Field, Fields

_USUAL = Field("")


def written(described: Fields) -> dict[str, dict[str, Any]]:
    """The fields of a description as JSON."""
    return {name: _differing(field) for name, field in described.fields.items()}


def read(native: str, kept: Mapping[str, Mapping[str, Any]]) -> Fields:
    """A description out of what `written` made."""
    return Fields(native, {name: _field(name, said) for name, said in kept.items()})


def _differing(field: Field) -> dict[str, Any]:
    told = {one.name: getattr(field, one.name) for one in fields(Field) if one.name != "name"}
    return {name: value for name, value in told.items() if value != getattr(_USUAL, name)}


def _field(name: str, said: Mapping[str, Any]) -> Field:
    known = {one.name for one in fields(Field)} - {"name"}
    told: dict[str, Any] = {key: value for key, value in said.items() if key in known}
    if "codes" in told:
        told["codes"] = tuple(told["codes"])
    return Field(name, **told)
