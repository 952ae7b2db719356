"""Steps 5 to 7, translate, deliver, record: claimed rows go to one target, and what became of them is kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge import seam
from landbridge.connector import Connector, Delivered, Entity, Found, Outcome
from landbridge.engine._conditions import holds
from landbridge.engine._faults import fault
from landbridge.engine._parts import Parts
from landbridge.engine._plan import GONE, Plan, reference_of, translate
from landbridge.engine._process import Subscription
from landbridge.engine._refs import subjects
from landbridge.engine._rules import breaches, cancellations
from landbridge.engine._settle import Settle
from landbridge.errors import Denied, Failure, Invalid, OutcomeUnknown, Unavailable
from landbridge.net import traced
from landbridge.store import identity, operate, outbox
from landbridge.store._identity import Link
from landbridge.store._outbox import Claimed, Recorded
from landbridge.translator import Context, MissingParent

MANY = 10_000
"""The most rows that are claimed at once for a target that takes any number in one call."""

SWEEP = timedelta(seconds=10)
"""How often leases and waits that ended are looked for: that reads every open row, so a batch is too often."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a batch refers to by row, and the links and shadows of all of it in the target."""

    refers: Mapping[int, list[tuple[str, UUID]]]
    links: dict[UUID, Link]
    own: dict[UUID, Link]  # of the rows themselves, as this entity: one subject may stand in a target as several
    shadows: dict[tuple[str, str], outbox.Shadow]


