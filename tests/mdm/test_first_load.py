"""`landbridge mdm load`: systems full of customers and an empty hub become golden records at once, or not at all."""

from __future__ import annotations

import random
import re
import sys
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from types import MethodType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

sys.path.append(str(Path(__file__).resolve().parent.parent / "flows"))
from crashing import Crash
from memory import Memory
from steward_bench import ACME, ACME_AGAIN, ACME_MAYBE, OTHER, World, address, bare_terminal
from test_steward_models import STREETS, TOWNS, WORDS
from workbench import engine, flow

from landbridge import seam
from landbridge.canonical import Canonical
from landbridge.connector import Entity, Page
from landbridge.engine import erase
from landbridge.store import Store, identity
from landbridge.store._identity import Key
from mdm.declare import load
from mdm.publish import EngineHub, first_load
from mdm.store import bulk, migrate, models

COUNT = 300
PRODUCT = Entity("Product", create="C", update="B", batch=5)
TOOLS = ("Drill", "Cordless", "Battery", "Case", "Hammer", "Impact", "Charger")


@pytest.fixture
def company(root, tmp_path, store, clock, monkeypatch, capsys):
    world, landbridge = bare_terminal(root, tmp_path, store, clock, monkeypatch, capsys)

    def run(*arguments: Any, code: int = 0) -> str:
        ran = landbridge(*arguments)
        assert ran.code == code, ran
        return ran.out if code == 0 else ran.err

    run.world = world
    return run


def fill(world: World, count: int = COUNT) -> None:
    """Customers of the CRM, two thirds of them in the shop too, under another id and in another spelling."""
    chance = random.Random(11)
    for n in range(count):
        town, code = chance.choice(TOWNS)
        name = f"{chance.choice(WORDS)} {chance.choice(WORDS)} {n} Technik"
        street = f"{chance.choice(STREETS)} {chance.randrange(1, 99)}"
        mail = [{"address": f"info@firma{n}.example"}]
        place = [address(street, town, code)]
        world.crm.put("customer", f"c{n}", {"name": f"{name} GmbH", "addresses": place, "emails": mail})
        if n % 3:
            world.shop.put("customer", f"s{n}", {"name": name, "addresses": place, "emails": mail})


def pages_of_500(system: Memory) -> None:
    """Read as a system of 3,000 customers is read."""

    def read(self: Memory, entity: str, since: str | None, *, limit: int | None = None) -> Any:
        rows = self.rows.get(entity, [])
        for at in range(int(since or 0), len(rows), 500):
            yield Page(rows[at : at + 500], str(at + len(rows[at : at + 500])))

    system.read = MethodType(read, system)


def groups(world: World) -> set[frozenset[tuple[str, str]]]:
    """The partition, by what the systems call their records."""
    found: dict[Any, set[tuple[str, str]]] = {}
    with world.store.reading() as connection:
        for row in connection.execute(text("select system, key, golden from hub_record")):
            found.setdefault(row.golden, set()).add((row.system, row.key))
    return {frozenset(one) for one in found.values()}


def _goldens(world: World) -> dict[Any, tuple[int, str]]:
    with world.store.reading() as connection:
        found = connection.execute(text("select id, version, hash from hub_golden order by id, version"))
        return {row.id: (row.version, row.hash) for row in found}


def hub_rows(world: World) -> int:
    with world.store.reading() as connection:
        return connection.execute(
            text("select (select count(*) from hub_record) + (select count(*) from hub_version)"
                 " + (select count(*) from hub_golden) + (select count(*) from hub_change)"
                 " + (select count(*) from hub_model) + (select count(*) from hub_entity)")
        ).scalar_one()  # fmt: skip


