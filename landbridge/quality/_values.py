"""The shortest way to a column's value: closures made once per rule, the same values as `Column` tells by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from landbridge.quality._cells import UNFIT, day, number
from landbridge.quality._columns import Column, Scopes

Value = Callable[[Scopes], Any]


def raw_value(column: Column) -> Value:
    """The value as it stands; see `Column.raw_of`."""
    if column.inner is not None or column.type == "reference":
        return column.raw_of
    found = _way(len(column.grain), column.names)

    def raw(scopes: Scopes) -> Any:
        value = found(scopes)
        return UNFIT if type(value) is dict or type(value) is list else value

    return raw


def typed_value(column: Column) -> Value:
    """The value as it compares; see `Column.typed_of`."""
    if column.inner is not None or column.kind is None:
        return column.typed_of
    found = _way(len(column.grain), column.names)
    if column.kind == "boolean":
        return column.typed_of
    if column.kind == "text":

        def text(scopes: Scopes) -> Any:
            value = found(scopes)
            return value if value is None or type(value) is str else UNFIT

        return text
    meant = number if column.kind == "number" else day

    def compared(scopes: Scopes) -> Any:
        value = found(scopes)
        return None if value is None else meant(value)

    return compared


def _way(depth: int, names: tuple[str, ...]) -> Value:
    if len(names) == 1:
        (only,) = names

        def one(scopes: Scopes) -> Any:
            scope = scopes[depth]
            return scope.get(only) if type(scope) is dict else None

        return one
    if len(names) == 2:
        first, second = names

        def two(scopes: Scopes) -> Any:
            scope = scopes[depth]
            if type(scope) is not dict:
                return None
            scope = scope.get(first)
            return scope.get(second) if type(scope) is dict else None

        return two

    def many(scopes: Scopes) -> Any:
        scope = scopes[depth]
        for name in names:
            if type(scope) is not dict:
                return None
            scope = scope.get(name)
        return scope

    return many
