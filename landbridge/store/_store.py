"""The store: one engine, one way to begin a transaction, and records passed as one JSON parameter per statement."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import psycopg
from psycopg.errors import DeadlockDetected
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, ExceptionContext, Row, TextClause, create_engine, event, text
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from landbridge import seam, strict
from landbridge.time import Clock

STUCK = timedelta(seconds=60)
"""After so long a silence inside a transaction the server ends it: a process that stands still must not keep its locks.

Nobody waits for a lock longer than twice that."""

PATIENT = text("set local idle_in_transaction_session_timeout = 0")
"""For a transaction in which other systems are asked, or much is computed, between two statements."""


class Store:
    """A PostgreSQL database of Landbridge's; thread-safe, one connection per transaction."""

    def __init__(self, url: str, clock: Clock, *, pool: int = 8, stuck: timedelta = STUCK) -> None:
        self.clock = clock
        self.engine = _engine(url, pool, stuck)
        # Connections that wait for no disk are others, so that saying it costs no round trip per transaction.
        self._unwaiting = _engine(url, pool, stuck)
        event.listen(self._unwaiting, "connect", _wait_for_no_disk)
        self._asking = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def transaction(self, what: str, *, wait: bool = True) -> Iterator[Connection]:
        """One transaction; `what` names it at the seam of durable steps.

        Without `wait` the commit does not wait for the disk: a power cut may take the last such transactions back,
        whole and from the last on. Only for what is then simply done again: a page with its cursor, a processed
        batch, and a recorded outcome (its row is still claimed, so its effect is asked for). Never for a claim.
        """
        with (self.engine if wait else self._unwaiting).connect() as connection:
            with connection.begin():
                yield connection
                seam.step("commit", what)
            seam.step("committed", what)

    @contextmanager
    def reading(self, *, patient: bool = False) -> Iterator[Connection]:
        """A connection for reading; nothing it does is kept. It is ended after `STUCK` of silence unless `patient`."""
        with self.engine.connect() as connection:
            if patient:
                connection.execute(PATIENT)
            yield connection

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """A connection for questions that are asked all the time: each statement stands for itself.

        That is one round trip instead of three. And psycopg forgets what it prepared whenever it rolls back, as at
        the end of `reading`; what shares a connection with it is parsed and planned anew every time.
        """
        with self._asking.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
        self._unwaiting.dispose()


def _engine(url: str, pool: int, stuck: timedelta) -> Engine:
    made = create_engine(url, pool_size=pool, max_overflow=pool, pool_use_lifo=True, hide_parameters=True)
    event.listen(made, "connect", _prepare)
    event.listen(made, "connect", partial(_bounded, milliseconds=round(stuck.total_seconds() * 1000)))
    event.listen(made, "handle_error", _bare)
    event.listen(made, "checkin", _rest)
    event.listen(made, "checkout", _still_there)
    return made


ASKED_AFTER = 10.0
"""Seconds of rest after which a connection is asked whether it stands; before, what its line says is enough."""


def _rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["rests"] = time.monotonic()


def _still_there(connection: psycopg.Connection[Any], record: ConnectionPoolEntry, _proxy: object) -> None:
    """Take a connection that ended out of the pool before anything is done with it.

    A server that ends a connection says so: its line has something to be read. That costs no round trip to see.
    """
    rested = record.info.get("rests")
    if rested is None or (time.monotonic() - rested < ASKED_AFTER and silent(connection)):
        return
    try:
        connection.execute("select 1")
        connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError("the connection ended") from error


def silent(connection: psycopg.Connection[Any]) -> bool:
    """Whether nothing came on the line of a connection that waits for nothing; False where its end came."""
    try:
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        return not line.poll(0)
    except (OSError, psycopg.Error):
        return False


def _prepare(connection: psycopg.Connection[Any], _record: object) -> None:
    set_json_loads(strict.json.loads, connection)  # bodies keep their exact numbers
    # A store that filled faster than it was analysed looks small to the planner, which then scans it for every batch.
    # Every statement of ours reaches its rows by an index: statements are written so, and scans are ruled out.
    with connection.cursor() as cursor:
        cursor.execute("set enable_seqscan = off")
        cursor.execute("set enable_mergejoin = off")
    connection.commit()


def _bounded(connection: psycopg.Connection[Any], _record: object, *, milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"set idle_in_transaction_session_timeout = {milliseconds}; set lock_timeout = {2 * milliseconds}"
        )
    connection.commit()


def _bare(context: ExceptionContext) -> None:
    """An error goes on with its main message alone: DETAIL and CONTEXT quote rows, which are other people's business."""
    error = context.original_exception
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    if not said or not isinstance(error, psycopg.Error):
        return
    if (error.sqlstate or "").startswith("22"):  # a value that is wrong is quoted in the main message
        said = said.partition(': "')[0]
    name = error.diag.constraint_name
    error.args = (said if not name or name in said else f"{said} (constraint {name})",)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(error).__name__}) {error}",)


def _wait_for_no_disk(connection: psycopg.Connection[Any], _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set synchronous_commit = off")
    connection.commit()


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
