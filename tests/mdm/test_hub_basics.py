"""The hub takes records: what is one becomes one, what changes follows, and nothing is told twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hub_bench import ZERO, batch, customers, decision, picture, record, told
from sqlalchemy import text

from landbridge.errors import ConfigError, Conflict, Invalid
from mdm.hub import Hub, Regrouped
from mdm.store import migrate, reading
from mdm.store.tables import metadata
from mdm.survive import told as story

ACME = {"name": "Acme Pumps", "phone": "+49301", "vat": "V1", "city": "Berlin", "street": "Hauptstr. 1"}
ACME2 = {"name": "Acme Pumps GmbH", "phone": "+49301", "vat": "V1", "tags": ["a", "b"]}
OTHER = {"name": "Zenit", "phone": "+49999"}


def test_the_migrated_schema_is_the_declared_one(store):
    options = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or name.startswith("hub_")}
    migrate(store.engine)
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_two_records_of_one_company_become_one_golden_record_with_the_id_of_the_older(store, hub):
    with store.transaction("test") as connection:
        assert hub.take(connection, "customer", [told(1, ACME)]) == [Regrouped(record(1), record(1), None)]
        moved = hub.take(connection, "customer", [told(2, ACME2, system="erp", day=1), told(3, OTHER)])
        assert set(moved) == {Regrouped(record(2), record(1), None), Regrouped(record(3), record(3), None)}
        golden = reading.stored(connection, [record(1)])[record(1)]
        assert golden.values == {**ACME, "name": "Acme Pumps GmbH", "tags": ["a", "b"]}
        assert golden.version == 2
        lines = {one.attribute: one for one in story(golden.values, golden.lineage)}
        assert lines.keys() == golden.values.keys()
        assert lines["name"].rule == "priority" and lines["name"].winners[0]["system"] == "erp"
        assert lines["name"].losers[0]["record"] == str(record(1)) and lines["name"].losers[0]["rule"] == "priority"
        assert lines["city"].rule == "only"
        kinds = [(c.golden, c.kind) for c in reading.changes(connection, "customer", 0, 10)]
        assert kinds == [(record(1), "create"), (record(1), "update"), (record(3), "create")]


def test_the_same_version_again_changes_nothing(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, ACME), told(2, ACME2)])
        before, changes = picture(connection), reading.changes(connection, "customer", 0, 10)
        assert hub.take(connection, "customer", [told(2, ACME2), told(1, ACME), told(1, ACME)]) == []
        assert picture(connection) == before
        assert reading.changes(connection, "customer", 0, 10) == changes


def test_an_older_version_that_comes_late_is_kept_and_changes_nothing(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, ACME, day=5)])
        before = picture(connection)
        hub.take(connection, "customer", [told(1, OTHER, day=2)])
        assert picture(connection) == before
        assert connection.execute(text("select count(*) from hub_version")).scalar_one() == 2


def test_a_record_that_changes_leaves_its_golden_record_and_takes_its_own_id_back(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, ACME), told(2, ACME2)])
        moved = hub.take(connection, "customer", [told(2, OTHER, day=1)])
        assert moved == [Regrouped(record(2), record(2), record(1))]
        moved = hub.take(connection, "customer", [told(2, ACME2, day=2)])
        assert moved == [Regrouped(record(2), record(1), record(2))]
        kinds = [(c.golden, c.kind, c.successor) for c in reading.changes(connection, "customer", 0, 20)]
        assert kinds[-1] == (record(2), "merge", record(1))
        assert (record(2), "split", None) in kinds
        assert reading.stored(connection, [record(2)])[record(2)].state == "retired"
        assert reading.home(connection, [record(2)]) == {record(2): record(1)}


def test_a_deleted_record_stays_a_member_and_gives_no_value(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, ACME), told(2, ACME2)])
        assert hub.take(connection, "customer", [told(1, action="delete", day=1)]) == []
        golden = reading.stored(connection, [record(1)])[record(1)]
        assert golden.values == ACME2 and golden.state == "active"
        hub.take(connection, "customer", [told(2, action="delete", day=1)])
        assert reading.stored(connection, [record(1)])[record(1)].state == "deleted"
        assert reading.changes(connection, "customer", 0, 10)[-1].kind == "delete"
        hub.take(connection, "customer", [told(2, ACME2, day=2)])
        assert reading.stored(connection, [record(1)])[record(1)].state == "active"


def test_a_deletion_that_comes_before_what_it_deletes_still_deletes_it(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, action="delete", day=3)])
        hub.take(connection, "customer", [told(1, ACME, day=1)])
        assert picture(connection) == batch(customers(), [told(1, ACME, day=1), told(1, action="delete", day=3)])


def test_a_merge_at_the_source_is_evidence_and_a_steward_can_say_no(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, OTHER), told(2, {"name": "Nordwind"})])
        moved = hub.take(connection, "customer", [told(2, action="merge", day=1, into=1)])
        assert moved == [Regrouped(record(2), record(1), record(2))]
        assert hub.decide(connection, "customer", decision(1, "different", [1], [2]))
        assert picture(connection).groups[record(2)] == record(2)
        hub.revoke(connection, "customer", decision(1, "different", [1], [2]).id, "steward")
        moved = hub.take(connection, "customer", [told(2, {"name": "Nordwind"}, day=2)])  # it lives again
        assert moved == [Regrouped(record(2), record(2), record(1))]


def test_conflicting_identifiers_never_meet_unless_a_steward_says_so(store, hub):
    twin = {**ACME, "vat": "V2"}
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, ACME), told(2, twin)])
        assert picture(connection).groups[record(2)] == record(2)
        hub.decide(connection, "customer", decision(1, "same", [1], [2]))
        assert picture(connection).groups[record(2)] == record(1)
        hub.take(connection, "customer", [told(3, ACME), told(4, {**ACME, "vat": "V3"})])
        groups = picture(connection).groups
        assert groups[record(3)] == record(1) and groups[record(4)] == record(4)


def test_decisions_that_contradict_others_are_refused(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(n, {"name": f"N{n}"}) for n in range(1, 5)])
        hub.decide(connection, "customer", decision(1, "same", [1], [2]))
        hub.decide(connection, "customer", decision(2, "same", [2], [3]))
        with pytest.raises(Conflict, match="the same"):
            hub.decide(connection, "customer", decision(3, "different", [1], [3]))
        hub.decide(connection, "customer", decision(4, "different", [4], [3]))
        with pytest.raises(Conflict, match="different"):
            hub.decide(connection, "customer", decision(5, "same", [1], [4]))
        hub.decide(connection, "customer", decision(6, "parent_of", [4], [1]))
        with pytest.raises(Invalid, match="circle"):
            hub.decide(connection, "customer", decision(7, "parent_of", [2], [4]))
        with pytest.raises(Invalid, match="no customer"):
            hub.decide(connection, "customer", decision(8, "same", [1], [99]))
        with pytest.raises(Invalid, match="two records"):
            hub.decide(connection, "customer", decision(9, "same", [1], [3, 4]))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)])
def test_two_merges_of_one_instant_lead_to_the_same_record_in_any_order(store, hub, order):
    records = [told(1, ACME), told(2, OTHER), told(3, {"name": "Third"})]
    merges = [told(3, action="merge", into=1, day=1), told(3, action="merge", into=2, day=1)]
    merges.append(merges[0])
    with store.transaction("test") as connection:
        hub.take(connection, "customer", records)
        for number in order:
            hub.take(connection, "customer", [merges[number]])
        assert picture(connection) == batch(customers(), [*records, *merges])


def test_a_pin_survives_updates_and_merges_and_complains_when_the_losing_value_moves(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(2, ACME)])
        pin = decision(1, "pin", [2], attribute="city", value="Potsdam")
        hub.decide(connection, "customer", pin)
        assert reading.stored(connection, [record(2)])[record(2)].values["city"] == "Potsdam"
        hub.take(connection, "customer", [told(1, ACME2)])
        assert reading.stored(connection, [record(1)])[record(1)].values["city"] == "Potsdam"
        assert reading.notices(connection, "customer") == []
        hub.take(connection, "customer", [told(2, {**ACME, "city": "Hamburg"}, day=1)])
        assert reading.stored(connection, [record(1)])[record(1)].values["city"] == "Potsdam"
        assert [(n.kind, n.about) for n in reading.notices(connection, "customer")] == [("pin_moved", pin.id)]
        hub.revoke(connection, "customer", pin.id, "steward")
        assert reading.stored(connection, [record(1)])[record(1)].values["city"] == "Hamburg"
        assert reading.notices(connection, "customer") == []


def test_a_record_without_any_identifying_field_is_its_own_and_is_reported(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, {"city": "Berlin"}), told(2, {"city": "Berlin"})])
        assert picture(connection).groups == {record(1): record(1), record(2): record(2)}
        assert {n.about for n in reading.notices(connection, "customer")} == {record(1), record(2)}
        hub.take(connection, "customer", [told(1, ACME, day=1)])
        assert {n.about for n in reading.notices(connection, "customer")} == {record(2)}


def test_one_key_that_suddenly_names_another_customer_is_reported(store, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, ACME)])
        hub.take(connection, "customer", [told(1, {**OTHER, "vat": "V9"}, day=1)])
        assert [(n.kind, n.about) for n in reading.notices(connection, "customer")] == [("reused", record(1))]


def test_parents_are_relations_and_circles_are_told(store, hub):
    def below(number: int, parent: int) -> dict:
        return {**ACME, "parent": {"subject": str(record(parent))}, "name": f"Acme {number}"}

    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, below(1, 2)), told(2, {**ACME, "name": "Acme 2"})])
        assert picture(connection).groups[record(2)] == record(2)
        assert reading.circles(connection, "customer") == []
        hub.take(connection, "customer", [told(2, below(2, 1), day=1)])
        assert reading.circles(connection, "customer") == [[record(1), record(2)]]


def test_a_crowd_is_left_to_a_person_and_says_so(store, clock):
    hub = Hub({"customer": customers()}, clock)
    with store.transaction("test") as connection:
        alike = [told(n, {"name": f"Same {n}", "phone": f"{n % 7}", "vat": "V1"}) for n in range(1, 31)]
        hub.take(connection, "customer", alike)  # 30 share the key, linked by it: one golden record
        assert len(set(picture(connection).groups.values())) == 1
        hub.decide(connection, "customer", decision(1, "same", [3], [9]))
        more = [told(n, {"name": "Else", "phone": "x", "vat": f"V{n}"}) for n in range(40, 50)]
        hub.take(connection, "customer", more)
        assert reading.crowds(connection, "customer", 6) == []


@pytest.mark.parametrize("step", [1, 7, 100])
def test_hot_keys_and_crowds_come_and_go_as_if_all_had_come_at_once(store, clock, step):
    matching = customers(guard=customers().declaration.guard.__class__(members=12, density=0.3, hot=20))
    hub = Hub({"customer": matching}, clock)
    changes = [told(n, {"name": f"{n % 5}abc", "phone": "+1", "vat": "V1"}) for n in range(1, 28)]
    changes += [told(n, {"name": f"{n}", "phone": "+2"}, day=1) for n in range(3, 20, 2)]
    changes += [told(n, {"name": f"{n}", "phone": "+3", "vat": "V1"}, day=2) for n in range(5, 17, 3)]
    with store.transaction("test") as connection:
        for start in range(0, len(changes), step):
            hub.take(connection, "customer", changes[start : start + step])
            assert picture(connection) == batch(matching, changes[: start + step]), start
        assert step != 1 or connection.execute(text("select count(*) from hub_record")).scalar_one() == 27


def test_another_model_is_refused_before_anything_is_mixed(store, clock):
    first = customers()
    with store.transaction("test") as connection:
        Hub({"customer": first}, clock).take(connection, "customer", [told(1, ACME)])
        hub = Hub({"customer": type(first)(first.declaration, type(first.scorer)("other"), first.features)}, clock)
        with pytest.raises(ConfigError, match="model"):
            hub.take(connection, "customer", [told(2, ACME)])


def test_as_of_both_times(store, clock, hub):
    with store.transaction("test") as connection:
        hub.take(connection, "customer", [told(1, ACME, day=0)])
        first = clock.now()
        clock.advance(10)
        hub.take(connection, "customer", [told(2, ACME2, day=4)])
        second = clock.now()
        clock.advance(10)
        hub.take(connection, "customer", [told(1, {**ACME, "city": "Bonn"}, day=2)])
        now = hub.as_of(connection, "customer", record(1))
        assert now.reproduced and now.golden.values["city"] == "Bonn" and now.stored.version == 3
        then = hub.as_of(connection, "customer", record(1), recorded=second)
        assert then.reproduced and then.golden.values["city"] == "Berlin" and then.stored.version == 2
        then = hub.as_of(connection, "customer", record(1), recorded=first)
        assert then.reproduced and then.golden.values == ACME
        valid = hub.as_of(connection, "customer", record(1), valid=ZERO + timedelta(days=1))
        assert valid.golden.values == ACME
        valid = hub.as_of(connection, "customer", record(1), valid=ZERO + timedelta(days=1), recorded=first)
        assert valid.reproduced
        assert hub.as_of(connection, "customer", record(1), recorded=first - timedelta(days=1)) is None
