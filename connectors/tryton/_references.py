"""Where our reference stands in a record: a note, an identifier without a type, or a field that is ours alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.tryton._config import IDENTIFIER, NOTE
from connectors.tryton._records import Records
from connectors.tryton._wire import Record
from landbridge.connector import Row, Write
from landbridge.errors import Conflict


class References:
    """Writes and finds our references in the records of one entity."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._place = records.config.reference_of(records.entity)

    def put(self, values: Record, reference: str) -> None:
        """Add our reference to the values of a new record."""
        if self._place == NOTE:
            values["notes"] = [["create", [{"message": reference}]]]
        elif self._place == IDENTIFIER:
            ours = {"type": None, "code": reference}
            given = values.get("identifiers") or [["create", []]]
            values["identifiers"] = [["create", [*given[0][1], ours]]]
        else:
            values[self._place] = reference

    def without(self, body: Record, reference: str) -> Record:
        """A body in which our reference is no identifier of the record."""
        if self._place != IDENTIFIER:
            return body
        return {**body, "identifiers": [each for each in body["identifiers"] if each["code"] != reference]}

    def find(self, reference: str) -> Row | None:
        """The record that carries our reference; more than one is for a person to clear up."""
        session, model = self._records.session, self._records.model
        ids = session.call(model, "search", self._domain("=", reference), 0, 3, [["id", "ASC"]])
        if len(ids) > 1:
            hint = "Somebody copied a record with our reference; take it out of the copy in Tryton."
            raise Conflict(f"{session.http.system}: {model} {ids} carry our reference {reference}.", hint=hint)
        rows = self._records.by_id(ids, all_of_them=True)
        return rows[0] if rows else None

    def standing(self, writes: Sequence[Write]) -> list[int | None]:
        """The ids of the records that carry the references of these writes."""
        found: list[int | None] = []
        for write in writes:
            row = self.find(write.reference)
            found.append(int(row.key) if row is not None else None)
        return found

    def _domain(self, operator: str, reference: str) -> list[Any]:
        if self._place == NOTE:
            return [["notes", "where", [["message", operator, reference]]]]
        if self._place == IDENTIFIER:
            return [["identifiers", "where", [["code", operator, reference], ["type", "=", None]]]]
        return [[self._place, operator, reference]]
