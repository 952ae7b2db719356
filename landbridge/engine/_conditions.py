"""Conditions as data: `when: {status: [confirmed]}` on a canonical body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def holds(body: Mapping[str, Any], conditions: Mapping[str, Sequence[Any]]) -> bool:
    """True if the value at every path is one of those listed; a list on the way holds if any of its elements does."""
    return all(any(value in wanted for value in values_at(body, path)) for path, wanted in conditions.items())


def values_at(body: Any, path: str) -> list[Any]:
    """Every value at a dotted canonical path; [None] where it is missing."""
    found = [body]
    for name in path.replace("[]", "").split("."):
        step: list[Any] = []
        for value in found:
            for element in value if isinstance(value, list) else [value]:
                if isinstance(element, Mapping) and name in element:
                    step.append(element[name])
        found = step
    flat: list[Any] = []
    for value in found:
        if isinstance(value, list):
            flat.extend(value)
        else:
            flat.append(value)
    return flat or [None]


def without(body: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """A copy of a canonical body without the values at these paths; lists on the way lose them in every element."""
    for path in paths:
        body = _without(body, path.replace("[]", "").split("."))
    return body


def _without(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_without(element, names) for element in value]
    if not isinstance(value, dict) or names[0] not in value:
        return value
    copy = dict(value)
    if len(names) == 1:
        del copy[names[0]]
    else:
        copy[names[0]] = _without(copy[names[0]], names[1:])
    return copy
