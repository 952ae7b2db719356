"""With a hub: records are grouped, leave with golden values, and what a regrouping concerns is sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from memory import Memory
from small_hub import SmallHub
from sqlalchemy import text
from workbench import Plain, balanced, engine, flow

from landbridge.connector import Entity, Row
from landbridge.engine import AS_IT_IS, regroup
from landbridge.settings import Ownership
from landbridge.store import identity
from landbridge.store._identity import Key

CUSTOMER = Entity("Customer", create="C", update="B", batch=5)
ORDER = Entity("Order", create="C", update="B", batch=5)


def order_in(native, context):
    return {**native, "customer": {"system": context.system, "entity": "customer", "scope": None, "id": native["by"]}}


def order_out(canonical, context):
    return {"what": canonical["what"], "buyer": context.target_id("customer", canonical["customer"]["subject"])}


class World:
    def __init__(self, store, clock, *more):
        self.hub = SmallHub()
        self.crm = Memory("crm", clock, customer=CUSTOMER, order=ORDER)
        self.shop = Memory("shop", clock, customer=CUSTOMER)
        self.erp = Memory("erp", clock, customer=CUSTOMER, order=ORDER)
        self.clock, self.store = clock, store
        flows = [
            flow("crm_customers", "crm", "customer", {"to": "erp", "on_delete": "block"}),
            flow("shop_customers", "shop", "customer", {"to": "erp", "on_delete": "block"}),
            flow("erp_customers", "erp", "customer", {"to": "crm", "create": False}),
            flow("orders", "crm", "order", {"to": "erp", "after": ["customer"]}),
            *more,
        ]
        mappings = {("crm", "order"): Plain(order_in), ("erp", "order"): Plain(None, order_out)}
        mappings[("erp", "customer")] = Plain(lambda native, _: {k: v for k, v in native.items() if k != "lines"})
        systems = [self.crm, self.shop, self.erp]
        self.made = engine(store, clock, systems, flows, mappings, hub=self.hub)

    def run(self, *flows):
        for name in flows or ("crm_customers", "shop_customers", "orders", "crm_customers", "shop_customers", "orders"):
            self.made.run(name)
            self.clock.advance(timedelta(minutes=2))
        balanced(self.made)

    def record(self, system, key):
        with self.store.reading() as connection:
            return identity.lookup(connection, {Key(system, "customer", "", key)})[Key(system, "customer", "", key)]

    def decide(self, system, key, group):
        grouped = self.hub.decide(self.record(system, key).record, group)
        with self.store.transaction("decide") as connection:
            regroup(connection, self.made.parts, "customer", grouped)

    def in_erp(self):
        return {r.id: (r.header["name"], r.header.get("sources")) for r in self.erp.effects("customer")}


@pytest.fixture
def world(store, clock):
    return World(store, clock)


def test_the_same_customer_of_two_systems_is_one_record_in_the_target(world):
    world.crm.put("customer", "A", {"name": "Acme", "tax": "1"})
    world.shop.put("customer", "7", {"name": "ACME GmbH", "tax": "1"})
    world.run()
    assert list(world.in_erp().values()) == [("ACME GmbH", 2)]
    assert world.record("crm", "A").subject == world.record("shop", "7").subject == world.record("crm", "A").record


def test_what_two_systems_brought_apart_stays_and_a_merge_sends_the_golden_values_to_one(world):
    world.crm.put("customer", "A", {"name": "Acme"})
    world.shop.put("customer", "7", {"name": "ACME GmbH"})
    world.crm.put("order", "1", {"what": "bolts", "by": "A"})
    world.run()
    assert len(world.in_erp()) == 2
    world.decide("crm", "A", "acme")
    world.decide("shop", "7", "acme")
    world.run()
    assert ("ACME GmbH", 2) in world.in_erp().values()
    assert world.record("shop", "7").subject == world.record("crm", "A").record


def test_a_split_makes_the_record_that_leaves_and_moves_the_orders_delivered_before(world):
    world.shop.put("customer", "7", {"name": "Acme North", "tax": "1"})
    world.run("shop_customers")
    world.crm.put("customer", "A", {"name": "Acme South", "tax": "1"})
    world.crm.put("order", "1", {"what": "bolts", "by": "A"})
    world.run()
    [only] = world.in_erp()
    assert [o.header["buyer"] for o in world.erp.effects("order")] == [only]
    world.decide("crm", "A", "south")
    world.run()
    names = {name: id_ for id_, (name, _) in world.in_erp().items()}
    assert set(names) == {"Acme North", "Acme South"}
    assert [o.header["buyer"] for o in world.erp.effects("order")] == [names["Acme South"]]
    written = len(world.erp.calls)
    world.run()
    assert not [call for call in world.erp.calls[written:] if call[0] == "write"], "nothing more to say"


def test_a_record_that_retention_dropped_says_so_when_its_group_changes(world):
    world.crm.put("customer", "A", {"name": "Acme"})
    world.shop.put("customer", "7", {"name": "ACME GmbH"})
    world.run()
    with world.store.transaction("retention") as connection:
        connection.execute(text("delete from body"))
    world.decide("crm", "A", "acme")
    world.decide("shop", "7", "acme")
    world.run()
    with world.store.reading() as connection:
        said = connection.execute(text("select code, reason from outbox where state = 'quarantined'")).all()
    assert said
    assert all("no longer kept" in one.reason and "reconcile" in one.reason for one in said), said


def test_a_merge_lets_an_order_go_that_waited_for_the_customer_of_its_own_system(world):
    world.shop.put("customer", "7", {"name": "Acme"})
    world.run("shop_customers")
    world.crm.put("order", "1", {"what": "bolts", "by": "A"})
    world.run("orders")
    assert not world.erp.effects("order")
    world.made.parts.hub.decided[world.record("crm", "A").record] = "acme"
    world.decide("shop", "7", "acme")
    world.crm.put("customer", "A", {"name": "Acme"})
    world.run("crm_customers", "orders")
    [order] = world.erp.effects("order")
    assert [order.header["buyer"]] == list(world.in_erp())


def test_a_deletion_in_one_system_only_changes_the_golden_record_and_the_last_one_ends_it(world):
    world.crm.put("customer", "A", {"name": "Acme", "tax": "1"})
    world.shop.put("customer", "7", {"name": "ACME GmbH", "tax": "1"})
    world.run()
    world.shop.rows["customer"].append(Row("7", None, "t8", "delete"))
    world.run()
    assert list(world.in_erp().values()) == [("Acme", 1)]
    world.crm.rows["customer"].append(Row("A", None, "t9", "delete"))
    world.run()
    world.clock.advance(timedelta(hours=2))
    world.made.deliver()
    assert world.erp.effects("customer")[0].header["blocked"] == "block"


def test_what_we_delivered_is_a_record_of_its_own_in_the_same_group_when_it_comes_back(world):
    world.crm.put("customer", "A", {"name": "Acme"})
    world.run("crm_customers")
    [id_] = world.in_erp()
    world.erp.put("customer", id_, {"name": "Acme", "credit": "500"})
    world.run("erp_customers", "crm_customers")
    theirs, ours = world.record("erp", id_), world.record("crm", "A")
    assert theirs.record != ours.record
    assert theirs.subject == ours.subject == ours.record
    assert len(world.erp.effects("customer")) == 1
    world.decide("erp", id_, "apart")
    world.run("erp_customers", "crm_customers")
    assert world.record("erp", id_).subject == theirs.record
    assert len(world.erp.effects("customer")) == 2, "the link was wrong: the customer is made anew"


def test_the_hubs_own_feed_tells_golden_records_in_the_transaction_of_their_change(store, clock):
    published = flow("golden", "hub", "customer", {"to": "erp", "on_delete": "block"})
    world = World(store, clock)
    hub = Memory("hub", clock, customer=CUSTOMER)
    crm, erp = world.crm, world.erp
    flows = [flow("crm_customers", "crm", "customer", {"to": "shop", "create": False}), published]
    owned = Ownership.model_validate({"customer": {"fields": {"credit": {"owner": "erp"}, "name": {"owner": "crm"}}}})
    parts = {"hub": world.hub, "connector_of": {"hub": "hub"}, "ownership": owned}
    made = engine(store, clock, [crm, erp, world.shop, hub], flows, {("hub", "customer"): AS_IT_IS}, **parts)
    crm.put("customer", "A", {"name": "Acme", "tax": "1", "credit": "9"})
    crm.put("customer", "B", {"name": "Bolt", "tax": "2", "credit": "9"})
    made.run("crm_customers")
    made.run("golden")
    assert [(r.header["name"], "credit" in r.header) for r in erp.effects("customer")] == [
        ("Acme", False),  # what the target owns is not written; what another system owns, the hub speaks for
        ("Bolt", False),
    ]
    crm.put("customer", "B", {"name": "Bolt & Co", "tax": "2"})
    made.run("crm_customers")
    made.run("golden")
    assert [r.header["name"] for r in erp.effects("customer")] == ["Acme", "Bolt & Co"]
    written = [call for call in erp.calls if call[0] == "write"]
    made.run("crm_customers")
    made.run("golden")
    assert [call for call in erp.calls if call[0] == "write"] == written
    balanced(made)


def test_what_was_linked_before_any_hub_goes_with_its_record(world):
    world.crm.put("customer", "A", {"name": "Acme"})
    world.shop.put("customer", "7", {"name": "ACME GmbH"})
    world.run()
    ours, theirs = world.record("crm", "A"), world.record("shop", "7")
    linked = Key("erp", "customer", "", "old")
    with world.store.transaction("before") as connection:
        made = identity.mint(connection, {linked}, {}, world.made.parts.ids, world.clock.now(), "source")
        identity.merge(connection, made[linked].record, theirs.record)
    world.decide("crm", "A", "acme")
    world.decide("shop", "7", "acme")
    world.run()
    assert world.record("shop", "7").subject == world.record("erp", "old").subject == ours.record
