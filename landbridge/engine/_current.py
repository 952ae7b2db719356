"""What a target holds now of the records that are about to change: their versions, and the limits ownership sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from landbridge.connector import Connector, Row
from landbridge.engine._breaker import Breaker
from landbridge.engine._faults import fault
from landbridge.engine._parts import Parts
from landbridge.engine._plan import Plan
from landbridge.engine._rules import breaches, cancellations
from landbridge.engine._settle import Settle
from landbridge.errors import Denied, Failure, Invalid, Unavailable
from landbridge.store._outbox import Recorded
from landbridge.translator import Context


@dataclass(slots=True)
class Current:
    """Reads the records of one batch once, and holds its plans to what stands there."""

    parts: Parts
    target: Connector[Any]
    system: str
    entity: str
    settle: Settle
    breaker: Breaker | None
    ours: Callable[[], bool]

    def hold(self, plans: Sequence[Plan]) -> list[Recorded]:
        """Set what the plans expect and may not break; returns those that are settled by it."""
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
        current, settled = self._read(wanted)
        over = {recorded.id for recorded in settled}
        for plan in wanted:
            row = current.get(plan.target_id or "")
            if row is None or row.body is None or plan.row.id in over:
                continue
            plan.expected = row.version or plan.expected
            if rules.limits or (plan.link is not None and plan.link.origin and plan.lines):
                try:
                    self._limit(plan, row.body)
                except Exception as error:  # noqa: BLE001 - a fault over one record must not stop the others
                    settled.append(self.settle.failed(plan, fault("comparing with the target", error)))
                    continue
            if plan.breaches and plan.unchanged:
                settled.append(self.settle.conflict(plan))
        return settled

    # -- reading -----------------------------------------------------------------------------------------------------

    def _read(self, wanted: Sequence[Plan]) -> tuple[dict[str, Row], list[Recorded]]:
        """The records by id. Where the whole batch cannot be read, each is alone: one bad one holds up itself."""
        try:
            rows = self._fetch(wanted)
        except Denied as denied:
            return {}, [self.settle.failed(plan, denied) for plan in wanted]
        except Failure as failure:
            if len(wanted) == 1:
                return {}, [self._unsent(wanted[0], failure)]
            return self._one_by_one(wanted)
        return rows, []

    def _one_by_one(self, wanted: Sequence[Plan]) -> tuple[dict[str, Row], list[Recorded]]:
        found: dict[str, Row] = {}
        settled: list[Recorded] = []
        for n, plan in enumerate(wanted):
            if not self.ours() or (self.breaker is not None and self.breaker.is_open):
                settled += [self.settle.released(one) for one in wanted[n:]]
                break
            try:
                found |= self._fetch([plan])
            except Denied as denied:
                settled += [self.settle.failed(one, denied) for one in wanted[n:]]
                break
            except Failure as failure:
                settled.append(self._unsent(plan, failure))
        return found, settled

    def _fetch(self, wanted: Sequence[Plan]) -> dict[str, Row]:
        try:
            rows = self.target.fetch(self.entity, [plan.target_id or "" for plan in wanted])
        except Failure as failure:
            if self.breaker is not None:
                self.breaker.told([plan.row.id for plan in wanted], [failure])
            raise
        except Exception as error:
            raise Unavailable(
                f"{self.system}'s connector failed while reading: {type(error).__name__}: {error}.",
                hint="Report the connector's fault.",
                status="fault",
            ) from error
        if self.breaker is not None and rows:
            self.breaker.answered()
        return {row.key: row for row in rows}

    def _unsent(self, plan: Plan, failure: Failure) -> Recorded:
        wait = failure.wait if isinstance(failure, Unavailable) else None
        unsent = Unavailable(failure.message, hint=failure.hint, wait=wait, status=failure.status, sent=False)
        return self.settle.failed(plan, unsent)

    # -- limits ------------------------------------------------------------------------------------------------------

    def _limit(self, plan: Plan, native: dict[str, Any]) -> None:
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
