"""Reading: changed records in order, the documents of changed lines, records by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from connectors.salesforce._bulk import Loads
from connectors.salesforce._bulk_read import BulkReader
from connectors.salesforce._config import SalesforceConfig
from connectors.salesforce._cursor import Cursor, Place, Window
from connectors.salesforce._entities import ENTITIES, LINES, Lines
from connectors.salesforce._schema import Schema
from connectors.salesforce._session import Session
from connectors.salesforce._soql import among, instant, name, quoted
from landbridge.connector import Entity, Found, KeyHash, Page, Row
from landbridge.strict import json as strict_json

_IDS_AT_ONCE = 200
_REMEMBERED = 20_000


class Reader:
    """Reads one org."""

    def __init__(self, session: Session, schema: Schema, jobs: Loads, config: SalesforceConfig) -> None:
        self._session = session
        self._schema = schema
        self._config = config
        self._bulk = BulkReader(jobs, schema, session.clock, session.http.system, config.page_size)

    def pages(self, entity: str, declared: Entity, since: str | None, limit: int | None) -> Iterator[Page]:
        """What changed since the cursor, oldest first; then the documents whose lines changed without them."""
        cursor = Cursor.parse(since)
        now = self._session.clock.now()
        lines = LINES.get(entity)
        newest = self._newest(declared.native)
        newest_line = self._newest(lines.native) if lines else None
        latest = max([now, *(instant(stamp) for stamp in (newest, newest_line) if stamp)])
        cursor.refuse_future(latest, self._session.http.system)
        first = cursor.lines is None
        left = limit
        seen: set[str] = set()
        begun = cursor.records.begin(newest, now.timestamp(), self._config.overlap)
        if first and lines:  # the first reading brings every line with its document
            cursor = replace(cursor, lines=Window(high=newest_line, seen=now.timestamp()) if newest_line else Window())
        for records, window in self._window(entity, declared.native, begun, since is not None, left):
            if len(seen) < _REMEMBERED:
                seen.update(record["Id"] for record in records)
            cursor = replace(cursor, records=window)
            left = None if left is None else left - len(records)
            yield Page([row_of(record) for record in records], cursor.text())
        if lines is None or first or (left is not None and left <= 0):
            return
        yield from self._changed_lines(entity, lines, cursor, newest_line, now.timestamp(), seen)

    def _window(
        self, entity: str, native: str, window: Window, deleted: bool, limit: int | None, *, bulk: bool = True
    ) -> Iterator[tuple[list[dict[str, Any]], Window]]:
        """The pages of one window, each with the window as it stands after it."""
        if not window.open:
            return
        above = self._config.bulk.read_above if bulk and entity not in LINES and limit is None else 0
        if window.bulk is not None and above:
            yield from self._in_bulk(entity, native, window, deleted)
            return
        window = replace(window, bulk=None)
        soql = self._soql_of(entity, native, window, limit)
        count = 0
        for records, done, total in self._session.query(soql, deleted=deleted, batch_size=self._config.page_size):
            count += len(records)
            # LIMIT may have ended it, not the window
            window = window.read_to(records, last=done and count != limit)
            yield records, window
            if above and total > above and not done:
                yield from self._in_bulk(entity, native, window, deleted)
                return

    def _in_bulk(
        self, entity: str, native: str, window: Window, deleted: bool
    ) -> Iterator[tuple[list[dict[str, Any]], Window]]:
        """The rest of a window by a bulk query, or by pages where that comes to nothing."""
        if window.bulk is None:
            job = self._bulk.begin(self._soql_of(entity, native, window, None), deleted=deleted)
            window = replace(window, bulk=Place(job))
            yield [], window  # kept before anything is waited for
        window = yield from self._bulk.pages(native, window)
        if window.open and window.bulk is None:
            yield from self._window(entity, native, window, deleted, None, bulk=False)

    def _soql_of(self, entity: str, native: str, window: Window, limit: int | None) -> str:
        where = window.conditions()
        if entity in self._config.filters:
            where.append(f"({self._config.filters[entity]})")
        return self._select(entity, native, where, limit)

    def _changed_lines(
        self, entity: str, lines: Lines, cursor: Cursor, newest: str | None, now: float, seen: set[str]
    ) -> Iterator[Page]:
        """The documents of changed lines: Salesforce moves a document's stamp for some changes of its lines only."""
        assert cursor.lines is not None
        window = cursor.lines.begin(newest, now, self._config.overlap)
        if not window.open:
            return
        fields = f"Id, SystemModstamp, {lines.parent}"
        soql = _soql(fields, lines.native, window.conditions(), "SystemModstamp, Id")
        for records, done, _ in self._session.query(soql, deleted=True, batch_size=self._config.page_size):
            window = window.read_to(records, last=done)
            parents = list(dict.fromkeys(str(record[lines.parent]) for record in records if record[lines.parent]))
            found = self._by_id(entity, [parent for parent in parents if parent not in seen], filtered=True)
            yield Page([row_of(record) for record in found], replace(cursor, lines=window).text())

    def fetch(self, entity: str, ids: Sequence[str], *, filtered: bool = False) -> list[Row]:
        """Records by id as they are now; those that are not there any more as `delete`.

        `filtered` leaves out the records that the filter of their entity keeps from being read.
        """
        rows = [row_of(record) for record in self._by_id(entity, ids, filtered=False)]
        there = {row.key for row in rows}
        if filtered and entity in self._config.filters:
            wanted = {record["Id"] for record in self._by_id(entity, ids, filtered=True)}
            rows = [row for row in rows if row.action != "upsert" or row.key in wanted]
        return rows + [Row(key, None, action="delete") for key in dict.fromkeys(ids) if key not in there]

    def _by_id(self, entity: str, ids: Sequence[str], *, filtered: bool) -> Iterator[dict[str, Any]]:
        native = self._native(entity)
        condition = self._config.filters.get(entity) if filtered else None
        for chunk in _chunks(ids):
            where = [f"Id IN {among(chunk)}", *([f"({condition})"] if condition else [])]
            yield from self._session.records(self._select(entity, native, where, None), deleted=True)

    def keys(self, entity: str, low: str | None, high: str | None) -> Iterator[KeyHash]:
        """Every record's id with the digest of its body, by id; `low` inclusive, `high` exclusive."""
        where = [f"Id {sign} {quoted(bound)}" for sign, bound in ((">=", low), ("<", high)) if bound]
        if entity in self._config.filters:
            where.append(f"({self._config.filters[entity]})")
        native = self._native(entity)
        for record in self._session.records(self._select(entity, native, where, None, order="Id")):
            yield KeyHash(record["Id"], strict_json.digest(record))

    def find(self, entity: str, reference: str) -> Found | None:
        """The record that carries our reference, with its lines' ids by our line keys."""
        native = self._native(entity)
        where = [f"{self._config.reference} = {quoted(reference)}"]
        record = next(self._session.records(self._select(entity, native, where, 1, order="Id")), None)
        if record is None:
            return None
        return Found(record["Id"], lines=self._line_ids(entity, record, reference), returned=record)

    def _line_ids(self, entity: str, record: Mapping[str, Any], reference: str) -> dict[str, str]:
        if entity not in LINES:
            return {}
        held = (record.get(LINES[entity].relation) or {}).get("records", ())
        keys = {line["Id"]: str(line.get(self._config.reference) or "") for line in held}
        start = f"{reference}#"
        return {key[len(start) :]: line for line, key in keys.items() if key.startswith(start)}

    def matches(self, native: str, values: Sequence[str], field: str) -> dict[str, list[str]]:
        """The ids of the records that hold each value; values that nobody holds are left out."""
        found: dict[str, list[str]] = {}
        wanted = {value.casefold(): value for value in values}  # Salesforce compares without case
        for chunk in _chunks(values):
            where = [f"{name(field)} IN {among(chunk)}"]
            for record in self._session.records(_soql(f"Id, {field}", native, where, "Id")):
                value = wanted.get(str(record[field]).casefold())
                if value is not None:
                    found.setdefault(value, []).append(record["Id"])
        return found

    def _newest(self, native: str) -> str | None:
        """The stamp of the record that changed last, deleted ones included."""
        soql = f"SELECT SystemModstamp FROM {native} ORDER BY SystemModstamp DESC LIMIT 1"  # noqa: S608 - a declared name
        record = next(self._session.records(soql, deleted=True), None)
        return None if record is None else str(record["SystemModstamp"])

    def _select(
        self, entity: str, native: str, where: Sequence[str], limit: int | None, order: str = "SystemModstamp, Id"
    ) -> str:
        fields = self._schema.selected(native, self._config.fields.get(entity, ()))
        lines = LINES.get(entity)
        if lines is not None:
            each = ", ".join(self._schema.selected(lines.native, self._config.fields.get(lines.native, ())))
            # queryAll would show deleted lines as well
            fields.append(f"(SELECT {each} FROM {lines.relation} WHERE IsDeleted = false ORDER BY Id)")  # noqa: S608 - names of the org's describe
        return _soql(", ".join(fields), native, where, order, limit)

    def _native(self, entity: str) -> str:
        return ENTITIES[entity].native


def row_of(record: dict[str, Any]) -> Row:
    """A record as a row; a deleted one that has a master was merged into it."""
    key, stamp = record["Id"], record["SystemModstamp"]
    if not record["IsDeleted"]:
        return Row(key, record, stamp)
    master = record.get("MasterRecordId")
    if master:
        return Row(key, None, stamp, action="merge", into=master)
    return Row(key, None, stamp, action="delete")


def _soql(fields: str, native: str, where: Sequence[str], order: str, limit: int | None = None) -> str:
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    end = f" LIMIT {limit}" if limit is not None else ""
    return f"SELECT {fields} FROM {native}{condition} ORDER BY {order}{end}"  # noqa: S608 - quoted or checked parts only


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    left = iter(dict.fromkeys(values))
    while chunk := list(islice(left, _IDS_AT_ONCE)):
        yield chunk
