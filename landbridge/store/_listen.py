"""Being woken: PostgreSQL notifies of news in inboxes, over a connection of its own."""

from __future__ import annotations

from typing import Any

import psycopg

from landbridge.store._hooks import CHANNEL
from landbridge.store._store import Store


class Listener:
    """Hears which feeds have news. A line that broke is opened anew, and then every feed counts as having news."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: psycopg.Connection[Any] | None = None

    def wait(self, seconds: float) -> set[int] | None:
        """The feeds that have news by then, as soon as there are any; None if something may have been missed."""
        if self._connection is None:
            self._open()
            return None
        try:
            heard = [note.payload for note in self._connection.notifies(timeout=seconds, stop_after=1)]
            if heard:  # what came at the same moment belongs to the same batch
                heard += [note.payload for note in self._connection.notifies(timeout=0)]
        except psycopg.Error:
            self.close()
            raise
        return {int(feed) for payload in heard for feed in payload.split(",") if feed}

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        url = self._store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(f"listen {CHANNEL}")
