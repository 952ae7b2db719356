"""The hub inside the engine: a customer of several systems is one, in targets too, and decisions can be undone."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "flows"))

from memory import Memory
from workbench import Plain, balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.engine import AS_IT_IS, regroup
from landbridge.store import identity
from landbridge.store._identity import Key
from landbridge.time import uuid7
from mdm.declare import load
from mdm.hub import Decision
from mdm.publish import EngineHub
from mdm.store import migrate, reading

CUSTOMER = Entity("Customer", create="C", update="B", batch=5)


def address(street, city, postcode, country="DE"):
    return {"role": "main", "street": street, "city": city, "postal_code": postcode, "country": country}


ACME = {
    "name": "Acme Maschinenbau GmbH",
    "addresses": [address("Hauptstraße 12", "Stuttgart", "70173")],
    "phones": [{"number": "+49 711 123456"}],
}
ACME_AGAIN = {
    "name": "ACME Maschinenbau Gesellschaft mbH",
    "addresses": [address("Hauptstr. 12", "Stuttgart", "70173")],
    "phones": [{"number": "0711/123456"}, {"number": "0711/98765"}],
}
ACME_MAYBE = {"name": "Acme Maschinenbau", "addresses": [address(None, "Stuttgart", "70173")]}
OTHER = {"name": "Bolzen und Söhne KG", "addresses": [address("Ring 1", "Köln", "50667")]}


class World:
    def __init__(self, root, store, clock):
        migrate(store.engine)
        self.store, self.clock = store, clock
        declared = load(root, Canonical.load(root / "schemas" / "canonical"))
        self.hub = EngineHub({"customer": declared["customer"]}, clock)
        self.crm, self.shop, self.erp, self.own, self.web = (
            Memory(name, clock, customer=CUSTOMER) for name in ("crm", "shop", "erp", "hub", "web")
        )
        flows = [
            flow("crm_customers", "crm", "customer", "erp"),
            flow("shop_customers", "shop", "customer", "erp"),
            flow("golden", "hub", "customer", "web"),
        ]
        parts = {"hub": self.hub, "connector_of": {"hub": "hub"}}
        systems = [self.crm, self.shop, self.erp, self.own, self.web]
        self.made = engine(store, clock, systems, flows, {("hub", "customer"): AS_IT_IS}, **parts)

    def run(self):
        for name in ("crm_customers", "shop_customers", "golden") * 2:
            self.made.run(name)
            self.clock.advance(timedelta(minutes=2))
        balanced(self.made)

    def record(self, system, key):
        with self.store.reading() as connection:
            return identity.lookup(connection, {Key(system, "customer", "", key)})[Key(system, "customer", "", key)]

    def decide(self, verdict, one, other):
        decision = Decision(
            uuid7(), verdict, (self.record(*one).record,), (self.record(*other).record,), actor="a steward"
        )
        with self.store.transaction("decide") as connection:
            grouped = self.hub.decide(connection, "customer", decision)
            regroup(connection, self.made.parts, "customer", grouped)
        return decision.id

    def revoke(self, decision):
        with self.store.transaction("revoke") as connection:
            grouped = self.hub.revoke(connection, "customer", decision, "a steward")
            regroup(connection, self.made.parts, "customer", grouped)

    def edges(self):
        with self.store.reading() as connection:
            members = {r.subject for k in ("crm", "shop") for r in [self.record(k, "1")]}
            return reading.stored(connection, members)

    def names(self):
        return sorted(r.header["name"] for r in self.erp.effects("customer"))


@pytest.fixture
def world(root, store, clock):
    return World(root, store, clock)


def test_two_spellings_of_a_customer_are_one_golden_record_and_one_customer_in_the_target(world):
    world.crm.put("customer", "1", ACME)
    world.crm.put("customer", "2", OTHER)
    world.shop.put("customer", "1", ACME_AGAIN)
    world.run()
    assert world.record("crm", "1").subject == world.record("shop", "1").subject
    assert len(world.names()) == 2
    [golden] = world.edges().values()
    assert [phone["number"] for phone in golden.values["phones"]] == ["+49 711 123456", "0711/98765"]
    written = [call for call in world.erp.calls if call[0] == "write"]
    world.run()
    assert [call for call in world.erp.calls if call[0] == "write"] == written, "all is said"


def test_a_doubtful_pair_stays_apart_until_a_steward_says_so_and_undo_is_as_if_it_never_happened(world):
    world.crm.put("customer", "1", ACME)
    world.shop.put("customer", "1", ACME_MAYBE)
    world.run()
    apart = world.edges()
    assert len(apart) == 2
    decision = world.decide("same", ("crm", "1"), ("shop", "1"))
    world.run()
    assert world.record("crm", "1").subject == world.record("shop", "1").subject
    world.revoke(decision)
    world.run()
    assert world.record("shop", "1").subject == world.record("shop", "1").record
    assert {id_: one.hash for id_, one in world.edges().items()} == {id_: one.hash for id_, one in apart.items()}
    assert len(world.names()) == 2


def test_a_rejected_pair_is_not_merged_by_what_comes_later(world):
    world.crm.put("customer", "1", ACME)
    world.shop.put("customer", "1", ACME_MAYBE)
    world.run()
    world.decide("different", ("crm", "1"), ("shop", "1"))
    world.shop.put("customer", "1", ACME_AGAIN)
    world.run()
    assert world.record("crm", "1").subject != world.record("shop", "1").subject


def test_what_was_linked_before_the_hub_saw_it_stays_together(world):
    world.crm.put("customer", "1", OTHER)
    world.run()
    [delivered] = world.erp.effects("customer")
    with world.store.transaction("link") as connection:
        linked = (Key("shop", "customer", "", "7"), world.record("crm", "1").record)
        identity.link(connection, [linked], world.clock.now(), "person")
    world.shop.put("customer", "7", {"name": "Something else", "addresses": []})
    world.run()
    assert world.record("shop", "7").subject == world.record("crm", "1").subject
    assert world.record("shop", "7").record != world.record("crm", "1").record
    assert [r.id for r in world.erp.effects("customer")] == [delivered.id]


def test_a_flow_that_subscribes_to_the_hub_hears_of_golden_records(world):
    world.crm.put("customer", "1", ACME)
    world.crm.put("customer", "2", OTHER)
    world.shop.put("customer", "1", ACME_AGAIN)
    world.run()
    assert len(world.web.effects("customer")) == 2
    [merged] = [r for r in world.web.effects("customer") if "Bolzen" not in r.header["name"]]
    assert len(merged.header["phones"]) == 2
    assert next(one for one in balanced(world.made) if one.flow == "golden").in_flight == 0


def test_a_hub_that_is_switched_on_later_takes_no_link_apart(root, store, clock):
    erp, crm = Memory("erp", clock, customer=CUSTOMER), Memory("crm", clock, customer=CUSTOMER)
    flows = [
        flow("crm_customers", "crm", "customer", "erp"),
        flow("erp_customers", "erp", "customer", {"to": "crm", "create": False}),
    ]
    reads = {
        ("erp", "customer"): Plain(lambda native, _: {k: v for k, v in native.items() if k not in ("lines", "id")})
    }
    before = engine(store, clock, [crm, erp], flows, reads)
    crm.put("customer", "1", ACME)
    before.run("crm_customers")
    [delivered] = erp.effects("customer")
    declared = load(root, Canonical.load(root / "schemas" / "canonical"))
    made = engine(store, clock, [crm, erp], flows, reads, hub=EngineHub({"customer": declared["customer"]}, clock))

    def record(system, key):
        with store.reading() as connection:
            return identity.lookup(connection, {Key(system, "customer", "", key)})[Key(system, "customer", "", key)]

    erp.put("customer", delivered.id, {"name": "Something else in the ERP", "addresses": []})
    for _ in range(2):
        clock.advance(timedelta(minutes=2))
        made.run("erp_customers")
        assert record("erp", delivered.id).subject == record("crm", "1").record
    crm.put("customer", "1", {**ACME, "website": "https://acme.example"})
    erp.put("customer", delivered.id, {"name": "Another name in the ERP", "addresses": []})
    for name in ("crm_customers", "erp_customers", "crm_customers"):
        clock.advance(timedelta(minutes=2))
        made.run(name)
    assert record("erp", delivered.id).subject == record("crm", "1").record
    assert record("erp", delivered.id).record != record("crm", "1").record
    assert len(erp.effects("customer")) == 1
