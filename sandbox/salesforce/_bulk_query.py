"""Bulk queries: SOQL without nested records, results as CSV a page at a time behind a locator."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from sandbox._base import Collection, Document, Reply, State
from sandbox.salesforce._bulk_csv import shown, written
from sandbox.salesforce._call import Call
from sandbox.salesforce._compile import Scope, scope_of
from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._query import Queries
from sandbox.salesforce._schema import Field
from sandbox.salesforce._soql import Path, Query, parse

_CHUNK = 2000
_ROWS = Collection("_bulk_rows", ("job", "position"), indexes=(("job", "position"),))


class BulkQuery:
    """Checks, runs and pages bulk queries."""

    def __init__(self, state: State, queries: Queries) -> None:
        self._state, self._queries = state, queries
        state.define(_ROWS)

    def described(self, given: Document, call: Call) -> Document:
        """What a new query job is; SalesforceError where Bulk API 2.0 does not take the query."""
        operation = given.get("operation")
        if operation not in {"query", "queryAll"}:
            raise SalesforceError("INVALIDJOB", f"Invalid operation: {operation}")
        query = parse(str(given.get("query") or ""))
        columns(query, scope_of(query, call.at.date()))
        return {"operation": operation, "object": query.source, "query": given["query"], "jobType": "V2Query"}

    def run(self, job: Document, now: datetime) -> Document:
        """Read everything and keep it."""
        today = now.date()
        query = parse(job["query"])
        found = columns(query, scope_of(query, today))
        page = self._queries.run(job["query"], "", today, batch=_CHUNK, deleted=job["operation"] == "queryAll")
        position = 0
        while True:
            rows = [[_cell(record, path, field) for path, field in found] for record in page["records"]]
            document = {"job": job["id"], "position": position, "rows": rows}
            self._state.put("_bulk_rows", f"{job['id']}-{position}", document)
            position += len(rows)
            if page["done"]:
                break
            page = self._queries.more(page["nextRecordsUrl"].rsplit("/", 1)[1], "", today)
        job["columns"] = [".".join(path) for path, _ in found]
        return {"numberRecordsProcessed": position, "columns": job["columns"]}

    def results(self, job: Document, call: Call) -> Reply:
        """One page: all that is left unless `maxRecords` says otherwise."""
        start = _position(call.query.get("locator", ""))
        total = job["numberRecordsProcessed"]
        if start > total:
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        most = int(call.query.get("maxRecords") or total or 1)
        end = min(total, start + most)
        rows: list[list[str]] = []
        where = "job = ? AND position > ? AND position < ?"
        for chunk in self._state.find("_bulk_rows", where, (job["id"], start - _CHUNK, end), order="position"):
            first = max(0, start - chunk["position"])
            rows += chunk["rows"][first : end - chunk["position"]]
        text = written([job["columns"], *rows], job)
        locator = base64.b64encode(str(end).encode()).decode().rstrip("=") if end < total else "null"
        headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(rows))}
        return Reply(200, text.encode(), headers, "text/csv")


def columns(query: Query, scope: Scope) -> list[tuple[tuple[str, ...], Field]]:
    """The columns of a query's result, or SalesforceError for what Bulk API 2.0 cannot answer."""
    if query.group or query.offset:
        raise _refused("GROUP BY and OFFSET are not supported")
    found = []
    for each in query.select:
        if not isinstance(each, Path):
            raise _refused("nested queries, aggregates and FIELDS() are not supported")
        _, field, steps = scope.resolve(each)
        if field.type == "address":
            raise _refused(f"compound field {field.name} is not supported")
        found.append(((*steps, field.name), field))
    return found


def _cell(record: Document, path: tuple[str, ...], field: Field) -> str:
    value: Any = record
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return shown(field, value)


def _position(locator: str) -> int:
    if locator in {"", "null"}:
        return 0
    try:
        return int(base64.b64decode(locator + "=" * (-len(locator) % 4)))
    except (ValueError, binascii.Error):
        raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator") from None


def _refused(what: str) -> SalesforceError:
    return SalesforceError("API_ERROR", f"Bulk API 2.0 cannot run this query: {what}")
