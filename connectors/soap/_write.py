"""Writes: one call each, whose answer tells the id, the version and the lines, or is looked up."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from connectors.soap._entity import Remove, Save
from connectors.soap._faults import Absent
from connectors.soap._paths import at, put
from connectors.soap._read import Reader
from connectors.soap._records import Records
from connectors.soap._service import Service
from landbridge.connector import Delivered, LineWrite, Outcome, Write
from landbridge.errors import Conflict, Failure, OutcomeUnknown, Rejected


class Writer:
    """Writes one entity."""

    def __init__(self, records: Records, service: Service, reader: Reader) -> None:
        self._records, self._service, self._reader = records, service, reader
        self._entity, self._name = records.entity, records.name

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """One call per write; each its own outcome."""
        return [self._outcome(write) for write in writes]

    def _outcome(self, write: Write) -> Outcome:
        try:
            if write.action == "delete":
                return self._remove(write)
            return self._save(write)
        except Absent as gone:
            hint = "It was deleted there; decide whether it shall be made anew."
            return Conflict(gone.message, hint=hint, status=gone.status)
        except Failure as failure:
            return failure

    def _save(self, write: Write) -> Delivered:
        save = self._operation(write)
        answer = self._service.call(save, _values(write), safe=False, body=self._body(write, save))
        record = at(answer, save.record) if save.record else None
        record = record if isinstance(record, dict) else None
        target = at(answer, save.id) if save.id else None
        if target in (None, "") and record is not None:
            target = at(record, self._entity.key)
        target = target if target not in (None, "") else write.target_id
        incomplete = target is None or (bool(write.lines) and record is None)
        if incomplete:
            return self._looked_up(write, target)
        version = at(answer, save.version) if save.version else None
        if version is None and record is not None:
            version = self._records.version(record)
        made = at(answer, save.created) if save.created else write.target_id is None
        return Delivered(
            str(target),
            None if version is None else str(version),
            created=made is True,
            lines={} if record is None else self._records.lines(record),
            returned=None if record is None else self._records.body(record),
        )

    def _looked_up(self, write: Write, target: Any) -> Delivered:
        """What the answer does not tell, read after the write; until then nobody knows what stands there."""
        try:
            found = self._reader.find(write.reference)
        except Failure as failure:
            hint = "Looked up by our reference after the settle time."
            raise OutcomeUnknown(f"written, but not read back: {failure.message}", hint=hint) from None
        if found is not None:
            created = write.target_id is None
            return Delivered(found.target_id, found.version, created, found.lines, found.returned)
        if target is None:
            hint = "Say `id:` of the operation, the path of the new record's id in its answer, or `find:`."
            raise OutcomeUnknown(f"{self._name}: the answer does not tell the record's id.", hint=hint)
        return Delivered(str(target), created=write.target_id is None)

    def _operation(self, write: Write) -> Save:
        if write.target_id is not None:
            found = self._entity.update or self._entity.upsert
        else:
            found = self._entity.upsert or self._entity.create
        if found is None:
            what = "changed" if write.target_id is not None else "made"
            raise Rejected(f"{self._name} cannot be {what}.", hint="Say `update:` or `upsert:`.", sent=False)
        return found

    def _body(self, write: Write, save: Save) -> dict[str, Any]:
        fields = write.changed if save.send == "changed" and write.target_id is not None else write.after
        record = _nested(fields)
        if self._entity.reference is not None:
            put(record, self._entity.reference, write.reference)
        if write.target_id is not None and "id" not in save.places():
            put(record, self._entity.key, write.target_id)
        if self._entity.lines is not None and write.lines:
            lines = [made for line in write.lines if (made := self._line(line)) is not None]
            put(record, self._entity.lines.path, lines)
        body: dict[str, Any] = {}
        put(body, save.body, record)
        return body

    def _line(self, line: LineWrite) -> dict[str, Any] | None:
        """A line as it shall stand; a cancelled one with its constants, or left out of the list."""
        lines = self._entity.lines
        assert lines is not None
        if line.action == "cancel" and lines.cancelled is None:
            return None
        fields = {**(line.after or line.before or {})}
        if line.action == "cancel" and lines.cancelled is not None:
            fields |= lines.cancelled
        made = _nested(fields)
        put(made, lines.reference, line.line_key)
        if line.line_id is not None:
            put(made, lines.key, line.line_id)
        return made

    def _remove(self, write: Write) -> Delivered:
        if write.policy == "ignore" or write.target_id is None:
            return Delivered(write.target_id or "")
        policy = write.policy or "delete"
        remove: Remove | None = self._entity.delete if policy == "delete" else self._entity.cancel
        if remove is None:
            word = "delete" if policy == "delete" else "cancel"
            hint = f"Say `{word}:` of the entity, or another `on_delete`."
            raise Rejected(f"{self._name}: nothing says how to {word} it.", hint=hint, sent=False)
        with suppress(Absent):  # what was to go is gone
            self._service.call(remove, _values(write), safe=False)
        return Delivered(write.target_id)


def _values(write: Write) -> dict[str, Any]:
    return {"id": write.target_id, "reference": write.reference, "version": write.expected, "key": write.key}


def _nested(fields: dict[str, Any]) -> dict[str, Any]:
    """A copy whose inner mappings may be written into."""
    return {name: _nested(value) if isinstance(value, dict) else value for name, value in fields.items()}
