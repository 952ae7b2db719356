"""Reads one source: what webhooks named by key alone, and what a flow asks to be polled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from landbridge.engine import Engine, Extracted
from landbridge.errors import Failure, Unavailable
from landbridge.worker._hand import LONGEST_REST, Hand
from landbridge.worker._polling import Pace
from landbridge.worker._trouble import Trouble

Feed = tuple[str, str]


class _Stopped(Exception):
    """Between two pages the worker was told to stop; the cursor stands behind the last one that was kept."""


class Reader:
    """The hand that reads one system; `news` is told which feeds have something to process."""

    def __init__(
        self,
        engine: Engine,
        feeds: Sequence[Feed],
        news: Callable[[Feed], None],
        stopping: Callable[[], bool],
        trouble: Trouble | None = None,
    ) -> None:
        self.feeds = list(feeds)
        self._trouble = trouble or Trouble()
        self.hand: Hand[Feed] = Hand(f"read-{feeds[0][0]}", self._act, self._rest, self._trouble)
        self._engine = engine
        self._news = news
        self._stopping = stopping
        self._resting: dict[Feed, datetime] = {}  # feeds whose system does not answer
        self._paces = dict(self._asked_for())

    def fetch(self, feeds: Iterable[Feed]) -> None:
        """Read what was named by its key."""
        for feed in feeds:
            self._guarded(feed, self._fetch)

    def expect(self) -> None:
        """Something was written to the system: read it again soon, unless it asked for rest; from any thread."""
        for feed, pace in list(self._paces.items()):
            if self._resting.get(feed, self._now()) <= self._now():
                pace.expect(self._now())

    def _act(self, asked: set[Feed]) -> None:
        self.fetch(sorted(asked))
        for feed, pace in self._paces.items():
            if pace.due <= self._now() and not self._stopping():
                self._guarded(feed, self._read)

    def _rest(self) -> float:
        waits = [(pace.due - self._now()).total_seconds() for pace in self._paces.values()]
        return min([LONGEST_REST, *(max(wait, 0.005) for wait in waits)])

    def _fetch(self, feed: Feed) -> None:
        if self._engine.fetch_told(*feed):
            self._news(feed)

    def _read(self, feed: Feed) -> None:
        def page(counts: Extracted) -> None:
            if counts.new:
                self._news(feed)
            if self._stopping():
                raise _Stopped

        flow = min(self._engine.flows_of(*feed))
        counts = self._engine.extract(self._engine.parts.flows[flow], page=page)
        self._paces[feed].read(counts.new, self._now())
        if counts.new:
            self._news(feed)

    def _guarded(self, feed: Feed, act: Callable[[Feed], None]) -> None:
        """One feed whose system fails does not stop the others; it rests as long as the system asks."""
        now = self._now()
        if self._resting.get(feed, now) > now:
            return
        try:
            act(feed)
        except _Stopped:
            return
        except Failure as failure:
            wait = failure.wait if isinstance(failure, Unavailable) and failure.wait else LONGEST_REST
            self._resting[feed] = self._now() + timedelta(seconds=wait)
            if feed in self._paces:
                self._paces[feed].failed(self._now(), wait)
            self._trouble.met(f"read {feed[0]} {feed[1]}", failure, system=feed[0], entity=feed[1])
        else:
            self._trouble.over(f"read {feed[0]} {feed[1]}")

    def _asked_for(self) -> Iterable[tuple[Feed, Pace]]:
        now = self._now()
        for feed in self.feeds:
            flows = [flow for flow in self._engine.parts.flows.values() if flow.enabled and flow.feed == feed]
            fastest = [flow.extract.fastest for flow in flows if flow.extract.fastest is not None]
            if fastest:
                slowest = min(flow.extract.every for flow in flows)
                yield feed, Pace.begin(min(fastest), max(slowest, min(fastest)), now)

    def _now(self) -> datetime:
        return self._engine.parts.clock.now()
