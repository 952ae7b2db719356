"""The steward's desk: what is asked first and why, decisions with their undo and preview, nothing asked twice."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from landbridge.canonical import Canonical
from landbridge.errors import Invalid
from mdm.steward import Desk, label, next_to_label

sys.path.append(str(Path(__file__).resolve().parent.parent / "flows"))
from test_in_the_engine import ACME, ACME_MAYBE, OTHER, World, address


@pytest.fixture
def world(root, store, clock):
    made = World(root, store, clock)
    made.desk = Desk(
        SimpleNamespace(
            hub=made.hub, engine=made.made, store=store, canonical=Canonical.load(root / "schemas" / "canonical")
        )
    )
    made.crm.put("customer", "1", ACME)
    made.crm.put("customer", "2", OTHER)
    made.shop.put("customer", "1", ACME_MAYBE)
    made.run()
    return made


def test_a_doubtful_pair_is_asked_about_with_a_waterfall_that_sums_to_its_weight(world):
    [doubt] = world.desk.doubts("customer")
    assert {doubt.a, doubt.b} == {world.record("crm", "1").record, world.record("shop", "1").record}
    shown = world.desk.explain("customer", doubt.a, doubt.b)
    assert shown.scored.weight == pytest.approx(doubt.weight)
    assert sum(s.bits + s.frequency_bits for s, _, _ in shown.steps) == pytest.approx(shown.scored.weight)
    assert ("name", "acme maschinenbau", "acme maschinenbau") in [(s.column, a, b) for s, a, b in shown.steps]
    assert 0.5 < doubt.probability < 1 and doubt.priority > 0


def test_a_rejected_pair_does_not_come_back_until_a_compared_field_changed(world):
    [doubt] = world.desk.doubts("customer")
    world.desk.decide("customer", "different", [doubt.a], [doubt.b], actor="a steward", reason="two branches")
    world.run()
    assert world.desk.doubts("customer") == []
    world.shop.put("customer", "1", {**ACME_MAYBE, "website": "https://acme.example"})
    world.run()
    [again] = world.desk.doubts("customer")
    assert again.again == "different"


def test_unsure_is_not_asked_again_either_and_undo_asks_again(world):
    [doubt] = world.desk.doubts("customer")
    made = world.desk.decide("customer", "unsure", [doubt.a], [doubt.b], actor="a steward")
    assert world.desk.doubts("customer") == []
    world.desk.undo("customer", made, actor="a steward")
    assert [one.a for one in world.desk.doubts("customer")] == [doubt.a]
    assert [(row.verdict, row.revoked_by) for row in world.desk.decided("customer")] == [("unsure", "a steward")]


def test_a_preview_says_who_would_move_and_keeps_nothing(world):
    [doubt] = world.desk.doubts("customer")
    shown = world.desk.preview("customer", "same", [doubt.a], [doubt.b])
    assert len(shown.before) == 2 and len(shown.after) == 1
    assert list(shown.moved.values()) == [world.record("crm", "1").record]
    assert world.record("shop", "1").subject == world.record("shop", "1").record
    assert world.desk.decided("customer") == []


def test_pairs_of_one_pattern_are_decided_together_and_others_are_refused(world):
    for number, (city, code) in enumerate((("Bremen", "28195"), ("Kiel", "24103")), 10):
        world.crm.put("customer", str(number), {"name": f"Werk {city} GmbH", "addresses": [address(None, city, code)]})
        world.shop.put("customer", str(number), {"name": f"Werk {city}", "addresses": [address(None, city, code)]})
    world.run()
    found = world.desk.doubts("customer")
    assert len(found) == 3
    pairs = world.desk.alike("customer", found[0].a, found[0].b)
    assert len(pairs) >= 2
    world.desk.bulk("customer", "same", pairs, actor="a steward", reason="same name and city")
    assert len(world.desk.doubts("customer")) == 3 - len(pairs)


def test_a_pin_survives_and_a_record_is_named_as_people_name_it(world):
    record = world.desk.record("customer", "crm:1")
    assert record == world.record("crm", "1").record == world.desk.record("customer", str(record))
    world.desk.decide("customer", "pin", [record], actor="a steward", attribute="name", value="Acme")
    world.crm.put("customer", "1", {**ACME, "name": "Acme Maschinenbau AG"})
    world.run()
    assert world.edges()[record].values["name"] == "Acme"
    with pytest.raises(Invalid, match="not known to the hub"):
        world.desk.record("customer", "crm:99")
    with pytest.raises(Invalid, match="keeps no supplier"):
        world.desk.doubts("supplier")


def test_labels_are_blind_and_decide_nothing(world):
    with world.store.reading() as connection:
        [shown] = next_to_label(connection, world.desk.matching(connection, "customer"), "one person")
    assert not hasattr(shown, "weight")
    with world.store.transaction("label") as connection:
        label(connection, "customer", shown.a.id, shown.b.id, "same", "one person", world.clock.now())
    world.run()
    assert world.record("shop", "1").subject != world.record("crm", "1").subject
    with world.store.reading() as connection:
        matching = world.desk.matching(connection, "customer")
        assert next_to_label(connection, matching, "one person") == []
        assert len(next_to_label(connection, matching, "another")) == 1
