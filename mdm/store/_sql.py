"""Statements of the hub: constant text, every value a parameter, a batch one JSON parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, TextClause, text

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def sql(statement: str, **parts: str) -> TextClause:
    """A statement of the hub; `<name>` in it stands for another constant text."""
    for name, part in parts.items():
        statement = statement.replace(f"<{name}>", part)
    return text(statement)


def rows(connection: Connection, statement: TextClause, **parameters: Any) -> list[Any]:
    """All rows of one statement."""
    return list(connection.execute(statement, parameters).all())


def records(found: Iterable[Mapping[str, Any]]) -> str:
    """Rows as the one JSON parameter that `json_to_recordset` opens again; bytes become hexadecimal digits."""
    return orjson.dumps(list(found), default=_text, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()


def fragment(written: bytes) -> orjson.Fragment:
    """JSON that is written already, inside `records`."""
    return orjson.Fragment(written)


def storable(written: bytes) -> bytes:
    """JSON without the character NUL, which PostgreSQL cannot hold: U+FFFD stands for it."""
    return _NUL.sub(rb"\1\\ufffd", written) if b"\\u0000" in written else written


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} does not belong into a record")
