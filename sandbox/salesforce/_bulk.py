"""Bulk API 2.0: ingest and query run beside the requests, by the sandbox's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sandbox._base import Clock, Collection, Document, Reply
from sandbox.salesforce._bulk_csv import DELIMITERS, ENDINGS, BadCsvError, fields_of, read, written
from sandbox.salesforce._bulk_query import BulkQuery
from sandbox.salesforce._call import Call, answer
from sandbox.salesforce._errors import SalesforceError, not_found
from sandbox.salesforce._ids import make_id, read_id
from sandbox.salesforce._objects import SOBJECTS, find_sobject
from sandbox.salesforce._query import Queries
from sandbox.salesforce._records import Author, MultipleMatchesError, Records
from sandbox.salesforce._rows import external_field
from sandbox.salesforce._schema import SObject
from sandbox.salesforce._values import read_instant, wire

_OPERATIONS = {"insert", "update", "upsert", "delete"}
_ENDED = {"JobComplete", "Failed", "Aborted"}
_PARTS = {"successfulresults": "successful", "failedresults": "failed", "unprocessedrecords": "unprocessed"}
_AT_ONCE = 200  # rows that are saved together, and among which an external id may not come twice
_LISTED = 1000
_JOB = Collection("_bulk_job", ("kind", "serial"), indexes=(("kind", "serial"),))
_CONTENT = Collection("_bulk_content")
_RESULT = Collection("_bulk_result", ("job", "part", "serial"), indexes=(("job", "part", "serial"),))


class Bulk:
    """The org's bulk work. Work waits `queue` seconds of the sandbox's clock, and takes `work` more."""

    def __init__(
        self, records: Records, queries: Queries, clock: Clock, pod: str, *, queue: float, work: float, most_bytes: int
    ) -> None:
        self._records, self._state, self._clock, self._pod = records, records.state, clock, pod
        self.queue, self.work, self.most_bytes = queue, work, most_bytes
        self._query = BulkQuery(self._state, queries)
        for collection in (_JOB, _CONTENT, _RESULT):
            self._state.define(collection)

    def reply(self, call: Call) -> Reply:
        """Everything below /jobs."""
        kind = call.segments[1] if len(call.segments) > 1 else ""
        rest = tuple(each for each in call.segments[2:] if each)
        if kind not in {"ingest", "query"}:
            raise not_found()
        if not rest:
            return answer(200, self._create(call, kind)) if call.method == "POST" else self._list(call, kind)
        key = read_id(rest[0]) or rest[0]
        self._catch_up(key)
        job = self._state.get("_bulk_job", key)
        if job is None or job["kind"] != kind:
            raise not_found()
        if len(rest) == 1:
            return self._one(call, job)
        return self._below(call, job, rest[1].lower())

    def _one(self, call: Call, job: Document) -> Reply:
        if call.method == "GET":
            return answer(200, _told(job))
        if call.method == "PATCH":
            return answer(200, _told(self._set_state(call, job, str(call.document().get("state")))))
        if call.method != "DELETE":
            raise SalesforceError("METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.")
        if job["state"] not in _ENDED | {"UploadComplete"}:
            raise _state(f"Deleting an {job['state']} job is not allowed")
        for table in ("_bulk_result", "_bulk_rows"):
            self._state.execute(f"DELETE FROM {table} WHERE job = ?", (job["id"],))
        self._state.delete("_bulk_content", job["id"])
        self._state.delete("_bulk_job", job["id"])
        return answer(204, None)

    def _below(self, call: Call, job: Document, part: str) -> Reply:
        if job["kind"] == "query" and part == "results" and call.method == "GET":
            if job["state"] != "JobComplete":
                raise _state(f"The job is {job['state']}, its results are not there")
            return self._query.results(job, call)
        if job["kind"] == "ingest" and part == "batches" and call.method == "PUT":
            self._upload(call, job)
            return Reply(201, b"")
        if job["kind"] == "ingest" and part in _PARTS and call.method == "GET":
            if job["state"] not in _ENDED:
                raise _state(f"The job is {job['state']}, its results are not there")
            return self._results(job, _PARTS[part])
        raise not_found()

    # --- making and changing

    def _create(self, call: Call, kind: str) -> Document:
        given = call.document()
        dialect = {
            "columnDelimiter": given.get("columnDelimiter") or "COMMA",
            "lineEnding": given.get("lineEnding") or "LF",
        }
        if dialect["columnDelimiter"] not in DELIMITERS or dialect["lineEnding"] not in ENDINGS:
            raise SalesforceError("JSON_PARSER_ERROR", "columnDelimiter or lineEnding is not a known value")
        job = self._query.described(given, call) if kind == "query" else _ingest(given)
        serial = self._state.next_number("bulk_job")
        at = wire(call.at)
        job = {
            "id": make_id("750", self._pod, serial),
            "kind": kind,
            "serial": serial,
            **job,
            **dialect,
            "createdById": call.author.user,
            "createdDate": at,
            "systemModstamp": at,
            "state": "UploadComplete" if kind == "query" else "Open",
            "contentType": "CSV",
            "concurrencyMode": "Parallel",
            "apiVersion": float(call.base.rsplit("v", 1)[1]),
            "numberRecordsProcessed": 0,
            "numberRecordsFailed": 0,
            "plan": {},
        }
        if kind == "ingest":
            job["contentUrl"] = f"{call.base.lstrip('/')}/jobs/ingest/{job['id']}/batches"
        else:
            job["begun"] = at
        self._state.put("_bulk_job", job["id"], job)
        if kind == "query":
            self._schedule(job["id"])
        return _told(self._state.get("_bulk_job", job["id"]) or job)

    def _list(self, call: Call, kind: str) -> Reply:
        if call.method != "GET":
            raise SalesforceError("METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.")
        for (key,) in self._state.rows("SELECT _id FROM _bulk_job WHERE kind = ?", (kind,)):
            self._catch_up(key)
        before = int(call.query.get("queryLocator", "0") or 0) or 1 << 60
        found = self._state.find(
            "_bulk_job", "kind = ? AND serial < ?", (kind, before), order="serial DESC", limit=_LISTED + 1
        )
        more = len(found) > _LISTED
        following = f"{call.base}/jobs/{kind}?queryLocator={found[_LISTED - 1]['serial']}" if more else None
        return answer(
            200, {"done": not more, "nextRecordsUrl": following, "records": [_told(job) for job in found[:_LISTED]]}
        )

    def _upload(self, call: Call, job: Document) -> None:
        if job["state"] != "Open":
            raise _state(f"The job is {job['state']} and takes no content")
        if self._state.get("_bulk_content", job["id"]) is not None:
            raise _state(f"Found multiple contents for job: {job['id']}; do PUT once on a given job")
        if len(call.body) > self.most_bytes:
            message = f"The content of a job is limited to {self.most_bytes} bytes"
            raise SalesforceError("CONTENT_TOO_LARGE", message, status=413)
        try:
            content = call.body.decode("utf-8")
        except UnicodeDecodeError:
            raise SalesforceError("CLIENTINPUTERROR", "The content is no UTF-8") from None
        self._state.put("_bulk_content", job["id"], {"csv": content})

    def _set_state(self, call: Call, job: Document, state: str) -> Document:
        if state not in {"UploadComplete", "Aborted"}:
            raise SalesforceError("JSON_PARSER_ERROR", f"state cannot be set to {state}")
        if job["state"] in _ENDED:
            raise _state(f"{state}: the job is {job['state']} already")
        if state == "UploadComplete":
            if job["kind"] == "query" or job["state"] != "Open":
                raise _state(f"the job is {job['state']} already")
            job["begun"] = wire(call.at)
            if call.fault is not None:
                job["plan"] = {"kind": call.fault.kind, **call.fault.args}
        job = self._put(job, state=state)
        if state == "UploadComplete":
            self._schedule(job["id"])
        return self._state.get("_bulk_job", job["id"]) or job

    # --- working

    def _schedule(self, key: str) -> None:
        self._catch_up(key)
        for seconds in (self.queue, self.queue + self.work):
            if seconds > 0:
                self._clock.call_at(self._clock.now() + timedelta(seconds=seconds), lambda: self._catch_up(key))

    def _catch_up(self, key: str) -> None:
        """Bring a job to where it stands by now."""
        with self._state.transaction():
            job = self._state.get("_bulk_job", key)
            if job is None or job["state"] not in {"UploadComplete", "InProgress"}:
                return
            spent = (self._clock.now() - read_instant(job["begun"])).total_seconds()
            if spent < self.queue:
                return
            if spent < self.queue + self.work:
                if job["state"] != "InProgress":
                    self._put(job, state="InProgress")
                return
            try:
                counts = self._query.run(job, self._clock.now()) if job["kind"] == "query" else self._ingest(job)
                self._put(job, state="JobComplete", **counts)
            except BadCsvError as error:
                self._put(job, state="Failed", errorMessage=str(error))

    def _ingest(self, job: Document) -> Document:
        content = self._state.get("_bulk_content", job["id"])
        rows = read(content["csv"] if content else "", job)
        header = next(rows, None)
        if header is None:
            raise BadCsvError("InvalidBatch : The content is empty")
        sobject = SOBJECTS[job["object"]]
        _check_header(sobject, job, header)
        serial, counts = 0, Counter[str]()
        plan = job["plan"]
        failing = plan.get("kind") == "bulk_failed"
        chunk: list[list[str]] = []
        parts: dict[str, list[list[str]]] = {"successful": [], "failed": [], "unprocessed": []}
        for place, cells in enumerate(rows):
            if failing and place >= plan.get("rows", 0):
                parts["unprocessed"].append(cells)
                continue
            chunk.append(cells)
            if len(chunk) == _AT_ONCE:
                self._save(sobject, job, header, chunk, serial, parts)
                serial, chunk = serial + len(chunk), []
        self._save(sobject, job, header, chunk, serial, parts)
        for part, found in parts.items():
            counts[part] = len(found)
            for start in range(0, len(found), 1000):
                document = {"job": job["id"], "part": part, "serial": start, "rows": found[start : start + 1000]}
                self._state.put("_bulk_result", f"{job['id']}-{part}-{start}", document)
        job["header"] = header
        done = {
            "numberRecordsProcessed": counts["successful"] + counts["failed"],
            "numberRecordsFailed": counts["failed"],
        }
        if failing:
            job |= done
            raise BadCsvError(str(plan.get("message", "InternalServerError : Job failed")))
        return done

    def _save(
        self, sobject: SObject, job: Document, header: list[str], chunk: Sequence[list[str]], first: int, parts: Any
    ) -> None:
        author = Author(job["createdById"], self._clock.now())
        given = [fields_of(header, cells) for cells in chunk]
        key = job.get("externalIdFieldName") or "Id"
        twice = Counter(str(_key(row, key)).lower() for row in given if _key(row, key))
        for place, (cells, row) in enumerate(zip(chunk, given, strict=True)):
            try:
                with self._state.transaction():
                    locked = job["plan"].get("kind") == "row_lock" and first + place in job["plan"].get("rows", [0])
                    if locked:
                        raise SalesforceError(
                            "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", []
                        )
                    if job["operation"] == "upsert" and twice[str(_key(row, key)).lower()] > 1:
                        raise SalesforceError(
                            "DUPLICATE_VALUE", f"Duplicate external id specified: {_key(row, key)}", [key]
                        )
                    record_id, created = self._row(sobject, job, row, author)
                parts["successful"].append([record_id, "true" if created else "false", *cells])
            except SalesforceError as error:
                parts["failed"].append([str(_key(row, "Id") or ""), _told_error(error), *cells])
            except MultipleMatchesError as several:
                parts["failed"].append(["", _told_error(several.refusal()), *cells])

    def _row(self, sobject: SObject, job: Document, row: Document, author: Author) -> tuple[str, bool]:
        if job["operation"] == "insert":
            return self._records.create(sobject, row, author), True
        key = job.get("externalIdFieldName") or "Id"
        value = _key(row, key)
        if not value:
            raise SalesforceError("MISSING_ARGUMENT", f"{key} not specified", [])
        fields = {name: each for name, each in row.items() if name.lower() != key.lower()}
        if job["operation"] == "upsert" and key != "Id":
            return self._records.upsert(sobject, external_field(sobject, key), str(value), fields, author)
        try:
            found: str = self._records.existing(sobject, str(value))["Id"]
        except SalesforceError as error:
            if error.code == "NOT_FOUND":
                raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []) from None
            raise
        if job["operation"] == "delete":
            self._records.delete(sobject, found, author)
        else:
            self._records.update(sobject, found, fields, author)
        return found, False

    def _results(self, job: Document, part: str) -> Reply:
        header = job.get("header") or []
        first = {"successful": ["sf__Id", "sf__Created"], "failed": ["sf__Id", "sf__Error"], "unprocessed": []}[part]
        text = written([[*first, *header]], job)
        if part == "unprocessed" and not header:
            content = self._state.get("_bulk_content", job["id"])
            text = content["csv"] if content else ""
        for found in self._state.find("_bulk_result", "job = ? AND part = ?", (job["id"], part), order="serial"):
            text += written(found["rows"], job)
        return Reply(200, text.encode(), media_type="text/csv")

    def _put(self, job: Document, **changes: Any) -> Document:
        job = {**job, **changes, "systemModstamp": wire(self._clock.now())}
        self._state.put("_bulk_job", job["id"], job)
        return job


def _ingest(given: Document) -> Document:
    sobject = find_sobject(str(given.get("object")))
    if sobject is None:
        raise SalesforceError("INVALIDENTITY", f"Unable to find object: {given.get('object')}")
    operation = given.get("operation")
    if operation not in _OPERATIONS:
        raise SalesforceError("INVALIDJOB", f"Invalid operation: {operation}")
    if given.get("contentType", "CSV") != "CSV":
        raise SalesforceError("INVALIDJOB", f"Invalid contentType: {given['contentType']}")
    job = {"operation": operation, "object": sobject.name, "jobType": "V2Ingest"}
    if operation == "upsert":
        if not given.get("externalIdFieldName"):
            raise SalesforceError("INVALIDJOB", "External ID was not specified for upsert")
        name = str(given["externalIdFieldName"])
        job["externalIdFieldName"] = "Id" if name.lower() == "id" else external_field(sobject, name).name
    return job


def _check_header(sobject: SObject, job: Document, header: Sequence[str]) -> None:
    for name in header:
        parent, _, key = name.partition(".")
        link = sobject.parents.get(parent.lower()) if key else None
        known = sobject.find(name) if not key else link and SOBJECTS[str(link.references)].find(key)
        if not known:
            raise BadCsvError(f"InvalidBatch : Field name not found : {name}")
    needed = job.get("externalIdFieldName") or ("Id" if job["operation"] in {"update", "delete"} else None)
    if needed and needed.lower() not in {name.lower() for name in header}:
        raise BadCsvError(f"InvalidBatch : Field name not found : {needed}")


def _key(row: Document, name: str) -> Any:
    return next((value for given, value in row.items() if given.lower() == name.lower()), None)


def _told(job: Document) -> Document:
    hidden = {"kind", "serial", "plan", "header", "columns", "begun"}
    return {name: value for name, value in job.items() if name not in hidden}


def _told_error(error: SalesforceError) -> str:
    return f"{error.code}:{error.message}:{','.join(error.fields or [])}--"


def _state(message: str) -> SalesforceError:
    return SalesforceError("INVALIDJOBSTATE", message)
