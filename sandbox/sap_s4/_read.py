"""Reading: which documents a query needs, paging without gaps, navigation inside a document."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.sap_s4._edm import EntitySet, Navigation, Service
from sandbox.sap_s4._errors import bad_request
from sandbox.sap_s4._filter import Condition, Filter, sort_value
from sandbox.sap_s4._services import INDEXED, LOOKED_UP
from sandbox.sap_s4._store import Record, Store, beyond

Expand = dict[str, Any]
Derive = Callable[[Record, str], list[Record]]

_NARROW = 20_000  # a range that selects fewer rows is read by its index, a broader one by the key
_SQL = {"eq": "=", "ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


@dataclass
class Query:
    """The system query options of one request, parsed."""

    filter: Filter | None = None
    order: list[tuple[str, bool]] = field(default_factory=list)
    select: list[str] = field(default_factory=list)
    expand: Expand = field(default_factory=dict)
    top: int | None = None
    skip: int = 0
    token: str | None = None
    after: list[Any] | None = None
    count: bool = False


@dataclass
class Result:
    """One page: (document, record) pairs, the whole count if asked, where the next page begins."""

    rows: list[tuple[Record, Record]]
    count: int | None = None
    token: str | None = None


class Reader:
    """Runs queries over the store; `page` rows at most per answer, `paging` is keyset (no gaps) or offset."""

    def __init__(self, store: Store, derive: Derive, *, page: int = 1000, paging: str = "keyset") -> None:
        self._store, self._derive, self.page, self.paging = store, derive, page, paging

    def dependants(self, document: Record, name: str) -> list[Record]:
        """The dependants of a document, stored ones and those that follow from others."""
        return self._derive(document, name)

    def follow(
        self, service: Service, document: Record, one: EntitySet, record: Record, nav: Navigation
    ) -> list[Record]:
        """The records behind a navigation property."""
        target = service.sets[nav.target]
        found = [document] if target.is_root else self.dependants(document, target.name)
        if not one.is_root or not target.root_key:
            found = [other for other in found if all(_same(record, own, other, theirs) for own, theirs in nav.join)]
        return found

    def by_key(self, one: EntitySet, key: dict[str, Any]) -> tuple[Record, Record] | None:
        """The (document, record) of a key, or None."""
        for root in self._roots_of(one, key):
            document = self._store.get(one.root, root)
            if document is None:
                continue
            if one.is_root:
                return document, document
            for record in self.dependants(document, one.name):
                if all(_text(record.get(name)) == _text(value) for name, value in key.items()):
                    return document, record
        return None

    def _roots_of(self, one: EntitySet, key: dict[str, Any]) -> list[str]:
        if one.root_key is not None:
            return [str(key[one.root_key])]
        if "AddressID" in key:  # mail addresses and telephones hang on an address
            return self._store.looked_up(one.root, "A_BusinessPartnerAddress.AddressID", str(key["AddressID"]))
        return []

    def within(self, one: EntitySet, document: Record, records: list[Record], query: Query) -> Result:
        """A page of a collection that is already in memory."""
        accepts = query.filter.accepts if query.filter else None
        found = [record for record in records if accepts is None or accepts(record)]
        for name, down in reversed(query.order):
            prop = one.properties[name]
            found.sort(key=lambda record, prop=prop: sort_value(prop, record), reverse=down)  # type: ignore[misc]  # mypy cannot type a lambda's default
        return self._slice([(document, record) for record in found], query)

    def collection(self, one: EntitySet, query: Query) -> Result:
        """A page of an entity set."""
        plan = self._plan(one, query)
        counted = query.token is not None and query.token.startswith("o")
        if plan is None or counted or self.paging == "offset" or (query.skip and not one.is_root):
            return self._slice(self.everything(one, query), query)
        if query.token is not None:
            query.after, rest = _unpack(query.token)
            query.top, query.skip = (query.top if rest is None else rest), 0
            if len(query.after) != (len(plan) if one.is_root else len(one.keys) + 1):
                raise bad_request("Invalid $skiptoken")
        return self._stream(one, query, plan)

    def count(self, one: EntitySet, query: Query) -> int:
        """How many entities the filter accepts."""
        where, values, exact = self._where(one, query.filter)
        if one.is_root and exact:
            return self._store.state.count(one.root, where, values)
        return sum(1 for _ in self._matching(one, query, [("_id", False)]))

    def _plan(self, one: EntitySet, query: Query) -> list[tuple[str, bool]] | None:
        """The store's order that gives the asked order, or None."""
        order = [(name, down) for name, down in query.order]
        if not one.is_root:
            wanted = [(name, False) for name in one.keys]
            return [("_id", False)] if order == wanted[: len(order)] and one.root_key else None
        key = one.keys[0]
        plan: list[tuple[str, bool]] = []
        for name, down in order:
            if name == key:
                return [*plan, ("_id", down)]
            if name not in INDEXED[one.root] or plan:
                return None
            plan.append((name, down))
        return [*plan, ("_id", plan[0][1] if plan else False)]

    def _stream(self, one: EntitySet, query: Query, plan: list[tuple[str, bool]]) -> Result:
        limit = min(self.page, query.top) if query.top is not None else self.page
        taken: list[tuple[tuple[Any, ...], Record, Record]] = []
        skip = query.skip
        more = False
        for position, document, record in self._matching(one, query, plan, limit + skip + 1):
            if skip:
                skip -= 1
            elif len(taken) < limit:
                taken.append((position, document, record))
            else:
                more = True
                break
        query.after = None  # the count is of all pages
        total = self.count(one, query) if query.count else None
        token = None
        if more and taken and (query.top is None or query.top > limit):
            rest = None if query.top is None else query.top - limit
            token = _pack([list(taken[-1][0]), rest])
        return Result([(document, record) for _, document, record in taken], total, token)

    def _matching(
        self, one: EntitySet, query: Query, plan: list[tuple[str, bool]], wanted: int | None = None
    ) -> Iterator[tuple[tuple[Any, ...], Record, Record]]:
        """(position, document, record) of all that match, in the order of `plan`, behind the token."""
        where, values, exact = self._where(one, query.filter, plan)
        accepts = query.filter.accepts if query.filter else None
        after = query.after
        if after is not None:
            extra, params = beyond(plan, after) if one.is_root else ("_id >= ?", [after[0]])
            where, values = (f"({where}) AND {extra}" if where else extra), [*values, *params]
        chunk = min(wanted, 2000) if wanted is not None and exact and one.is_root else 1000
        for position, document in self._store.scan(one.root, where, values, plan, chunk):
            if one.is_root:
                if exact or accepts is None or accepts(document):
                    yield position, document, document
                continue
            for record in self._ordered(one, document):
                place = (position[0], *[_text(record.get(name)) for name in one.keys])
                if after is not None and position[0] == after[0] and _place(one, place[1:]) <= _place(one, after[1:]):
                    continue
                if accepts is None or accepts(record):
                    yield place, document, record

    def _ordered(self, one: EntitySet, document: Record) -> list[Record]:
        records = self.dependants(document, one.name)
        return sorted(records, key=lambda record: _place(one, [_text(record.get(name)) for name in one.keys]))

    def _where(
        self, one: EntitySet, given: Filter | None, plan: list[tuple[str, bool]] | None = None
    ) -> tuple[str, list[Any], bool]:
        """SQL that selects at least what the filter accepts, and whether it selects exactly that."""
        if given is None:
            return "", [], True
        parts: list[str] = []
        values: list[Any] = []
        pushed = 0
        equal = any(condition.operator == "eq" for condition in given.conditions)
        for condition in given.conditions:
            column = self._column(one, condition)
            if column is None:
                continue
            if column == "lookup":
                keys = self._store.looked_up(one.root, f"{one.name}.{condition.name}", str(condition.value))
                parts.append(f"_id IN ({','.join('?' * len(keys))})")
                values += keys
                continue
            clause = f'"{column}" {_SQL[condition.operator]} ?'
            if plan is not None and plan[0][0] != column and column != "_id" and not equal:
                narrow = f'SELECT count(*) FROM (SELECT 1 FROM "{one.root}" WHERE {clause} LIMIT {_NARROW})'
                if self._store.state.rows(narrow, (condition.value,))[0][0] >= _NARROW:
                    clause = "+" + clause  # keeps SQLite from sorting a million rows that it found by the index
            parts.append(clause)
            values.append(condition.value)
            pushed += 1
        return " AND ".join(parts), values, given.exact and pushed == len(given.conditions) and one.is_root

    def _column(self, one: EntitySet, condition: Condition) -> str | None:
        prop = one.properties[condition.name]
        if condition.operator not in _SQL or condition.value in ("", None):
            return None
        if condition.name == one.root_key:
            return "_id"
        if condition.operator == "eq" and condition.name in LOOKED_UP.get(one.name, ()):
            return "lookup"
        if not one.is_root or condition.name not in INDEXED[one.root]:
            return None
        return None if prop.kind == "S" and condition.operator in ("lt", "le") else condition.name

    def everything(self, one: EntitySet, query: Query) -> list[tuple[Record, Record]]:
        """All that match, sorted in memory, whatever the page size."""
        rows = [(document, record) for _, document, record in self._matching(one, query, [("_id", False)])]
        for name, down in reversed(query.order):
            prop = one.properties[name]
            rows.sort(key=lambda row, prop=prop: sort_value(prop, row[1]), reverse=down)  # type: ignore[misc]  # mypy cannot type a lambda's default
        return rows

    def _slice(self, rows: list[tuple[Record, Record]], query: Query) -> Result:
        begin = query.skip
        if query.token is not None:
            begin = _offset(query.token)
        end = len(rows) if query.top is None else min(len(rows), query.skip + query.top)
        page = rows[begin : min(end, begin + self.page)]
        token = f"o{begin + self.page}" if begin + self.page < end else None
        return Result(page, len(rows) if query.count else None, token)


def _same(record: Record, own: str, other: Record, theirs: str) -> bool:
    return _text(record.get(own)) == _text(other.get(theirs))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _place(one: EntitySet, parts: Any) -> tuple[str, ...]:
    """Numbers without leading zeros sort by length first, other keys as texts."""
    return tuple(f"{text:0>12}" if str(text).isdigit() else str(text) for text in parts)


def _offset(token: str) -> int:
    if not token[1:].isdigit():
        raise bad_request("Invalid $skiptoken")
    return int(token[1:])


def _pack(position: Any) -> str:
    return "k" + base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def _unpack(token: str) -> tuple[list[Any], int | None]:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(token[1:] + "=" * (-len(token[1:]) % 4)))
        after, rest = found
        if token[0] != "k" or not isinstance(after, list) or not after:
            raise ValueError(token)
    except (ValueError, TypeError) as error:
        raise bad_request("Invalid $skiptoken") from error
    return after, rest
