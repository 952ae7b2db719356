"""Paths through replies and records: names with dots between."""

from __future__ import annotations

from typing import Any


def at(value: Any, path: str) -> Any:
    """What stands at a path, None if nothing does; of a list on the way the first element counts."""
    for name in path.split("."):
        if isinstance(value, list):
            value = value[0] if value else None
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def all_at(value: Any, path: str) -> list[Any]:
    """Everything at a path, through every list on the way."""
    found = [value]
    for name in path.split("."):
        found = [inner for each in _flat(found) if isinstance(each, dict) and (inner := each.get(name)) is not None]
    return list(_flat(found))


def _flat(values: list[Any]) -> list[Any]:
    return [inner for each in values for inner in (each if isinstance(each, list) else [each])]


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set what stands at a path, making mappings on the way."""
    *way, last = path.split(".")
    for name in way:
        target = target.setdefault(name, {})
    target[last] = value
