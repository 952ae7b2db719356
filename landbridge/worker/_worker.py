"""The loop: woken by news, or by time; fetch what was named, process, deliver; poll where a flow asks for it.

One thread listens. One processes feeds. Each source has a thread that reads it, each target one that delivers to it:
a system that answers slowly, or not at all, holds up nothing but what goes to it or comes from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from landbridge.engine import Engine
from landbridge.errors import LandbridgeError
from landbridge.store import Listener, Presence, inbox
from landbridge.worker._deliverer import SWEPT, Deliverer
from landbridge.worker._hand import LONGEST_REST, Hand
from landbridge.worker._reader import Reader
from landbridge.worker._trouble import Trouble
from landbridge.worker._windows import Watcher, Windows

SWEEP = timedelta(seconds=2)
"""How often everything is looked at without having been told: what a crash left, what became due."""

Feed = tuple[str, str]


class Worker:
    """Drains inboxes and outboxes of every flow whose `realtime` is `host`, until it is stopped.

    Safe beside any number of others and beside Airflow's runs: a feed is processed under its lock, and a lane is
    delivered under its lease. `watchers` are told every window that was recorded, `bell` every flow with
    `realtime: dag` that has news.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        host: str = "worker",
        listener: Listener | None = None,
        watchers: Sequence[Watcher] = (),
        bell: Callable[[str], None] | None = None,
    ) -> None:
        self.engine = engine
        self._parts = engine.parts
        self._host = host
        self._listener = listener or Listener(engine.parts.store)
        self._stopping = threading.Event()
        self.windows = Windows(engine.parts, watchers=watchers)
        self._mine = {n for n, flow in self._parts.flows.items() if flow.live and flow.realtime == host}
        self._feeds: dict[int, Feed] = {}
        self._bell = bell
        self._rung: dict[Feed, list[str]] = {}
        for name, flow in self._parts.flows.items() if bell is not None else ():
            if flow.live and flow.realtime == "dag":
                self._rung.setdefault(flow.feed, []).append(name)
        feeds = sorted({self._parts.flows[name].feed for name in self._mine})
        targets = sorted({route.to for name in self._mine for route in self._parts.flows[name].deliver})
        self._reached = {feed: self._targets(feed) for feed in feeds}
        self._trouble = Trouble()
        self._process: Hand[Feed] = Hand("process", self._take, trouble=self._trouble)
        self._readers = {
            system: Reader(
                engine, [f for f in feeds if f[0] == system], self._process.ask, self.stopping, self._trouble
            )
            for system in sorted({system for system, _ in feeds})
        }
        self._deliverers = {
            to: Deliverer(
                engine,
                to,
                self._mine,
                self.windows.count,
                self.stopping,
                self._readers[to].expect if to in self._readers else lambda: None,
                self._trouble,
            )
            for to in targets
        }

    @property
    def flows(self) -> set[str]:
        """The flows it works for."""
        return set(self._mine)

    def stop(self) -> None:
        """Finish what is under way, then end; safe from a signal handler."""
        self._stopping.set()

    def stopping(self) -> bool:
        """Whether no further batch is to be begun."""
        return self._stopping.is_set()

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Work until `stop`, or until `until` says so; then everything that was begun is finished and recorded."""
        self._appear()
        hands = [self._process, *(one.hand for one in self._readers.values())]
        hands += [one.hand for one in self._deliverers.values()]
        for hand in hands:
            hand.start()
        try:
            while not (self._stopping.is_set() or (until is not None and until())):
                self._turn()
        finally:
            self._stopping.set()
            for hand in hands:
                hand.stop()
            for hand in hands:
                hand.join()
            self._leave()

    def drain(self) -> None:
        """One turn over everything, without waiting for news, in this thread."""
        self._know_feeds()
        for reader in self._readers.values():
            reader.fetch(reader.feeds)
        for feed in self._reached:
            for flow in self.engine.flows_of(*feed):
                self.windows.count(flow, self.engine.process(*feed))
        for deliverer in self._deliverers.values():
            deliverer.deliver()
        self.windows.close_old(every=True)

    # -- listening ---------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        try:
            if not self._feeds or self._trouble.store.is_away:
                self._know_feeds()
            news = self._listener.wait(LONGEST_REST)
            self._trouble.store.back()
            if news is None:
                self._sweep()
            else:
                self._told(news)
            self.windows.close_old()
            self._trouble.over("worker")
        except Exception as error:  # noqa: BLE001 - the store went away, or a fault of ours: the loop must outlive both
            self._stopping.wait(self._trouble.met("worker", error))

    def _told(self, news: dict[int, bool]) -> None:
        for number, keys in news.items():
            feed = self._feeds.get(number)
            if feed is None:
                continue
            for flow in self._rung.get(feed, ()):
                assert self._bell is not None
                self._bell(flow)
            if feed not in self._reached:
                continue
            if keys:
                self._readers[feed[0]].hand.ask(feed)
            self._process.ask(feed)

    def _sweep(self) -> None:
        """Something may have been missed."""
        for reader in self._readers.values():
            reader.hand.ask(*reader.feeds)
        self._process.ask(*self._reached)
        for deliverer in self._deliverers.values():
            deliverer.hand.ask(SWEPT)

    # -- processing --------------------------------------------------------------------------------------------------

    def _take(self, feeds: Iterable[Feed]) -> None:
        """A batch of each of these feeds; one that has more, or that another worker is at, is come back to."""
        for feed in sorted(feeds):
            try:
                counts, more = self.engine.process_some(*feed)
            except LandbridgeError as error:  # such as a mapping that is not there: the other feeds go on
                self._trouble.met(f"process {feed[0]} {feed[1]}", error, system=feed[0], entity=feed[1])
                continue
            self._trouble.over(f"process {feed[0]} {feed[1]}")
            for flow in self.engine.flows_of(*feed):
                self.windows.count(flow, counts)
            if counts:
                for target in self._reached[feed]:
                    self._deliverers[target].hand.ask(feed)
            if more:
                self._process.ask(feed)
                if not counts:
                    self._stopping.wait(0.01)

    # -- what there is -----------------------------------------------------------------------------------------------

    def _targets(self, feed: Feed) -> list[str]:
        flows = [self._parts.flows[name] for name in self._mine if self._parts.flows[name].feed == feed]
        return sorted({route.to for flow in flows for route in flow.deliver})

    def _know_feeds(self) -> None:
        with self._parts.store.transaction("feeds") as connection:
            self._feeds = {inbox.feed(connection, *feed)[0]: feed for feed in sorted({*self._reached, *self._rung})}

    def _appear(self) -> None:
        if self._parts.presence is None:
            self._parts.presence = Presence(self._parts.store)

    def _leave(self) -> None:
        try:
            self.windows.close_old(every=True)
        finally:
            self._listener.close()
            if self._parts.presence is not None:
                self._parts.presence.close()
