"""Many writes at once: one ingest job of Bulk API 2.0, and what became of each of its rows.

Uploading is accepted as soon as the job may have begun, and every later attempt asks the job. A job has its effect once
however often it is asked, and where it had none its rows are written anew by the same external ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from connectors.salesforce._bulk import MOST_BYTES, Load, Loads, unsent
from connectors.salesforce._cells import row_of
from connectors.salesforce._collections import FIXED, GONE, Change, Result
from connectors.salesforce._errors import failure_of_row
from connectors.salesforce._schema import Schema
from landbridge.connector import Accepted, Delivered, Outcome, Write
from landbridge.errors import Denied, Failure, OutcomeUnknown, Unavailable
from landbridge.strict import cells

STAGE, QUEUE = "bulk", "queue"
_AGAIN = 2_000  # rows that one attempt writes anew without a job: ten calls
_FIRST_WAIT = 2.0


class Anew(Enum):
    """A write that has had no effect: it is made again by any way, or alone, where a job said nothing good about it."""

    ANY = "any"
    ALONE = "alone"


class Ingest:
    """Ingest jobs of one org; `above` is the most writes that go without one."""

    def __init__(self, jobs: Loads, schema: Schema, system: str, reference: str, above: int) -> None:
        self._jobs = jobs
        self._schema = schema
        self._system = system
        self._reference = reference
        self._above = above

    # --- asking

    def ask(self, handle: str, stage: str, writes: Sequence[Write]) -> list[Outcome | Anew]:
        """What became of writes that a job holds, or that it had no effect."""
        try:
            job = self._jobs.ingest(handle)
            if job is not None and job.working:
                return [Accepted(handle, stage, wait=job.wait) for _ in writes]
            if job is None or stage == QUEUE or job.state == "Aborted":
                return [Anew.ANY for _ in writes]
            if job.state == "Open":  # it was never let go: nothing happened, and nothing shall
                self._jobs.abort(handle)
                return [Anew.ANY for _ in writes]
            return self._read(job, writes)
        except Denied as failure:
            return [failure for _ in writes]
        except Failure as failure:
            wait = failure.wait if isinstance(failure, Unavailable) and failure.wait else 30.0
            return [Accepted(handle, stage, wait=wait) for _ in writes]

    def _read(self, job: Load, writes: Sequence[Write]) -> list[Outcome | Anew]:
        key = self._reference if job.operation == "upsert" else "Id"
        rows = self._jobs.results(job.id, "successfulResults")
        saved = {row[key]: (row["sf__Id"], row["sf__Created"] == "true") for row in rows}
        failed = {}
        if job.failed or job.state == "Failed":
            failed = {row[key]: row["sf__Error"] for row in self._jobs.results(job.id, "failedResults")}
        names = [write.reference if job.operation == "upsert" else write.target_id or "" for write in writes]
        whole = len({name for name in names if name in saved or name in failed}) == len(saved) + len(failed)
        outcomes = [
            self._outcome(job, write, saved.get(name), failed.get(name), whole)
            for name, write in zip(names, writes, strict=True)
        ]
        anew = [place for place, outcome in enumerate(outcomes) if outcome is Anew.ALONE]
        for place in anew[_AGAIN:]:
            outcomes[place] = Accepted(job.id, STAGE, wait=0.0)
        if whole and len(anew) <= _AGAIN:
            self._jobs.drop(job.id)  # read to its end: a replay must not find these results again
        return outcomes

    def _outcome(
        self, job: Load, write: Write, saved: tuple[str, bool] | None, error: str | None, whole: bool
    ) -> Outcome | Anew:
        """A row that failed for a while, or not for itself, is written anew; its own failure is its outcome."""
        if saved is not None:
            return Delivered(saved[0] or write.target_id or "", created=saved[1])
        if error is None:
            return Anew.ALONE  # the job failed before it came to this row: that says nothing about the row
        entry = error_of(error)
        code = entry["statusCode"]
        if job.operation == "delete" and code in GONE:
            return Delivered(write.target_id or "")
        failure = failure_of_row(
            [entry], f"{self._system}: {write.entity} {write.reference}", reference=self._reference
        )
        if code == FIXED or isinstance(failure, Unavailable) or not whole:
            return Anew.ALONE  # where others asked for the rest, this may be a replay after the failure was mended
        return failure

    # --- uploading

    def save(self, changes: Sequence[Change | None]) -> dict[int, Result | Accepted]:
        """What jobs take of these changes, by place: kinds with more rows than the threshold; the rest is left."""
        kinds: dict[tuple[str, str], list[int]] = {}
        for place, change in enumerate(changes):
            if change is not None:
                kinds.setdefault((change.kind, change.native), []).append(place)
        taken: dict[int, Result | Accepted] = {}
        for (kind, native), places in kinds.items():
            if self._above and len(places) > self._above:
                taken |= self._kind(kind, native, places, changes)
        return taken

    def _kind(
        self, kind: str, native: str, places: Sequence[int], changes: Sequence[Change | None]
    ) -> dict[int, Result | Accepted]:
        rows, known = {}, self._schema.names(native)
        for place in places:
            row = self._row(kind, changes[place], known)
            if row is not None:
                rows[place] = row
        rows, later = _once(rows, "Id" if kind != "upsert" else self._reference)
        if len(rows) <= self._above:
            return {}
        try:
            busy = self._busy(native)
        except Failure as failure:
            return dict.fromkeys((*rows, *later), unsent(failure))
        if busy is not None:  # one of ours at a time: an older one must not end after a newer one
            return dict.fromkeys((*rows, *later), Accepted(busy.id, QUEUE, wait=busy.wait))
        taken: dict[int, Result | Accepted] = {}
        for part, content in _parts(rows):
            taken |= dict.fromkeys(part, self._upload(kind, native, content))
        for place, first in later.items():  # after the job: written now, it would be overwritten by the older one
            done = taken[first]
            taken[place] = Accepted(done.handle, QUEUE, wait=done.wait) if isinstance(done, Accepted) else done
        return taken

    def _row(self, kind: str, change: Change | None, known: set[str]) -> dict[str, str] | None:
        assert change is not None
        row = row_of(change.values)
        # an unknown column would fail the whole job: such a record goes by itself and says what is wrong
        if row is None or not change.values.keys() <= known | {name.partition(".")[0] for name in row if "." in name}:
            return None
        key = self._reference if kind == "upsert" else "Id"
        return {key: change.key, **{name: cell for name, cell in row.items() if name != key}}

    def _busy(self, native: str) -> Load | None:
        found = None
        for job in self._jobs.ours(native):
            if job.abandoned:
                self._jobs.abort(job.id)
            elif job.working:
                found = job
        return found

    def _upload(self, kind: str, native: str, content: bytes) -> Failure | Accepted:
        try:
            job = self._jobs.create(native, kind, self._reference if kind == "upsert" else None)
        except Failure as failure:
            return unsent(failure)  # a job without content does nothing; it is aborted when it is found
        try:
            self._jobs.upload(job, content)
        except Failure as failure:
            self._abort(job)
            return unsent(failure)
        try:
            self._jobs.close(job)
        except (OutcomeUnknown, Unavailable):
            return Accepted(job, STAGE, wait=_FIRST_WAIT)  # the job itself says whether it began
        except Failure as failure:
            self._abort(job)
            return unsent(failure)
        return Accepted(job, STAGE, wait=_FIRST_WAIT)

    def _abort(self, job: str) -> None:
        try:
            self._jobs.abort(job)
        except Failure:
            return  # it is found open, and aborted, before the next one is made


def error_of(text: str) -> dict[str, object]:
    """`CODE:message:Field,Field--`, as a row of a job tells its failure, in the shape of a collection's row."""
    code, _, rest = text.partition(":")
    message, _, fields = rest.removesuffix("--").rstrip().rpartition(":")
    named = [name.strip() for name in fields.split(",") if name.strip()]
    if not message:
        message, named = fields, []
    return {"statusCode": code.strip(), "message": message, "fields": named}


def _once(rows: dict[int, dict[str, str]], key: str) -> tuple[dict[int, dict[str, str]], dict[int, int]]:
    """Without the later ones of two rows that write the same record; those, each with the place of the first."""
    found: dict[str, int] = {}
    for place, row in rows.items():
        found.setdefault(row[key], place)
    later = {place: found[row[key]] for place, row in rows.items() if found[row[key]] != place}
    return {place: rows[place] for place in found.values()}, later


def _parts(rows: dict[int, dict[str, str]]) -> Iterator[tuple[list[int], bytes]]:
    """The rows as CSV, in parts that a job takes."""
    header = list(dict.fromkeys(name for row in rows.values() for name in row))
    head = cells.text([header])
    part: list[int] = []
    content = bytearray(head)
    for place, row in rows.items():
        line = cells.text([[row.get(name, "") for name in header]])
        if part and len(content) + len(line) > MOST_BYTES:
            yield part, bytes(content)
            part, content = [], bytearray(head)
        part.append(place)
        content += line
    yield part, bytes(content)
