"""Sales and purchases: a draft with its lines in one transaction, then button by button as far as is configured.

Each button is a stage that the engine records; which one is next is read from the state in Tryton, so that no stage is
repeated, whatever was interrupted where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from connectors.tryton._addresses import Addresses
from connectors.tryton._amendments import Amendments
from connectors.tryton._batch import together
from connectors.tryton._errors import Warned
from connectors.tryton._records import Records
from connectors.tryton._references import References
from connectors.tryton._values import Values, merged
from connectors.tryton._wire import Record
from landbridge.connector import Accepted, Delivered, LineWrite, Outcome, Row, Write
from landbridge.errors import Conflict, Denied, Failure, OutcomeUnknown, Rejected

LEVELS = {"draft": 0, "quotation": 1, "confirmed": 2, "processing": 3, "done": 3}
STAGES = ("quote", "confirm", "process")
_UNTIL = {"draft": 0, "quote": 1, "confirm": 2, "process": 3}
_FREE = frozenset({"reference", "comment"})  # what may be changed in any state
_PARTY_OF = {"invoice_address": ("invoice_party", "invoice"), "shipment_address": ("shipment_party", "delivery")}
Prepared = tuple[Write, Record]
Standing = tuple[Write, Row]


class Orders:
    """Writes the documents of one entity."""

    def __init__(self, records: Records, references: References, values: Values) -> None:
        self._records = records
        self._references = references
        self._values = values
        self._session = records.session
        self._until = _UNTIL[records.config.until]
        self._line_key = records.config.line_reference
        self._amendments = Amendments(records.session, records.schema, records.model)
        self._line_model = records.schema.relation(records.model, "lines")

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, in order."""
        fresh = {n: write for n, write in enumerate(writes) if write.action == "create" and write.stage is None}
        outcomes: dict[int, Outcome] = {}
        self._create(fresh, outcomes)
        self._go_on({n: write for n, write in enumerate(writes) if n not in fresh}, outcomes)
        return [outcomes[number] for number in range(len(writes))]

    # -- new documents -----------------------------------------------------------------------------------------------

    def _create(self, writes: Mapping[int, Write], outcomes: dict[int, Outcome]) -> None:
        ready: dict[int, Prepared] = {}
        try:
            addresses = self._addresses(writes.values())
        except Failure as failure:
            outcomes |= dict.fromkeys(writes, _unsent(failure))
            return
        for number, write in writes.items():
            try:
                ready[number] = (write, self._new(write, addresses))
            except Failure as failure:
                outcomes[number] = _unsent(failure)
        made = together(list(ready.values()), self._make, lambda rows: self._references.standing([w for w, _ in rows]))
        drafts: dict[int, int] = {}
        for number, result in zip(ready, made, strict=True):
            if isinstance(result, Failure):
                outcomes[number] = result
            elif self._until:
                outcomes[number] = Accepted(str(result), STAGES[0], 0, str(result))
            else:
                drafts[number] = result
        outcomes |= self._delivered({n: (str(one), True) for n, one in drafts.items()})

    def _new(self, write: Write, addresses: Addresses) -> Record:
        if not any(line.action == "insert" for line in write.lines):
            hint = "An order without lines cannot be quoted; look at the mapping."
            raise Rejected(f"{write.reference}: the order has no lines.", hint=hint, sent=False)
        header = merged(self._records.config.defaults.get(self._records.entity, {}), write.after)
        values = self._values.new(self._records.model, self._addressed(header, header, addresses, new=True))
        lines = [self._line(line) for line in write.lines if line.after is not None]
        values["lines"] = [["create", lines]]
        self._references.put(values, write.reference)
        return values

    def _line(self, line: LineWrite) -> Record:
        values = self._values.new(self._line_model, {"type": "line", **(line.after or {})})
        values[self._line_key] = line.line_key
        return values

    def _make(self, rows: Sequence[Prepared]) -> list[int]:
        return [int(one) for one in self._session.call(self._records.model, "create", [values for _, values in rows])]

    # -- addresses ---------------------------------------------------------------------------------------------------

    def _addresses(self, writes: Any) -> Addresses:
        names = ("party", *(party for party, _ in _PARTY_OF.values()))
        parties = {str(write.after[name]) for write in writes for name in names if write.after.get(name)}
        return Addresses(self._session, self._values, sorted(parties))

    def _addressed(
        self, ours: Mapping[str, Any], whole: Mapping[str, Any], addresses: Addresses, *, new: bool
    ) -> Record:
        """The header with ids for addresses; a new document gets its party's usual ones where it names none."""
        found = dict(ours)
        fields = self._records.schema.fields(self._records.model)
        for name, (other, use) in _PARTY_OF.items():
            party = str(whole.get(other) or whole.get("party") or "")
            if isinstance(found.get(name), Mapping):
                found[name] = str(addresses.of(party, found[name]))
            elif new and found.get(name) is None and name in fields and (usual := addresses.usual(party, use)):
                found[name] = str(usual)
        return found

    # -- documents that stand ----------------------------------------------------------------------------------------

    def _go_on(self, writes: Mapping[int, Write], outcomes: dict[int, Outcome]) -> None:
        if not writes:
            return
        try:
            ids = [int(write.target_id or write.handle or 0) for write in writes.values()]
            rows = {row.key: row for row in self._records.by_id(ids, all_of_them=True)}
            addresses = self._addresses([write for write in writes.values() if write.stage is None])
        except Failure as failure:
            outcomes |= dict.fromkeys(writes, _unsent(failure))
            return
        waiting: dict[int, Standing] = {}
        for number, write in writes.items():
            row = rows.get(write.target_id or write.handle or "")
            try:
                done = self._changed(write, row, addresses)
            except Failure as failure:
                outcomes[number] = failure
                continue
            if done is not None:
                outcomes[number] = done
            elif row is not None:
                waiting[number] = (write, row)
        self._press_next(waiting, outcomes)

    def _changed(self, write: Write, row: Row | None, addresses: Addresses) -> Outcome | None:
        """Write what differs; None where the document only has to go on."""
        if row is None or row.body is None:
            if write.action == "delete":
                return Delivered(write.target_id or "")
            hint = "Restore it in Tryton, or unlink it with `landbridge xref` so that it is made anew."
            raise Conflict(f"{self._records.model} {write.target_id} is no longer there.", hint=hint)
        if write.action == "delete" or (write.lines and all(line.action == "cancel" for line in write.lines)):
            return self._cancel(write, row)
        if write.stage is not None:
            return None
        body = row.body
        header = self._addressed(write.changed, {**body, **write.after}, addresses, new=False)
        values = self._values.changes(self._records.model, header, body, write.before)
        if steps := self._line_steps(write, body):
            values["lines"] = steps
        if not values:
            return None
        if set(values) <= {*_FREE, "lines"} and self._amendments.fits(body, steps):
            self._amend(write, row, values)
            if not values:
                return self._delivered({0: (row.key, False)})[0]
        self._open(write, row, values)
        locks = {f"{self._records.model},{row.key}": write.expected} if write.expected and self._untouched(row) else {}
        self._session.call(self._records.model, "write", [int(row.key)], values, context={"_timestamp": locks})
        if self._until and LEVELS[body["state"]] < 3:
            return Accepted(row.key, STAGES[0], 0, row.key)
        return self._delivered({0: (row.key, False)})[0]

    @staticmethod
    def _untouched(row: Row) -> bool:
        return row.body is not None and row.body["state"] not in ("quotation", "confirmed")

    def _line_steps(self, write: Write, body: Record) -> list[Any]:
        by_id = {each["id"]: each for each in body["lines"]}
        by_key = {each["@line"]: each for each in body["lines"] if each.get("@line")}
        steps, made, gone = [], [], []
        for line in write.lines:
            held = by_id.get(line.line_id or "") or by_key.get(line.line_key)
            if line.action == "cancel" and held is not None:
                gone.append(int(held["id"]))
            elif line.action in ("insert", "update") and held is None:
                if line.line_id is not None:
                    hint = "Decide in Tryton whether the line belongs to the order; then replay."
                    text = f"{self._records.model} {body['id']}: line {line.line_id} was deleted there."
                    raise Conflict(text, ours=line.after, theirs=None, hint=hint)
                made.append(self._line(line))
            elif line.action in ("insert", "update") and held is not None:
                changed = self._values.changes(self._line_model, line.after or {}, held, line.before)
                steps += [["write", [int(held["id"])], changed]] if changed else []
        return [*steps, *([["delete", gone]] if gone else []), *([["create", made]] if made else [])]

    def _open(self, write: Write, row: Row, values: Record) -> None:
        """A quotation goes back to draft; what is being processed keeps its lines, and a person decides."""
        assert row.body is not None
        state = row.body["state"]
        if state in ("quotation", "confirmed"):
            self._session.call(self._records.model, "draft", [int(row.key)])
        elif state != "draft" and not set(values) <= _FREE:
            raise self._stands_fast(write, row, values)

    def _amend(self, write: Write, row: Row, values: Record) -> None:
        assert row.body is not None
        try:
            self._amendments.make(row.body, values["lines"], write.reference)
        except (Rejected, Denied) as refused:
            raise self._stands_fast(write, row, values, refused.message) from refused
        del values["lines"]

    def _stands_fast(self, write: Write, row: Row, values: Record, why: str = "") -> Conflict:
        assert row.body is not None
        ours = {**write.changed, **({"lines": [line.after for line in write.lines]} if "lines" in values else {})}
        theirs = {name: row.body.get(name) for name in values}
        hint = "Change it in Tryton by an amendment or cancel it there; else take the change back at its source."
        state, names = row.body["state"], ", ".join(sorted(values))
        text = f"{self._records.model} {row.body.get('number')} is {state}: {names} cannot be changed by us. {why}"
        return Conflict(text.strip(), ours=ours, theirs=theirs, hint=hint)

    def _cancel(self, write: Write, row: Row) -> Outcome:
        assert row.body is not None
        state, ids, model = row.body["state"], [int(row.key)], self._records.model
        if state == "confirmed":
            self._session.call(model, "draft", ids)
        if state in ("draft", "quotation", "confirmed"):
            self._session.call(model, "cancel", ids)
        elif state != "cancelled":
            hint = "Cancel its shipments and invoices in Tryton first, or create a return."
            text = f"{model} {row.body.get('number')} is {state} and can no longer be cancelled."
            raise Conflict(text, ours="cancelled", theirs=state, hint=hint)
        return self._delivered({0: (row.key, False)})[0]

    # -- stages ------------------------------------------------------------------------------------------------------

    def _press_next(self, waiting: Mapping[int, Standing], outcomes: dict[int, Outcome]) -> None:
        """The next button of each, one call per button; what needs none any more is delivered."""
        pressed: dict[int, tuple[str, bool]] = {}
        done: dict[int, tuple[str, bool]] = {}
        for button, state in zip(STAGES, ("draft", "quotation", "confirmed"), strict=True):
            group = {n: s for n, s in waiting.items() if _state(s) == state and LEVELS[state] < self._until}
            results = together(list(group.values()), partial(self._press, button))
            for (number, (write, row)), result in zip(group.items(), results, strict=True):
                if isinstance(result, Failure):
                    outcomes[number] = self._at(row, button, result)
                else:
                    pressed[number] = (row.key, write.action == "create")
        for number, (write, row) in waiting.items():
            if number not in pressed and number not in outcomes:
                done[number] = (row.key, write.action == "create")
        outcomes |= self._delivered(done)
        outcomes |= self._advanced(pressed, {number: _state(waiting[number]) for number in pressed})

    def _press(self, button: str, rows: Sequence[Standing]) -> list[bool]:
        self._session.call(self._records.model, button, [int(row.key) for _, row in rows])
        return [True] * len(rows)

    def _at(self, row: Row, button: str, failure: Failure) -> Failure:
        """A refusal of a button: the document stands, and a replay goes on from there."""
        if isinstance(failure, Rejected) and not isinstance(failure, Warned):
            failure.hint = f"It stands in Tryton as {self._records.model} {row.key}; put right what {button} asks for, "
            failure.hint += "then replay: it goes on from there."
        return failure

    def _advanced(self, pressed: Mapping[int, tuple[str, bool]], before: Mapping[int, str]) -> dict[int, Outcome]:
        """Which stage is next is what the state says now; a button that changed nothing asked for something."""
        found: dict[int, Outcome] = {}
        outcomes = self._delivered(pressed)
        for number, outcome in outcomes.items():
            if not isinstance(outcome, Delivered) or outcome.returned is None:
                found[number] = outcome
                continue
            state = str(outcome.returned["state"])
            if state == before[number]:
                hint = "The button may have opened a wizard: look at the document in Tryton, then replay."
                text = f"{self._records.model} {outcome.target_id} stays {state}, although nothing was refused."
                found[number] = Rejected(text, hint=hint, status=state)
            elif LEVELS.get(state, 3) < self._until:
                stage = STAGES[LEVELS[state]]
                found[number] = Accepted(outcome.target_id, stage, 0, outcome.target_id)
            else:
                found[number] = outcome
        return found

    def _delivered(self, done: Mapping[int, tuple[str, bool]]) -> dict[int, Outcome]:
        """Read what stands now: version, lines, and what Tryton made of our values."""
        if not done:
            return {}
        try:
            rows = {row.key: row for row in self._records.by_id([int(k) for k, _ in done.values()], all_of_them=True)}
        except Failure as failure:
            text = f"{failure.message} The documents stand; their lines could not be read."
            return dict.fromkeys(done, OutcomeUnknown(text, hint="Looked up by our reference after the settle time."))
        found: dict[int, Outcome] = {}
        for number, (key, created) in done.items():
            row = rows.get(key)
            if row is None or row.body is None:
                found[number] = OutcomeUnknown(f"{self._records.model} {key} is gone again.", hint="Look in Tryton.")
            else:
                found[number] = Delivered(key, row.version, created, lines_of(row.body), row.body)
        return found


def lines_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Tryton's line numbers by our line keys; lines that others added have no key."""
    return {str(each["@line"]): str(each["id"]) for each in body.get("lines") or [] if each.get("@line")}


def _state(standing: Standing) -> str:
    body = standing[1].body
    return str(body["state"]) if body is not None else ""


def _unsent(failure: Failure) -> Failure:
    """Nothing was written yet: this was only reading or preparing."""
    failure.sent = False
    return failure
