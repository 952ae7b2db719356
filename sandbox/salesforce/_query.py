"""Runs a query: ids in one pass, records a page at a time, the rest behind a locator."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from sandbox._base import Collection, Document, State
from sandbox._base.state import quoted
from sandbox.salesforce._compile import Scope, column, condition, order_by, scope_of
from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._ids import make_id
from sandbox.salesforce._objects import CHILDREN, SOBJECTS
from sandbox.salesforce._schema import SObject
from sandbox.salesforce._soql import Aggregate, Every, Path, Query, complain, parse

_LONGEST = 100_000
_CURSOR = Collection("_cursor", ("locator", "position"), unique=(("locator", "position"),))


@dataclass
class Projection:
    """What of each record is shown: plain fields, parents' fields, children."""

    sobject: SObject
    names: list[str] = field(default_factory=list)
    parents: dict[str, tuple[str, Projection]] = field(default_factory=dict)
    children: list[tuple[str, str, Query, Projection]] = field(default_factory=list)

    def add(self, steps: tuple[str, ...], name: str) -> None:
        """Show a field found along these relationship names."""
        if not steps:
            if name not in self.names:
                self.names.append(name)
            return
        if steps[0] not in self.parents:
            link = self.sobject.parents[steps[0].lower()]
            self.parents[steps[0]] = (link.name, Projection(SOBJECTS[str(link.references)]))
        self.parents[steps[0]][1].add(steps[1:], name)


