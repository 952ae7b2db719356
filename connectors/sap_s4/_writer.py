"""Writing: changesets to `$batch`, replies to outcomes, and what stands there afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from connectors.sap_s4._errors import Stale
from connectors.sap_s4._gateway import Gateway, body_of
from connectors.sap_s4._plan import Plan
from connectors.sap_s4._wire import etag_of
from landbridge.connector import Accepted, Delivered, Outcome, Row, Write
from landbridge.errors import Failure, OutcomeUnknown, Unavailable
from landbridge.net import Reply

_ITEM = "SalesOrderItem"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the writer asks of one entity: a write's plan, the records as they stand, their lines, and whether a record
    needs the next stage of its plan no more."""

    plan: Callable[[Write], Plan | Outcome]
    read_back: Callable[[Sequence[str]], Sequence[Row]]
    pairs: Callable[[Plan, Row], dict[str, str]]
    settled: Callable[[Plan, Row], bool]


class Writer:
    """Sends the plans of one entity."""

    def __init__(self, gateway: Gateway, service: str, key: str, entry: Entry) -> None:
        self._gateway = gateway
        self._service = service
        self._key = key
        self._entry = entry

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, in order; each write is a changeset of its own."""
        outcomes: dict[int, Outcome] = {}
        plans: dict[int, Plan] = {}
        down: Failure | None = None
        for number, write in enumerate(writes):
            planned = down or self._planned(write)
            if isinstance(planned, Plan):
                plans[number] = planned
            else:
                outcomes[number] = planned
                if isinstance(planned, Unavailable) and not planned.sent and planned.wait is None:
                    down = planned
        outcomes |= self._sent(plans)
        for number, outcome in list(outcomes.items()):
            if isinstance(outcome, Stale):
                outcomes[number] = self._again(writes[number])
        self._completed(plans, outcomes)
        return [outcomes[number] for number in range(len(writes))]

    def _planned(self, write: Write) -> Plan | Outcome:
        try:
            return self._entry.plan(write)
        except Failure as failure:
            failure.sent = False  # planning only reads
            return failure

    def _again(self, write: Write) -> Outcome:
        """The record moved while we wrote: read it again, and write once more if our fields are untouched."""
        planned = self._planned(write)
        outcome = self._sent({0: planned})[0] if isinstance(planned, Plan) else planned
        if isinstance(outcome, Stale):
            return Unavailable(outcome.message, wait=5, hint="It changes all the time; tried again by itself.")
        return outcome

    def _sent(self, plans: dict[int, Plan]) -> dict[int, Outcome]:
        """Send what there is to send; a plan without changes is delivered already."""
        busy = {number: plan for number, plan in plans.items() if plan.operations}
        outcomes: dict[int, Outcome] = {
            number: self._settled(plan, []) for number, plan in plans.items() if not plan.operations
        }
        try:
            replies = self._exchange(list(busy.values()))
        except Failure as failure:
            return outcomes | dict.fromkeys(busy, failure)
        for place, (number, plan) in enumerate(busy.items()):
            outcomes[number] = self._outcome(plan, replies[place] if place < len(replies) else [])
        return outcomes

    def _exchange(self, plans: list[Plan]) -> list[list[Reply]]:
        if not plans:
            return []
        if len(plans) == 1 and len(plans[0].operations) == 1:
            return [[self._gateway.change(self._service, plans[0].operations[0])]]
        return self._gateway.batch(self._service, [plan.operations for plan in plans])

    def _outcome(self, plan: Plan, replies: list[Reply]) -> Outcome:
        for reply in replies:
            failure = self._gateway.failure(reply)
            if failure is not None:
                return failure
        if len(replies) < len(plan.operations):
            return OutcomeUnknown(
                f"{self._gateway.name}: the reply to a batch lacks the part of {plan.write.reference}.",
                hint="Looked up by our reference after the settle time.",
            )
        return self._settled(plan, replies)

    def _settled(self, plan: Plan, replies: list[Reply]) -> Outcome:
        """What a success says by itself, before the record is read again."""
        target_id, version, lines = plan.target_id, plan.version, dict(plan.lines)
        for operation, reply in zip(plan.operations, replies, strict=True):
            record = body_of(reply)
            if not isinstance(record, dict):
                continue
            if operation.entity_set == plan.entity_set and plan.created and target_id is None:
                target_id, version = str(record[self._key]), etag_of(record)
            elif operation.line is not None and record.get(_ITEM):
                lines[operation.line] = str(record[_ITEM])
        if target_id is None:
            return OutcomeUnknown(
                f"{self._gateway.name}: SAP took {plan.write.reference} and did not say its number.",
                hint="Looked up by our reference after the settle time.",
            )
        return Delivered(target_id, version, plan.created, lines)

    def _completed(self, plans: dict[int, Plan], outcomes: dict[int, Outcome]) -> None:
        """Read what was written as it stands now: its version, its items, and what SAP made of our values."""
        done = {number: one for number, one in outcomes.items() if isinstance(one, Delivered) and number in plans}
        try:
            ids = [one.target_id for one in done.values()]
            rows = {row.key: row for row in self._entry.read_back(ids)} if ids else {}
        except Failure:  # the effect stands all the same
            rows = {}
        for number, delivered in done.items():
            plan, row = plans[number], rows.get(delivered.target_id)
            outcomes[number] = self._numbered(plan, self._as_it_stands(plan, delivered, row))
            if isinstance(outcomes[number], OutcomeUnknown):
                continue
            if plan.stage is not None and not (row is not None and self._entry.settled(plan, row)):
                outcomes[number] = Accepted(delivered.target_id, plan.stage, 0, delivered.target_id)

    def _as_it_stands(self, plan: Plan, delivered: Delivered, row: Row | None) -> Delivered:
        if row is None or row.body is None:
            return delivered
        lines = {**delivered.lines, **self._entry.pairs(plan, row)}
        return replace(delivered, version=row.version, lines=lines, returned=row.body)

    def _numbered(self, plan: Plan, delivered: Delivered) -> Outcome:
        """A document whose items are not known is no success: nobody could tell later which line an item is."""
        lines = [line.line_key for line in plan.write.lines if line.action == "insert"]
        unknown = [key for key in lines if key not in delivered.lines]
        if not unknown:
            return delivered
        return OutcomeUnknown(
            f"{self._gateway.name}: {plan.write.reference} stands as {delivered.target_id}; "
            f"which items {len(unknown)} of its lines became could not be read.",
            hint="Looked up by our reference after the settle time.",
        )
