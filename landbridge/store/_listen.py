"""Being woken: PostgreSQL notifies of news in inboxes, over a connection of its own."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from landbridge.store._hooks import CHANNEL
from landbridge.store._store import Store

LOOK_AGAIN = 10.0
"""Seconds after which something counts as missed though nothing was heard: a line may be dead without telling."""


class Listener:
    """Hears which feeds have news. A line that broke is opened anew, and then every feed counts as having news."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: psycopg.Connection[Any] | None = None
        self._sure_until = 0.0

    def wait(self, seconds: float) -> dict[int, bool] | None:
        """The feeds that have news by then, as soon as there are any; None if something may have been missed.

        True stands beside a feed of which keys wait to be fetched.
        """
        if self._connection is None or time.monotonic() >= self._sure_until:
            if self._connection is None:
                self._open()
            self._sure_until = time.monotonic() + LOOK_AGAIN
            return None
        try:
            # At least one: what came in the same packet comes with it, and the hands take together what waits for them.
            heard = [note.payload for note in self._connection.notifies(timeout=seconds, stop_after=1)]
        except psycopg.Error:
            self.close()
            raise
        news: dict[int, bool] = {}
        for payload in heard:
            for feed in filter(None, payload.split(",")):
                number = int(feed.rstrip("?"))
                news[number] = news.get(number, False) or feed.endswith("?")
        return news

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        url = self._store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(f"listen {CHANNEL}")