@dataclass(slots=True)
class Deliver:
    """Delivers what is due on the routes to one (system, entity)."""

    parts: Parts
    system: str
    entity: str
    subscriptions: Sequence[Subscription]
    peers: Sequence[int]
    counts: Counter[str] = field(default_factory=Counter)
    by_flow: dict[str, Counter[str]] = field(default_factory=dict)
    swept: datetime | None = None  # when leases and waits that ended were looked for
    until: datetime | None = None  # the end of the lease on the batch at hand
    holder: int | None = None  # under which number we hold it

    def batch(self, only: Sequence[int] | None = None) -> int:
        """Claim what is due (or these rows alone), deliver and record it; returns how many rows were claimed."""
        now = self.parts.clock.now()
        self.until = now + self.parts.lease
        self.holder = self.parts.presence.number() if self.parts.presence is not None else None
        routes = [s.id for s in self.subscriptions]
        target = self.parts.systems[self.system]
        with self.parts.store.transaction("claim") as connection:
            if self.swept is None or now - self.swept >= SWEEP:
                outbox.take_over(connection, routes, now, self._settle_after_death(target))
                outbox.expire_waiting(connection, routes, now)
                self.swept = now
            if only is None:
                size, lease = self._size(target), self.parts.lease
                rows = outbox.claim(connection, routes, self.peers, size, now, lease, self.holder)
            else:
                rows = operate.claim(connection, only, routes, self.peers, now, self.parts.lease)
            held = self.holdings(connection, rows)
            if rows:
                self.parts.up_to_date(connection)
        if rows:
            self._go(target, rows, held)
        return len(rows)

    def holdings(self, connection: Connection, rows: Sequence[Claimed]) -> Holdings:
        """What the rows refer to, and what the target holds of that and of them."""
        places = {s.id: self.parts.places(s.flow.entity) for s in self.subscriptions}
        refers = {row.id: subjects(row.body, places.get(row.route_id)) for row in rows}
        known = self.parts.parents.of(self.system, self.parts.clock.now())
        needed = _needed(refers)
        found = identity.links(connection, self.system, needed - known.keys())
        links = found | {subject: known[subject] for subject in needed & known.keys()}
        known.update({subject: link for subject, link in found.items() if not link.lines})
        own = identity.links(connection, self.system, {row.subject for row in rows}, self.entity)
        wanted = {(link.scope, link.id) for link in own.values()}
        return Holdings(refers, own | links, own, outbox.shadows(connection, self.system, self.entity, wanted))

    def plan(
        self, target: Connector[Any], rows: Sequence[Claimed], held: Holdings, settle: Settle
    ) -> tuple[list[Recorded], list[Plan]]:
        """What is settled without a write, and the plans of what is to be written; nothing is kept or written here."""
        by_route = {s.id: s for s in self.subscriptions}
        links = held.links
        settled: list[Recorded] = []
        plans: list[Plan] = []
        for row in rows:
            link = held.own.get(row.subject)
            shadow = held.shadows.get((link.scope, link.id)) if link is not None else None
            if shadow is not None and shadow.content.get(GONE):
                shadow = None  # deleted there: what comes again is written whole
            plan = Plan(row, by_route[row.route_id], link, shadow, held.refers[row.id])
            done = self._prepare(target, plan, links, settle)
            if done is None:
                plans.append(plan)
            else:
                settled.append(done)
        settled += self._hold_to_rules(target, plans, settle)
        over = {recorded.id for recorded in settled}
        return settled, [plan for plan in plans if plan.row.id not in over]

    def settle(self, target: Connector[Any]) -> Settle:
        """What settles and counts the rows of one batch."""
        return Settle(self.parts, self.system, self.entity, self._settle_time(target), self.counts, self.by_flow)

    def _go(self, target: Connector[Any], rows: Sequence[Claimed], held: Holdings) -> None:
        settle = self.settle(target)
        settled, plans = self.plan(target, rows, held, settle)
        if settled:
            self._record(settled)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="record") as pool:
            # One call's outcomes are recorded while the next call is made; all are before the next claim.
            recordings = [pool.submit(self._record, recorded) for recorded in self._write(target, plans, settle)]
            for recording in recordings:
                recording.result()

    # -- translate ---------------------------------------------------------------------------------------------------

    def _prepare(self, target: Connector[Any], plan: Plan, links: dict[UUID, Link], settle: Settle) -> Recorded | None:
        """Translate one row; what it is settled as if nothing is to be written."""
        row = plan.row
        if plan.link is not None and (plan.link.delivered_version or 0) > row.version:
            return settle.suppressed(plan, "stale")
        if row.was == "unknown" or self._half_made(target, plan):
            done = self._ask(target, plan, settle)
            if done is not None:
                return done
        if row.was == "unknown" and (exhausted := settle.exhausted(plan)):
            return exhausted
        if row.action == "delete":
            return self._prepare_delete(plan, settle)
        if plan.link is None and row.body is not None and not holds(row.body, plan.subscription.route.when):
            return settle.suppressed(plan, "not_meant")  # what the target has already, it is told in any case
        if plan.link is None and not plan.subscription.route.create:
            return settle.suppressed(plan, "not_in_target")
        try:
            source = plan.subscription.flow.extract.source
            rules = self.parts.ownership.entity(plan.subscription.flow.extract.entity)
            mapping = self.parts.mappings[self.system, self.entity]
            translate(plan, target, mapping, rules, source, links, self.parts.clock.now())
        except MissingParent as error:
            return settle.waiting(plan, error)
        except Invalid as error:
            return settle.failed(plan, error)
        except Exception as error:  # noqa: BLE001 - a fault in one record's mapping must not stop the others
            return settle.failed(plan, fault("translate", error))
        if plan.link is None and plan.gone and not plan.lines:
            return settle.suppressed(plan, "cancelled_before_delivery")
        if plan.unchanged:
            return settle.suppressed(plan, "unchanged")
        return None

    def _prepare_delete(self, plan: Plan, settle: Settle) -> Recorded | None:
        if plan.target_id is None:
            return settle.suppressed(plan, "never_delivered")
        connector = self.parts.connector_of.get(self.system, self.system)
        rules = self.parts.ownership.entity(plan.subscription.flow.extract.entity)
        plan.policy = plan.subscription.route.on_delete
        if plan.policy == "ignore":
            plan.policy = rules.on("deleted", self.system, connector) or "ignore"
        if plan.shadow is not None:
            plan.header = dict(plan.shadow.content.get("header") or {})
        plan.numbers = dict(plan.link.lines) if plan.link is not None else {}
        plan.expected = plan.link.target_version if plan.link is not None else None
        return settle.suppressed(plan, "delete_ignored") if plan.policy == "ignore" else None

    # -- the unknown outcome -----------------------------------------------------------------------------------------

    def _half_made(self, target: Connector[Any], plan: Plan) -> bool:
        """True where an earlier row made a document and did not get through its stages: its lines are not known."""
        link = plan.link
        fresh = plan.row.stage is None and plan.row.action == "upsert"
        made = link is not None and link.linked_by == "delivery" and link.delivered_version is None
        return fresh and made and target.entity(self.entity).lines is not None

    def _ask(self, target: Connector[Any], plan: Plan, settle: Settle) -> Recorded | None:
        """The settle time is over: what stands under our reference decides whether to write again.

        Where repeating the write is one effect by itself (grades A and B), it is simply repeated.
        """
        declared = target.entity(self.entity)
        grade = declared.create if plan.link is None else declared.update
        if grade in ("A", "B") and (plan.link is None or declared.lines is None):
            return None
        try:
            found = target.find(self.entity, reference_of(plan.row.subject))
        except Failure as failure:
            return settle.still_unknown(plan, failure)
        if found is None:
            return None
        if plan.link is None:
            link = Link(plan.row.subject, "", found.target_id, dict(found.lines), None, found.version, "delivery")
            if plan.row.stage is None and plan.row.action == "upsert" and not declared.stages:
                return self._found(target, plan, found, link, settle)
            plan.link = link  # what its stages would still have done, an update of the whole record does
        else:
            plan.link.lines |= dict(found.lines)
            plan.link.target_version = found.version or plan.link.target_version
        return None

    def _found(self, target: Connector[Any], plan: Plan, found: Found, link: Link, settle: Settle) -> Recorded | None:
        """Our create stands: only this row, the head of its lane, can have made it."""
        with self.parts.store.reading() as connection:
            links = identity.links(connection, self.system, _needed({plan.row.id: plan.refers}))
        source = plan.subscription.flow.extract.source
        rules = self.parts.ownership.entity(plan.subscription.flow.extract.entity)
        mapping = self.parts.mappings[self.system, self.entity]
        try:
            translate(plan, target, mapping, rules, source, links, self.parts.clock.now())
        except (MissingParent, Invalid) as error:
            return settle.failed(plan, error if isinstance(error, Invalid) else Unavailable(str(error)))
        missing = plan.lines.keys() - dict(found.lines).keys()
        if missing and plan.lines:
            plan.link = link  # half a document stands: go on as an update that adds the missing lines
            plan.numbers = dict(found.lines)
            plan.expected = found.version
            return None
        outcome = Delivered(found.target_id, found.version, created=True, lines=found.lines, returned=found.returned)
        return settle.recorded(plan, outcome, None)

    # -- change rules ------------------------------------------------------------------------------------------------

    def _hold_to_rules(self, target: Connector[Any], plans: Sequence[Plan], settle: Settle) -> list[Recorded]:
        """Read the records that are about to change: their version, and the limits that ownership sets."""
        rules = self.parts.ownership.entity(self.entity)
        wanted = [
            p
            for p in plans
            if p.link is not None
            and p.row.action == "upsert"
            and (rules.limits or p.link.target_version is not None or (p.link.origin and p.lines))
        ]
        if not wanted:
            return []
        try:
            current = {row.key: row for row in target.fetch(self.entity, [p.target_id or "" for p in wanted])}
        except Failure as failure:
            unsent = Unavailable(failure.message, hint=failure.hint, sent=False)
            return [settle.failed(plan, failure if failure.code == "denied" else unsent) for plan in wanted]
        settled = []
        for plan in wanted:
            row = current.get(plan.target_id or "")
            if row is None or row.body is None:
                continue
            plan.expected = row.version or plan.expected
            if rules.limits or (plan.link is not None and plan.link.origin and plan.lines):
                self._limit(target, plan, row.body)
            if plan.breaches and plan.unchanged:
                settled.append(settle.conflict(plan))
        return settled

    def _limit(self, target: Connector[Any], plan: Plan, native: dict[str, Any]) -> None:
        limits = self.parts.ownership.entity(self.entity).limits
        mapping = self.parts.mappings[self.system, self.entity]
        try:
            theirs = mapping.read(native, Context(system=self.system, now=self.parts.clock.now()))
        except Invalid:
            return  # the target holds something our mapping cannot read: its own rules decide
        if plan.link is not None and plan.link.origin:
            # The document is the target's own: a line that it deleted meanwhile is not there to be told anything.
            standing = {str(line.get("line_key")) for line in theirs.get("lines") or ()}
            plan.lines = {key: line for key, line in plan.lines.items() if key in standing}
            return
        numbers = {number: key for key, number in plan.numbers.items()}
        for line in theirs.get("lines") or ():
            line["line_key"] = numbers.get(str(line["line_key"]), f"{self.system}:{line['line_key']}")
        names = {"source": plan.subscription.flow.extract.source, "target": self.system}
        found = breaches(plan.canonical, theirs, limits, **names)
        shadow_lines: dict[str, Any] = (plan.shadow.content.get("lines") or {}) if plan.shadow is not None else {}
        gone = [key for key in plan.numbers if key not in plan.lines]
        found += cancellations(theirs, gone, limits, **names)
        for breach in found:
            if breach.line_key in shadow_lines:
                plan.lines[breach.line_key] = shadow_lines[breach.line_key]
            else:
                plan.lines.pop(breach.line_key, None)
        plan.breaches = [breach for breach in found if breach.conflict]

    # -- deliver -----------------------------------------------------------------------------------------------------

    def _write(self, target: Connector[Any], plans: Sequence[Plan], settle: Settle) -> Iterator[list[Recorded]]:
        chunks = list(_calls(plans, target.entity(self.entity)))
        workers = min(len(chunks), self.parts.concurrency.get(self.system, 1))
        if workers <= 1:
            for chunk in chunks:
                yield self._call(target, chunk, settle)
            return
        with ThreadPoolExecutor(max_workers=workers) as pool:
            yield from pool.map(lambda chunk: self._call(target, chunk, settle), chunks)

    def _call(self, target: Connector[Any], chunk: Sequence[Plan], settle: Settle) -> list[Recorded]:
        declared = target.entity(self.entity)
        if not self._ours():
            return [settle.released(plan) for plan in chunk]  # another worker may be at it by now
        started = time.perf_counter()
        # A call for several messages can carry one trace only: the first one's.
        with seam.only_while(self._ours), traced(_traceparent(chunk[0])):
            outcomes = _outcomes(target, self.entity, [plan.write(declared) for plan in chunk])
        spent = int((time.perf_counter() - started) * 1000)
        return [settle.recorded(plan, outcome, spent) for plan, outcome in zip(chunk, outcomes, strict=True)]

    def _ours(self) -> bool:
        """Whether nobody can have taken the rows at hand over: the lease runs, and we do not count as dead."""
        if self.until is not None and self.parts.clock.now() >= self.until:
            return False
        presence = self.parts.presence
        return presence is None or self.holder is None or presence.stands(self.holder)

    # -- record ------------------------------------------------------------------------------------------------------

    def _record(self, done: Sequence[Recorded]) -> None:
        with self.parts.store.transaction("record", wait=False) as connection:
            ours = outbox.record(connection, done, self.peers, self.parts.clock.now())
            later = [r.id for r in done if r.state == "conflict" or r.code in ("updated", "unchanged")]
            if later:
                outbox.settle_conflicts(connection, later)
        self.counts["fenced"] += len(done) - ours

    def _size(self, target: Connector[Any]) -> int:
        """Rows to claim at once: a few calls' worth, so that a lease outlasts them and a claim is worth its cost.

        For a target that takes any number in one call as many as may be, unless a flow says that they are large.
        """
        declared = target.entity(self.entity)
        calls = 4 * self.parts.concurrency.get(self.system, 1)
        size = self.parts.size(s.flow for s in self.subscriptions)
        if declared.bulk is not None and size >= self.parts.batch:
            return max(MANY, size)
        return min(size, max(calls * declared.batch, 20))

    def _settle_time(self, target: Connector[Any]) -> timedelta:
        declared = target.entity(self.entity).settle
        return max([declared, *(s.flow.unknown.settle for s in self.subscriptions if s.flow.unknown.settle)])

    def _settle_after_death(self, target: Connector[Any]) -> timedelta:
        """None where a key makes a repetition the same effect, even if the first is still under way (grade A).

        With grade B it would be the same effect too, but a first that commits late would overwrite the next version.
        """
        declared = target.entity(self.entity)
        asked = [s.flow.unknown.settle for s in self.subscriptions if s.flow.unknown.settle]
        if declared.create == declared.update == "A":
            return max(asked, default=timedelta(0))
        return self._settle_time(target)


