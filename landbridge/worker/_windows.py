"""What passed, coalesced: one `run` per flow and window; monitoring sees real time without a row per message."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from landbridge.engine import Parts
from landbridge.store import control

LONGEST = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Window:
    """What a worker moved of one flow between two instants; `run` is the id of its row."""

    run: UUID
    flow: str
    since: datetime
    until: datetime
    counts: Mapping[str, int]


Watcher = Callable[[Window], None]
"""Told a window after it was recorded; returns at once and never raises."""


class Windows:
    """Counts per flow since the window began; written when it ends, if anything happened. Thread-safe."""

    def __init__(self, parts: Parts, longest: timedelta = LONGEST, watchers: Sequence[Watcher] = ()) -> None:
        self._parts = parts
        self._longest = longest
        self._watchers = watchers
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}
        self._since: dict[str, datetime] = {}

    def count(self, flow: str, counted: Mapping[str, int]) -> None:
        """Add to a flow's window; the first count opens it."""
        moved = {word: number for word, number in counted.items() if number}
        if moved:
            with self._lock:
                self._since.setdefault(flow, self._parts.clock.now())
                self._counts.setdefault(flow, Counter()).update(moved)

    def close_old(self, *, every: bool = False) -> list[Window]:
        """Write the windows that are old enough, or every one; those that were written."""
        now = self._parts.clock.now()
        with self._lock:
            old = [flow for flow, since in self._since.items() if every or now - since >= self._longest]
            closed = [Window(self._parts.ids(), flow, self._since[flow], now, dict(self._counts[flow])) for flow in old]
        if not closed:
            return []
        with self._parts.store.transaction("windows", wait=False) as connection:
            for one in closed:
                control.begin_run(connection, one.run, one.flow, "realtime", {}, one.since)
                control.end_run(connection, one.run, "succeeded", dict(one.counts), None, now)
        self._take(closed)
        for one in closed:
            for watch in self._watchers:
                watch(one)
        return closed

    def _take(self, closed: Sequence[Window]) -> None:
        """What was written is counted no more; what came meanwhile opens the next window."""
        with self._lock:
            for one in closed:
                left = self._counts.pop(one.flow) - Counter(one.counts)
                del self._since[one.flow]
                if left:
                    self._counts[one.flow], self._since[one.flow] = left, one.until
