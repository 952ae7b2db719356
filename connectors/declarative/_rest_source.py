"""One entity of a REST API as the reader sees it: pages of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from connectors.declarative._block import filled
from connectors.declarative._errors import ErrorMap
from connectors.declarative._line import Line
from connectors.declarative._read import Answer
from connectors.declarative._records import Records
from connectors.declarative._rest_config import (
    Cursor,
    LinkHeader,
    NextLink,
    Offset,
    PageNumber,
    Read,
    RestEntity,
)
from connectors.declarative._stamps import Filter, restored
from landbridge.errors import Rejected
from landbridge.net import Reply
from landbridge.translator import Place

_LINK = re.compile(r'<([^<>]*)>\s*((?:;\s*[\w*-]+\s*(?:=\s*(?:"[^"]*"|[^\s;,"]+))?\s*)*)')
_NEXT = re.compile(r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s;,]))', re.IGNORECASE)
_DAY = timedelta(days=1)


class RestSource:
    """Asks for pages by the declared paging."""

    def __init__(self, line: Line, errors: ErrorMap, entity: RestEntity, records: Records, what: str) -> None:
        assert entity.read is not None
        self.what = what
        self.stamped = entity.stamp is not None
        self.ordered = entity.read.ordered
        self._line, self._errors, self._records = line, errors, records
        self._read: Read = entity.read
        self._paging = paging = entity.read.paging
        self.shifts = isinstance(paging, (Offset, PageNumber))
        changes = entity.read.changes
        self._filter = Filter(changes.format, changes.zone, inclusive=changes.inclusive) if changes else None
        self._list = Place(entity.read.records)
        self._total = Place(paging.total).of if paging.total else None
        self._more = Place(paging.more).of if paging.more else None

    def floor(self, instant: datetime) -> datetime | None:
        """An instant as the filter can say it; None where there is no filter."""
        return self._filter.floor(instant) if self._filter is not None else None

    def earliest(self, low: datetime) -> datetime:
        """The earliest stamp that the filter lets through."""
        return self._filter.earliest(low) if self._filter is not None else low

    def page(self, low: datetime | None, at: Any, began: datetime, came: int) -> Answer:
        """Ask for one page, and take it whole."""
        reply = self._ask(low, at, began)
        body = reply.json()
        found = self._list.of(body)
        if not isinstance(found, list):
            hint = "Look at `read.records`, and at `errors.when` if this is an error."
            raise Rejected(f"{self.what}: no list of records stands at '{self._list}' of the reply.", hint=hint)
        rows, stamps = self._records.rows(found)
        total = self._number(self._total(body), "total") if self._total is not None else None
        return Answer(rows, stamps, self._next(reply, body, found, at, came + len(found), total), total)

    def _ask(self, low: datetime | None, at: Any, began: datetime) -> Reply:
        read, paging = self._read, self._paging
        link = at if isinstance(paging, (LinkHeader, NextLink)) else None
        if link is not None:
            path, params = str(link), {}
        else:
            path, params = read.path, {**read.query, **self._since(low, began), **self._position(at)}
        if read.method == "GET":
            return self._line.send("GET", path, self._errors, params=params, safe=True)
        if read.parameters == "query":
            return self._line.send("POST", path, self._errors, params=params, json=read.body, safe=True)
        body = deepcopy(read.body)
        for name, value in params.items():
            Place(name).put(body, int(value) if value.isascii() and value.isdigit() and len(value) < 19 else value)
        return self._line.send("POST", path, self._errors, json=body, safe=True)

    def _since(self, low: datetime | None, began: datetime) -> Mapping[str, str]:
        changes = self._read.changes
        if changes is None or self._filter is None:
            return {}
        low = restored(changes.start) if low is None and changes.start else low
        if low is None:
            return {}
        values = {"since": self._filter.text(low), "until": self._filter.text(began + _DAY)}
        return {name: filled(text, values) for name, text in changes.query.items()}

    def _position(self, at: Any) -> dict[str, str]:
        paging, found = self._paging, {}
        if paging.limit is not None:
            found[paging.limit] = str(paging.size)
        if isinstance(paging, Offset):
            found[paging.offset] = str(paging.start if at is None else at)
        elif isinstance(paging, PageNumber):
            found[paging.page] = str(paging.first if at is None else at)
        elif isinstance(paging, Cursor) and at is not None:
            found[paging.cursor] = str(at)
        return found

    def _next(self, reply: Reply, body: Any, found: list[Any], at: Any, came: int, total: int | None) -> Any:
        """Where reading goes on; None on the last page."""
        paging = self._paging
        if isinstance(paging, Offset):
            start = paging.start if at is None else int(at)
            return start + len(found) if self._goes_on(body, found, came, total, paging.ends) else None
        if isinstance(paging, PageNumber):
            number = paging.first if at is None else int(at)
            return number + 1 if self._page_follows(body, found, number, came, total) else None
        if isinstance(paging, Cursor):
            return self._token(body, found)
        if isinstance(paging, LinkHeader):
            link = _next_of(reply.headers.get("Link", ""))
            return self._following(link, at) if link else None
        if isinstance(paging, NextLink):
            link = Place(paging.next).of(body)
            return self._following(str(link), at) if link else None
        return None

    def _following(self, link: str, at: Any) -> str:
        """A link as an address; one that is but a query belongs to what was asked."""
        if link.startswith("?"):
            link = str(self._read.path if at is None else at).partition("?")[0] + link
        return self._line.following(link, self.what)

    def _goes_on(self, body: Any, found: list[Any], came: int, total: int | None, ends: str) -> bool:
        if self._more is not None:
            return bool(self._more(body))
        if not found:
            return False
        if total is not None:
            return came < total
        return ends == "empty" or len(found) >= self._paging.size

    def _page_follows(self, body: Any, found: list[Any], number: int, came: int, total: int | None) -> bool:
        paging = self._paging
        assert isinstance(paging, PageNumber)
        if paging.pages is not None:
            return number - paging.first + 1 < self._number(Place(paging.pages).of(body), "pages")
        return self._goes_on(body, found, came, total, paging.ends)

    def _token(self, body: Any, found: list[Any]) -> Any:
        paging = self._paging
        assert isinstance(paging, Cursor)
        if self._more is not None and not self._more(body):
            return None
        if paging.next is not None:
            token = Place(paging.next).of(body)
        else:
            token = Place(str(paging.last)).of(found[-1]) if found else None
        if token is None or token == "" or token is False:
            return None
        if isinstance(token, (dict, list)):
            raise Rejected(f"{self.what}: no token stands at `paging.next`.", hint="Look at `read.paging`.")
        return str(token)

    def _number(self, found: Any, name: str) -> int:
        if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 19:
            return int(found)
        if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
            return found
        raise Rejected(f"{self.what}: no number stands at `paging.{name}`.", hint="Look at `read.paging`.")


def _next_of(header: str) -> str | None:
    """The target of `rel="next"` of a Link header."""
    for link in _LINK.finditer(header):
        if _NEXT.search(link[2]):
            return link[1]
    return None
