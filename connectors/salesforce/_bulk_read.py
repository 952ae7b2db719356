"""Reading many records: the result of a bulk query, a few pages in memory, resumable after any of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from connectors.salesforce._bulk import Loads, gone
from connectors.salesforce._cells import Records
from connectors.salesforce._cursor import Place, Window
from connectors.salesforce._schema import Schema
from landbridge.errors import Rejected, Unavailable
from landbridge.time import Clock

_PAGES_AT_ONCE = 5
_PATIENCE = 1800.0  # seconds that one reading waits for a job; the next reading goes on waiting
Pages = Generator[tuple[list[dict[str, Any]], Window], None, Window]


class BulkReader:
    """Bulk queries of one org."""

    def __init__(self, jobs: Loads, schema: Schema, clock: Clock, system: str, page_size: int) -> None:
        self._jobs = jobs
        self._schema = schema
        self._clock = clock
        self._system = system
        self._size = page_size

    def begin(self, soql: str, *, deleted: bool) -> str:
        """Ask for a query; the job's id."""
        return self._jobs.query(soql, deleted=deleted)

    def pages(self, native: str, window: Window) -> Pages:
        """The pages from where the window stands.

        Returns the window: closed at the end, with its place while the job still works, without one if it is no more.
        """
        assert window.bulk is not None
        state = self._wait(window.bulk.job)
        if state == "working":
            return window
        while window.open and state == "done":
            place: Place = window.bulk
            try:
                lines, told, following = self._jobs.page(place.job, place.locator, self._size * _PAGES_AT_ONCE)
            except Rejected as failure:
                if not gone(failure):
                    raise
                break
            last = not following
            for records, read in self._records(native, lines, place, told):
                through = read == told
                after = Place(place.job, following) if through else replace(place, rows=read)
                window = replace(
                    window.read_to(records, last=last and through), bulk=None if last and through else after
                )
                yield records, window
        return window if not window.open else replace(window, bulk=None)

    def _records(
        self, native: str, lines: Iterator[list[str]], place: Place, told: int
    ) -> Iterator[tuple[list[dict[str, Any]], int]]:
        """A part of the result by pages, each with how many rows are read; its last one once none is missing."""
        reader = Records(self._schema, native, next(lines, []))
        read = sum(1 for _ in islice(lines, place.rows))
        while True:
            records = [reader.record(line) for line in islice(lines, self._size)]
            read += len(records)
            if len(records) < self._size or read >= told:
                if read != told or next(lines, None) is not None:
                    message = f"{self._system}: {read} records came of {told} in a part of bulk query {place.job}."
                    raise Unavailable(message, hint="That part is read again by itself.", sent=False)
                yield records, read
                return
            yield records, read

    def _wait(self, job: str) -> str:
        """`done`, `working` if it takes longer than a reading waits, or `gone`."""
        until = self._clock.now().timestamp() + _PATIENCE
        while True:
            found = self._jobs.queried(job)
            if found is None or found.state in ("Failed", "Aborted"):
                return "gone"
            if found.state == "JobComplete":
                return "done"
            if self._clock.now().timestamp() >= until:
                return "working"
            self._clock.sleep(min(found.wait, 10.0))
