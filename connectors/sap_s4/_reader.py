"""Reading what changed: closed windows, an order that no change can disturb, and no page lost or skipped.

SAP's own paging counts rows; a record that changes while it is read moves to the end, and one that was not yet read
slips under the count. So every page is asked for anew from a place in the data: the last whole instant, or the
last key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._cursor import Cursor
from connectors.sap_s4._gateway import Gateway
from connectors.sap_s4._literals import literal
from connectors.sap_s4._metadata import EntityType
from connectors.sap_s4._sources import Source
from connectors.sap_s4._wire import etag_of, exact_stamp, instant, inward, read_value
from landbridge.connector import Page, Row
from landbridge.errors import Unavailable
from landbridge.time import EPOCH, Clock

_MILLISECOND = timedelta(milliseconds=1)
Record = Mapping[str, Any]


class Reader:
    """Pages of one source; what a row is made of is decided by `row`."""

    def __init__(self, gateway: Gateway, config: SapS4Config, clock: Clock, overlap: timedelta) -> None:
        self._gateway = gateway
        self._config = config
        self._clock = clock
        self._overlap = overlap

    def read(self, source: Source, cursor: Cursor, limit: int | None) -> Iterator[Page]:
        """Pages of what changed since a cursor; the last one closes the window."""
        kind = self._gateway.service(source.service)[source.entity_set]
        known = [name for name in source.stamp if name in kind.properties]
        if cursor.until is None:
            cursor = Cursor(done=cursor.done, until=_end(self._clock.now()))
        usable = [name for name in known if kind.filterable(name)]
        if source.changes == "instants" and usable and kind.sortable(usable[0], source.key):
            return self._instants(source, kind, cursor, usable[0], limit)
        if kind.filterable(source.key) and kind.sortable(source.key):
            return self._keys(source, cursor, usable, limit)
        return self._scan(source, cursor, usable, limit)

    def row(self, source: Source, record: Record) -> Row:
        """A record of a reply as a row."""
        service = self._gateway.service(source.service)
        body = inward(service, source.entity_set, record)
        etag = etag_of(record)
        return Row(str(body[source.key]), body, self._stamp(source, body, etag), version=etag)

    def expand(self, source: Source) -> str | None:
        """What is read along, as far as this system has it."""
        service = self._gateway.service(source.service)
        return ",".join(path for path in source.expand if service.has_path(source.entity_set, path)) or None

    def _stamp(self, source: Source, body: dict[str, Any], etag: str | None) -> str | None:
        if source.changes == "instants":
            return exact_stamp(body, source.stamp[0], etag)
        days = [str(body[name]) for name in source.stamp if body.get(name)]
        if not days:
            return None
        time = body.get("LastChangeTime") if body.get("LastChangeDate") else body.get("CreationTime")
        return f"{days[0]}T{time}" if time else days[0]

    # Sets with a time stamp that may be filtered and sorted.

    def _instants(
        self, source: Source, kind: EntityType, cursor: Cursor, stamp: str, limit: int | None
    ) -> Iterator[Page]:
        """Windows in the order of time.

        JSON dates hold milliseconds while SAP keeps more, so a millisecond is the smallest step: a page ends before the
        last one it saw, unless it holds nothing else; then that one is read out in the order of keys.
        """
        edm, left = kind.properties[stamp].type, limit
        until = cursor.until
        assert until is not None
        if cursor.low is None and cursor.done:
            cursor = replace(cursor, low=instant(datetime.fromisoformat(cursor.done) - self._overlap))
        while left is None or left > 0:
            top = self._top(source, left)
            if cursor.drain:
                assert cursor.low is not None
                bounds = [f"{stamp} ge {literal(edm, cursor.low)}", f"{stamp} lt {literal(edm, _after(cursor.low))}"]
                if cursor.key:
                    bounds.append(f"{source.key} gt {literal('Edm.String', cursor.key)}")
                order = source.key
            else:
                bounds = [f"{stamp} ge {literal(edm, cursor.low)}"] if cursor.low else []
                bounds.append(f"{stamp} lt {literal(edm, until)}")
                order = f"{stamp},{source.key}"
            records, more = self._page(source, bounds, order, top)
            if not more and not cursor.drain:
                yield self._rows(source, records, Cursor(done=until))
                return
            records, cursor = self._next(source, records, more, cursor, stamp)
            if left is not None:
                left -= len(records)
            if records:
                yield self._rows(source, records, cursor)

    def _next(
        self, source: Source, records: list[Record], more: bool, cursor: Cursor, stamp: str
    ) -> tuple[list[Record], Cursor]:
        """What of a page may be given out, and from where to go on."""
        if cursor.drain:
            assert cursor.low is not None
            if more:
                return records, replace(cursor, key=str(records[-1][source.key]))
            return records, replace(cursor, low=_after(cursor.low), key=None, drain=False)
        last = _millisecond(records[-1][stamp])
        whole = [record for record in records if _millisecond(record[stamp]) < last]
        return whole, replace(cursor, low=instant(last), drain=not whole)

    # Sets with a day of change, or none that may be filtered: in the order of keys.

    def _keys(self, source: Source, cursor: Cursor, days: list[str], limit: int | None) -> Iterator[Page]:
        left = limit
        kind = self._gateway.service(source.service)[source.entity_set]
        while left is None or left > 0:
            top = self._top(source, left)
            bounds = self._days(kind, cursor, days)
            if cursor.key:
                bounds.append(f"{source.key} gt {literal('Edm.String', cursor.key)}")
            records, more = self._page(source, bounds, source.key, top)
            cursor = replace(cursor, key=str(records[-1][source.key])) if more else Cursor(done=cursor.until)
            yield self._rows(source, records, cursor)
            if not more:
                return
            if left is not None:
                left -= len(records)

    def _days(self, kind: EntityType, cursor: Cursor, days: list[str]) -> list[str]:
        """The whole day is read again, and the one before while it may still be today somewhere."""
        if not days or not cursor.done:
            return []
        zone = ZoneInfo(self._config.time_zone)
        day = (datetime.fromisoformat(cursor.done) - self._overlap).astimezone(zone).date()
        either = [f"{name} ge {literal(kind.properties[name].type, day.isoformat())}" for name in days]
        return ["(" + " or ".join(either) + ")"]

    # Sets that may be neither filtered nor sorted by key: all of them, along SAP's own links.

    def _scan(self, source: Source, cursor: Cursor, days: list[str], limit: int | None) -> Iterator[Page]:
        left, skip = limit, cursor.skip
        kind = self._gateway.service(source.service)[source.entity_set]
        query = self._query(source, self._days(kind, cursor, days))
        answer = self._gateway.get(source.service, source.entity_set, {**query, "$top": limit, "$skip": skip or None})
        while True:
            records = answer.get("results", [])
            skip += len(records)
            link = answer.get("__next")
            if left is not None:
                left -= len(records)
            cursor = replace(cursor, skip=skip)
            if not link and (limit is None or (left or 0) > 0):
                cursor = Cursor(done=cursor.until)
            yield self._rows(source, records, cursor)
            if not link:
                return
            answer = self._gateway.follow(link)

    def _page(self, source: Source, bounds: list[str], order: str, top: int) -> tuple[list[Record], bool]:
        """Records of one page, and whether more follow; a page that SAP cuts short counts as followed."""
        while True:
            query = {**self._query(source, bounds), "$orderby": order, "$top": top}
            try:
                answer = self._gateway.get(source.service, source.entity_set, query)
                break
            except Unavailable as error:
                if "net.max_reply" not in error.message or top == 1:
                    raise
                top = max(1, top // 4)  # some of these records are huge: fewer at a time
        records: list[Record] = answer.get("results", [])
        return records, bool(records) and (len(records) >= top or "__next" in answer)

    def _top(self, source: Source, left: int | None) -> int:
        page = min(self._config.page, source.page)
        return page if left is None else min(page, left)

    def _query(self, source: Source, bounds: list[str]) -> dict[str, object]:
        conditions = ([source.condition] if source.condition else []) + bounds
        return {"$filter": " and ".join(conditions) or None, "$expand": self.expand(source)}

    def _rows(self, source: Source, records: list[Record], cursor: Cursor) -> Page:
        return Page([self.row(source, record) for record in records], cursor.text())


def _millisecond(value: str) -> datetime:
    """The beginning of the millisecond of a date on the wire."""
    moment = datetime.fromisoformat(read_value("Edm.DateTimeOffset", value))
    return EPOCH + ((moment - EPOCH) // _MILLISECOND) * _MILLISECOND


def _end(now: datetime) -> str:
    """The end of the window that this instant closes: the next whole millisecond."""
    return instant(EPOCH + ((now - EPOCH) // _MILLISECOND + 1) * _MILLISECOND)


def _after(low: str) -> str:
    return instant(datetime.fromisoformat(low) + _MILLISECOND)
