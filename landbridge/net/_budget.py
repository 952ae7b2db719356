"""The rate budget: how many requests a system takes, and what it told us about it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from landbridge.net._settings import Rate
from landbridge.time import Clock


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply said about a system's own limit: used of limit, or how many seconds to leave it alone."""

    used: int | None = None
    limit: int | None = None
    wait: float | None = None

    @property
    def remaining(self) -> int | None:
        """What is left of the limit, where both numbers are known."""
        return None if self.used is None or self.limit is None else max(0, self.limit - self.used)


class Budget(Protocol):
    """Shared leave to send requests; the store's implementation spans processes."""

    def acquire(self, n: int = 1) -> None:
        """Return when `n` requests may be sent; waits on the injected clock."""

    def learn(self, usage: Usage) -> None:
        """Take note of what the system said."""


class LocalBudget:
    """The budget of one process: a bucket that holds one span's requests and fills evenly; starts full."""

    def __init__(self, rate: Rate | None, clock: Clock) -> None:
        self._clock = clock
        self._interval = timedelta(seconds=rate.per / rate.requests) if rate else timedelta(0)
        self._burst = timedelta(seconds=rate.per) if rate else timedelta(0)
        self._lock = threading.Lock()
        self._full_at: datetime | None = None  # when the bucket will be full again
        self._closed_until: datetime | None = None
        self.usage: Usage | None = None

    def acquire(self, n: int = 1) -> None:
        """Take `n` from the bucket, now or in the future, and wait until then."""
        wait = self._reserve(n)
        if wait > 0:
            self._clock.sleep(wait)

    def _reserve(self, n: int) -> float:
        with self._lock:
            now = self._clock.now()
            start = max(now, self._closed_until or now)
            full_at = max(start, self._full_at or start) + n * self._interval
            self._full_at = full_at
            return max((full_at - self._burst - now).total_seconds(), (start - now).total_seconds(), 0.0)

    def learn(self, usage: Usage) -> None:
        """Remember the system's own figures, and close for as long as it asks."""
        with self._lock:
            self.usage = usage
            if usage.wait:
                self._closed_until = self._clock.now() + timedelta(seconds=usage.wait)