def test_two_systems_become_golden_records_and_the_next_run_finds_everything_known(company):
    world = company.world
    fill(world)
    said = company("mdm", "load", "customer", "--model", "untrained")
    assert re.search(r"crm +300 +0 +0 +0", said) and re.search(r"shop +200 +0", said)
    assert "500 records became 300 golden records, 200 of them of more than one record." in said
    assert len(groups(world)) == 300
    with world.store.reading() as connection:  # nobody who comes next has to clean pages first
        clean = text("select vacuum_count > 0 from pg_stat_user_tables where relname = 'hub_record'")
        assert connection.execute(clean).scalar_one()
    before = _goldens(world)
    world.run()
    assert _goldens(world) == before, "every record is known: no version more, no golden record more"
    assert len(world.erp.effects("customer")) == 300, "one customer of two systems is one in the target"
    assert len(world.web.effects("customer")) == 300, "the hub's own feed tells each golden record"


def test_what_is_loaded_with_a_model_of_it_is_what_taking_the_records_one_by_one_gives(
    company, root, clock, new_database, database_template
):
    world = company.world
    fill(world, 500)
    twins = {f"{n}": {"name": f"Zwilling {n}", "addresses": [address(f"Weg {n}", "Ulm", "89073")]} for n in range(200)}
    for n, twin in twins.items():
        world.crm.put("customer", f"t{n}", twin)
    for system in (world.crm, world.shop):
        pages_of_500(system)
    said = company("mdm", "load", "customer")
    assert "trained on these records" in said
    store = Store(new_database(template=database_template), clock)
    try:
        other = World(root, store, clock)
        with world.store.reading() as connection:
            kept = models.newest(connection, "customer")
        with store.transaction("model") as connection:
            models.keep(connection, kept)
        for one, of in ((other.crm, world.crm), (other.shop, world.shop)):
            one.rows = {"customer": list(of.rows["customer"])}
            random.Random(5).shuffle(one.rows["customer"])
            pages_of_500(one)
        other.run()
        assert groups(other) == groups(world)
    finally:
        store.close()
    assert any(len(one) > 1 for one in groups(world))


@pytest.mark.parametrize("where", ["first page", "second feed", "ids", "golden", "commit"])
def test_a_crash_leaves_an_empty_hub_and_running_it_again_loads_it(company, monkeypatch, where):
    world = company.world
    fill(world, 60)
    seen: list[str] = []

    def hook(kind: str, what: str) -> None:
        seen.append(f"{kind} {what}")
        extracted = seen.count("committed extract")
        if {"first page": extracted == 1, "second feed": extracted == 21, "ids": seen[-1] == "committed sight",
                "golden": False, "commit": seen[-1] == "commit first load"}[where]:  # fmt: skip
            raise Crash(seen[-1])

    copy = bulk.copy

    def broken(connection: Any, table: str, lines: Any) -> None:
        copy(connection, table, lines)
        if where == "golden" and table == "hub_golden":
            raise Crash(table)

    with monkeypatch.context() as patch, seam.install(hook), pytest.raises(Crash):
        patch.setattr(bulk, "copy", broken)
        company("mdm", "load", "customer", "--model", "untrained")
    assert hub_rows(world) == 0, "nothing is half written"
    assert "100 records became 60 golden records" in company("mdm", "load", "customer", "--model", "untrained")
    world.run()
    assert len(world.erp.effects("customer")) == 60


def test_a_rehearsal_says_what_would_be_and_keeps_nothing(company):
    world = company.world
    fill(world, 60)
    said = company("mdm", "load", "customer", "--model", "untrained", "--dry-run")
    assert "100 records would become 60 golden records" in said and "nothing was kept" in said
    assert hub_rows(world) == 0
    with world.store.reading() as connection:
        assert connection.execute(text("select count(*) from inbox")).scalar_one() == 0
        assert connection.execute(text("select count(*) from feed where cursor is not null")).scalar_one() == 0


def test_a_hub_that_holds_records_is_not_loaded_again(company):
    world = company.world
    world.crm.put("customer", "1", ACME)
    world.run()
    said = company("mdm", "load", "customer", code=1)
    assert "holds customer records already" in said and "landbridge mdm train customer" in said
    assert "keeps no supplier" in company("mdm", "load", "supplier", code=1)