class Queries:
    """Runs SOQL over a State and keeps the cursors; the oldest are dropped beyond `open_cursors`."""

    def __init__(self, state: State, pod: str, *, open_cursors: int = 50) -> None:
        self._state, self._pod, self._open = state, pod, open_cursors
        state.define(_CURSOR)

    def run(self, text: str, base: str, today: date, *, batch: int = 2000, deleted: bool = False) -> Document:
        """The first page of a query; `base` is the address of the API version, `deleted` makes it queryAll."""
        if len(text) > _LONGEST:
            raise SalesforceError("MALFORMED_QUERY", f"SOQL statements cannot be longer than {_LONGEST} characters.")
        query = parse(text)
        if query.offset > 2000:
            raise SalesforceError("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        scope = scope_of(query, today)
        deleted = deleted or query.all_rows
        if query.group or any(isinstance(each, Aggregate) for each in query.select):
            return self._aggregate(scope, deleted)
        shown = self._projection(scope)
        sql = f"SELECT t._id {self._tail(scope, deleted)}"
        return self._first(sql, scope.params, text, shown, base, batch, today)

    def more(self, locator: str, base: str, today: date) -> Document:
        """A further page by its locator; asking for the same page again gives it again."""
        name, _, position = locator.partition("-")
        found = self._state.get("_cursor", f"{name}-{position}") if position else None
        head = self._state.get("_cursor", name)
        if found is None or head is None:
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        scope = scope_of(parse(head["query"]), today)
        page = {"totalSize": head["total"], "done": found["next"] is None}
        if found["next"] is not None:
            page["nextRecordsUrl"] = f"{base}/query/{name}-{found['next']}"
        return {**page, "records": self._records(found["ids"], self._projection(scope), base, today)}

    def _tail(self, scope: Scope, deleted: bool, groups: str = "") -> str:
        query = scope.query
        tests = [condition(scope, query.where)] if query.where is not None else []
        order = order_by(scope, query.order)
        if not deleted:
            # the plus keeps SQLite from choosing this index where a better one serves the condition or the order
            tests.append(f"{'+' if tests or order else ''}t.IsDeleted = 0")
        where = " WHERE " + " AND ".join(tests) if tests else ""
        limit = f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
        bounded = query.limit is not None or query.offset
        return f"{scope.from_clause()}{where}{groups}{order}{limit if bounded else ''}"

    def _first(
        self, sql: str, params: list[Any], text: str, shown: Projection, base: str, batch: int, today: date
    ) -> Document:
        pages = ([row[0] for row in rows] for rows in self._state.chunks(sql, params, batch))
        with self._state.transaction():
            first = next(pages, [])
            second = next(pages, None)
            if second is None:
                records = self._records(first, shown, base, today)
                return {"totalSize": len(first), "done": True, "records": records}
            name = self._keep(text, batch, len(first), itertools.chain([second], pages))
            total = (self._state.get("_cursor", name) or {})["total"]
            records = self._records(first, shown, base, today)
        following = f"{base}/query/{name}-{batch}"
        return {"totalSize": total, "done": False, "nextRecordsUrl": following, "records": records}

    def _keep(self, text: str, batch: int, total: int, pages: Any) -> str:
        """Write the ids of the pages to come, so that later changes move no record between pages."""
        serial = self._state.next_number("cursor")
        name = make_id("01g", self._pod, serial)
        self._state.execute("DELETE FROM _cursor WHERE locator <= ?", (serial - self._open,))
        waiting: list[str] | None = None
        position = batch
        for page in pages:
            if waiting is not None:
                self._put(name, serial, position, {"ids": waiting, "next": position + batch})
                position += batch
            waiting = page
            total += len(page)
        self._put(name, serial, position, {"ids": waiting, "next": None})
        self._state.put("_cursor", name, {"locator": serial, "position": 0, "query": text, "total": total})
        return name

    def _put(self, name: str, serial: int, position: int, page: Document) -> None:
        self._state.put("_cursor", f"{name}-{position}", {"locator": serial, "position": position, **page})

    def _projection(self, scope: Scope) -> Projection:
        shown = Projection(scope.sobject)
        for each in scope.query.select:
            if isinstance(each, Path):
                _, found, steps = scope.resolve(each)
                shown.add(steps, found.name)
            elif isinstance(each, Every):
                self._every(scope, each, shown)
            elif isinstance(each, Query):
                self._child(scope, each, shown)
        return shown

    def _every(self, scope: Scope, every: Every, shown: Projection) -> None:
        if every.which != "STANDARD" and not 0 < (scope.query.limit or 0) <= 200:
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise complain("MALFORMED_QUERY", scope.query.text, scope.query.at, message)
        for found in scope.sobject.fields.values():
            if every.which == "ALL" or found.custom == (every.which == "CUSTOM"):
                shown.add((), found.name)

    def _child(self, scope: Scope, query: Query, shown: Projection) -> None:
        for child in CHILDREN[scope.sobject.name]:
            if child.name is not None and child.name.lower() == query.source.lower():
                inner = scope_of(query, scope.today, SOBJECTS[child.sobject])
                shown.children.append((child.name, child.field, query, self._projection(inner)))
                # checked now, so that a bad sub-query fails even where no record matches
                self._tail(inner, deleted=False)
                return
        message = (
            f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are attempting to use "
            "a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference "
            "your WSDL or the describe call for the appropriate names."
        )
        raise complain("INVALID_TYPE", scope.query.text, query.at, message)

    def _records(self, ids: list[str], shown: Projection, base: str, today: date) -> list[Document]:
        found = self._documents(shown.sobject.name, ids)
        return self._show([found[each] for each in ids if each in found], shown, base, today)

    def _documents(self, sobject: str, ids: list[str]) -> dict[str, Document]:
        sql = f"SELECT _id, _doc FROM {quoted(sobject)} WHERE _id IN (SELECT value FROM json_each(?))"
        rows = self._state.rows(sql, (orjson.dumps(ids).decode(),))
        return {record_id: orjson.loads(document) for record_id, document in rows}

    def _show(self, documents: list[Document], shown: Projection, base: str, today: date) -> list[Document]:
        kind, names = shown.sobject.name, shown.names
        address = {name for name in names if shown.sobject.fields[name].type == "address"}
        records: list[Document] = []
        for document in documents:
            record: Document = {"attributes": {"type": kind, "url": f"{base}/sobjects/{kind}/{document['Id']}"}}
            for name in names:
                record[name] = compound(document, name) if name in address else document.get(name)
            records.append(record)
        for relationship, (link, inner) in shown.parents.items():
            wanted = list(dict.fromkeys(each[link] for each in documents if each.get(link)))
            found = self._documents(inner.sobject.name, wanted)
            parents = self._show(list(found.values()), inner, base, today)
            by_id = dict(zip(found, parents, strict=True))
            for record, document in zip(records, documents, strict=True):
                record[relationship] = by_id.get(document.get(link, ""))
        for name, link, query, inner in shown.children:
            groups = self._children([each["Id"] for each in documents], link, query, inner, base, today)
            for record, document in zip(records, documents, strict=True):
                rows = groups.get(document["Id"])
                record[name] = {"totalSize": len(rows), "done": True, "records": rows} if rows else None
        return records

    def _children(
        self, parents: list[str], link: str, query: Query, shown: Projection, base: str, today: date
    ) -> dict[str, list[Document]]:
        """The children of one page of parents in one pass; LIMIT counts per parent."""
        scope = scope_of(query, today, shown.sobject)
        of = column("t", shown.sobject.fields[link])
        test = condition(scope, query.where) if query.where is not None else "1"
        order = order_by(scope, query.order)
        sql = (
            f"SELECT {of}, t._doc {scope.from_clause()} WHERE {of} IN (SELECT value FROM json_each(?)) "
            f"AND {test} AND +t.IsDeleted = 0{order}"
        )
        rows = self._state.rows(sql, (orjson.dumps(parents).decode(), *scope.params))
        documents = [orjson.loads(document) for _, document in rows]
        groups: dict[str, list[Document]] = {}
        for (parent, _), record in zip(rows, self._show(documents, shown, base, today), strict=True):
            groups.setdefault(parent, []).append(record)
        end = None if query.limit is None else query.offset + query.limit
        return {parent: kept for parent, group in groups.items() if (kept := group[query.offset : end])}

    def _aggregate(self, scope: Scope, deleted: bool) -> Document:
        query = scope.query
        first = query.select[0]
        if isinstance(first, Aggregate) and first.path is None and first.function == "COUNT":
            if len(query.select) > 1 or query.group:
                raise complain("MALFORMED_QUERY", query.text, first.at, "unexpected token: 'COUNT'")
            total = self._state.rows(f"SELECT count(*) FROM (SELECT 1 {self._tail(scope, deleted)})", scope.params)
            return {"totalSize": total[0][0], "done": True, "records": []}
        names, columns = self._aggregated(scope)
        groups = [scope.expression(path)[0] for path in query.group]
        tail = self._tail(scope, deleted, f" GROUP BY {', '.join(groups)}" if groups else "")
        rows = self._state.rows(f"SELECT {', '.join(columns)} {tail}", scope.params)
        records = [
            {"attributes": {"type": "AggregateResult"}, **dict(zip(names, row, strict=True))} for row in rows[:2000]
        ]
        return {"totalSize": len(records), "done": True, "records": records}

    def _aggregated(self, scope: Scope) -> tuple[list[str], list[str]]:
        names, columns = [], []
        grouped = {path.names for path in scope.query.group}
        for each in scope.query.select:
            if isinstance(each, Path):
                if each.names not in grouped:
                    message = f"Field must be grouped or aggregated: {'.'.join(each.names)}"
                    raise complain("MALFORMED_QUERY", scope.query.text, each.at, message)
                names.append(each.names[-1])
                columns.append(scope.expression(each)[0])
            elif isinstance(each, Aggregate) and each.path is not None:
                names.append(each.alias or f"expr{sum(name.startswith('expr') for name in names)}")
                sql = scope.expression(each.path)[0]
                columns.append(
                    f"count(DISTINCT {sql})" if each.function == "COUNT_DISTINCT" else f"{each.function}({sql})"
                )
            else:
                raise complain(
                    "MALFORMED_QUERY", scope.query.text, scope.query.at, "unexpected token in an aggregate query"
                )
        return names, columns


def compound(document: Document, name: str) -> Document | None:
    """A compound address made from its parts, or None if there is none."""
    prefix = name.removesuffix("Address")
    parts = {
        "city": "City", "country": "Country", "countryCode": "CountryCode", "postalCode": "PostalCode",
        "state": "State", "street": "Street",
    }  # fmt: skip
    shown = {key: document.get(f"{prefix}{part}") for key, part in parts.items()}
    if not any(shown.values()):
        return None
    return {**shown, "stateCode": None, "geocodeAccuracy": None, "latitude": None, "longitude": None}
