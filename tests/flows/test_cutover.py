"""Cut-over Monday: 40,000 customers on both sides, a merge whose deletion shows first, a snapshot with a hole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from memory import Memory, Record
from workbench import balanced, engine, flow

from landbridge.connector import Entity, Page, Row
from landbridge.engine import Engine, adopt
from landbridge.store import Store
from landbridge.store._store import sql

CUSTOMERS = 40_000
PAGE = 2_000
CUSTOMER = Entity("Customer", create="C", update="B", batch=100, settle=timedelta(minutes=5))
STOCK = Entity("Stock", create="B", update="B", batch=50, snapshot=True)
LEVEL = Entity("Stock", create="B", update="B", batch=50)


class Big(Memory):
    """A system with many customers, made as they are asked for, that counts every call."""

    asked: int = 0

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        if entity != "customer" or self.name != "crm":
            yield from super().read(entity, since, limit=limit)
            return
        made = int(since or 0)
        for at in range(made, CUSTOMERS, PAGE):
            rows = [Row(f"C{n}", {"name": f"Name {n}", "tax": f"T{n}"}, stamp="1") for n in range(at, at + PAGE)]
            yield Page(rows, str(at + PAGE))
        later = self.rows.get(entity, [])
        for at in range(max(made - CUSTOMERS, 0), len(later)):
            yield Page([later[at]], str(CUSTOMERS + at + 1))

    def matches(self, entity: str, values: Sequence[str], *, field: str) -> Mapping[str, list[str]]:
        self.asked += 1
        assert field == "tax"
        return {value: [str(10_001 + int(value[1:]))] for value in values if int(value[1:]) < CUSTOMERS}


@pytest.fixture
def company(store: Store, clock: Any) -> tuple[Big, Big, Engine]:
    crm = Big("crm", clock, customer=CUSTOMER, inventory_level=LEVEL)
    erp = Big("erp", clock, customer=CUSTOMER, inventory_level=STOCK)
    erp.absent = lambda entity, last: {**last, "available": "0"}  # type: ignore[method-assign]  # stock that is sold out
    crm.versions = False
    flows = [
        flow("customers", "crm", "customer", {"to": "erp", "on_delete": "block"}),
        flow("stock", "erp", "inventory_level", "crm"),
    ]
    return crm, erp, engine(store, clock, [crm, erp], flows)


def stands(erp: Memory, *numbers: int) -> None:
    kept = erp.records.setdefault("customer", {})
    for n in numbers:
        kept[str(10_001 + n)] = Record(str(10_001 + n), {"name": f"Name {n}", "tax": f"T{n}"}, {}, "")


def count(store: Store, question: str) -> int:
    with store.reading() as connection:
        return int(connection.execute(sql(question)).scalar_one())


@pytest.mark.slow
def test_cut_over_monday(company: Any, store: Store, clock: Any) -> None:
    crm, erp, made = company
    stands(erp, 0, 1)

    [done] = adopt(made, "customers", "tax")
    assert dict(done.counts) == {"linked": CUSTOMERS, "ambiguous": 0, "no value": 0, "no candidate": 0}
    assert {kind for kind, _ in erp.calls} == set(), "the target was only asked what it has"
    assert erp.asked == CUSTOMERS // made.parts.batch, "one question a batch, none a record"
    assert count(store, "select count(*) from xref where system = 'erp' and linked_by = 'adopt'") == CUSTOMERS
    assert made.run("customers").written == 0 and erp.written() == 0

    # A (partner 10001) and B (partner 10002, with an open order) are merged; the deletion of B shows first.
    crm.rows["customer"] = [Row("C1", None, "2", "delete")]
    assert made.run("customers").written == 0
    clock.advance(30)
    crm.rows["customer"].append(Row("C1", None, "3", "merge", into="C0"))
    made.run("customers")
    clock.advance(timedelta(days=1))
    assert made.run("customers").written == 0
    assert erp.written() == 0 and all("blocked" not in one.header for one in erp.effects("customer"))
    crm.rows["customer"].append(Row("C0", {"name": "A and B", "tax": "T0"}, "4"))
    assert made.run("customers").counts["updated"] == 1
    names = {one.id: one.header["name"] for one in erp.effects("customer")}
    assert names == {"10001": "A and B", "10002": "Name 1"}

    stock = {f"P{n}": "5" for n in range(50)}
    erp.pages["inventory_level"] = pages(stock)
    assert made.run("stock").counts["created"] == 50
    sold_out = {key: "4" for key in stock if key != "P1"}
    erp.pages["inventory_level"] = pages(sold_out, missing=2)
    refused = made.run("stock")
    assert "39 of 49 records came" in refused.refused and refused.written == 0
    assert levels(crm)["P1"] == "5" and levels(crm)["P2"] == "5"
    erp.pages["inventory_level"] = pages(sold_out)
    assert made.run("stock").refused == ""
    assert levels(crm)["P1"] == "0" and levels(crm)["P2"] == "4"

    assert len(erp.effects("customer")) == 2 and not any(
        write.action == "create" for kind, batch in erp.calls if kind == "write" for write in batch
    )
    balanced(made)
    assert count(store, "select count(*) from outbox where done_at is null") == 0


def pages(stock: Mapping[str, str], *, missing: int | None = None) -> list[Page]:
    """A snapshot in five pages; a connector that loses one cannot know it, the total tells."""
    rows = [Row(key, {"product": key, "available": value}) for key, value in stock.items()]
    cut = [rows[at : at + 10] for at in range(0, len(rows), 10)]
    kept = [page for n, page in enumerate(cut) if n != missing]
    return [Page(page, None, complete=n == len(kept) - 1, total=len(rows)) for n, page in enumerate(kept)]


def levels(crm: Memory) -> dict[str, str]:
    return {one.header["product"]: one.header["available"] for one in crm.effects("inventory_level")}
