"""The engine: the seven steps over feeds and routes, called by a DAG task, a worker or a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from landbridge.engine._breaker import Breaker
from landbridge.engine._deliver import Deliver
from landbridge.engine._extract import Extracted, extract
from landbridge.engine._overlap import Overlap
from landbridge.engine._parts import Parts
from landbridge.engine._process import Process, Subscription
from landbridge.engine._told import fetch_told
from landbridge.errors import Denied, Failure
from landbridge.settings import Flow
from landbridge.store import Presence, breakers, control, inbox, outbox, routes

Progress = Callable[[str, int], None]
"""Told the step's word and how many messages it moved, as it moves them."""


@dataclass(slots=True)
class RunResult:
    """What one run of a flow did, in messages."""

    run: UUID
    flow: str
    counts: Counter[str] = field(default_factory=Counter)
    refused: str = ""

    @property
    def written(self) -> int:
        """Records created, updated or deleted in targets."""
        return self.counts["created"] + self.counts["updated"] + self.counts["deleted"]


class Engine:
    """Runs flows. Every method can be called from any number of processes at once."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._subscriptions: dict[tuple[str, str], list[Subscription]] = {}
        self._peers: dict[str, list[int]] = {}
        self._bound: set[str] = set()

    def register(self) -> None:
        """Make the feeds and routes of the configuration known to the store."""
        with self.parts.store.transaction("register") as connection:
            for flow in self.parts.flows.values():
                feed_id, _ = inbox.feed(connection, *flow.feed)
                for name, route in flow.taken.items():
                    routes.add(connection, flow.flow, name, feed_id, route.to, route.entity)
            if self.parts.whole:
                configured = [(flow.flow, name) for flow in self.parts.flows.values() for name in flow.taken]
                routes.retire_others(connection, configured)
            known = {(row.flow, row.name): row for row in routes.known(connection)}
        self._subscriptions, self._peers = {}, {}
        for flow in self.parts.flows.values():
            for name, route in flow.taken.items():
                row = known[flow.flow, name]
                if flow.enabled:
                    self._subscriptions.setdefault(flow.feed, []).append(Subscription(row.id, flow, route))
        for row in known.values():
            if row.retired:
                continue  # what is left of a flow that was deleted holds up no lane
            self._peers.setdefault(row.system, []).append(row.id)

    def bind(self, system: str) -> None:
        """Hold the store to its systems: `Denied` if another organisation answers than at first contact."""
        if system in self._bound:
            return
        answers = self.parts.systems[system].check().organisation
        with self.parts.store.transaction("bind") as connection:
            bound = control.bind(connection, system, answers, self.parts.clock.now())
        if bound != answers:
            raise Denied(
                f"{system} answers as {answers}, this store is bound to {bound}.",
                hint=f"landbridge rebind {system}",
                sent=False,
            )
        self._bound.add(system)

    def taking(self, flow: str) -> list[Subscription]:
        """Who takes what one flow brings: its routes as their feed sees them, or the hub; none if it is not enabled."""
        return [s for subscribed in self._subscriptions.values() for s in subscribed if s.flow.flow == flow]

    def subscriptions(self, flow: str) -> list[Subscription]:
        """The routes of one flow to systems, as their feed sees them; none if the flow is not enabled."""
        return [one for one in self.taking(flow) if one.flow.deliver]

    def peers(self, system: str) -> list[int]:
        """Every route to a system: rows of one lane on any of them go in order."""
        return self._peers.get(system, [])

    # -- single steps --------------------------------------------------------------------------------------------------

    def extract(
        self,
        flow: Flow,
        *,
        since: str | None = None,
        limit: int | None = None,
        page: Callable[[Extracted], None] | None = None,
    ) -> Extracted:
        """Step 1 for the feed of a flow; `page` is told the counts so far after every page."""
        self.bind(flow.extract.source)
        self.fetch_told(*flow.feed)
        return extract(self.parts, *flow.feed, since=since, limit=limit, page=page)

    def fetch_told(self, system: str, entity: str) -> int:
        """Read the records that webhooks named by their keys alone; how many were new in the inbox."""
        return fetch_told(self.parts, system, entity, self.bind)

    @property
    def feeds(self) -> list[tuple[str, str]]:
        """Every feed that an enabled flow subscribes to."""
        return list(self._subscriptions)

    def flows_of(self, system: str, entity: str) -> set[str]:
        """The enabled flows that subscribe to a feed."""
        return {one.flow.flow for one in self._subscriptions.get((system, entity), ())}

    def step(self, system: str, entity: str) -> Process:
        """Steps 2 to 4 of one feed, for every enabled flow that subscribes to it."""
        return Process(self.parts, system, entity, self._subscriptions.get((system, entity), []))

    def process_some(self, system: str, entity: str) -> tuple[Counter[str], bool]:
        """One batch of `process`: what it counted, and whether to come back; so it is while another worker is at it."""
        step = self.step(system, entity)
        moved = step.batch()
        return step.counts, step.elsewhere or moved >= step.size

    def process(self, system: str, entity: str, progress: Progress | None = None) -> Counter[str]:
        """Steps 2 to 4 for everything that waits in a feed's inbox."""
        step = self.step(system, entity)
        while moved := step.batch():
            if progress:
                progress("resolve", moved)
        return step.counts

    def deliver(
        self,
        flows: set[str] | None = None,
        progress: Progress | None = None,
        *,
        to: str | None = None,
        going: Callable[[], bool] = lambda: True,
        sweep: bool = True,
    ) -> dict[str, Counter[str]]:
        """Steps 5 to 7 for everything that is due on the routes of these flows (None: all); counts by flow.

        `to` delivers to one system alone; once `going` says no, no further batch is begun. Without `sweep` nobody looks
        for what waited or was left behind: for a worker that was told what is new, and sweeps every other second.
        """
        counts: dict[str, Counter[str]] = {}
        if sweep:
            self._wake(to)
        moved = 1
        while moved and going():
            moved = 0
            deliveries = self._deliveries(flows, to)
            for step in deliveries:
                step.swept = None if sweep else self.parts.clock.now()
                while going() and not step.counts["denied"] and (claimed := step.batch()):  # who denies is asked once
                    moved += claimed
                    if progress:
                        progress("deliver", claimed)
                for flow, counted in step.by_flow.items():
                    counts.setdefault(flow, Counter()).update(counted)
            for step in deliveries:
                if step.breaker is not None:
                    step.breaker.leave()
            if len(deliveries) == 1:
                break  # nothing here can have waited for anything else here
        return counts

    def _wake(self, to: str | None = None) -> None:
        """Once per call, so that a row which goes on waiting for another reason is not asked for ever."""
        routes = [s.id for subs in self._subscriptions.values() for s in subs if to is None or s.route.to == to]
        with self.parts.store.transaction("wake") as connection:
            outbox.wake_arrived(connection, routes, self.parts.clock.now())

    def _deliveries(self, flows: set[str] | None, to: str | None = None) -> list[Deliver]:
        with self.parts.store.asking() as connection:
            stops = breakers.stops(connection)
        targets: dict[tuple[str, str], list[Subscription]] = {}
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                name = subscription.flow.flow
                if not subscription.flow.deliver:
                    continue  # the hub took it when it was processed
                if to is not None and subscription.route.to != to:
                    continue
                if subscription.flow.route_key(subscription.route) in stops.routes:
                    continue
                if name not in stops.flows and (flows is None or name in flows):
                    key = (subscription.route.to, subscription.route.entity)
                    targets.setdefault(key, []).append(subscription)
        standing = {system: Breaker(self.parts, system, stops.breakers.get(system)) for system, _ in targets}
        return [
            Deliver(self.parts, s, e, subs, self._peers[s], breaker=standing[s], bind=self.bind)
            for (s, e), subs in targets.items()
        ]

    def breaker(self, system: str) -> Breaker:
        """How a system's breaker stands now."""
        with self.parts.store.reading() as connection:
            return Breaker(self.parts, system, breakers.standing(connection).get(system))

    # -- a whole run ---------------------------------------------------------------------------------------------------

    def run(
        self,
        name: str,
        *,
        trigger: str = "person",
        since: str | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> RunResult:
        """Run one flow until nothing of it is due: extract, then process and deliver; idempotent.

        A run whose systems cannot be reached fails and can be repeated; what it had received stays in the inbox.
        """
        flow = self.parts.flows[name]
        result = RunResult(self.parts.ids(), name)
        parameters = {"since": since, "limit": limit}
        with closing(Presence(self.parts.store)) as presence:  # whoever looks sees that its process is gone, if it goes
            holder = presence.number()
            with self.parts.store.transaction("run") as connection:
                control.begin_run(connection, result.run, name, trigger, parameters, self.parts.clock.now(), holder)
            try:
                self._run(flow, result, since, limit, progress)
            except Exception as error:
                self._end(result, "failed", str(error) or type(error).__name__)
                raise
            self._end(result, "succeeded", result.refused or None)
        return result

    def _run(
        self, flow: Flow, result: RunResult, since: str | None, limit: int | None, progress: Progress | None
    ) -> None:
        for route in flow.deliver:
            self.bind(route.to)
        step = self.step(*flow.feed)
        overlap = Overlap(
            lambda page: self.extract(flow, since=since, limit=limit, page=page),
            step,
            lambda: self._deliver(flow, result, progress),
            step.size,
        )
        try:
            extracted = overlap.run(progress or _silent)
        except Failure:
            self._deliver(flow, result, progress)  # what came before the failure shall not wait for the next run
            raise
        result.counts["read"] += extracted.read
        result.counts["new"] += extracted.new
        result.refused = extracted.refused
        if progress:
            progress("extract", extracted.read)
        result.counts["quarantined"] += step.counts["quarantined"]
        result.counts["suppressed"] += step.counts["suppressed"]
        self._deliver(flow, result, progress)

    def _deliver(self, flow: Flow, result: RunResult, progress: Progress | None) -> None:
        for counted in self.deliver({flow.flow}, progress).values():
            result.counts.update(counted)

    def _end(self, result: RunResult, state: str, error: str | None) -> None:
        with self.parts.store.transaction("run") as connection:
            counts = dict(result.counts)
            control.end_run(connection, result.run, state, counts, error, self.parts.clock.now())

    # -- what a person asks --------------------------------------------------------------------------------------------

    def accounting(self) -> list[Any]:
        """Messages in, and where each stands, per route; see `store.control.accounting`."""
        with self.parts.store.reading() as connection:
            return control.accounting(connection)


def _silent(step: str, moved: int) -> None:
    """The progress of a run that nobody watches."""
