"""sObject Collections: up to 200 records in one call, each with a result of its own, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from connectors.salesforce._errors import code_of, failure_of_row
from connectors.salesforce._schema import Schema
from connectors.salesforce._session import Session
from landbridge.errors import Failure, OutcomeUnknown

_AT_ONCE = 200
GONE = {"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"}
FIXED = "INVALID_FIELD_FOR_INSERT_UPDATE"  # some objects take a field at creation only
_NUMBERS = {"double", "currency", "percent", "int", "long"}


@dataclass(frozen=True, slots=True)
class Change:
    """One record to write: `key` is its Id for update and delete, our reference for upsert."""

    kind: Literal["update", "upsert", "delete"]
    native: str
    key: str
    what: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Saved:
    """The record stands."""

    id: str
    created: bool = False


Result = Saved | Failure


class Collections:
    """Writes changes in as few calls as they fit into."""

    def __init__(self, session: Session, schema: Schema, reference: str) -> None:
        self._session = session
        self._schema = schema
        self._reference = reference

    def save(self, changes: Sequence[Change]) -> list[Result]:
        """One result per change, in order; changes of one kind and object share calls."""
        results: list[Result | None] = [None] * len(changes)
        for chunk in _chunks(changes):
            part = [changes[index] for index in chunk]
            for index, result in zip(chunk, self._chunk(part), strict=True):
                results[index] = result
        return [result for result in results if result is not None]

    def _chunk(self, changes: Sequence[Change]) -> list[Result]:
        """One call; where the target fixed some fields at creation, a second one without them."""
        results, rows = self._call(changes)
        again = [index for index, row in enumerate(rows) if changes[index].kind == "upsert" and _fixed(row)]
        if not again:
            return results
        slim = []
        for index in again:
            change = changes[index]
            taken = self._schema.updatable(change.native)
            values = {name: value for name, value in change.values.items() if name in taken}
            slim.append(Change("upsert", change.native, change.key, change.what, values))
        for index, result in zip(again, self._call(slim)[0], strict=True):
            results[index] = result
        return results

    def _call(self, changes: Sequence[Change]) -> tuple[list[Result], list[dict[str, Any]]]:
        try:
            rows = self._send(changes)
        except Failure as failure:
            return [failure for _ in changes], []
        if not isinstance(rows, list) or len(rows) != len(changes):
            message = f"{self._session.http.system}: the reply has no result for each of {len(changes)} records."
            unknown = OutcomeUnknown(message, hint="Looked up by our reference after the settle time.")
            return [unknown for _ in changes], []
        return [self._result(change, row) for change, row in zip(changes, rows, strict=True)], rows

    def _send(self, changes: Sequence[Change]) -> Any:
        kind, native = changes[0].kind, changes[0].native
        path = f"{self._session.path}/composite/sobjects"
        if kind == "delete":
            ids = ",".join(change.key for change in changes)
            return self._session.call("DELETE", path, params={"ids": ids, "allOrNone": "false"})
        identity = "id" if kind == "update" else self._reference
        records = [
            {"attributes": {"type": native}, **self._typed(native, change.values), identity: change.key}
            for change in changes
        ]
        if kind == "upsert":
            path = f"{path}/{native}/{self._reference}"
        return self._session.call("PATCH", path, json={"allOrNone": False, "records": records})

    def _result(self, change: Change, row: dict[str, Any]) -> Result:
        if row.get("success"):
            return Saved(str(row.get("id") or change.key), created=bool(row.get("created")))
        errors = row.get("errors") or []
        if change.kind == "delete" and errors and code_of(errors[0]) in GONE:
            return Saved(change.key)
        what = f"{self._session.http.system}: {change.what}"
        return failure_of_row(errors, what, reference=self._reference)

    def _typed(self, native: str, values: dict[str, Any]) -> dict[str, Any]:
        """Decimals travel as text in the kernel and as numbers here."""
        numbers = {each["name"] for each in self._schema.raw(native)["fields"] if each["type"] in _NUMBERS}
        return {name: _number(value) if name in numbers else value for name, value in values.items()}


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        return value  # Salesforce will say what is wrong with it


def _fixed(row: dict[str, Any]) -> bool:
    return any(code_of(error) == FIXED for error in row.get("errors") or ())


def _chunks(changes: Sequence[Change]) -> Iterator[list[int]]:
    """Indexes of changes that may share a call: same kind and object, no record twice, at most 200."""
    waiting = list(range(len(changes)))
    while waiting:
        head = changes[waiting[0]]
        taken: list[int] = []
        keys: set[str] = set()
        for index in waiting:
            change = changes[index]
            if (change.kind, change.native) == (head.kind, head.native) and change.key not in keys:
                taken.append(index)
                keys.add(change.key)
                if len(taken) == _AT_ONCE:
                    break
        yield taken
        chosen = set(taken)
        waiting = [index for index in waiting if index not in chosen]
