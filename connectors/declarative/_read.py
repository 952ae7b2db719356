"""Reading by any paging: what changed, whole snapshots, and every key in order."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from connectors.declarative._cursor import AHEAD, Pass, parse
from connectors.declarative._stamps import restored
from landbridge.connector import KeyHash, Page, Row
from landbridge.errors import Rejected, Unavailable
from landbridge.strict import json as strict_json
from landbridge.time import Clock

_EMPTY = 1000
_AGAIN = 3
_RUN = 100_000


@dataclass(slots=True)
class Answer:
    """One page: rows with their instants, where reading goes on (None: nowhere), how many the source says there are."""

    rows: list[Row]
    stamps: list[datetime]
    next: Any = None
    total: int | None = None


class Source(Protocol):
    """What the reader needs to know of one entity of one system."""

    what: str
    stamped: bool
    ordered: bool
    """Oldest change first, by the filter's own field: reading can go on from a stamp."""
    shifts: bool
    """Its pages are counted, so that a record that moves shifts all that follow."""

    def page(self, low: datetime | None, at: Any, began: datetime, came: int) -> Answer:
        """The page at `at`, after `came` records, of what changed since `low`; all of it where that is None."""

    def floor(self, instant: datetime) -> datetime | None:
        """An instant as the filter can say it; None where there is no filter."""

    def earliest(self, low: datetime) -> datetime:
        """The earliest stamp that may come when what changed since `low` is asked for."""


