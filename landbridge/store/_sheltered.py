"""A store whose transactions are all inside one that is rolled back: what a preview does leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from landbridge.store._store import PATIENT, Store


class Sheltered(Store):
    """Looks like the store it shelters; a transaction is a savepoint, and reading sees what was written before.

    For one thread. Its locks last until the shelter ends: keep that short, or a worker waits for it.
    """

    def __init__(self, store: Store, connection: Connection) -> None:
        self.clock = store.clock
        self.engine = store.engine
        self._connection = connection

    @contextmanager
    def transaction(self, what: str, *, wait: bool = True) -> Iterator[Connection]:
        """A savepoint; `what` names a step that is not durable here."""
        with self._connection.begin_nested():
            yield self._connection

    @contextmanager
    def reading(self, *, patient: bool = False) -> Iterator[Connection]:
        """The same connection."""
        yield self._connection

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """The same connection."""
        yield self._connection

    def close(self) -> None:
        """Nothing to give back: the shelter's connection ends with it."""


@contextmanager
def sheltered(store: Store) -> Iterator[Sheltered]:
    """A shelter over a store; everything done in it is undone at its end."""
    with store.engine.connect() as connection:
        outer = connection.begin()
        connection.execute(PATIENT)  # targets are asked meanwhile
        try:
            yield Sheltered(store, connection)
        finally:
            outer.rollback()
