"""A worker's sign of life: a lock of its own session, which the server lets go the moment the session ends."""

from __future__ import annotations

import secrets
import threading
from typing import Any

import psycopg

from landbridge.store._store import Store

LIVING = 4712
"""The first half of the advisory locks of living workers; the second is the worker's number."""

_ALIVE = """
set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
set idle_session_timeout = 0"""


class Presence:
    """Says who holds a claim, and proves that whoever it is lives; thread-safe.

    A worker that dies lets go of its lock at once, so that others take over what it held without waiting for the end
    of its lease. One that only lost its session counts as dead too: it has to ask `stands` before each write.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._number = 0

    def number(self) -> int:
        """Our number; a new one where the session under which we had one is gone."""
        with self._lock:
            if not self._answers():
                self._begin()
            return self._number

    def stands(self, number: int) -> bool:
        """Whether we are still known to live under this number: asked of the server, not remembered."""
        with self._lock:
            return number == self._number and self._answers()

    def close(self) -> None:
        """Leave; what is still claimed may be taken over."""
        with self._lock:
            self._end()

    def _answers(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute("select 1")
        except psycopg.Error:
            self._end()
            return False
        return True

    def _begin(self) -> None:
        url = self._store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(_ALIVE)
        number = 0
        while not number:
            number = 1 + secrets.randbelow(2**31 - 1)
            [taken] = self._connection.execute("select pg_try_advisory_lock(%s, %s)", (LIVING, number)).fetchone() or [
                False
            ]
            number = number if taken else 0
        self._number = number

    def _end(self) -> None:
        connection, self._connection, self._number = self._connection, None, 0
        if connection is not None:
            connection.close()
