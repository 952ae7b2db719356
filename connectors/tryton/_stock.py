"""Stock as snapshots: a warehouse at a time. Tryton computes quantities, so no time stamp tells of their change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from connectors.tryton._records import CHUNK, Records
from connectors.tryton._wire import Record, day, inward, number_text
from landbridge.connector import Page, Row
from landbridge.errors import Rejected
from landbridge.time import Clock

_GOODS = [["type", "=", "goods"], ["consumable", "=", False]]


class Stock:
    """Reads how much of each product lies in each warehouse today."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def pages(self) -> Iterator[Page]:
        """One snapshot per warehouse, by product; its last page says that none is missing."""
        size = self._records.config.page
        for warehouse in self._warehouses():
            scope, after = str(warehouse["id"]), 0
            while True:
                found = self._read(warehouse, [["id", ">", after]], size)
                last = len(found) < size
                yield Page([self._row(each, warehouse) for each in found], None, complete=last, scope=scope)
                if last:
                    break
                after = int(found[-1]["id"])

    def fetch(self, keys: Iterable[str]) -> Iterator[Row]:
        """The records with these keys: product and warehouse."""
        wanted = set(keys)
        for warehouse in self._warehouses():
            ids = sorted(int(key.split("|")[0]) for key in wanted if key.endswith(f"|{warehouse['id']}"))
            for begin in range(0, len(ids), CHUNK):
                for each in self._read(warehouse, [["id", "in", ids[begin : begin + CHUNK]]], None):
                    yield self._row(each, warehouse)

    def _warehouses(self) -> list[Record]:
        fields, session, codes = ["code", "name"], self._records.session, self._records.config.warehouses
        domain: list[Any] = [["type", "=", "warehouse"]]
        if codes:
            domain.append(["code", "in", list(codes)])
        found = session.call("stock.location", "search_read", domain, 0, None, [["id", "ASC"]], fields)
        if missing := set(codes) - {each["code"] for each in found}:
            hint = "Look at `warehouses` of the system; they are codes of Tryton's locations."
            raise Rejected(f"{session.http.system}: there is no warehouse {', '.join(sorted(missing))}.", hint=hint)
        return [inward(each) for each in found]

    def _read(self, warehouse: Record, condition: list[Any], limit: int | None) -> list[Record]:
        """The same products twice: what lies there, and what of it no shipment has assigned."""
        today = {"locations": [int(warehouse["id"])], "stock_date_end": day(self._clock.now().date())}
        domain, order = [*_GOODS, *self._records.domain, *condition], [["id", "ASC"]]
        model, paths, session = self._records.model, self._records.paths(), self._records.session
        found = session.call(model, "search_read", domain, 0, limit, order, paths, context=today)
        ids = [each["id"] for each in found]
        free = session.call(model, "read", ids, ["quantity"], context={**today, "stock_assign": True}) if ids else []
        available = {each["id"]: each["quantity"] for each in free}
        return [{**each, "available": available.get(each["id"], each["quantity"])} for each in found]

    def _row(self, record: Record, warehouse: Record) -> Row:
        read = inward(record)
        number = str(record["id"])
        body = {
            "product": {"id": number, "code": read["code"]},
            "warehouse": {**warehouse, "id": str(warehouse["id"])},
            "unit": read["default_uom"],
            "quantity": read["quantity"],
            "available": read["available"],
        }
        return Row(f"{number}|{warehouse['id']}", body, scope=str(warehouse["id"]))


def emptied(body: Record) -> Record:
    """A product that is no longer told of: nothing of it lies there."""
    nothing = number_text(Decimal())
    return {**body, "quantity": nothing, "available": nothing}
