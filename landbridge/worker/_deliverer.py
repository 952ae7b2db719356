"""Delivers to one target: when something was processed for it, when something became due, and now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from landbridge.engine import Engine
from landbridge.store import outbox
from landbridge.worker._hand import LONGEST_REST, Hand
from landbridge.worker._trouble import Trouble

SWEEP = timedelta(seconds=2)
SWEPT = ("", "")
"""Asks for what may have been missed."""
_WRITTEN = frozenset({"created", "updated", "deleted"})
_OVER = _WRITTEN | {"unchanged"}
Feed = tuple[str, str]
Count = Callable[[str, Mapping[str, int]], None]


class Deliverer:
    """The hand that delivers to one system what these flows send there."""

    def __init__(
        self,
        engine: Engine,
        to: str,
        flows: set[str],
        count: Count,
        stopping: Callable[[], bool],
        wrote: Callable[[], None] = lambda: None,
        trouble: Trouble | None = None,
    ) -> None:
        self.hand: Hand[Feed] = Hand(f"deliver-{to}", self._act, self._rest, trouble)
        self._engine = engine
        self._to = to
        self._flows = {name for name in flows if any(r.to == to for r in engine.parts.flows[name].deliver)}
        self._routes = [s.id for name in self._flows for s in engine.subscriptions(name) if s.route.to == to]
        self._count = count
        self._stopping = stopping
        self._wrote = wrote
        self._due: datetime | None = None
        self._swept: datetime | None = None

    def deliver(self, *, sweep: bool = True) -> bool:
        """Everything that is due; whether any of it is to be tried again, or waits."""
        counted = self._engine.deliver(self._flows, to=self._to, going=lambda: not self._stopping(), sweep=sweep)
        for flow, counts in counted.items():
            self._count(flow, counts)
        if any(counts.get(word) for counts in counted.values() for word in _WRITTEN):
            self._wrote()
        return any(number and word not in _OVER for counts in counted.values() for word, number in counts.items())

    def _act(self, asked: set[Feed]) -> None:
        now = self._engine.parts.clock.now()
        over = self._over(now) or SWEPT in asked
        if not asked and not over:
            return
        if over:
            self._swept = now
        later = self.deliver(sweep=over)
        if not (over or later):
            return
        with self._engine.parts.store.asking() as connection:
            due = outbox.next_due(connection, self._routes)
        # What is due and was not delivered is behind another row, paused, or in other hands: time does not help it.
        self._due = due if due is not None and due > self._engine.parts.clock.now() else None

    def _over(self, now: datetime) -> bool:
        return self._swept is None or now - self._swept >= SWEEP or (self._due is not None and self._due <= now)

    def _rest(self) -> float:
        if self._due is None:
            return LONGEST_REST
        wait = (self._due - self._engine.parts.clock.now()).total_seconds()
        return min(LONGEST_REST, max(wait, 0.005))
