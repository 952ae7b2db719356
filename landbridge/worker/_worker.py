"""The loop: woken by news, or by time; fetch what was named, process, deliver; poll where a flow asks for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from landbridge.engine import Engine
from landbridge.errors import Failure, LandbridgeError, Unavailable
from landbridge.store import Listener, inbox, outbox
from landbridge.worker._polling import Pace
from landbridge.worker._windows import Windows

SWEEP = timedelta(seconds=5)
"""How often everything is looked at without having been told: what a crash left, what became due."""
LONGEST_REST = 0.5

_log = logging.getLogger("landbridge.worker")
Feed = tuple[str, str]


class Worker:
    """Drains inboxes and outboxes of every flow whose `realtime` is `host`, until it is stopped.

    Safe beside any number of others and beside Airflow's runs: a feed is processed under its lock, and a lane is
    delivered under its lease.
    """

    def __init__(self, engine: Engine, *, host: str = "worker", listener: Listener | None = None) -> None:
        self.engine = engine
        self._parts = engine.parts
        self._host = host
        self._listener = listener or Listener(engine.parts.store)
        self._windows = Windows(engine.parts)
        self._stopping = threading.Event()
        self._feeds: dict[int, Feed] = {}
        self._paces: dict[Feed, Pace] = {}
        self._resting: dict[Feed, datetime] = {}  # feeds whose system does not answer
        self._swept: datetime | None = None
        self._due: datetime | None = None

    def stop(self) -> None:
        """Finish what is under way, then end; safe from a signal handler."""
        self._stopping.set()

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Work until `stop`, or until `until` says so; then everything that was begun is finished and recorded."""
        self._know_feeds()
        try:
            while not (self._stopping.is_set() or (until is not None and until())):
                self._turn()
        finally:
            self._close()

    def drain(self) -> None:
        """One turn over everything, without waiting for news."""
        self._know_feeds()
        self._work(self._feeds.values())
        self._windows.close_old(every=True)

    # -- a turn ------------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        try:
            news = self._listener.wait(self._rest())
            now = self._parts.clock.now()
            if news is None or self._swept is None or now - self._swept >= SWEEP:
                self._swept = now
                self._work(self._feeds.values())
            elif news:
                self._work(self._feeds[feed] for feed in news if feed in self._feeds)
            elif self._due is not None and now >= self._due:
                self._deliver(self._flows())
            self._poll(now)
            self._windows.close_old()
        except LandbridgeError as error:
            _log.error("%s", error)
            self._stopping.wait(LONGEST_REST)
        except Exception as error:  # noqa: BLE001 - the store went away, or a fault of ours: the loop must outlive both
            _log.exception("the worker failed: %s", type(error).__name__)
            self._stopping.wait(LONGEST_REST)

    def _rest(self) -> float:
        """Seconds until something is to be done without being told."""
        now = self._parts.clock.now()
        times = [pace.due for pace in self._paces.values()]
        times += [at for at in (self._due, (self._swept or now) + SWEEP) if at is not None]
        return max(0.0, min(LONGEST_REST, (min(times) - now).total_seconds()))

    def _work(self, feeds: Iterable[Feed]) -> None:
        flows: set[str] = set()
        for feed in feeds:
            self._guarded(feed, self._take)
            flows |= self.engine.flows_of(*feed)
        self._deliver(flows)

    def _take(self, feed: Feed) -> None:
        self.engine.fetch_told(*feed)
        counts = self.engine.process(*feed)
        for flow in self.engine.flows_of(*feed):
            self._windows.count(flow, counts)

    def _deliver(self, flows: set[str]) -> None:
        mine = flows & self._flows()
        if not mine:
            return
        for flow, counts in self.engine.deliver(mine).items():
            self._windows.count(flow, counts)
        routes = [route.id for flow in self._flows() for route in self.engine.subscriptions(flow)]
        with self._parts.store.reading() as connection:
            self._due = outbox.next_due(connection, routes)

    def _poll(self, now: datetime) -> None:
        for feed, pace in self._paces.items():
            if pace.due <= now:
                self._guarded(feed, self._read)

    def _read(self, feed: Feed) -> None:
        flow = next(iter(self.engine.flows_of(*feed)))
        counts = self.engine.extract(self._parts.flows[flow])
        self._paces[feed].read(counts.new, self._parts.clock.now())
        if counts.new:
            self._work([feed])

    def _guarded(self, feed: Feed, act: Callable[[Feed], Any]) -> None:
        """One feed whose system fails does not stop the others; it rests as long as the system asks."""
        now = self._parts.clock.now()
        if self._resting.get(feed, now) > now:
            return
        try:
            act(feed)
        except Failure as failure:
            wait = failure.wait if isinstance(failure, Unavailable) and failure.wait else LONGEST_REST
            self._resting[feed] = now + timedelta(seconds=wait)
            if feed in self._paces:
                self._paces[feed].failed(now, wait)
            _log.warning("%s %s: %s", *feed, failure)

    # -- what there is -----------------------------------------------------------------------------------------------

    def _flows(self) -> set[str]:
        return {name for name, flow in self._parts.flows.items() if flow.enabled and flow.realtime == self._host}

    def _know_feeds(self) -> None:
        now = self._parts.clock.now()
        mine = {self._parts.flows[name].feed for name in self._flows()}
        with self._parts.store.transaction("feeds") as connection:
            self._feeds = {inbox.feed(connection, *feed)[0]: feed for feed in sorted(mine)}
        for feed in mine:
            flows = [flow for flow in self._parts.flows.values() if flow.enabled and flow.feed == feed]
            fastest = [flow.extract.fastest for flow in flows if flow.extract.fastest is not None]
            if fastest:
                slowest = min(flow.extract.every for flow in flows)
                self._paces.setdefault(feed, Pace.begin(min(fastest), max(slowest, min(fastest)), now))

    def _close(self) -> None:
        try:
            self._windows.close_old(every=True)
        finally:
            self._listener.close()
