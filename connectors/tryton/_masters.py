"""Parties and products: made and changed in batches, each batch one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.tryton._batch import together
from connectors.tryton._errors import unknown
from connectors.tryton._records import Records
from connectors.tryton._references import References
from connectors.tryton._values import Values, merged
from connectors.tryton._wire import Record
from landbridge.connector import Delivered, Outcome, Row, Write
from landbridge.errors import Conflict, Failure, Rejected

Prepared = tuple[Write, Record]
_TEMPLATE = "product.template"


class Masters:
    """Writes the records of one entity."""

    def __init__(self, records: Records, references: References, values: Values) -> None:
        self._records = records
        self._references = references
        self._values = values
        self._session = records.session

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, in order."""
        outcomes: dict[int, Outcome] = {}
        self._create({n: write for n, write in enumerate(writes) if write.action == "create"}, outcomes)
        self._change({n: write for n, write in enumerate(writes) if write.action != "create"}, outcomes)
        self._read_back(outcomes)
        return [outcomes[number] for number in range(len(writes))]

    # -- new records -------------------------------------------------------------------------------------------------

    def _create(self, writes: dict[int, Write], outcomes: dict[int, Outcome]) -> None:
        ready: dict[int, Prepared] = {}
        for number, write in writes.items():
            try:
                ready[number] = (write, self._new(write))
            except Failure as failure:
                outcomes[number] = _unsent(failure)
        made = together(list(ready.values()), self._make, lambda rows: self._references.standing([w for w, _ in rows]))
        for number, result in zip(ready, made, strict=True):
            outcomes[number] = result if isinstance(result, Failure) else Delivered(str(result), created=True)

    def _new(self, write: Write) -> Record:
        ours = merged(self._records.config.defaults.get(self._records.entity, {}), write.after)
        if self._records.entity != "product":
            values = self._values.new(self._records.model, ours)
            self._references.put(values, write.reference)
            return values
        template = self._values.new(_TEMPLATE, ours.pop("template", None) or {})
        variant = self._values.new(self._records.model, ours)
        self._references.put(variant, write.reference)
        return {**template, "products": [["create", [variant]]]}

    def _make(self, rows: Sequence[Prepared]) -> list[int]:
        values = [values for _, values in rows]
        if self._records.entity != "product":
            return [int(one) for one in self._session.call(self._records.model, "create", values)]
        templates = self._session.call(_TEMPLATE, "create", values)
        try:
            found = self._session.call(_TEMPLATE, "read", templates, ["products"])
        except Failure as failure:  # they stand; which variants they have is asked for later
            raise unknown(failure) from failure
        variants = {each["id"]: int(each["products"][0]) for each in found}
        return [variants[one] for one in templates]

    # -- records that stand ------------------------------------------------------------------------------------------

    def _change(self, writes: dict[int, Write], outcomes: dict[int, Outcome]) -> None:
        try:
            ids = [int(write.target_id or 0) for write in writes.values()]
            rows = {row.key: row for row in self._records.by_id(ids, all_of_them=True)} if ids else {}
        except Failure as failure:
            outcomes |= dict.fromkeys(writes, _unsent(failure))
            return
        ready: dict[int, Prepared] = {}
        for number, write in writes.items():
            try:
                row = rows.get(write.target_id or "")
                planned = self._planned(write, row)
            except Failure as failure:
                outcomes[number] = _unsent(failure)
                continue
            if planned is None or row is None:
                outcomes[number] = Delivered(write.target_id or "", row.version if row else None)
            else:
                ready[number] = (write, planned)
        for kind, call in (("@delete", self._delete), ("@changed", self._store_templates), ("", self._store)):
            numbers = [n for n, (_, values) in ready.items() if _kind(values) == kind]
            stored = together([ready[n] for n in numbers], call)
            for number, result in zip(numbers, stored, strict=True):
                outcomes[number] = result if isinstance(result, Failure) else Delivered(result)

    def _planned(self, write: Write, row: Row | None) -> Record | None:
        """The values to write; None where there is nothing to do."""
        if write.action == "delete":
            return self._ended(write, row)
        if row is None or row.body is None:
            hint = "Restore it in Tryton, or unlink it with `landbridge xref` so that it is made anew."
            raise Conflict(f"{self._records.model} {write.target_id} is no longer there.", hint=hint)
        body, ours = self._references.without(row.body, write.reference), dict(write.changed)
        if self._records.entity != "product":
            return self._values.changes(self._records.model, ours, body, write.before) or None
        template = ours.pop("template", None) or {}
        held = body.get("template") or {}
        changed = self._values.changes(_TEMPLATE, template, held, (write.before or {}).get("template"))
        variant = self._values.changes(self._records.model, ours, body, write.before)
        if changed:
            changed["@template"] = int(held["id"])
        return {**variant, **({"@changed": changed} if changed else {})} or None

    def _ended(self, write: Write, row: Row | None) -> Record | None:
        if row is None or row.body is None:
            return None
        if write.policy == "delete":
            return {"@delete": True}
        if write.policy in ("block", "close"):
            return {"active": False} if row.body.get("active") is not False else None
        hint = "Set the policy of the flow to block, delete or ignore."
        raise Rejected(
            f"{write.reference}: policy '{write.policy}' means nothing for {self._records.entity}.", hint=hint
        )

    def _delete(self, rows: Sequence[Prepared]) -> list[str]:
        self._session.call(self._records.model, "delete", [int(write.target_id or 0) for write, _ in rows])
        return [write.target_id or "" for write, _ in rows]

    def _store(self, rows: Sequence[Prepared]) -> list[str]:
        """All changes in one call, under the locks of their versions."""
        calls: list[Any] = []
        locks: dict[str, str] = {}
        for write, values in rows:
            calls += [[int(write.target_id or 0)], values]
            locks |= self._locked(write, None)
        self._session.call(self._records.model, "write", *calls, context={"_timestamp": locks})
        return [write.target_id or "" for write, _ in rows]

    def _store_templates(self, rows: Sequence[Prepared]) -> list[str]:
        """Templates with their variants: one transaction for both."""
        calls: list[Any] = []
        locks: dict[str, str] = {}
        for write, values in rows:
            own = {name: value for name, value in values.items() if name != "@changed"}
            template = dict(values["@changed"])
            number = template.pop("@template")
            steps = {"products": [["write", [int(write.target_id or 0)], own]]} if own else {}
            calls += [[number], {**template, **steps}]
            locks |= self._locked(write, number)
        self._session.call(_TEMPLATE, "write", *calls, context={"_timestamp": locks})
        return [write.target_id or "" for write, _ in rows]

    def _locked(self, write: Write, template: int | None) -> dict[str, str]:
        if not write.expected:
            return {}
        own, _, other = write.expected.partition("|")
        locks = {f"{self._records.model},{write.target_id}": own}
        return {**locks, f"{_TEMPLATE},{template}": other} if template and other else locks

    def _read_back(self, outcomes: dict[int, Outcome]) -> None:
        """What stands now: the version, and what Tryton made of our values."""
        done = {n: one for n, one in outcomes.items() if isinstance(one, Delivered)}
        try:
            found = self._records.by_id([int(one.target_id) for one in done.values()], all_of_them=True)
        except Failure:  # the effect stands all the same
            return
        rows = {row.key: row for row in found}
        for number, one in done.items():
            if row := rows.get(one.target_id):
                outcomes[number] = Delivered(one.target_id, row.version, one.created, returned=row.body)


def _kind(values: Record) -> str:
    return next((kind for kind in ("@delete", "@changed") if kind in values), "")


def _unsent(failure: Failure) -> Failure:
    """Nothing was written yet: this was only reading or preparing."""
    failure.sent = False
    return failure
