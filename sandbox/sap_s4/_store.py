"""Documents on disk: an order, a partner or a product is one document with its dependants inside.

A document is a flat record of its non-initial fields, plus `_c`: {entity set: [records of dependants]}. Fields that
begin with `_` are the application's own and never leave the system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from sandbox._base.state import Collection, State
from sandbox.sap_s4._services import INDEXED, LOOKED_UP
from sandbox.sap_s4._values import show_decimal

Record = dict[str, Any]


class Store:
    """The documents of one system, by root entity set and key."""

    def __init__(self, folder: Path | None) -> None:
        self.state = State(folder / "sap_s4.sqlite" if folder is not None else None)
        for kind, columns in INDEXED.items():
            self.state.define(Collection(kind, columns, indexes=tuple((column, "_id") for column in columns)))
        self.state.define(Collection("lookup", ("name", "value", "root"), indexes=(("name", "value"), ("root",))))
        self.state.define(Collection("reservation"))
        self.saved: Callable[[str, str, Record, bool], None] | None = None  # told of what is written, and if it is new

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing."""
        return self.state.transaction()

    def get(self, kind: str, key: str) -> Record | None:
        """One document."""
        return self.state.get(kind, key)

    def put(self, kind: str, key: str, document: Record) -> None:
        """Write one document and the look-up entries of its dependants."""
        if self.saved is not None:
            self.saved(kind, key, document, self.state.get(kind, key) is None)
        self.state.put(kind, key, document)
        entries = [
            (f"{name}.{field}", record[field])
            for name, fields in LOOKED_UP.items()
            for record in document.get("_c", {}).get(name, ())
            for field in fields
            if record.get(field)
        ]
        root = f"{kind}/{key}"
        if entries or document.get("_looked"):
            self.state.execute("DELETE FROM lookup WHERE root = ?", (root,))
        for name, value in entries:
            self.state.put("lookup", f"{name}|{value}|{root}", {"name": name, "value": value, "root": root})

    def put_many(self, kind: str, rows: Iterable[tuple[str, Record]]) -> int:
        """Write a stream of documents that have no look-up fields."""
        return self.state.put_many(kind, rows)

    def delete(self, kind: str, key: str) -> None:
        """Remove one document."""
        self.state.delete(kind, key)
        self.state.execute("DELETE FROM lookup WHERE root = ?", (f"{kind}/{key}",))

    def looked_up(self, kind: str, name: str, value: str) -> list[str]:
        """The keys of the documents that have a dependant with this value."""
        rows = self.state.rows("SELECT root FROM lookup WHERE name = ? AND value = ? ORDER BY root", (name, value))
        return [root.partition("/")[2] for (root,) in rows if root.startswith(f"{kind}/")]

    def number(self, sequence: str, start: int) -> str:
        """The next number of a number range."""
        return str(self.state.next_number(sequence, start=start))

    def scan(
        self, kind: str, where: str, params: Sequence[Any], order: Sequence[tuple[str, bool]], chunk: int
    ) -> Iterator[tuple[tuple[Any, ...], Record]]:
        """(position, document) in the order of `order`, a list of (column, descending) that ends with `_id`."""
        names = [column for column, _ in order]
        clause = ", ".join(f'"{column}"{" DESC" if down else ""}' for column, down in order)
        after: tuple[Any, ...] | None = None
        while True:
            condition, values = (where or "1"), list(params)
            if after is not None:
                extra, more = beyond(order, after)
                condition, values = f"({condition}) AND {extra}", values + more
            columns = ", ".join(f'"{name}"' for name in names)
            sql = f'SELECT {columns}, _doc FROM "{kind}" WHERE {condition} ORDER BY {clause} LIMIT {chunk}'
            rows = self.state.rows(sql, values)
            for row in rows:
                yield tuple(row[:-1]), orjson.loads(row[-1])
            if len(rows) < chunk:
                return
            after = tuple(rows[-1][:-1])

    def reserved(self, material: str, plant: str) -> Decimal:
        """How much of a material is promised to open orders."""
        found = self.state.get("reservation", f"{material}|{plant}")
        return Decimal(found["quantity"]) if found else Decimal(0)

    def reserve(self, material: str, plant: str, change: Decimal) -> None:
        """Promise more (or less, if negative)."""
        if change:
            now = max(Decimal(0), self.reserved(material, plant) + change)
            self.state.put("reservation", f"{material}|{plant}", {"quantity": show_decimal(now)})


def beyond(order: Sequence[tuple[str, bool]], after: Sequence[Any]) -> tuple[str, list[Any]]:
    """The SQL condition for rows behind a position; unset columns come first."""
    (column, down), *rest = order
    value = after[0]
    if value is None:
        past = f'"{column}" IS NOT NULL' if not down else "0"
        same, values = f'"{column}" IS NULL', []
    else:
        past = f'("{column}" < ? OR "{column}" IS NULL)' if down else f'"{column}" > ?'
        same, values = f'"{column}" = ?', [value]
    if not rest:
        return past, list(values)
    inner, more = beyond(rest, after[1:])
    return f"({past} OR ({same} AND {inner}))", [*values, *values, *more]
