"""A dry run: a flow's messages go through every step up to the write, in transactions that are rolled back.

Nothing is decided here. Messages are received, processed and planned by the code that runs for real, and what it
decided is counted; the store is rolled back after every page, so that memory stays constant and no lock lasts.
A record that changed several times within a page counts once, by its last change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.engine._deliver import Deliver
from landbridge.engine._engine import Engine
from landbridge.engine._extract import extract, incoming_of, receive
from landbridge.engine._parts import Parts
from landbridge.engine._plan import Plan
from landbridge.engine._process import Process, Subscription
from landbridge.errors import LandbridgeError
from landbridge.store import Store, control, inbox, operate
from landbridge.store._outbox import Claimed, Recorded
from landbridge.store._sheltered import sheltered

_MADE = {"create": "created", "update": "updated", "delete": "deleted"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a target record: what we delivered last, and what would be written."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Example:
    """What would happen to one record on one route, with its differences or the reason."""

    what: str
    route: str
    key: str
    system: str
    entity: str
    target_id: str | None = None
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    canonical: dict[str, Any] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)
    """Our part of the whole target record as it would stand then: header, and lines by our keys."""


@dataclass(slots=True)
class Preview:
    """Counts over all records, and the first examples of each kind."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    refused: str = ""
    per_kind: int = 5
    _kept: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, example: Callable[[], Example] | None = None) -> None:
        """Count one record on one route; its example is only made while there are few of its kind."""
        self.counts[what] += 1
        if example is not None and self._kept[what] < self.per_kind:
            self._kept[what] += 1
            self.examples.append(example())


def preview(
    engine: Engine,
    name: str,
    *,
    since: str | None = None,
    limit: int | None = None,
    examples: int = 5,
    progress: Callable[[str, int], None] | None = None,
) -> Preview:
    """What `run` with the same arguments would do; nothing is kept here or written to any system."""
    return _Previewer(engine, name, examples, progress).run(since, limit)


def preview_rows(engine: Engine, ids: Sequence[int], *, examples: int = 20) -> Preview:
    """What a replay of these rows would do."""
    with sheltered(engine.parts.store) as store, store.transaction("preview") as connection:
        rows = [row for row in (operate.row(connection, id_) for id_ in ids) if row is not None]
        control.unprocess(connection, ids)
        control.replay(connection, ids, engine.parts.clock.now())
        found = Preview(per_kind=examples)
        for flow in dict.fromkeys(row.flow for row in rows):
            previewer = _Previewer(engine, flow, examples, None, found)
            messages = [row.message_id for row in rows if row.flow == flow]
            previewer.again(store, messages, {row.trace for row in rows if row.flow == flow and row.trace})
    return found


