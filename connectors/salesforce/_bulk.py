"""Bulk API 2.0: the vendor's ingest and query jobs, call by call."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.salesforce._entities import SETTLE
from connectors.salesforce._session import Session
from connectors.salesforce._soql import instant
from landbridge.errors import Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.strict import cells

MOST_BYTES = 100_000_000  # of CSV in one job: 150 MB once Salesforce has encoded it
_WORKING = ("UploadComplete", "InProgress")
_GONE = ("404", "NOT_FOUND")
_SHORTEST, _LONGEST = 2.0, 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Load:
    """A job of bulk work as Salesforce tells it."""

    id: str
    state: str
    age: timedelta
    user: str
    native: str
    operation: str
    error: str = ""
    processed: int = 0
    failed: int = 0

    @property
    def working(self) -> bool:
        """Uploaded, and not through yet."""
        return self.state in _WORKING

    @property
    def abandoned(self) -> bool:
        """Made so long ago that whoever made it will not upload any more."""
        return self.state == "Open" and self.age > SETTLE

    @property
    def wait(self) -> float:
        """When to ask again, in seconds: half as long as it has taken so far."""
        return min(max(self.age.total_seconds() / 2, _SHORTEST), _LONGEST)


class Loads:
    """The jobs of one org."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._path = f"{session.path}/jobs"

    # --- ingest

    def create(self, native: str, operation: str, external: str | None) -> str:
        """A new ingest job, open for its content; its id. It has no effect before `close`."""
        body = {"object": native, "operation": operation, "contentType": "CSV", "lineEnding": "LF"}
        if external is not None:
            body["externalIdFieldName"] = external
        return str(self._session.call("POST", f"{self._path}/ingest", json=body)["id"])

    def upload(self, job: str, content: bytes) -> None:
        """Give a job its content, once."""
        kind = {"Content-Type": "text/csv; charset=UTF-8"}
        self._session.reply("PUT", f"{self._path}/ingest/{job}/batches", content=content, headers=kind)

    def close(self, job: str) -> None:
        """Let the work begin."""
        self._session.call("PATCH", f"{self._path}/ingest/{job}", json={"state": "UploadComplete"})

    def abort(self, job: str) -> None:
        """End a job that is not to have an effect any more."""
        self._session.call("PATCH", f"{self._path}/ingest/{job}", json={"state": "Aborted"})

    def drop(self, job: str) -> None:
        """Forget a job whose results are read; it may stay if Salesforce says no."""
        try:
            self._session.call("DELETE", f"{self._path}/ingest/{job}")
        except Failure as failure:
            _log.info("%s: bulk job %s stays: %s", self._session.http.system, job, failure.message)

    def ingest(self, job: str) -> Load | None:
        """How an ingest job stands; None if Salesforce has none such any more."""
        return self._find("ingest", job)

    def ours(self, native: str) -> list[Load]:
        """Our own ingest jobs on an object that are not through, newest first."""
        following: str | None = f"{self._path}/ingest"
        found: list[Load] = []
        while following:
            page = self._session.call("GET", following)
            jobs = [self._load(each) for each in page["records"]]
            found += [job for job in jobs if job.native == native and job.user == self._session.user]
            following = None if page.get("done", True) else page.get("nextRecordsUrl")
        return [job for job in found if job.working or job.state == "Open"]

    def results(self, job: str, part: str) -> Iterator[dict[str, str]]:
        """The rows of `successfulResults`, `failedResults` or `unprocessedrecords`, by column."""
        reply = self._session.reply("GET", f"{self._path}/ingest/{job}/{part}", headers={"Accept": "text/csv"})
        lines = cells.rows(reply.content)
        header = next(lines, [])
        return (dict(zip(header, line, strict=True)) for line in lines)

    # --- query

    def query(self, soql: str, *, deleted: bool) -> str:
        """A new query job; its id."""
        body = {"operation": "queryAll" if deleted else "query", "query": soql}
        return str(self._session.call("POST", f"{self._path}/query", json=body)["id"])

    def queried(self, job: str) -> Load | None:
        """How a query job stands; None if Salesforce has none such any more."""
        return self._find("query", job)

    def page(self, job: str, locator: str, most: int) -> tuple[Iterator[list[str]], int, str]:
        """Rows of a query's result with the header first, how many there are, and the next locator ('' at the end)."""
        params = {"maxRecords": str(most), **({"locator": locator} if locator else {})}
        path = f"{self._path}/query/{job}/results"
        reply = self._session.reply("GET", path, params=params, headers={"Accept": "text/csv"})
        following = reply.headers.get("Sforce-Locator", "null")
        told = reply.headers.get("Sforce-NumberOfRecords", "")
        if not (told.isascii() and told.isdecimal() and len(told) < 19):
            raise Unavailable(f"{reply.what} did not say how many records it holds.", hint="Read again by itself.")
        return cells.rows(reply.content), int(told), "" if following == "null" else following

    # --- both

    def _find(self, kind: str, job: str) -> Load | None:
        try:
            return self._load(self._session.call("GET", f"{self._path}/{kind}/{job}"))
        except Rejected as failure:
            if gone(failure):
                return None
            raise

    def _load(self, told: Mapping[str, Any]) -> Load:
        age = self._session.clock.now() - instant(str(told["createdDate"]))
        return Load(
            id=str(told["id"]),
            state=str(told["state"]),
            age=max(age, timedelta(0)),
            user=str(told.get("createdById") or ""),
            native=str(told.get("object") or ""),
            operation=str(told.get("operation") or ""),
            error=str(told.get("errorMessage") or ""),
            processed=int(told.get("numberRecordsProcessed") or 0),
            failed=int(told.get("numberRecordsFailed") or 0),
        )


def gone(failure: Failure) -> bool:
    """Whether Salesforce says that there is no such job, or no such place in its results."""
    return failure.status in (*_GONE, "INVALID_QUERY_LOCATOR", "INVALIDJOBSTATE")


def unsent(failure: Failure) -> Failure:
    """What a failure means where nothing can have had an effect yet: try again."""
    if isinstance(failure, (OutcomeUnknown, Unavailable)):
        wait = failure.wait if isinstance(failure, Unavailable) else None
        return Unavailable(failure.message, wait=wait, hint=failure.hint, status=failure.status, sent=False)
    failure.sent = False
    return failure
