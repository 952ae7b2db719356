"""Statements of the hub: constant text, every value a parameter, a batch one JSON parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import orjson
import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError, OperationalError

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def sql(statement: str, **parts: str) -> TextClause:
    """A statement of the hub; `<name>` in it stands for another constant text."""
    for name, part in parts.items():
        statement = statement.replace(f"<{name}>", part)
    return text(statement)


def rows(connection: Connection, statement: TextClause, **parameters: Any) -> list[Any]:
    """All rows of one statement, by the driver itself: a batch of the hub is a few statements whose time counts."""
    return _cursor(connection, statement, parameters).fetchall()


def run(connection: Connection, statement: TextClause, **parameters: Any) -> int:
    """One statement that returns nothing; how many rows it touched."""
    return _cursor(connection, statement, parameters).rowcount


def _cursor(connection: Connection, statement: TextClause, parameters: dict[str, Any]) -> psycopg.Cursor[Any]:
    native = _native(statement.text)
    driver: Any = connection.connection.driver_connection
    try:
        return driver.cursor(row_factory=namedtuple_row).execute(native, parameters)  # type: ignore[no-any-return]  # the driver's own cursor
    except psycopg.OperationalError as error:  # as the engine raises it: who was locked out begins again
        raise OperationalError(native, None, error, hide_parameters=True) from error
    except psycopg.Error as error:
        raise DBAPIError(native, None, error, hide_parameters=True) from error


@cache
def _native(statement: str) -> str:
    return re.sub(r"(?<!:):(\w+)", r"%(\1)s", statement.replace("%", "%%"))


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
