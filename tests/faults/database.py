"""The database dies while orders flow: killed and started again, or out of room on its disk."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from room import Inputs, Room, Verdict
from sqlalchemy.exc import SQLAlchemyError

from landbridge.errors import Unavailable
from landbridge.store.embedded import EmbeddedPostgres

BALLAST = "ballast"


def crashed_databases(
    room: Room, server: EmbeddedPostgres, orders: int, crashes: int, *, rest: float = 0.8
) -> tuple[Verdict, list[float]]:
    """So many times `-m immediate` and a start; with it, how long the flow took to go on after each, in seconds."""
    inputs = Inputs.make(orders, room.seed)
    room.begin(inputs, shown=0)
    room.hire()
    room.hire()
    resumed = []
    for n in range(crashes):
        shown = len(inputs.rows) * (2 * n + 1) // (2 * crashes)
        room.tell("show", shown=shown)
        time.sleep(rest * room.dice.uniform(0.3, 1.7))
        server.stop("immediate")
        room.store.engine.dispose()
        server.start()
        room.tell("show", shown=len(inputs.rows) * (n + 1) // crashes)
        resumed.append(_until_new(room, shown))
    return _ended(room), resumed


def _until_new(room: Room, shown: int, within: float = 15.0) -> float:
    """Until a change that came after the crash has its effect."""
    began = time.monotonic()
    while room.tell("look")["newest"] < shown and time.monotonic() - began < within:
        room.replace_ended()
        time.sleep(0.02)
    return time.monotonic() - began


def _ended(room: Room) -> Verdict:
    room.drained(meanwhile=lambda: room.replace_ended() and None)
    room.dismiss()
    time.sleep(0.6)
    return room.verdict()


# -- no room on the disk --------------------------------------------------------------------------------------------


class NoMount(Exception):
    """A small disk cannot be mounted here."""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own of this size; needs the right to mount."""
    folder.mkdir()
    size = f"size={megabytes}m,mode=0711"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        folder.rmdir()
        raise NoMount(done.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def filled_disks(room: Room, server: EmbeddedPostgres, disk: Path, orders: int, times: int) -> Verdict:
    """The disk is filled to its last byte while orders flow, and freed again; the server is started if it ended."""
    inputs = Inputs.make(orders, room.seed)
    room.begin(inputs, shown=0)
    room.hire()
    room.hire()
    for n in range(times):
        room.tell("show", shown=len(inputs.rows) * (n + 1) // (times + 1))
        time.sleep(room.dice.uniform(0.3, 0.8))
        _fill(disk / BALLAST)
        room.tell("show", shown=len(inputs.rows) * (n + 1) // times)
        time.sleep(room.dice.uniform(0.5, 1.5))
        (disk / BALLAST).unlink()
        _up(server)
        room.store.engine.dispose()
        room.replace_ended()
    room.tell("show", shown=len(inputs.rows))
    return _ended(room)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as out:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while out.write(bytes(size)):
                    pass


def _up(server: EmbeddedPostgres, within: float = 20.0) -> None:
    """As its supervisor does: started again where it ended, and waited for."""
    until = time.monotonic() + within
    while True:
        try:
            server.start()
            with server.urls().connect("postgres") as connection:
                connection.execute("select 1")
            return
        except (Unavailable, OSError, SQLAlchemyError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
