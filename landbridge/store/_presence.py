"""A worker's sign of life: a lock of its own session, which the server lets go the moment the session ends."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

import psycopg

from landbridge.store._store import Store, silent

LIVING = 4712
"""The first half of the advisory locks of living workers; the second is the worker's number."""

LIVING_NUMBERS = """
        select objid::bigint::int from pg_locks
        where locktype = 'advisory' and classid = :living and objsubid = 2 and granted
          and database = (select oid from pg_database where datname = current_database())"""
"""The numbers of all living workers, as a part of a statement."""

FRESH = 0.01
"""Seconds for which the server's answer counts: not longer than a request may take from there to its first byte."""

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
        self._answered = 0.0

    def number(self) -> int:
        """Our number; a new one where the session under which we had one said that it is gone.

        What is claimed under a number of which we do not know yet that it is gone is not sent: see `stands`.
        """
        with self._lock:
            if self._connection is None or not (silent(self._connection) or self._answers()):
                self._begin()
            return self._number

    def stands(self, number: int) -> bool:
        """Whether we are still known to live under this number: asked of the server, remembered for `FRESH` seconds.

        A session that the server ends is seen at once.
        """
        with self._lock:
            if number != self._number or self._connection is None:
                return False
            recent = time.monotonic() - self._answered < FRESH
            return (recent and silent(self._connection)) or self._answers()

    def close(self) -> None:
        """Leave; what is still claimed may be taken over."""
        with self._lock:
            self._end()

    def _answers(self) -> bool:
        if self._connection is None:
            return False
        asked = time.monotonic()
        try:
            self._connection.execute("select 1")
        except psycopg.Error:
            self._end()
            return False
        self._answered = asked
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
