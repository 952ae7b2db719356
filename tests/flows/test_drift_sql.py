"""A column is renamed in a real database while a flow reads it: a clear error, nothing lost, nothing half-read."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from memory import Memory
from workbench import balanced, engine, flow

from connectors.sql import Sql
from connectors.sql._config import SqlConfig
from landbridge import drift
from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.errors import Rejected
from landbridge.net import NetSettings, open_http
from landbridge.settings import Ownership
from landbridge.store import control
from landbridge.translator import Translator

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))
TEXT = {"type": "string"}
SCHEMA = Canonical({"customer": {"type": "object", "properties": {"number": TEXT, "name": TEXT, "tax_id": TEXT}}})
SHOP = "entity: customer\nin:\n  number: id | text\n  name: name\n  tax_id: tax_no\n"
BOOKS = "entity: customer\nin: {number: id}\nout:\n  id: number\n  vat: tax_id\n"
MAIL = "entity: customer\nin: {number: id}\nout:\n  id: number\n  name: name\n"
CONFIG = {
    "entities": {"customer": {"table": "customers", "key": "id", "changed": "changed"}},
    "page_size": 2,
    "overlap": 0,
    "zone": "UTC",
}


class House:
    """A shop's database, whose customers go to the books (by tax number) and to a mailing (by name)."""

    def __init__(self, store: Any, clock: Any, folder: Path) -> None:
        self.store, self.clock = store, clock
        self.admin = sqlite3.connect(folder / "shop.db", isolation_level=None)
        self.admin.execute("create table customers (id integer primary key, name text, tax_no text, changed timestamp)")
        for number in range(1, 6):
            row = (number, f"N{number}", f"DE{number}", f"2026-01-05 07:0{number}:00")
            self.admin.execute("insert into customers values (?, ?, ?, ?)", row)
        (folder / "secret").write_text(f"sqlite:///{folder / 'shop.db'}", encoding="utf-8")
        self.config = SqlConfig.model_validate({"url": f"file:{folder / 'secret'}", **CONFIG})
        self.shop = self.connect("shop")
        self.targets = {name: Memory(name, clock, customer=CUSTOMER) for name in ("books", "mail")}
        for one in self.targets.values():
            one.close = lambda: None  # type: ignore[method-assign]  # there is nothing to close
        self.flow = flow("customers", "shop", "customer", "books", "mail")
        self.shop_text = SHOP
        self.made = self.open()

    def connect(self, name: str) -> Any:
        if name != "shop":
            return self.targets[name]
        return Sql("shop", self.config, open_http("shop", self.config, NetSettings(), clock=self.clock), self.clock)

    def mapping(self, system: str, entity: str) -> Any:
        text = {"shop": self.shop_text, "books": BOOKS, "mail": MAIL}[system]
        return Translator(Path(), canonical=SCHEMA).load_text(text, file=f"{system}/{entity}.yaml")

    def open(self) -> Any:
        systems: list[Any] = [self.shop, *self.targets.values()]
        mappings = {(one, "customer"): self.mapping(one, "customer") for one in ("shop", "books", "mail")}
        self.shop.declared = {"customer": CUSTOMER}  # what the workbench asks of a system
        return engine(self.store, self.clock, systems, [self.flow], mappings, schema=SCHEMA)

    def check(self) -> drift.Report:
        settings: Any = SimpleNamespace(
            flows={"customers": self.flow}, canonical=SCHEMA, owned=Ownership.model_validate({}).entity
        )
        return drift.check(self.store, settings, self.mapping, self.connect, self.clock)

    def stands(self, system: str) -> list[dict[str, Any]]:
        return sorted((one.header for one in self.targets[system].effects("customer")), key=lambda one: str(one["id"]))


@pytest.fixture
def house(store: Any, clock: Any, tmp_path: Path) -> Any:
    made = House(store, clock, tmp_path)
    assert made.check().stopping == []
    yield made
    made.shop.close()
    made.admin.close()


def test_a_column_renamed_while_the_flow_runs(house: House) -> None:
    pages = 0

    def rename(_: Any) -> None:
        nonlocal pages
        pages += 1
        if pages == 1:
            house.admin.execute("alter table customers rename column tax_no to tax_number")

    with pytest.raises(Rejected, match="tax_no") as raised:
        house.made.extract(house.flow, page=rename)
    assert "customers.tax_no" in str(raised.value) or "no such column" in str(raised.value)
    found = house.check()
    assert found.paused == ["customers/books"] and found.stopping[0].renamed == "tax_number"
    assert found.stopping[0].lines == ("shop/customer.yaml:5:11",)
    house.made.run("customers")  # the same connector, which asked the database anew
    assert [one["name"] for one in house.stands("mail")] == ["N1", "N2", "N3", "N4", "N5"]
    assert house.stands("books") == []
    house.shop_text = SHOP.replace("tax_id: tax_no", "tax_id: {first: [tax_number, tax_no]}")
    house.made = house.open()
    mended = house.check()
    assert mended.resumed == ["customers/books"] and 1 <= mended.again <= 3, mended  # the next page is read ahead
    assert house.check().paused == []
    house.made.run("customers")
    assert [one["vat"] for one in house.stands("books")] == ["DE1", "DE2", "DE3", "DE4", "DE5"]
    assert house.targets["mail"].written() == 1 and len(balanced(house.made)) == 2


def test_a_table_that_is_gone_pauses_every_route_that_reads_it(house: House) -> None:
    house.admin.execute("alter table customers rename to customers_old")
    found = house.check()
    assert found.paused == [] and "customers" in str(found.unreached["shop"])  # its own check says so: nobody is served
    house.admin.execute("alter table customers_old rename to customers")
    assert house.check().unreached == {}
    with house.store.reading() as connection:
        assert control.paused_routes(connection) == {}
