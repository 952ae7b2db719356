"""Writing: records by external id or Id, one by one or many at once, documents with their lines, prices."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from connectors.salesforce._collections import Change, Collections, Result, Saved
from connectors.salesforce._entities import LINES, Lines
from connectors.salesforce._ingest import Anew, Ingest
from connectors.salesforce._prices import Prices
from connectors.salesforce._schema import Schema
from landbridge.connector import Accepted, Delivered, Entity, LineWrite, Outcome, Write
from landbridge.errors import Denied, Failure, OutcomeUnknown, Rejected, Unavailable

DRAFT = "Draft"  # an Order is born as a draft, gets its lines, and is activated then
_GRAVEST = (OutcomeUnknown, Denied, Unavailable)


class Writer:
    """Writes to one org."""

    def __init__(
        self, collections: Collections, ingest: Ingest, schema: Schema, prices: Prices, reference: str
    ) -> None:
        self._collections = collections
        self._ingest = ingest
        self._schema = schema
        self._prices = prices
        self._reference = reference

    def write(self, entity: str, declared: Entity, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write; more than a few thousand records at once go by a job, documents with lines never."""
        if entity in LINES:
            return self._documents(entity, declared, writes)
        outcomes: list[Outcome | Anew] = [Anew.ANY] * len(writes)
        held: dict[tuple[str, str], list[int]] = {}
        for place, write in enumerate(writes):
            if write.handle is not None and write.stage is not None:
                held.setdefault((write.handle, write.stage), []).append(place)
        for (handle, stage), places in held.items():
            asked = self._ingest.ask(handle, stage, [writes[place] for place in places])
            for place, outcome in zip(places, asked, strict=True):
                outcomes[place] = outcome
        fresh = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Anew)]
        many = [outcomes[place] is Anew.ANY for place in fresh]
        for place, outcome in zip(fresh, self._records(declared, [writes[p] for p in fresh], many), strict=True):
            outcomes[place] = outcome
        return [outcome for outcome in outcomes if not isinstance(outcome, Anew)]

    def _records(self, declared: Entity, writes: Sequence[Write], many: Sequence[bool]) -> list[Outcome]:
        """Records without lines; those marked `many` may go by a job."""
        headers = [self._header(declared.native, write) for write in self._prices.located(declared.native, writes)]
        offered = [
            header if isinstance(header, Change) and may else None for header, may in zip(headers, many, strict=True)
        ]
        taken = self._ingest.save(offered)
        rest = [place for place in range(len(headers)) if place not in taken]
        saved: dict[int, Result | Accepted] = dict(
            zip(rest, self._save([headers[place] for place in rest]), strict=True)
        )
        both = taken | saved
        return [_outcome(both[place]) for place in range(len(headers))]

    def _documents(self, entity: str, declared: Entity, writes: Sequence[Write]) -> list[Outcome]:
        """Headers first, then lines, then the status of new orders: each step in as few calls as it fits."""
        saved = self._save([self._header(declared.native, write) for write in writes])
        outcomes: list[Outcome] = []
        for result, (numbers, failure) in zip(saved, self._lines(LINES[entity], writes, saved), strict=True):
            if isinstance(result, Failure):
                outcomes.append(result)
            elif failure is not None:
                outcomes.append(failure)
            else:
                outcomes.append(Delivered(result.id, created=result.created, lines=numbers))
        return self._activate(declared.native, writes, outcomes)

    def _save(self, changes: Sequence[Change | Result]) -> list[Result]:
        """Save what is to be saved; what is settled already passes through."""
        waiting = [change for change in changes if isinstance(change, Change)]
        results = iter(self._collections.save(waiting))
        return [next(results) if isinstance(change, Change) else change for change in changes]

    def _header(self, native: str, write: Write) -> Change | Result:
        what = f"{write.entity} {write.reference}"
        if write.action == "delete":
            return self._deletion(native, write, what)
        if write.target_id is None:
            return Change("upsert", native, write.reference, what, _drafted(native, write))
        values = _wanted(write)
        if write.before is None:
            values[self._reference] = write.reference  # a record that was adopted carries our reference from now on
        if _waits(native, write):
            del values["Status"]
        if not values:
            return Saved(write.target_id)
        return Change("update", native, write.target_id, what, self._takes(native, values))

    def _deletion(self, native: str, write: Write, what: str) -> Change | Result:
        if write.policy == "ignore" or write.target_id is None:
            return Saved(write.target_id or "")
        if write.policy in ("", "delete"):
            return Change("delete", native, write.target_id, what)
        if write.policy == "block" and "IsActive" in self._schema.updatable(native):
            return Change("update", native, write.target_id, what, {"IsActive": False})
        hint = "Say `delete` or `ignore`, or map a status field."
        return Rejected(f"{what}: Salesforce cannot '{write.policy}' a {native}.", hint=hint, sent=False)

    def _takes(self, native: str, values: dict[str, Any]) -> dict[str, Any]:
        """Without fields that only a new record takes, such as the parent of a line."""
        fixed = {
            each["name"] for each in self._schema.raw(native)["fields"] if each["createable"] and not each["updateable"]
        }
        return {name: value for name, value in values.items() if name not in fixed}

    def _lines(
        self, lines: Lines, writes: Sequence[Write], saved: Sequence[Result]
    ) -> list[tuple[dict[str, str], Failure | None]]:
        """For each write the ids of its lines by our keys, and what went wrong with the gravest of them."""
        changes: list[Change | Result] = []
        owners: list[tuple[int, LineWrite]] = []
        for index, (write, result) in enumerate(zip(writes, saved, strict=True)):
            if isinstance(result, Saved) and write.action != "delete":
                for line in write.lines:
                    owners.append((index, line))
                    changes.append(self._line(lines, write, result.id, line))
        numbers: list[dict[str, str]] = [{} for _ in writes]
        failures: list[list[Failure]] = [[] for _ in writes]
        for (index, line), outcome in zip(owners, self._save(changes), strict=True):
            if isinstance(outcome, Failure):
                failures[index].append(outcome)
            elif line.action != "cancel" and outcome.id:
                numbers[index][line.line_key] = outcome.id
        return [(found, _gravest(wrong)) for found, wrong in zip(numbers, failures, strict=True)]

    def _line(self, lines: Lines, write: Write, parent: str, line: LineWrite) -> Change | Result:
        what = f"{write.entity} {write.reference} line {line.line_key}"
        if line.action == "keep" and line.line_id is not None:
            return Saved(line.line_id)
        if line.after is None:
            if line.line_id is None or write.policy == "ignore":
                return Saved(line.line_id or "")
            return Change("delete", lines.native, line.line_id, what)
        if line.line_id is None:
            key = line_reference(write.reference, line.line_key, self._length(lines.native))
            return Change("upsert", lines.native, key, what, {**line.after, lines.parent: parent})
        before = line.before or {}
        changed = {name: value for name, value in line.after.items() if name not in before or before[name] != value}
        changed = self._takes(lines.native, changed)
        if not changed:
            return Saved(line.line_id)
        return Change("update", lines.native, line.line_id, what, changed)

    def _length(self, native: str) -> int:
        field = self._schema.fields(native).get(self._reference)
        return field.length or 255 if field else 255

    def _activate(self, native: str, writes: Sequence[Write], outcomes: list[Outcome]) -> list[Outcome]:
        """Give orders the status they were written with, now that their lines stand."""
        waiting = [
            index
            for index, (write, outcome) in enumerate(zip(writes, outcomes, strict=True))
            if isinstance(outcome, Delivered) and _waits(native, write)
        ]
        changes = []
        for index in waiting:
            outcome, write = outcomes[index], writes[index]
            assert isinstance(outcome, Delivered)
            what = f"{write.entity} {write.reference} status"
            changes.append(Change("update", native, outcome.target_id, what, {"Status": write.after["Status"]}))
        for index, result in zip(waiting, self._collections.save(changes), strict=True):
            if isinstance(result, Failure):
                outcomes[index] = result
        return outcomes


