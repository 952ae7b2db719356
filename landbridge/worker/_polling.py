"""Adaptive polling: as often as allowed while changes come, slower and slower while none do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

BACK_OFF = 1.5


@dataclass(slots=True)
class Pace:
    """When one feed is read next; between `fastest` and `slowest`."""

    fastest: timedelta
    slowest: timedelta
    due: datetime
    every: timedelta

    @classmethod
    def begin(cls, fastest: timedelta, slowest: timedelta, now: datetime) -> Pace:
        """A feed that is read at once, and then as fast as it may."""
        return cls(fastest, slowest, now, fastest)

    def read(self, new: int, now: datetime) -> None:
        """A reading brought so many new messages: go on as fast as allowed, or a little slower than before."""
        self.every = self.fastest if new else min(self.every * BACK_OFF, self.slowest)
        self.due = now + self.every

    def expect(self, now: datetime) -> None:
        """Something was written there, and what the system makes of it is likely news: as fast as allowed again."""
        self.every = self.fastest
        self.due = min(self.due, now + self.fastest)

    def failed(self, now: datetime, wait: float | None = None) -> None:
        """The system did not answer: as it asks, or slower."""
        self.every = min(self.every * 2, self.slowest)
        self.due = now + (timedelta(seconds=wait) if wait is not None else self.every)
