"""What a supervisor is asked to run, and what it tells about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Child:
    """One program to keep running; times are seconds.

    `ready` says whether a started child can be used, `healthy` is asked every `health_every` from then on; a child that
    is not healthy three times in a row is stopped and started again. Both may block a moment; an exception means no.
    A child with `restart="never"` may end by itself with 0 (a migration); any other end of it stops the supervisor.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None  # the whole environment; None: the supervisor's own
    cwd: Path | None = None
    ready: Callable[[], bool] | None = None
    ready_within: float = 60.0
    healthy: Callable[[], bool] | None = None
    health_every: float = 10.0
    restart: Literal["always", "never"] = "always"
    first_pause: float = 0.5  # before the first restart; doubled each time
    longest_pause: float = 30.0
    settled_after: float = 60.0  # a child that lived so long starts again with the first pause
    grace: float = 10.0  # between the request to end and the kill


class State(StrEnum):
    """Where a child is."""

    WAITING = "waiting"  # not started yet, or pausing before a restart
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    ENDED = "ended"  # for good: stopped by us, or `never` and done
    FAILED = "failed"  # for good: `never` and ended otherwise than asked


@dataclass(frozen=True, slots=True)
class Status:
    """One child at one moment, for display."""

    name: str
    state: State
    pid: int | None
    restarts: int
    since: float  # seconds in this state
    note: str  # why it was restarted or failed last, such as "exit 1" or "killed by SIGKILL"
    log: Path
