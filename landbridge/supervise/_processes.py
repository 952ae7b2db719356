"""What runs on this machine, read from /proc: identity that survives re-used pids, sessions, descendants, marks."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process; pid and start (in clock ticks since boot) together are never used twice."""

    pid: int
    parent: int
    session: int
    started: int


def process(pid: int) -> Process | None:
    """The live process of this pid; None when there is none or only its zombie is left."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    if fields[0] in "ZX":
        return None
    return Process(pid=pid, parent=int(fields[1]), session=int(fields[3]), started=int(fields[19]))


def processes() -> list[Process]:
    """All live processes that we may see."""
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [found for found in map(process, pids) if found is not None]


def alive(known: Process) -> bool:
    """Whether exactly this process still runs, not another one that got its pid."""
    found = process(known.pid)
    return found is not None and found.started == known.started


def family(leader: int | None, mark: str = "") -> list[Process]:
    """The processes of a session, those whose environment holds `mark` (NAME=value), and the descendants of both.

    The mark finds those that left the session and lost their parent.
    """
    everyone = processes()
    pids = {found.pid for found in everyone if found.session == leader or (mark and _marked(found, mark))}
    pids.discard(os.getpid())
    grown = True
    while grown:
        children = {found.pid for found in everyone if found.parent in pids} - pids
        pids |= children
        grown = bool(children)
    return [found for found in everyone if found.pid in pids]


def _marked(known: Process, mark: str) -> bool:
    try:
        environ = (_PROC / str(known.pid) / "environ").read_bytes()
    except OSError:
        return False
    return mark.encode() in environ.split(b"\0")


def working_in(folder: Path) -> list[Process]:
    """The processes whose current folder is `folder`."""
    where = os.path.realpath(folder)
    return [found for found in processes() if current_folder(found.pid) == where]


def current_folder(pid: int) -> str | None:
    """The current folder of a process, None where it is gone or not ours to see."""
    try:
        return str((_PROC / str(pid) / "cwd").readlink())
    except OSError:
        return None


def send(known: Iterable[Process], number: signal.Signals) -> None:
    """Signal each of these processes that still runs."""
    for each in known:
        if alive(each):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(each.pid, number)


def wait_gone(known: Iterable[Process], within: float) -> list[Process]:
    """Wait until these processes are gone; returns those still there after `within` seconds."""
    until = time.monotonic() + within
    pause = 0.005
    left = [each for each in known if alive(each)]
    while left and time.monotonic() < until:
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
        left = [each for each in left if alive(each)]
    return left
