"""Clock and id source: the two things that are injected so that a test can own them."""

from __future__ import annotations

import threading
import time as _time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import uuid_utils

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where the engine reads the time and where it waits."""

    def now(self) -> datetime:
        """The present instant, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait; returns after that much of this clock's time."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for real."""
        if seconds > 0:
            _time.sleep(seconds)


class ManualClock:
    """A clock that a test turns: it moves only by `advance` and by `sleep`."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
        self._lock = threading.Lock()
        self._watchers: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        """The instant the test has set."""
        return self._now

    def advance(self, delta: timedelta | float) -> None:
        """Move forward by a timedelta or by seconds, and tell those who watch."""
        step = delta if isinstance(delta, timedelta) else timedelta(seconds=delta)
        with self._lock:
            self._now += step
            now = self._now
        for watcher in self._watchers:
            watcher(now)

    def sleep(self, seconds: float) -> None:
        """Move this clock forward at once instead of waiting."""
        self.advance(seconds)

    def watch(self, watcher: Callable[[datetime], None]) -> None:
        """Call `watcher` with the new instant after every move: sandboxes share the test's time this way."""
        self._watchers.append(watcher)


class IdSource(Protocol):
    """Where new ids come from."""

    def __call__(self) -> UUID:
        """A new id that sorts after those given before."""


def uuid7() -> UUID:
    """A time-ordered UUIDv7 (RFC 9562)."""
    return UUID(int=uuid_utils.uuid7().int)


class CountingIds:
    """Ids 1, 2, 3, …: a test that prints ids stays the same from run to run."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> UUID:
        """The next id."""
        self._last += 1
        return UUID(int=(0x7000 << 64) | (0x8000 << 48) | self._last)