@dataclass(slots=True)
class Reader:
    """Reads one source."""

    source: Source
    clock: Clock
    overlap: timedelta
    _empty: int = field(default=0, init=False)
    _page: list[str] = field(default_factory=list, init=False)
    """The keys of the last page."""

    def changes(self, since: str | None, limit: int | None) -> Iterator[Page]:
        """What changed since the cursor; oldest first where the product can order."""
        source = self.source
        now = self.clock.now()
        state = replace(parse(since, source.what, now), again=0).begin(now, self.overlap)
        left, resumed = limit, state.at is not None
        while state.open and (left is None or left > 0):
            low = restored(state.low) if state.low is not None else None
            try:
                answer = source.page(low, state.at, restored(str(state.began)), state.came)
            except Rejected:
                if not resumed:
                    raise
                answer, state = None, self._restarted(state)  # what a product calls its next page may have expired
            first, resumed = resumed, False
            if answer is None:
                continue
            if self._shifted(state, answer):
                state = self._restarted(state)
                continue
            moved = self._moved_before(state, low)
            if moved is not None:
                if not moved.rows or moved.rows[0].key not in self._page:
                    state = self._restarted(state)
                    continue
                state, answer = state.back(len(self._page)), moved  # less than a page moved: from there on again
            try:
                self._check(state, low, answer)
                after = self._after(state, low, answer, now)
            except (Unavailable, Rejected):
                if not first:
                    raise
                state = self._restarted(state)  # the page that failed the last run says so for ever: count anew
                continue
            state, self._page = after, [row.key for row in answer.rows]
            left = None if left is None else left - len(answer.rows)
            yield Page(self._new(low, answer), state.text())

    def snapshot(self) -> Iterator[Page]:
        """Every record as one scope; complete only if as many came as the product says there are."""
        now, gone = self.clock.now(), 0
        state = Pass().begin(now, self.overlap)
        while state.open:
            answer = self.source.page(None, state.at, now, state.came)
            if self._shifted(state, answer):
                raise self._moved()
            self._check(state, None, answer)
            gone += sum(row.action == "delete" for row in answer.rows)
            state = self._after(state, None, answer, now)
            rows = [row for row in answer.rows if row.action != "delete"]
            total = None if answer.total is None else answer.total - gone
            yield Page(rows, None, complete=not state.open, total=total)

    def keys(self, low: str | None, high: str | None) -> Iterator[KeyHash]:
        """Every key with the digest of its record, sorted as text in runs on disk, so that memory stays as it is."""
        now = self.clock.now()
        with tempfile.TemporaryDirectory(prefix="landbridge-keys-") as folder, ExitStack() as files:
            runs: list[Iterator[tuple[str, str]]] = []
            run: dict[str, str] = {}
            state = Pass().begin(now, self.overlap)
            while state.open:
                since = restored(state.low) if state.low is not None else None
                answer = self.source.page(since, state.at, now, state.came)
                if self._shifted(state, answer):
                    raise self._moved()
                self._check(state, since, answer)
                state = self._after(state, since, answer, now)
                for row in answer.rows:
                    if row.body is not None and (low is None or row.key >= low) and (high is None or row.key < high):
                        run[row.key] = strict_json.digest(row.body).hex()
                if len(run) >= _RUN:
                    runs.append(_spilled(Path(folder) / str(len(runs)), run, files))
                    run = {}
            runs.append(iter(sorted(run.items())))
            last = None
            for key, digest in heapq.merge(*runs):
                if key != last:
                    yield KeyHash(key, bytes.fromhex(digest))
                last = key

    def _restarted(self, state: Pass) -> Pass:
        if state.again >= _AGAIN:
            hint = "Read again by itself; a product that orders by stamp (`ordered`) is not shifted by changes."
            raise Unavailable(f"{self.source.what}: it changes faster than it can be read.", hint=hint)
        certain = state.top if self.source.ordered and state.top is not None else state.low
        return state.anew(certain)

    def _moved(self) -> Unavailable:
        hint = "Read again by itself; read it when less is changed there."
        return Unavailable(f"{self.source.what}: records went while they were read.", hint=hint)

    def _shifted(self, state: Pass, answer: Answer) -> bool:
        """Whether records left what is being counted through, so that others may have slipped by."""
        told = state.total is not None and answer.total is not None and answer.total < state.total
        return told and self.source.shifts and not self.source.ordered

    def _moved_before(self, state: Pass, low: datetime | None) -> Answer | None:
        """The page before as it is now, where it no longer ends as it did: what left it has hidden others.

        It is asked for once more, after the page that follows it, while records of one instant are counted through.
        """
        if state.last is None or state.at is None or not (self.source.ordered and self.source.shifts):
            return None
        try:
            answer = self.source.page(low, state.before, restored(str(state.began)), state.came)
        except Rejected:
            if not isinstance(state.before, list):
                raise
            return None  # a link of the service's own may be good for one request only: the service keeps its place
        return None if answer.rows and answer.rows[-1].key == state.last else answer

    def _check(self, state: Pass, low: datetime | None, answer: Answer) -> None:
        """Refuse a page that contradicts the declaration or itself, before any of it counts."""
        what, rows, total = self.source.what, answer.rows, answer.total
        came = state.came + len(rows)
        if total is not None:
            if came > total:
                hint = "If `paging.total` counts something else, take it out."
                raise Unavailable(f"{what}: {came} records came, and the total says {total}.", hint=hint)
            if answer.next is None and came < total:
                hint = "Read again by itself; if it stays, `paging.total` counts something else, or pages are cut."
                raise Unavailable(f"{what}: only {came} of {total} records came.", hint=hint)
        if answer.next is not None and answer.next == state.at:
            hint = "The product's paging goes in a circle; look at `read.paging`."
            raise Rejected(f"{what}: the next page is the same page again.", hint=hint)
        self._empty = 0 if rows else self._empty + 1
        if self._empty > _EMPTY:
            raise Rejected(f"{what}: {_EMPTY} empty pages, and no end.", hint="Look at `read.paging`.")
        if not self.source.ordered or not answer.stamps:
            return
        if any(later < earlier for earlier, later in pairwise(answer.stamps)):
            hint = "Ask for the order in `read.query`, or take `ordered` out."
            raise Rejected(f"{what}: records are not ordered by their stamp.", hint=hint)
        if low is not None and answer.stamps[0] < self.source.earliest(low):
            hint = "The change filter has no effect there, or compares another field than `stamp`."
            raise Rejected(f"{what}: records came that are older than asked for.", hint=hint)

    def _after(self, state: Pass, low: datetime | None, answer: Answer, now: datetime) -> Pass:
        newest = max(answer.stamps) if answer.stamps else None
        state = state.brought([row.key for row in answer.rows], newest, self.source.what)
        if answer.next is None:
            return state.end(self.clock.now(), self.overlap)
        if self.source.ordered and self.source.shifts and newest is not None and newest <= now + AHEAD:
            further = self.source.floor(newest)
            if further is not None and (low is None or further > (self.source.floor(low) or low)):
                return state.from_filter(newest)
        return state.on(answer.next, answer.total)

    def _new(self, low: datetime | None, answer: Answer) -> list[Row]:
        """The rows to tell: all, unless the product cannot filter and tells old ones each time."""
        if low is None or self.source.floor(low) is not None or not answer.stamps:
            return answer.rows
        return [row for row, stamp in zip(answer.rows, answer.stamps, strict=True) if stamp >= low]


def _spilled(path: Path, run: dict[str, str], files: ExitStack) -> Iterator[tuple[str, str]]:
    """A sorted run on disk, read back line by line."""
    with path.open("wb") as out:
        for pair in sorted(run.items()):
            out.write(strict_json.dumps(list(pair)) + b"\n")
    return (tuple(strict_json.loads(line)) for line in files.enter_context(path.open("rb")))
