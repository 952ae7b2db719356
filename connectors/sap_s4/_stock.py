"""Stock as snapshots: a whole plant, page by page, and proof that no page is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._cursor import Cursor
from connectors.sap_s4._gateway import Gateway
from connectors.sap_s4._literals import any_of, chunks, text
from connectors.sap_s4._sources import Source
from connectors.sap_s4._wire import instant, inward
from landbridge.connector import Page, Row
from landbridge.time import Clock

QUANTITY = "MatlWrhsStkQtyInMatlBaseUnit"
_EMPTY = "-"


class Stock:
    """Reads stock; a page ends before the last material it saw, so that rows that come and go shift nothing."""

    def __init__(self, gateway: Gateway, config: SapS4Config, clock: Clock) -> None:
        self._gateway = gateway
        self._config = config
        self._clock = clock

    def read(self, source: Source, cursor: Cursor) -> Iterator[Page]:
        """One snapshot per plant; a resumed one begins again, since only a whole one counts."""
        scopes = list(self._config.plants) or [""]
        begin = scopes.index(cursor.scope) if cursor.scope in scopes else 0
        for number in range(begin, len(scopes)):
            last = number + 1 == len(scopes)
            after = Cursor(done=instant(self._clock.now())) if last else Cursor(scope=scopes[number + 1])
            yield from self._scope(source, scopes[number], after)

    def fetch(self, source: Source, keys: Iterable[str]) -> Iterator[Row]:
        """The records with these keys, read by their materials."""
        wanted = set(keys)
        materials = sorted({key.split("|")[0] for key in wanted})
        for chunk in chunks(materials, per_value=20):
            query = {"$filter": any_of("Material", "Edm.String", chunk)}
            for record in self._gateway.all(source.service, source.entity_set, query):
                row = self._row(source, record, str(record["Plant"]) if self._config.plants else "")
                if row.key in wanted:
                    yield row

    def keys_of(self, source: Source, record: Mapping[str, Any]) -> str:
        """The eleven keys of a stock record as one text."""
        kind = self._gateway.service(source.service)[source.entity_set]
        return "|".join(str(record.get(name) or _EMPTY) for name in kind.keys)

    def _scope(self, source: Source, plant: str, after: Cursor) -> Iterator[Page]:
        kind = self._gateway.service(source.service)[source.entity_set]
        condition = f"Plant eq {text(plant)}" if plant else None
        expected = self._gateway.count(source.service, source.entity_set, condition)
        here = Cursor(scope=plant).text() if plant else None
        seen: set[int] = set()
        for records, more in self._pages(source, condition, ",".join(kind.keys)):
            rows = [self._row(source, record, plant) for record in records]
            seen.update(hash(row.key) for row in rows)
            if more:
                yield Page(rows, here, scope=plant, total=expected)
                continue
            whole = len(seen) == expected
            if not whole:  # goods moved while we read: what counts is the number of now
                whole = len(seen) == self._gateway.count(source.service, source.entity_set, condition)
            yield Page(rows, after.text(), complete=whole, scope=plant, total=len(seen) if whole else expected)

    def _pages(
        self, source: Source, condition: str | None, order: str
    ) -> Iterator[tuple[list[Mapping[str, Any]], bool]]:
        low: str | None = None
        inside: str | None = None
        skip = 0
        behind = False
        while True:
            bound = f"Material eq {text(inside)}" if inside else None
            if inside is None and low is not None:
                bound = f"Material {'gt' if behind else 'ge'} {text(low)}"
            query = {
                "$filter": " and ".join(part for part in (condition, bound) if part) or None,
                "$orderby": order,
                "$top": self._config.page,
                "$skip": skip or None,
            }
            answer = self._gateway.get(source.service, source.entity_set, query)
            records = answer["results"]
            more = bool(records) and (len(records) >= self._config.page or "__next" in answer)
            if inside:
                skip += len(records)
                if not more:
                    low, inside, skip = inside, None, 0
                    behind = True
                yield records, True
            elif not more:
                yield records, False
                return
            else:
                last = records[-1]["Material"]
                whole = [record for record in records if record["Material"] != last]
                if whole:
                    low, behind = last, False
                    yield whole, True
                else:
                    inside = last

    def _row(self, source: Source, record: Mapping[str, Any], plant: str) -> Row:
        body = inward(self._gateway.service(source.service), source.entity_set, record)
        return Row(self.keys_of(source, record), body, None, scope=plant)
