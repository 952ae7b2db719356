"""The sandbox's own time, so that "commits four minutes later" takes milliseconds in a test."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Wall time plus an offset, or, when frozen, a moment that only `set` and `advance` move; safe from any thread."""

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._lock = threading.RLock()
        self._offset = 0.0
        self._frozen_at: float | None = None
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._timer: threading.Timer | None = None
        if start is not None:
            self._offset = _seconds(start) - time.time()
        if frozen:
            self._frozen_at = _seconds(start) if start is not None else time.time()

    @property
    def frozen(self) -> bool:
        """Whether time stands still between `advance` calls."""
        return self._frozen_at is not None

    def timestamp(self) -> float:
        """Seconds since 1970 on this clock."""
        with self._lock:
            return self._frozen_at if self._frozen_at is not None else time.time() + self._offset

    def now(self) -> datetime:
        """The present moment on this clock, in UTC."""
        return _EPOCH + timedelta(seconds=self.timestamp())

    def set(self, when: datetime) -> None:
        """Move to `when` (forwards or back); what fell due has happened when this returns."""
        self._move(_seconds(when))

    def advance(self, seconds: float) -> None:
        """Move forwards; what fell due on the way has happened when this returns."""
        self._move(self.timestamp() + seconds)

    def freeze(self) -> None:
        """Stop the flow of time here."""
        with self._lock:
            self._frozen_at = self.timestamp()

    def resume(self) -> None:
        """Let time flow on from the present moment."""
        with self._lock:
            now = self.timestamp()
            self._frozen_at = None
            self._offset = now - time.time()
            self._arm()

    def call_at(self, when: datetime, call: Callable[[], None]) -> None:
        """Have `call` run once when this clock reaches `when`, whichever way it gets there."""
        with self._lock:
            self._sequence += 1
            heapq.heappush(self._due, (_seconds(when), self._sequence, call))
            self._arm()

    def pending(self) -> int:
        """How many calls still wait for their moment."""
        with self._lock:
            return len(self._due)

    def run_due(self) -> None:
        """Run what is due at the present moment, in the order of its moments."""
        while True:
            with self._lock:
                if not self._due or self._due[0][0] > self.timestamp():
                    self._arm()
                    return
                _, _, call = heapq.heappop(self._due)
            call()

    def close(self) -> None:
        """Forget everything that waits."""
        with self._lock:
            self._due.clear()
            self._arm()

    def _move(self, target: float) -> None:
        with self._lock:
            if self._frozen_at is not None:
                self._frozen_at = target
            else:
                self._offset = target - time.time()
        self.run_due()

    def _arm(self) -> None:
        """Keep one timer for the nearest call while time flows by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due and self._frozen_at is None:
            wait = max(0.0, self._due[0][0] - self.timestamp())
            self._timer = threading.Timer(wait + 0.001, self.run_due)
            self._timer.daemon = True
            self._timer.start()


def _seconds(when: datetime) -> float:
    if when.tzinfo is None:
        raise ValueError(f"clock: {when.isoformat()} has no zone; give it one, such as +00:00")
    return when.timestamp()
