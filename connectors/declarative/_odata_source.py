"""One entity set as the reader sees it: pages by the service's own links or by `$top` and `$skip`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.declarative._odata_config import EntitySet
from connectors.declarative._odata_records import ODataRecords
from connectors.declarative._odata_service import Kind, ODataLine, tag_of
from connectors.declarative._odata_values import instant_literal, plain
from connectors.declarative._read import Answer
from landbridge.errors import Rejected


class ODataSource:
    """Asks for pages; where the set is ordered by its stamp, every page is asked for by the filter."""

    shifts = True

    def __init__(self, line: ODataLine, kind: Kind, records: ODataRecords, what: str, size: int) -> None:
        self.what = what
        self._line, self._kind, self._records, self._size = line, kind, records, size
        self._declared: EntitySet = kind.declared
        self.stamped = self._declared.stamp is not None
        self.ordered = self.stamped and self._declared.ordered

    def floor(self, instant: datetime) -> datetime:
        """Filters are exact, as far as the stamps' type is: a date is a whole day."""
        if self._kind.type_of(str(self._declared.stamp)) == "Edm.Date":
            return instant.replace(hour=0, minute=0, second=0, microsecond=0)
        return instant

    def earliest(self, low: datetime) -> datetime:
        """The earliest stamp that the filter lets through."""
        return self.floor(low)

    def page(self, low: datetime | None, at: Any, began: datetime, came: int) -> Answer:
        """Ask for one page, and take it whole."""
        if isinstance(at, list):
            reply = self._line.send("GET", str(at[0]), self._line.errors, safe=True)
        else:
            reply = self._line.send(
                "GET", self._declared.set, self._line.errors, params=self._query(low, at), safe=True
            )
        body = reply.json()
        envelope = body.get("d") if self._kind.protocol == "v2" and isinstance(body, dict) else body
        found = envelope.get("results", envelope.get("value")) if isinstance(envelope, dict) else envelope
        if not isinstance(found, list):
            hint = "Look at `url` and `protocol`."
            raise Rejected(f"{self.what}: the reply holds no list of records.", hint=hint)
        rows, stamps = self._records.rows([plain(each) for each in found])
        for row, raw in zip(rows, found, strict=True):
            row.version = tag_of(raw)
        names = envelope if isinstance(envelope, dict) else {}
        total = self._total(names)
        return Answer(rows, stamps, self._next(names, at, len(found), came, total), total)

    def _query(self, low: datetime | None, at: Any) -> dict[str, str]:
        declared, kind = self._declared, self._kind
        query = {"$top": str(self._size), **({"$skip": str(at)} if at else {})}
        keys = ",".join(kind.keys)
        query["$orderby"] = f"{declared.stamp},{keys}" if self.ordered else keys
        conditions = [f"({declared.filter})"] if declared.filter else []
        if low is not None and declared.stamp is not None:
            told = kind.type_of(declared.stamp)
            if told == "Edm.DateTime" and declared.zone is not None:  # it has no zone: as the product writes it
                low = low.astimezone(ZoneInfo(declared.zone)).replace(tzinfo=low.tzinfo)
            conditions.append(f"{declared.stamp} ge {instant_literal(low, told, kind.protocol)}")
        if conditions:
            query["$filter"] = " and ".join(conditions)
        if declared.count and not self.stamped:
            query |= {"$count": "true"} if kind.protocol == "v4" else {"$inlinecount": "allpages"}
        return {**query, **view(declared)}

    def _total(self, envelope: dict[str, Any]) -> int | None:
        found = envelope.get("@odata.count", envelope.get("__count"))
        text = str(found)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def _next(self, envelope: dict[str, Any], at: Any, length: int, came: int, total: int | None) -> Any:
        link = envelope.get("@odata.nextLink") or envelope.get("__next")
        start, before = (at[1], at[2]) if isinstance(at, list) else (at or 0, 0)
        if link:  # the service's pages are shorter than ours: its links lead through our `$top`, which then goes on
            return [self._line.following(self._line.relative(str(link)), self.what), start, before + length]
        if before + length < self._size or (total is not None and came + length >= total):
            return None
        return start + before + length


def view(declared: EntitySet) -> dict[str, str]:
    """Which properties come, and what comes with them."""
    expand = list(dict.fromkeys([*declared.expand, *([declared.lines.under] if declared.lines else [])]))
    query = {"$expand": ",".join(expand)} if expand else {}
    return {**query, **({"$select": ",".join(declared.select)} if declared.select else {})}