def test_what_needs_a_person_is_told(company):
    world = company.world
    world.crm.put("customer", "1", ACME)
    world.shop.put("customer", "1", ACME_MAYBE)
    world.crm.put("customer", "9", {"name": None})
    said = company("mdm", "load", "customer")
    assert "1 × pair waits for a steward: landbridge steward queue customer" in said
    assert "1 × record has nothing that it could be compared by" in said
    assert "crm:1" in company("steward", "queue", "customer")


def record(world: World, system: str, key: str) -> Any:
    return world.record(system, key)


def test_a_hub_that_is_switched_on_later_takes_what_was_processed_linked_deleted_and_forgotten(company, root, clock):
    world = company.world
    hub, world.made.parts.hub = world.made.parts.hub, None
    world.crm.put("customer", "1", ACME)
    world.crm.put("customer", "2", OTHER)
    world.crm.put("customer", "3", {"name": "Gelöscht GmbH", "addresses": [address("Ring 9", "Trier", "54290")]})
    world.crm.put("customer", "4", {"name": "Vergessen AG", "addresses": [address("Ring 7", "Jena", "07743")]})
    world.crm.put("customer", "5", {"name": "Getilgt AG", "addresses": [address("Ring 8", "Jena", "07743")]})
    world.shop.put("customer", "1", ACME_AGAIN)
    for name in ("crm_customers", "shop_customers"):
        world.made.run(name)
    clock.advance(timedelta(minutes=2))
    world.crm.rows["customer"].append(_deletion("3"))
    for name in ("crm_customers", "shop_customers"):
        world.made.run(name)
    assert len(world.erp.effects("customer")) == 6, "without a hub each is its own"
    with world.store.transaction("link") as connection:
        linked = (Key("shop", "customer", "", "7"), world.record("crm", "2").record)
        identity.link(connection, [linked], clock.now(), "person")
    world.shop.put("customer", "7", {"name": "Something else", "addresses": []})
    with world.store.transaction("retention") as connection:  # its message is gone; the system still holds it
        connection.execute(text("delete from body where owner in (select id from inbox where source_key = '4')"))
    with world.store.transaction("erase") as connection:
        erase(connection, world.made.parts, "customer", [world.record("crm", "5").record], actor="a person")
    world.crm.records["customer"] = {}
    world.crm.fetch = lambda entity, ids: [_row(key, world.crm) for key in ids]
    world.made.parts.hub = hub
    said = company("mdm", "load", "customer", "--model", "untrained")
    assert "6 records became 4 golden records" in said
    found = groups(world)
    assert not any(("crm", "5") in one for one in found), "what a person had erased is not fetched"
    assert frozenset({("crm", "1"), ("shop", "1")}) in found
    assert frozenset({("crm", "2"), ("shop", "7")}) in found, "what was linked stays together"
    assert frozenset({("crm", "4")}) in found, "what no message tells any more was fetched"
    with world.store.reading() as connection:
        state = connection.execute(text("select state from hub_golden g join hub_record r on r.golden = g.id"
                                        " where r.key = '3' order by version desc limit 1")).scalar_one()  # fmt: skip
    assert state == "deleted"
    assert world.record("shop", "1").subject == world.record("crm", "1").subject, "the cross-reference follows"
    clock.advance(timedelta(minutes=2))
    world.run()
    assert len(world.erp.effects("customer")) == 6, "nothing is created anew"
    before = _goldens(world)
    world.run()
    assert _goldens(world) == before


def _deletion(key: str) -> Any:
    from landbridge.connector import Row

    return Row(key, None, stamp="x", action="delete")


def _row(key: str, system: Memory) -> Any:
    return next(row for row in system.rows["customer"] if row.key == key)