def _outcome(result: Result | Accepted) -> Outcome:
    return Delivered(result.id, created=result.created) if isinstance(result, Saved) else result


def line_reference(reference: str, line_key: str, length: int) -> str:
    """Our reference of a line: the document's with the line key, or a digest of both where the field is too short."""
    plain = f"{reference}#{line_key}"
    return plain if len(plain) <= length else hashlib.sha256(plain.encode()).hexdigest()[: min(length, 40)]


def _wanted(write: Write) -> dict[str, Any]:
    """The header fields to write: all of a record that is new to us, else what changed."""
    known = write.target_id is not None and write.before is not None
    return dict(write.changed if known else write.after)


def _waits(native: str, write: Write) -> bool:
    """Whether the status must wait for the lines: an Order without any cannot be activated."""
    if native != "Order" or write.action == "delete":
        return False
    new = write.target_id is None or any(line.action == "insert" for line in write.lines)
    return new and _wanted(write).get("Status", DRAFT) != DRAFT


def _drafted(native: str, write: Write) -> dict[str, Any]:
    return {**write.after, "Status": DRAFT} if _waits(native, write) else dict(write.after)


def _gravest(failures: Sequence[Failure]) -> Failure | None:
    """The failure that decides about the whole document."""
    for kind in _GRAVEST:
        for failure in failures:
            if isinstance(failure, kind):
                return failure
    return failures[0] if failures else None
