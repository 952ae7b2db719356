"""What passed, coalesced: one `run` per flow and window; monitoring sees real time without a row per message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from landbridge.engine import Parts
from landbridge.store import control

LONGEST = timedelta(seconds=15)


class Windows:
    """Counts per flow since the window began; written when it ends, if anything happened."""

    def __init__(self, parts: Parts, longest: timedelta = LONGEST) -> None:
        self._parts = parts
        self._longest = longest
        self._counts: dict[str, Counter[str]] = {}
        self._since: dict[str, datetime] = {}

    def count(self, flow: str, counted: Mapping[str, int]) -> None:
        """Add to a flow's window; the first count opens it."""
        moved = {word: number for word, number in counted.items() if number}
        if moved:
            self._since.setdefault(flow, self._parts.clock.now())
            self._counts.setdefault(flow, Counter()).update(moved)

    def close_old(self, *, every: bool = False) -> list[str]:
        """Write the windows that are old enough, or every one; the flows whose window was written."""
        now = self._parts.clock.now()
        old = [flow for flow, since in self._since.items() if every or now - since >= self._longest]
        if not old:
            return []
        with self._parts.store.transaction("windows", wait=False) as connection:
            for flow in old:
                run, counts = self._parts.ids(), dict(self._counts[flow])
                control.begin_run(connection, run, flow, "realtime", {}, self._since[flow])
                control.end_run(connection, run, "succeeded", counts, None, now)
        for flow in old:
            del self._since[flow], self._counts[flow]
        return old