def _traceparent(plan: Plan) -> str:
    """The message's trace as W3C Trace Context sends it on; the span is the outbox row, the same at every attempt."""
    return f"00-{plan.row.trace.hex}-{plan.row.id:016x}-01"


def _calls(plans: Sequence[Plan], declared: Entity) -> Iterator[Sequence[Plan]]:
    """The writes of each call: those that the target holds under one handle together, the others as it takes them."""
    held: dict[str, list[Plan]] = {}
    fresh = []
    for plan in plans:
        if declared.bulk is not None and plan.row.handle is not None:
            held.setdefault(plan.row.handle, []).append(plan)
        else:
            fresh.append(plan)
    yield from held.values()
    size = len(fresh) if declared.bulk is not None and len(fresh) > declared.bulk else declared.batch
    for start in range(0, len(fresh), size):
        yield fresh[start : start + size]


def _needed(refers: Mapping[int, list[tuple[str, UUID]]]) -> set[UUID]:
    return {subject for found in refers.values() for _, subject in found}


def _outcomes(target: Connector[Any], entity: str, writes: list[Any]) -> list[Outcome]:
    """One outcome per write, whatever the connector does: what it raises holds for every write of the call."""
    try:
        outcomes = target.write(entity, writes)
    except Failure as failure:
        if not failure.sent or isinstance(failure, Denied | OutcomeUnknown):
            return [failure] * len(writes)
        unknown = OutcomeUnknown(failure.message, hint=failure.hint, status=failure.status)
        return [unknown] * len(writes)
    except Exception as error:  # noqa: BLE001 - a connector's own fault must not lose the outcome of a write
        return [_unknown(target, error)] * len(writes)
    if len(outcomes) != len(writes):
        return [_unknown(target, ValueError(f"{len(outcomes)} outcomes for {len(writes)} writes"))] * len(writes)
    return outcomes


def _unknown(target: Connector[Any], error: Exception) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{target.name}'s connector failed while writing: {type(error).__name__}: {error}.",
        hint="It is looked up after the settle time; report the connector's fault.",
    )