def test_what_every_flow_sets_aside_is_not_told_to_the_hub(company):
    from landbridge.errors import Finding

    world = company.world
    flows = world.made.parts.flows
    rules = flows["crm_customers"].check.model_copy(update={"quality": "customer"})
    flows["crm_customers"] = flows["crm_customers"].model_copy(update={"check": rules})
    bad = [Finding("name", "spelling", "the name is in capitals", "Write it as it is written.")]
    world.made.parts.check = lambda _, body: bad if str(body.get("name")).isupper() else []
    world.made.register()
    world.crm.put("customer", "1", {**ACME, "name": "ACME MASCHINENBAU GMBH"})
    world.shop.put("customer", "1", ACME_AGAIN)
    said = company("mdm", "load", "customer", "--model", "untrained")
    assert re.search(r"crm +0 +0 +1", said)
    assert groups(world) == {frozenset({("shop", "1")})}
    world.run()
    assert groups(world) == {frozenset({("shop", "1")})}, "nor by a run"
    world.crm.put("customer", "1", ACME)
    world.run()
    assert groups(world) == {frozenset({("shop", "1"), ("crm", "1")})}, "mended, it is one with the other"
    lax = flows["crm_customers"].model_copy(update={"flow": "lax", "check": flows["golden"].check})
    flows["lax"] = lax
    world.made.register()
    world.crm.put("customer", "2", {**OTHER, "name": "BOLZEN UND SÖHNE"})
    world.run()
    assert frozenset({("crm", "2")}) in groups(world), "one flow that lets it pass is enough"


def test_a_worker_that_is_at_a_feed_is_waited_for_and_nobody_begins_meanwhile(company):
    world = company.world
    world.crm.put("customer", "1", ACME)
    feed = text("select pg_advisory_lock(4711, id) from feed where system = 'crm'")
    with world.store.engine.connect() as other:
        other.execute(feed)
        said = company("mdm", "load", "customer", code=1)
        assert "crm customer is being processed by another worker" in said and "Try again" in said
        assert hub_rows(world) == 0
        other.invalidate()
    received: list[int] = []

    def hook(kind: str, what: str) -> None:
        if (kind, what) == ("committed", "extract"):
            received.append(world.made.step("crm", "customer").batch())

    with seam.install(hook):
        assert "1 record became 1 golden record, 0 of them" in company("mdm", "load", "customer")
    assert received == [0], "a worker that is told of what was received passes it by"


def test_products_are_loaded_by_their_titles_as_they_would_be_taken(
    root, store, clock, new_database, database_template
):
    canonical = Canonical.load(root / "schemas" / "canonical")

    def shop(of: Store) -> tuple[Any, EngineHub]:
        migrate(of.engine)
        hub = EngineHub({"product": load(root, canonical)["product"]}, clock)
        systems = [Memory(name, clock, product=PRODUCT) for name in ("crm", "shop", "erp")]
        flows = [flow(f"{name}_products", name, "product", "erp") for name in ("crm", "shop")]
        made = engine(of, clock, systems, flows, hub=hub)
        for n, words in enumerate(combinations(TOOLS, 4)):
            systems[0].put("product", f"{n}", {"name": f"{' '.join(words)} TK-{n:04d}", "brand": "Torka"})
            if n % 2:
                again = {"name": f"Torka TK-{n:04d} {' '.join(reversed(words))}", "brand": "Torka"}
                systems[1].put("product", f"{n}", again)
        return made, hub

    made, hub = shop(store)
    done = first_load(made, hub, "product", model="untrained", progress=lambda _step, _moved: None)
    other = Store(new_database(template=database_template), clock)
    try:
        one_by_one, _ = shop(other)
        for name in ("shop_products", "crm_products"):
            one_by_one.run(name)
        expected = groups(SimpleNamespace(store=other))
        assert groups(SimpleNamespace(store=store)) == expected
        assert done.found.golden == len(expected) < done.records
    finally:
        other.close()
