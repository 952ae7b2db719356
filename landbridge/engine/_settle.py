"""Step 7, record: turns what became of a plan into the row's next state, its attempt and its ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from landbridge import strict
from landbridge.connector import Accepted, Delivered, Outcome
from landbridge.engine._echo import project
from landbridge.engine._lines import join
from landbridge.engine._parts import Parts
from landbridge.engine._plan import GONE, Plan
from landbridge.engine._retry import Next, after_acceptance, after_failure, backoff
from landbridge.errors import Conflict, Denied, Failure, Invalid, OutcomeUnknown, Rejected, Unavailable
from landbridge.store import control
from landbridge.store._identity import Link
from landbridge.store._outbox import Ledger, Recorded
from landbridge.translator import MissingParent

STANDS = "stands"
"""The stage of a row that was delivered and keeps its lane until a dead worker's write cannot come any more."""
_QUIET = "It stands. The next version waits until the write of a worker that went away cannot come any more."


@dataclass(slots=True)
class Settle:
    """Settles the rows of one delivery batch and counts them."""

    parts: Parts
    system: str
    entity: str
    settle: timedelta
    counts: Counter[str]
    by_flow: dict[str, Counter[str]]
    begun: datetime | None = None  # when the batch was claimed
    spared: bool = False  # a row that fails now fails for its system, which is down: that is no attempt of its own

    def suppressed(self, plan: Plan, code: str) -> Recorded:
        """Nothing is to be written: why stands in `code`."""
        self._count(plan, code)
        return self._row(plan, Next("suppressed", self.parts.clock.now(), done=True), code, attempted=False, code=code)

    def conflict(self, plan: Plan) -> Recorded:
        """All that this row asks for breaks a limit: nothing is written, a person decides."""
        self._count(plan, "conflict")
        recorded = self._row(plan, Next("conflict", self.parts.clock.now(), done=True), "conflict", attempted=False)
        return _with_breaches(recorded, plan)

    def waiting(self, plan: Plan, missing: MissingParent) -> Recorded:
        """A parent has no id in the target yet: the row waits, and after the limit says which and why."""
        now = self.parts.clock.now()
        if plan.row.was == "unknown":
            return self.still_unknown(plan, Unavailable(str(missing), sent=False))
        since = plan.row.since or now
        limit = since + plan.subscription.flow.wait_for_parents
        if now >= limit:
            return self.failed(plan, self._orphan(plan, missing))
        self._count(plan, "waiting")
        recorded = self._row(plan, Next("waiting", limit, done=False), "waiting", attempted=False, code="waiting")
        recorded.waits_for = UUID(missing.subject)
        recorded.since = since
        return recorded

    def _orphan(self, plan: Plan, missing: MissingParent) -> Rejected:
        parent = UUID(missing.subject)
        with self.parts.store.reading() as connection:
            state = control.parent_state(connection, parent, self.system)
            names = [f"{n.system} {n.entity} {n.id}" for n in control.names(connection, parent)]
        who = " / ".join(names) or f"{missing.entity} {missing.subject}"
        if state is None:
            why = "no flow has brought it this far"
            hint = f"Check that {who} exists and that a flow carries {missing.entity or 'it'} to {self.system}."
        else:
            why = f"in flow {state.flow} it is {state.state}" + (f": {state.reason}" if state.reason else "")
            hint = "Mend that one first, then replay this."
        waited = plan.subscription.flow.wait_for_parents
        return Rejected(f"The parent {who} has no id in {self.system} after {waited}: {why}.", hint=hint)

    def still_unknown(self, plan: Plan, failure: Failure) -> Recorded:
        """The target could not be asked: the outcome stays unknown and is asked for again, within the flow's limit."""
        now = self.parts.clock.now()
        since = plan.row.since or now
        retry = plan.subscription.flow.retry
        if isinstance(failure, Denied):
            self._pause(plan, failure)
        if now - since >= retry.within:
            return self._unknown_for_good(plan, failure.message, failure.hint)
        wait = backoff(plan.row.attempts + 1, retry.first, retry.longest)
        recorded = self._row(plan, Next("unknown", now + wait, done=False), "unknown", code="outcome_unknown")
        recorded.attempted = not self._spares(failure)
        recorded.since = since
        recorded.reason = str(failure)
        return recorded

    def exhausted(self, plan: Plan) -> Recorded | None:
        """A write whose outcome was unknown each time, as often or as long as the flow allows: a dead letter."""
        retry = plan.subscription.flow.retry
        since = plan.row.since or self.parts.clock.now()
        if plan.row.attempts < retry.attempts and self.parts.clock.now() - since < retry.within:
            return None
        tried = f"after {plan.row.attempts} attempts since {since:%Y-%m-%d %H:%M}"
        return self._unknown_for_good(
            plan, f"{self.system} did not say {tried}.", "Look in the target; a replay asks first."
        )

    def _unknown_for_good(self, plan: Plan, message: str, hint: str) -> Recorded:
        recorded = self.failed(plan, Rejected(f"The outcome is still unknown: {message}", hint=hint))
        recorded.code = "outcome_unknown"  # a replay asks before it writes
        return recorded

    def released(self, plan: Plan) -> Recorded:
        """The lease ended before the write was sent: nothing is sent, and whoever holds the row now goes on."""
        recorded = self._row(plan, Next(plan.row.was, self.parts.clock.now(), done=False), "released", attempted=False)
        recorded.since = plan.row.since
        return recorded

    def unmet(self, plan: Plan, failure: Failure) -> Recorded:
        """The system did not say who it is, or is another one: nothing was sent, and the row is what it was."""
        if not isinstance(failure, Denied):
            failure = Unavailable(failure.message, hint=failure.hint, status=failure.status, sent=False)
        if plan.row.was == "unknown":
            return self.still_unknown(plan, failure)
        recorded = self.failed(plan, failure)
        recorded.stage, recorded.handle = plan.row.stage, plan.row.handle
        return recorded

    def failed(self, plan: Plan, failure: Failure) -> Recorded:
        """A failure that came before or instead of a write."""
        return self.recorded(plan, failure, None)

    def recorded(self, plan: Plan, outcome: Outcome, spent: int | None) -> Recorded:
        """Settle a row by its outcome."""
        if isinstance(outcome, Delivered):
            return self._delivered(plan, outcome, spent)
        now = self.parts.clock.now()
        if isinstance(outcome, Accepted):
            if now - (plan.row.since or now) >= plan.subscription.flow.retry.within:
                return self._unknown_for_good(
                    plan,
                    f"{self.system} took it as {outcome.handle} and has not finished stage {outcome.stage}.",
                    "Look in the target; a replay goes on from what stands there.",
                )
            self._count(plan, "accepted")
            recorded = self._row(plan, after_acceptance(outcome, plan.subscription.flow, now), "accepted", spent=spent)
            # Still at work on the same is no new attempt: nothing was sent.
            recorded.attempted = (outcome.stage, outcome.handle) != (plan.row.stage, plan.row.handle)
            recorded.stage, recorded.handle = outcome.stage, outcome.handle
            recorded.since = plan.row.since or now
            recorded.target_id = outcome.target_id
            recorded.target = self._sent(plan)
            if outcome.target_id is not None:
                recorded.ledger = self._made(plan, outcome.target_id)
            return recorded
        return self._failure(plan, outcome, spent)

    def _delivered(self, plan: Plan, outcome: Delivered, spent: int | None) -> Recorded:
        now = self.parts.clock.now()
        first = plan.link is None or (plan.link.linked_by == "delivery" and plan.link.delivered_version is None)
        kind = "deleted" if plan.row.action == "delete" else "created" if first else "updated"
        self._count(plan, kind)
        recorded = self._row(plan, Next("delivered", now, done=True), "delivered", spent=spent, code=kind)
        recorded.target_id = outcome.target_id
        recorded.stage = recorded.handle = None
        if plan.row.action != "delete":
            recorded.ledger = self._ledger(plan, outcome)  # its content is what was sent
        else:
            recorded.target = self._sent(plan)
            if plan.link is not None:
                recorded.ledger = self._gone(plan, plan.link, outcome)
        if plan.breaches:
            self._count(plan, "conflict")
            _with_breaches(recorded, plan)
        elif plan.row.quiet_until is not None and now < plan.row.quiet_until:
            recorded.state, recorded.due, recorded.done = "unknown", plan.row.quiet_until, False
            recorded.stage, recorded.since, recorded.reason = STANDS, plan.row.since, _QUIET
        return recorded

    def stands(self, plan: Plan) -> Recorded:
        """It was delivered again after its first sender died, and what that one sent cannot come any more."""
        recorded = self._row(plan, Next("delivered", self.parts.clock.now(), done=True), "delivered", attempted=False)
        recorded.stage = recorded.handle = None
        return recorded

    def _made(self, plan: Plan, target_id: str) -> Ledger:
        """The record exists though its write is not through: linked at once, so that no later row makes it again."""
        scope = plan.link.scope if plan.link is not None else ""
        begun = plan.row.received_at
        return Ledger(
            self.system, self.entity, scope, target_id, plan.row.subject, None, None, {}, None, None, begun=begun
        )

    def _gone(self, plan: Plan, link: Link, outcome: Delivered) -> Ledger:
        """Nothing older may be written over a deletion, and what comes again after it is written whole."""
        content = {**(plan.shadow.content if plan.shadow is not None else join({}, {})), GONE: True}
        return Ledger(
            system=self.system,
            entity=self.entity,
            scope=link.scope,
            target_id=link.id,
            subject=plan.row.subject,
            version=plan.row.version,
            target_version=outcome.version,
            lines={},
            digest=strict.json.digest(content),
            content=content,
            begun=plan.row.received_at,
        )

    def _ledger(self, plan: Plan, outcome: Delivered) -> Ledger:
        content = plan.content
        returned = None
        claimed = plan.row.attempts == 0 and plan.row.was == "ready" and plan.row.stage is None
        if outcome.returned is not None:
            returned = strict.json.digest(project(outcome.returned, plan.header))
        origin = plan.link is not None and plan.link.origin
        lines = {} if origin else {k: v for k, v in {**plan.numbers, **outcome.lines}.items() if k in plan.lines}
        return Ledger(
            system=self.system,
            entity=self.entity,
            scope=plan.link.scope if plan.link is not None else "",
            target_id=outcome.target_id,
            subject=plan.row.subject,
            version=plan.row.version,
            target_version=outcome.version,
            lines=lines,
            digest=strict.json.digest(content),
            content=content,
            returned=returned,
            begun=self.begun if claimed else plan.row.received_at,
        )

    def _failure(self, plan: Plan, failure: Failure, spent: int | None) -> Recorded:
        now = self.parts.clock.now()
        since = plan.row.since or now
        if isinstance(failure, Conflict) and failure.status == "412":
            failure = Unavailable(failure.message, hint=failure.hint, status="412")  # read again, then write again
        spares = self._spares(failure)
        attempts = plan.row.attempts + (0 if spares else 1)
        following = after_failure(failure, plan.subscription.flow, attempts, since, now, self.settle)
        if plan.row.was == "unknown" and following.state == "ready":
            # Whether the earlier write had its effect is asked before every further one, not only before the next.
            following = Next("unknown", following.due, done=False, counted=following.counted)
        if isinstance(failure, Denied):
            self._pause(plan, failure)
        self._count(plan, following.state if following.done else failure.code)
        recorded = self._row(plan, following, failure.code, spent=spent, code=failure.code)
        recorded.since = since
        recorded.reason = str(failure)
        recorded.status = failure.status
        recorded.attempted = following.counted and not spares
        recorded.target = self._sent(plan) if spent is not None else None
        if isinstance(failure, Invalid):
            recorded.findings = [finding.as_dict() for finding in failure.findings]
        if isinstance(failure, Conflict):
            recorded.findings = [{"ours": failure.ours, "theirs": failure.theirs, "message": failure.message}]
        if isinstance(failure, OutcomeUnknown):
            recorded.stage, recorded.handle = plan.row.stage, plan.row.handle
        return recorded

    def _spares(self, failure: Failure) -> bool:
        return self.spared and isinstance(failure, Unavailable)

    def _pause(self, plan: Plan, failure: Denied) -> None:
        flow, now = plan.subscription.flow.flow, self.parts.clock.now()
        with self.parts.store.transaction("pause") as connection:
            if control.pause(connection, flow, str(failure), now):
                detail = {"reason": str(failure)}
                control.note(connection, "paused", "engine", now, flow=flow, system=self.system, detail=detail)

    def _row(
        self,
        plan: Plan,
        following: Next,
        outcome: str,
        *,
        attempted: bool = True,
        code: str | None = None,
        spent: int | None = None,
    ) -> Recorded:
        return Recorded(
            id=plan.row.id,
            fence=plan.row.fence,
            state=following.state,
            outcome=outcome,
            number=plan.row.attempts + 1,
            due=following.due,
            done=following.done,
            since=None if following.done else plan.row.since,
            code=code or outcome,
            stage=plan.row.stage,
            handle=plan.row.handle,
            milliseconds=spent,
            attempted=attempted,
        )

    def _sent(self, plan: Plan) -> dict[str, Any]:
        return join(plan.header, plan.lines)

    def _count(self, plan: Plan, what: str) -> None:
        self.counts[what] += 1
        self.by_flow.setdefault(plan.subscription.flow.flow, Counter())[what] += 1


def _with_breaches(recorded: Recorded, plan: Plan) -> Recorded:
    recorded.state = "conflict"
    recorded.code = "conflict"
    recorded.findings = [breach.as_dict() for breach in plan.breaches]
    recorded.reason = "; ".join(f"{b.message} hint: {b.hint}" for b in plan.breaches)
    return recorded
