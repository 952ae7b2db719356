"""A PostgreSQL server, a warm parent and rooms for a run outside of pytest; nothing is left behind."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [path for path in (str(HERE.parent.parent), str(HERE)) if path not in sys.path]

from nursery import Nursery  # noqa: E402 - the paths above come first
from room import Room  # noqa: E402 - the same

from landbridge.store import Store, migrate  # noqa: E402 - the same
from landbridge.store.embedded import EmbeddedPostgres  # noqa: E402 - the same
from landbridge.time import SystemClock  # noqa: E402 - the same


def migrated(url: str) -> None:
    """Make the tables."""
    clock = SystemClock()
    store = Store(url, clock)
    migrate(store.engine, clock.now())
    store.close()


class Workplace:
    """Makes rooms, each with a database of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.nursery = Nursery(home / "log")
        self._servers: dict[bool, EmbeddedPostgres] = {}
        self._numbers = count(1)

    def server(self, *, durable: bool = False) -> EmbeddedPostgres:
        """The server of this place; the durable one is for crashes of the database itself."""
        if durable not in self._servers:
            where = self.home / f"postgres-{'durable' if durable else 'quick'}"
            self._servers[durable] = EmbeddedPostgres(where, durable=durable, die_with_parent=True)
            self._servers[durable].start()
        return self._servers[durable]

    def on_disk(self, disk: Path) -> EmbeddedPostgres:
        """A server whose files are on this disk; who asks removes it."""
        home = os.environ["LANDBRIDGE_SERVER_HOME"]
        os.environ["LANDBRIDGE_SERVER_HOME"] = str(disk)
        try:
            server = EmbeddedPostgres(disk / "postgres", durable=True, die_with_parent=True)
            server.start()
        finally:
            os.environ["LANDBRIDGE_SERVER_HOME"] = home
        return server

    @contextmanager
    def room(
        self, grade: str, seed: int, *, durable: bool = False, server: EmbeddedPostgres | None = None, **terms: object
    ) -> Iterator[Room]:
        """A room with a migrated store of its own."""
        server = server or self.server(durable=durable)
        name = f"room_{next(self._numbers)}"
        folder = self.home / name
        folder.mkdir()
        url = server.ensure_database(name)
        migrated(url)
        try:
            with Room(folder, url, self.nursery, grade, seed, **terms) as room:
                yield room
        finally:
            server.drop_database(name)
            shutil.rmtree(folder)

    def close(self) -> None:
        """End everything."""
        self.nursery.close()
        for server in self._servers.values():
            server.remove()


@contextmanager
def workplace() -> Iterator[Workplace]:
    """A place of its own, in memory where there is such a disk; removed afterwards."""
    memory = Path("/dev/shm")  # no fsync waits there, and nothing here outlives the operating system anyway
    home = Path(tempfile.mkdtemp(prefix="landbridge-faults-", dir=memory if os.access(memory, os.W_OK) else None))
    home.chmod(0o711)
    before = os.environ.get("LANDBRIDGE_SERVER_HOME")
    os.environ["LANDBRIDGE_SERVER_HOME"] = str(home)
    place = Workplace(home)
    try:
        yield place
    finally:
        place.close()
        if before is None:
            del os.environ["LANDBRIDGE_SERVER_HOME"]
        else:
            os.environ["LANDBRIDGE_SERVER_HOME"] = before
        shutil.rmtree(home, ignore_errors=True)
