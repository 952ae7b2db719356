"""The store: one engine, one way to begin a transaction, and records passed as one JSON parameter per statement."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from psycopg.errors import DeadlockDetected
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, Row, TextClause, create_engine, event, text
from sqlalchemy.exc import OperationalError

from landbridge import seam, strict
from landbridge.time import Clock


class Store:
    """A PostgreSQL database of Landbridge's; thread-safe, one connection per transaction."""

    def __init__(self, url: str, clock: Clock, *, pool: int = 8) -> None:
        self.clock = clock
        self.engine: Engine = create_engine(
            url, pool_size=pool, max_overflow=pool, pool_pre_ping=True, hide_parameters=True
        )
        event.listen(self.engine, "connect", _prepare)

    @contextmanager
    def transaction(self, what: str, *, wait: bool = True) -> Iterator[Connection]:
        """One transaction; `what` names it at the seam of durable steps.

        Without `wait` the commit does not wait for the disk: a power cut may take the last such transactions back,
        whole and from the last on. Only for what is then simply done again: a page with its cursor, a processed
        batch, and a recorded outcome (its row is still claimed, so its effect is asked for). Never for a claim.
        """
        with self.engine.connect() as connection:
            with connection.begin():
                if not wait:
                    connection.execute(_NO_WAIT)
                yield connection
                seam.step("commit", what)
            seam.step("committed", what)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading; nothing it does is kept."""
        with self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _prepare(connection: psycopg.Connection[Any], _record: object) -> None:
    set_json_loads(strict.json.loads, connection)  # bodies keep their exact numbers
    # A store that filled faster than it was analysed looks small to the planner, which then scans it for every batch.
    # Every statement of ours reaches its rows by an index: statements are written so, and scans are ruled out.
    with connection.cursor() as cursor:
        cursor.execute("set enable_seqscan = off")
        cursor.execute("set enable_mergejoin = off")
    connection.commit()


_NO_WAIT = text("set local synchronous_commit = off")


def locked_out(error: Exception) -> bool:
    """True for a deadlock that PostgreSQL ended at our cost: nothing of the transaction stands, it can begin again."""
    return isinstance(error, OperationalError) and isinstance(error.orig, DeadlockDetected)


def records(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as the one JSON parameter that `json_to_recordset` opens again: a batch is one statement."""
    return clean(orjson.dumps(list(rows), default=_exact)).decode()


_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def clean(text: bytes) -> bytes:
    """JSON without the character NUL, which PostgreSQL cannot hold: U+FFFD stands for it, so that a batch never fails."""
    return _NUL.sub(rb"\1\\ufffd", text) if b"\\u0000" in text else text


def fragment(content: Any) -> orjson.Fragment:
    """A body inside `records`, with its numbers exactly as they are."""
    return orjson.Fragment(strict.json.dumps(content))


def _exact(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} does not belong into a record")


def rows(connection: Connection, statement: TextClause, **parameters: Any) -> list[Row[Any]]:
    """All rows of one statement."""
    return list(connection.execute(statement, parameters).all())


def sql(statement: str) -> TextClause:
    """A statement of the store: constant text, every value a parameter."""
    return text(statement)
