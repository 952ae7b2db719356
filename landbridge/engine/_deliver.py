"""Steps 5 to 7, translate, deliver, record: claimed rows go to one target, and what became of them is kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge import seam
from landbridge.connector import Connector, Delivered, Entity, Found, Outcome
from landbridge.engine._breaker import Breaker
from landbridge.engine._conditions import holds
from landbridge.engine._current import Current
from landbridge.engine._faults import fault
from landbridge.engine._holdings import Holdings
from landbridge.engine._parts import Parts
from landbridge.engine._plan import GONE, Plan, reference_of, translate
from landbridge.engine._process import Subscription
from landbridge.engine._published import poor
from landbridge.engine._refs import subjects
from landbridge.engine._settle import STANDS, Settle
from landbridge.engine._spans import Call, translating
from landbridge.errors import Denied, Failure, Invalid, OutcomeUnknown, Unavailable
from landbridge.net import traced
from landbridge.store import identity, operate, outbox
from landbridge.store._identity import Link
from landbridge.store._outbox import Claimed, Recorded
from landbridge.translator import MissingParent

MANY = 10_000
"""The most rows that are claimed at once for a target that takes any number in one call."""

SWEEP = timedelta(seconds=10)
"""How often leases and waits that ended are looked for: that reads every open row, so a batch is too often."""


TOGETHER = 500
"""How many outcomes of quick calls are recorded in one transaction at most, and those of one call more."""


_NO_TIME = timedelta(0)


def _unbound(system: str) -> None:
    """For a preview: it has held the store to its systems itself, and writes nothing."""


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
    _flow_of: dict[int, str] = field(default_factory=dict)  # of the rows at hand
    breaker: Breaker | None = None  # whether the system is to be left alone; a preview asks nobody
    bind: Callable[[str], None] = _unbound  # holds the store to its system before the first write

    def batch(self, only: Sequence[int] | None = None) -> int:
        """Claim what is due (or these rows alone), deliver and record it; returns how many rows were claimed."""
        now = self.parts.clock.now()
        self.until = now + self.parts.lease
        self.holder = self.parts.presence.number() if self.parts.presence is not None else None
        routes = [s.id for s in self.subscriptions]
        target = self.parts.systems[self.system]
        size = self._size(target)
        if only is None and self.breaker is not None:
            size = self.breaker.room(size)
        if not size:
            return 0
        with self.parts.store.transaction("claim") as connection:
            if self.swept is None or now - self.swept >= SWEEP:
                settle, at_once = self._settle_after_death(target)
                outbox.take_over(connection, routes, now, settle, at_once=at_once)
                outbox.expire_waiting(connection, routes, now)
                self.swept = now
            if only is None:
                better = self.breaker.failed_on if self.breaker is not None and self.breaker.probes else ()
                lease = self.parts.lease
                rows = outbox.claim(connection, routes, self.peers, size, now, lease, self.holder, better)
            else:
                rows = operate.claim(connection, only, routes, self.peers, now, self.parts.lease)
            held = self.holdings(connection, rows)
            if rows:
                self.parts.up_to_date(connection)
        names = {s.id: s.flow.flow for s in self.subscriptions}
        self._flow_of = {row.id: names[row.route_id] for row in rows}
        if rows and self._met(rows, held, target):
            self._go(target, rows, held)
        return len(rows)

    def _met(self, rows: Sequence[Claimed], held: Holdings, target: Connector[Any]) -> bool:
        """Whether the system is the one that the store belongs to; where it does not say so, nothing is sent."""
        try:
            self.bind(self.system)
        except Exception as error:  # noqa: BLE001 - a connector's own fault must not leave its rows claimed
            failure = error if isinstance(error, Failure) else _unknown(target, error, "saying who answers")
            if self.breaker is not None:
                self.breaker.told([row.id for row in rows], [failure])
            settle = self.settle(target)
            settle.spared = True
            by_route = {s.id: s for s in self.subscriptions}
            plans = [Plan(row, by_route[row.route_id], held.own.get(row.subject), None) for row in rows]
            self._record([settle.unmet(plan, failure) for plan in plans])
            return False
        return True

    def holdings(self, connection: Connection, rows: Sequence[Claimed]) -> Holdings:
        """What the rows refer to, and what the target holds of that and of them."""
        places = {s.id: self.parts.places(s.flow.entity) for s in self.subscriptions}
        refers = {row.id: subjects(row.body, places.get(row.route_id)) for row in rows}
        known = self._remembered()
        needed = {subject for found in refers.values() for _, subject in found}
        found = identity.links(connection, self.system, needed - known.keys())
        links = found | {subject: known[subject] for subject in needed & known.keys()}
        known.update({subject: link for subject, link in found.items() if not link.lines})
        own = identity.links(connection, self.system, {row.subject for row in rows}, self.entity)
        wanted = {(link.scope, link.id) for link in own.values()}
        shadows = outbox.shadows(connection, self.system, self.entity, wanted)
        hub, hub_system = self.parts.hub, self.parts.hub_system
        thin = poor(connection, hub, hub_system, self.system, self.subscriptions, rows)
        return Holdings(refers, own | links, own, shadows, thin)

    def _remembered(self) -> dict[UUID, Link]:
        """Links that stay as they are for seconds; with a hub none does: a record may be in another group by now."""
        return {} if self.parts.hub is not None else self.parts.parents.of(self.system, self.parts.clock.now())

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
            plan = Plan(row, by_route[row.route_id], link, shadow, held.refers[row.id], poor=row.subject in held.poor)
            done = self._prepare(target, plan, links, settle)
            if done is None:
                plans.append(plan)
            else:
                settled.append(done)
        current = Current(self.parts, target, self.system, self.entity, settle, self.breaker, self._ours)
        settled += current.hold(plans)
        over = {recorded.id for recorded in settled}
        return settled, [plan for plan in plans if plan.row.id not in over]

    def settle(self, target: Connector[Any]) -> Settle:
        """What settles and counts the rows of one batch."""
        probes = self.breaker is not None and self.breaker.probes
        settle = self._settle_time(target)
        begun = self.until - self.parts.lease if self.until is not None else None
        return Settle(self.parts, self.system, self.entity, settle, self.counts, self.by_flow, begun, spared=probes)

    def _go(self, target: Connector[Any], rows: Sequence[Claimed], held: Holdings) -> None:
        settle = self.settle(target)
        settled, plans = self.plan(target, rows, held, settle)
        if settled:
            self._record(settled)
        written = self._write(target, plans, settle)
        if len(plans) <= target.entity(self.entity).batch:
            for recorded in written:  # one call: nothing to be recorded meanwhile
                self._record(recorded)
            return
        waits: SimpleQueue[list[Recorded]] = SimpleQueue()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="record") as pool:
            # Calls' outcomes are recorded while the next calls are made; all are before the next claim.
            recordings = []
            for recorded in written:
                waits.put(recorded)
                recordings.append(pool.submit(self._record_waiting, waits))
            for recording in recordings:
                recording.result()

    # -- translate ---------------------------------------------------------------------------------------------------

    def _prepare(self, target: Connector[Any], plan: Plan, links: dict[UUID, Link], settle: Settle) -> Recorded | None:
        """Translate one row; what it is settled as if nothing is to be written."""
        row = plan.row
        if plan.link is not None and (plan.link.delivered_version or 0) > row.version:
            return settle.suppressed(plan, "stale")
        if row.stage == STANDS:
            return settle.stands(plan)
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
        if plan.link is None and plan.poor:
            return settle.suppressed(plan, "poor")
        if plan.link is None and not plan.subscription.route.create:
            return settle.suppressed(plan, "not_in_target")
        try:
            source = plan.subscription.flow.extract.source
            rules = self.parts.rules(plan.subscription.flow, self.system)
            mapping = self.parts.mappings[self.system, self.entity]
            with translating(self.parts, row, self.system, self.entity):
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
        rules = self.parts.rules(plan.subscription.flow, self.system)
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
        if self.breaker is not None and self.breaker.is_open:
            return settle.released(plan)
        try:
            found = self._find(target, plan)
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

    def _find(self, target: Connector[Any], plan: Plan) -> Found | None:
        said: Found | Failure | None
        try:
            said = target.find(self.entity, reference_of(plan.row.subject))
        except Failure as failure:
            said = failure
        except Exception as error:  # noqa: BLE001 - a connector's own fault over one record must not stop the others
            said = Unavailable(f"{target.name}'s connector failed while looking: {error!r}.", status="fault")
        if self.breaker is not None:
            self.breaker.told([plan.row.id], [said] if isinstance(said, Failure) else [])
            if isinstance(said, Found):
                self.breaker.answered()
        if isinstance(said, Failure):
            raise said
        return said

    def _found(self, target: Connector[Any], plan: Plan, found: Found, link: Link, settle: Settle) -> Recorded | None:
        """Our create stands: only this row, the head of its lane, can have made it."""
        with self.parts.store.reading() as connection:
            links = identity.links(connection, self.system, {subject for _, subject in plan.refers})
        source = plan.subscription.flow.extract.source
        rules = self.parts.rules(plan.subscription.flow, self.system)
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
        if not self._ours() or (self.breaker is not None and self.breaker.is_open):
            return [settle.released(plan) for plan in chunk]  # another worker may be at it by now, or nobody should
        started = time.perf_counter()
        call = Call(self.parts, self.system, self.entity, [plan.row for plan in chunk])
        with seam.only_while(self._ours), traced(call.header):
            outcomes = _outcomes(target, self.entity, [plan.write(declared) for plan in chunk])
        spent = int((time.perf_counter() - started) * 1000)
        call.ended(outcomes, {s.id: s.flow.flow for s in self.subscriptions})
        if self.breaker is not None and self._ours():
            self.breaker.told([plan.row.id for plan in chunk], outcomes)
        return [settle.recorded(plan, outcome, spent) for plan, outcome in zip(chunk, outcomes, strict=True)]

    def _ours(self) -> bool:
        """Whether nobody can have taken the rows at hand over: the lease runs, and we do not count as dead."""
        if self.until is not None and self.parts.clock.now() >= self.until:
            return False
        presence = self.parts.presence
        return presence is None or self.holder is None or presence.stands(self.holder)

    # -- record ------------------------------------------------------------------------------------------------------

    def _record_waiting(self, waits: SimpleQueue[list[Recorded]]) -> None:
        """Record what ended by now, of however many calls, in one transaction."""
        done: list[Recorded] = []
        with suppress(Empty):
            while len(done) < TOGETHER:
                done += waits.get_nowait()
        if done:
            self._record(done)

    def _record(self, done: Sequence[Recorded]) -> None:
        with self.parts.store.transaction("record", wait=False) as connection:
            ours, disputed = outbox.record(connection, done, self.peers, self.parts.clock.now())
            later = [r.id for r in done if r.state == "conflict" or r.code in ("updated", "unchanged")]
            if later:
                outbox.settle_conflicts(connection, later)
        self.counts["fenced"] += len(done) - ours
        for id_ in disputed:
            self.counts["conflict"] += 1
            self.by_flow.setdefault(self._flow_of[id_], Counter())["conflict"] += 1

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

    def _settle_after_death(self, target: Connector[Any]) -> tuple[timedelta, bool]:
        """How long a lane waits that a dead worker held, and whether its row is repeated at once all the same.

        Nobody waits where a key makes a repetition the same effect, even if the first is still under way (grade A).
        With grade B it is the same effect too, so it is made at once; but a first that commits late would overwrite
        the next version, which waits. With grade C, or with lines or stages, the target is asked after the wait.
        """
        declared = target.entity(self.entity)
        if declared.create == declared.update == "A":
            return max((s.flow.unknown.settle or _NO_TIME for s in self.subscriptions), default=_NO_TIME), False
        repeatable = {declared.create, declared.update} <= {"A", "B"}
        return self._settle_time(target), repeatable and declared.lines is None and not declared.stages


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


def _unknown(target: Connector[Any], error: Exception, doing: str = "writing") -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{target.name}'s connector failed while {doing}: {type(error).__name__}: {error}.",
        hint="It is looked up after the settle time; report the connector's fault.",
    )
