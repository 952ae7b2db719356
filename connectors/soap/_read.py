"""Reads: passes over what changed, whole snapshots, single records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from connectors.soap._config import SoapConfig
from connectors.soap._cursor import GRAIN, Cursor, instant
from connectors.soap._entity import PLACE, Read
from connectors.soap._faults import Absent
from connectors.soap._paths import all_at, at
from connectors.soap._records import Records
from connectors.soap._service import Service
from landbridge.connector import Found, KeyHash, Page, Row
from landbridge.errors import Conflict, Rejected, Unavailable
from landbridge.net import SoapType
from landbridge.strict import json as strict_json
from landbridge.time import Clock

_RESTARTS = 5


@dataclass(slots=True)
class _Batch:
    """One page of the service."""

    records: list[dict[str, Any]]
    total: int | None
    token: str | None
    digest: bytes
    received: int


class Reader:
    """Reads one entity."""

    def __init__(self, records: Records, service: Service, config: SoapConfig, clock: Clock) -> None:
        self._records, self._service, self._config, self._clock = records, service, config, clock
        self._entity = records.entity
        self._name = records.name

    @property
    def _read(self) -> Read:
        if self._entity.read is None:
            raise Rejected(f"{self._name} is only written.", hint="Say `read:` of the entity.", sent=False)
        return self._entity.read

    def pages(self, cursor: str | None, limit: int | None) -> Iterator[Page]:
        """Pages of what changed since a cursor; a snapshot where there is no change stamp to ask by."""
        if self._entity.snapshot:
            yield from self._snapshot()
            return
        overlap = timedelta(seconds=self._config.overlap if self._entity.overlap is None else self._entity.overlap)
        now = self._clock.now()
        state = Cursor.parse(cursor, system=self._name, now=now).begin(now, overlap)
        count = restarts = 0
        before: bytes | None = None
        widest, resumed = 0, state.at > 0
        while state.open:
            try:
                batch = self._batch(state)
            except Rejected:
                if state.token is None or count:
                    raise
                state = replace(
                    state, token=None, at=0, got=0
                )  # a search of an earlier run, which the service has forgotten
                continue
            if state.anchor is not None and not self._anchored(batch, state):
                restarts += 1
                if restarts > _RESTARTS:
                    message = f"{self._name}: the list is moved about faster than it is read."
                    raise Unavailable(message, hint="Tried again by itself; read at a quieter time, or smaller pages.")
                state, before = replace(state, at=0, got=0, anchor=None), None
                continue
            if self._short(state, batch):
                if not resumed:
                    message = f"{self._name}: only {state.got + len(batch.records)} of {batch.total} records came."
                    raise Unavailable(message, hint="Read again by itself; if it stays, `total` counts something else.")
                resumed, before = False, None  # where the last run ended so, this one begins anew
                state = replace(state, at=0, got=0, anchor=None)
                continue
            resumed = False
            self._not_again(batch, before, state)
            before, widest = batch.digest, max(widest, batch.received)
            rows = [self._records.row(record) for record in batch.records]
            stamps = [instant(row.stamp) for row in rows if row.stamp is not None]
            state = self._onwards(state, batch, stamps, rows, widest)
            count += len(rows)
            yield Page(rows, state.text())
            if limit is not None and count >= limit:
                return

    def _batch(self, state: Cursor, size: int | None = None) -> _Batch:
        read = self._read
        since = None if state.since is None else instant(state.since)
        if since is None and read.begin is not None:
            since = instant(read.begin)
        offset = max(state.at - 1, 0) if state.anchor is not None else state.at
        values = {
            "since": None if since is None else self._records.asked(since, day=self._by_day),
            "page": read.first + state.at,
            "offset": offset,
            "size": size or read.size,
            "cursor": state.token,
        }
        call = read.more if read.more is not None and state.token is not None else read
        answer = self._service.call(call, values, safe=True)
        records = all_at(answer, read.records)
        total = at(answer, read.total) if read.total else None
        token = at(answer, read.cursor) if read.cursor else None
        if read.done is not None and str(at(answer, read.done)).lower() in ("true", "1"):
            token = None
        known = total if isinstance(total, int) and not isinstance(total, bool) else None
        return _Batch(records, known, str(token) if token else None, strict_json.digest(records), len(records))

    def _anchored(self, batch: _Batch, state: Cursor) -> bool:
        """Whether the last record of the page before is still where it was: what left it would hide another.

        By `offset` it comes with the page, and is taken off; by `page` the page before is asked for once more.
        """
        if self._read.paging == "page":
            before = self._batch(replace(state, at=state.at - 1)).records
            return bool(before) and self._key(before[-1]) == state.anchor
        if not batch.records or self._key(batch.records[0]) != state.anchor:
            return False
        del batch.records[0]
        return True

    def _key(self, record: dict[str, Any]) -> str:
        return str(at(record, self._entity.key))

    def _not_again(self, batch: _Batch, before: bytes | None, state: Cursor) -> None:
        again = (
            state.at > 0 or state.token is not None
        )  # a first page may tell once more what the instant before it did
        if again and before == batch.digest and batch.records:
            message = f"{self._name}: page {state.at + 1} is the same as the one before, for ever."
            hint = "The service does not page as `paging` says; look at its arguments."
            raise Rejected(message, hint=hint)

    def _short(self, state: Cursor, batch: _Batch) -> bool:
        """Whether the list ends before as many came as the service counts."""
        if batch.total is None or self._read.paging == "cursor":
            return False
        came = len(batch.records)
        return (came == 0 or self._read.paging == "none") and state.got + came < batch.total

    def _onwards(self, state: Cursor, batch: _Batch, stamps: list[datetime], rows: list[Row], widest: int) -> Cursor:
        """The cursor after a page."""
        read, came = self._read, len(batch.records)
        state = state.seen(max(stamps, default=None))
        if read.paging == "cursor":
            return state.ended() if batch.token is None else replace(state, token=batch.token, at=state.at + 1)
        if read.paging == "none" or self._is_last(state, batch, widest):
            return state.ended()
        if read.sorted and stamps:
            if any(later < earlier - self._records.slack for earlier, later in pairwise(stamps)):
                hint = "Say `sorted: false` of `read`, or have the service sort by the stamp."
                raise Rejected(f"{self._name}: the list is not sorted by {self._entity.stamp}.", hint=hint)
            since = stamps[-1] - GRAIN
            if stamps[0] < since and self._is_later(since, state.since):
                return replace(state, since=since.isoformat(), at=0, got=0, anchor=None)
        anchor = rows[-1].key if rows and (read.sorted or read.paging == "offset") else state.anchor
        step = came if read.paging == "offset" else 1
        return replace(state, at=state.at + step, got=state.got + came, anchor=anchor)

    def _is_last(self, state: Cursor, batch: _Batch, widest: int) -> bool:
        """Whether a pass ends with this page: at the total, at an empty page, or at one that is short.

        A first page that is short may be full to a service that gives less than was asked for: the next one tells.
        """
        came = len(batch.records)
        if batch.total is not None:
            return came == 0 or state.got + came >= batch.total
        return came == 0 or batch.received < widest

    def _is_later(self, since: datetime, before: str | None) -> bool:
        if before is None:
            return True
        day = self._by_day
        return self._records.asked(since, day=day) > self._records.asked(instant(before), day=day)

    @cached_property
    def _by_day(self) -> bool:
        """Whether the service is asked with a date, not with an instant."""
        return _is_date(self._read.arguments, self._service.port.takes(self._read.operation))

    def _snapshot(self) -> Iterator[Page]:
        """Every record; complete if as many came as the service counts, or the list came to its end."""
        state, came, gone, before, widest = Cursor(open=True), 0, 0, None, 0
        while True:
            batch = self._batch(state)
            self._not_again(batch, before, state)
            before, widest = batch.digest, max(widest, len(batch.records))
            told = [self._records.row(record) for record in batch.records]
            rows = [row for row in told if row.action != "delete"]
            came, gone = came + len(told), gone + len(told) - len(rows)
            last = self._is_end(state, batch, widest)
            total = None if batch.total is None else batch.total - gone
            yield Page(rows, None, complete=last and batch.total in (None, came), total=total)
            if last:
                return
            at_next = state.at + (len(told) if self._read.paging == "offset" else 1)
            state = replace(state, at=at_next, got=came, token=batch.token)

    def _is_end(self, state: Cursor, batch: _Batch, widest: int) -> bool:
        if self._read.paging == "cursor":
            return batch.token is None
        return self._read.paging == "none" or self._is_last(state, batch, widest)

    def probe(self) -> None:
        """Ask for the smallest page there is: whether we may."""
        if self._entity.read is not None and self._read.paging != "none":
            self._batch(Cursor(since=self._clock.now().isoformat(), open=True), size=1)

    def fetch(self, ids: Sequence[str]) -> list[Row]:
        """Records by id as they are now; those that are not there as `delete`."""
        fetch = self._entity.fetch
        wanted = list(dict.fromkeys(ids))
        if fetch is None:
            hint = "Say `fetch:` of the entity: the operation that gives records by id."
            raise Rejected(f"{self._name} cannot be read by id.", hint=hint, sent=False)
        rows: dict[str, Row] = {}
        size = fetch.batch if "ids" in fetch.places() else 1
        for start in range(0, len(wanted), size):
            chunk = wanted[start : start + size]
            try:
                answer = self._service.call(fetch, {"ids": chunk, "id": chunk[0]}, safe=True)
            except Absent:
                continue
            rows |= {row.key: row for row in self._records.rows(answer, fetch.records)}
        return [rows.get(key) or Row(key, None, action="delete") for key in wanted]

    def keys(self, low: str | None, high: str | None) -> Iterator[KeyHash]:
        """Every key with the digest of its record, ascending; all are held, since a service has an order of its own."""
        held: dict[str, bytes] = {}
        complete = False
        for page in self._snapshot():
            complete = page.complete
            for row in page.rows:
                if (low is None or row.key >= low) and (high is None or row.key < high):
                    held[row.key] = strict_json.digest(row.body)
        if not complete:  # what is not among the keys would be taken for gone
            message = f"{self._name}: another number of records came than the service counts."
            raise Unavailable(message, hint="Read again by itself; if it stays, `total` counts something else.")
        for key in sorted(held):
            yield KeyHash(key, held[key])

    def find(self, reference: str) -> Found | None:
        """The one record that carries our reference."""
        find = self._entity.find
        if find is None:
            return None
        try:
            answer = self._service.call(find, {"reference": reference}, safe=True)
        except Absent:
            return None
        path = self._entity.reference
        records = [
            record
            for record in all_at(answer, find.records)
            if (path is None or str(at(record, path)) == reference) and not self._records.is_deleted(record)
        ]
        by_key = {str(at(record, self._entity.key)): record for record in records}
        if len(by_key) > 1:
            message = f"{self._name}: {', '.join(sorted(by_key)[:5])} all carry our reference {reference}."
            raise Conflict(message, hint="Take it off all but one of them.")
        return self._records.found(records[0]) if records else None


def _is_date(template: Any, kind: SoapType) -> bool:
    """Whether the argument that is `{since}` is a date."""
    for name, value in template.items() if isinstance(template, dict) else ():
        field = kind.fields.get(name)
        if field is None:
            continue
        if isinstance(value, str) and (found := PLACE.search(value)) and found[1] == "since":
            return field.type.kind == "date"
        if any(_is_date(each, field.type) for each in (value if isinstance(value, list) else [value])):
            return True
    return False