class _Previewer:
    def __init__(
        self,
        engine: Engine,
        name: str,
        examples: int,
        progress: Callable[[str, int], None] | None,
        found: Preview | None = None,
    ) -> None:
        self.engine = engine
        self.parts = engine.parts
        self.flow = engine.parts.flows[name]
        self.system, self.entity = self.flow.feed
        self.subscriptions = engine.taking(name)
        self.found = found or Preview(per_kind=examples)
        self.progress = progress
        if not self.subscriptions:
            raise LandbridgeError(f"{name} is not enabled.", hint="Set `enabled: true` in its file.")

    def run(self, since: str | None, limit: int | None) -> Preview:
        """Read the feed as a run would, page by page, and leave no trace at its source."""
        with self.parts.systems[self.system].only_looking():
            return self._run(since, limit)

    def _run(self, since: str | None, limit: int | None) -> Preview:
        source = self.parts.systems[self.system]
        with sheltered(self.parts.store) as store:
            self._hold_to_bindings(store)
            with store.reading() as connection:
                _, cursor = inbox.feed(connection, self.system, self.entity)
        if source.entity(self.entity).snapshot:
            self._snapshot()
            return self.found
        with sheltered(self.parts.store) as store:
            self._drain(store, None)  # what a run would find in the inbox already
        for page in source.read(self.entity, since or cursor, limit=limit):
            self._page(page.rows)
            if limit is not None and self.found.counts["read"] >= limit:
                break
        return self.found

    def _hold_to_bindings(self, store: Store) -> None:
        shadow = Engine(replace(self.parts, store=store))
        for system in (self.system, *(route.to for route in self.flow.deliver)):
            shadow.bind(system)

    def _page(self, rows: Sequence[Any]) -> None:
        incoming = incoming_of(self.parts, rows)
        with sheltered(self.parts.store) as store:
            with store.transaction("extract") as connection:
                feed_id, _ = inbox.feed(connection, self.system, self.entity)
                new = receive(connection, feed_id, incoming, self.parts.clock.now())
            self._read(len(incoming), new)
            if new:
                self._drain(store, [row.trace for row in incoming])

    def _snapshot(self) -> None:
        with sheltered(self.parts.store) as store:
            extracted = extract(replace(self.parts, store=store), self.system, self.entity)
            self.found.refused = extracted.refused
            self._read(extracted.read, extracted.new)
            self._drain(store, None)

    def _read(self, read: int, new: int) -> None:
        self.found.counts["read"] += read
        self.found.counts["new"] += new
        if self.progress:
            self.progress("preview", read)

    def again(self, store: Store, messages: Sequence[int], traces: Iterable[UUID]) -> None:
        """Judge messages that were received before and are to be replayed."""
        self._drain(store, list(traces), judge=False)
        with store.transaction("preview") as connection:
            self._judge(replace(self.parts, store=store), connection, messages)

    def _drain(self, store: Store, traces: list[UUID] | None, *, judge: bool = True) -> None:
        parts = replace(self.parts, store=store)
        process = Process(parts, self.system, self.entity, self.subscriptions)
        with store.transaction("preview") as connection:
            feed_id, _ = inbox.feed(connection, self.system, self.entity)
            while received := operate.waiting(connection, feed_id, parts.batch, traces):
                process.work(connection, received)
                if judge:
                    self._judge(parts, connection, [message.id for message in received])

    def _judge(self, parts: Parts, connection: Connection, messages: Sequence[int]) -> None:
        ours = {one.id: one for one in self.subscriptions}
        rows = [row for row in operate.outgoing(connection, messages) if row.route_id in ours]
        for row in rows:
            if row.done_at is not None:
                self._settled(row)
        targets: dict[tuple[str, str], list[Subscription]] = {}
        for one in self.subscriptions if self.flow.deliver else ():
            targets.setdefault((one.route.to, one.route.entity), []).append(one)
        for (system, entity), subscriptions in targets.items():
            claimed = operate.planned(connection, [one.id for one in subscriptions], messages)
            last = {(row.route_id, row.subject): row for row in claimed}
            self.found.counts["superseded"] += len(claimed) - len(last)
            self._plan(
                parts, connection, Deliver(parts, system, entity, subscriptions, self.engine.peers(system)), last
            )

    def _settled(self, row: Any) -> None:
        """A row that processing itself settled: quarantined with its reasons, or suppressed."""
        if row.state == "quarantined":
            self.found.add(
                "quarantined",
                lambda: Example("quarantined", row.route, row.source_key, row.system, row.entity, reason=row.reason),
            )
        else:
            self.found.add(row.state)

    def _plan(self, parts: Parts, connection: Connection, step: Deliver, last: dict[Any, Claimed]) -> None:
        rows = list(last.values())
        target = parts.systems[step.system]
        settle = step.settle(target)
        settled, plans = step.plan(target, rows, step.holdings(connection, rows), settle)
        by_id = {row.id: row for row in rows}
        routes = {one.id: one.flow.route_key(one.route) for one in step.subscriptions}
        for recorded in settled:
            row = by_id[recorded.id]
            self._without_write(recorded, row, routes[row.route_id], step)
        for plan in plans:
            what = "conflict" if plan.breaches else _MADE[plan.action]
            self.found.add(what, lambda plan=plan, what=what: _example(plan, what, step))  # type: ignore[misc]  # bound early

    def _without_write(self, recorded: Recorded, row: Claimed, route: str, step: Deliver) -> None:
        what = "unchanged" if recorded.code == "unchanged" else recorded.state
        if recorded.state == "ready":
            what = recorded.code or "unavailable"  # the target could not be asked
        if what in ("unchanged", "suppressed"):
            self.found.add(what)
            return
        reason = recorded.reason or ""
        if recorded.waits_for is not None:
            with step.parts.store.reading() as connection:
                names = [f"{one.system} {one.entity} {one.id}" for one in control.names(connection, recorded.waits_for)]
            reason = f"waits until {' / '.join(names) or recorded.waits_for} is in {step.system}"
        self.found.add(
            what, lambda: Example(what, route, row.source_key, step.system, step.entity, row.target_id, reason=reason)
        )


def _example(plan: Plan, what: str, step: Deliver) -> Example:
    reason = "; ".join(f"{b.message} hint: {b.hint}" for b in plan.breaches)
    return Example(
        what,
        plan.subscription.flow.route_key(plan.subscription.route),
        plan.row.source_key,
        step.system,
        step.entity,
        plan.target_id,
        tuple(differences(plan)),
        reason,
        plan.canonical,
        plan.content,
    )


def differences(plan: Plan) -> list[Difference]:
    """The fields that would be written other than they were delivered last; all of them for a new record."""
    before = plan.shadow.content if plan.shadow is not None else {}
    found = _differ("", before.get("header") or {}, plan.header)
    old_lines: dict[str, Any] = before.get("lines") or {}
    for key in dict.fromkeys([*plan.lines, *old_lines]):
        found += _differ(f"line {key}: ", old_lines.get(key) or {}, plan.lines.get(key) or {})
    return found


def _differ(prefix: str, before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    names = dict.fromkeys([*after, *before]) if prefix else dict.fromkeys(after)
    return [
        Difference(f"{prefix}{name}", before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]
