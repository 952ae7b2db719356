"""Survivorship: each rule, groups that stay together, lineage of every attribute, pins, and no trace of any order."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hub_bench import DECLARATION, ZERO, customers, features, record
from hub_chaos import SYSTEMS, body

from mdm.declaration import Rule, Survivor
from mdm.declare import read
from mdm.survive import Member, Pin, fingerprint, survive, told
from mdm.survive._golden import _together
from mdm.survive._plan import plan_of

SEEDS = [int(os.environ["MDM_SEED"])] if "MDM_SEED" in os.environ else range(1, 201)  # a failure names its seed


def member(number: int, values: dict, *, system: str = "crm", day: float = 0, deleted: bool = False) -> Member:
    found = {name: value for name, value in features(DECLARATION, values).items() if value is not None}
    stamp = ZERO + timedelta(days=day)
    digest = fingerprint(values)
    return Member(record(number), system, "", f"K{number}", stamp, 0, digest, values, found, deleted)


def chain(*rules: Rule, attributes: tuple[str, ...] = ("x",)):
    return replace(DECLARATION, survivors=(Survivor(attributes, rules),))


def story(golden, attribute: str):
    return next(one for one in told(golden.values, golden.lineage) if one.attribute == attribute)


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        (Rule("recent"), [("old", "crm", 0), ("new", "erp", 5), ("older", "shop", -3)], "new"),
        (Rule("priority", ("erp", "crm")), [("c", "crm", 9), ("e", "erp", 0), ("s", "shop", 10)], "e"),
        (Rule("longest"), [("ab", "crm", 0), ("abc", "crm", 0), ("a", "crm", 9)], "abc"),
        (Rule("complete"), [({"a": 1}, "crm", 0), ({"a": 1, "b": 2}, "crm", 0)], {"a": 1, "b": 2}),
        (Rule("majority"), [("Yes", "crm", 0), ("no", "erp", 0), ("yes ", "shop", 0)], "Yes"),
        (Rule("majority", ("erp",)), [("a", "crm", 0), ("b", "erp", 0), ("c", "shop", 0)], "b"),
        (Rule("recent", ("erp", "crm"), 10), [("trusted", "erp", 0), ("fresh", "crm", 9)], "trusted"),
        (Rule("recent", ("erp", "crm"), 10), [("trusted", "erp", 0), ("fresh", "crm", 11)], "fresh"),
        (Rule("all"), [(["a"], "crm", 0), (["b", "a"], "erp", 0), ([], "shop", 0)], ["a", "b"]),
    ],
)  # fmt: skip
def test_each_rule(rule, values, expected):
    members = [member(n, {"x": value}, system=system, day=day) for n, (value, system, day) in enumerate(values)]
    golden = survive(members, chain(rule))
    assert golden.values["x"] == expected
    assert story(golden, "x").rule in (rule.kind, "tie")
    assert len(story(golden, "x").winners) + len(story(golden, "x").losers) >= 2


def test_one_number_in_three_spellings_is_one_element_and_the_fullest_counts():
    path = Path(__file__).parents[2] / "config/mdm/customer.yaml"
    survivors = tuple(Survivor((name,), (Rule("all"),)) for name in ("phones", "identifiers"))
    declared = replace(read(path), survivors=survivors)
    said = [
        ("crm", [{"number": "030 1234567"}, {"number": "+49 40 55555"}], [{"scheme": "vat", "value": "DE136695976"}]),
        ("erp", [{"number": "+49 (0)30 1234567", "kind": "office"}], [{"scheme": "vat", "value": "DE 136 695 976"}]),
        (
            "shop",
            [{"number": "0049301234567", "kind": "fax"}, {"number": "call"}],
            [{"scheme": "duns", "value": "1"}],
        ),
    ]
    place = [{"country": "DE"}]
    members = [
        replace(member(n, {}, system=system), body={"phones": phones, "identifiers": ids, "addresses": place})
        for n, (system, phones, ids) in enumerate(said)
    ]
    values = survive(members, declared).values
    numbers = [one["number"] for one in values["phones"]]  # a fax of that number is another thing
    assert numbers == ["+49 (0)30 1234567", "+49 40 55555", "0049301234567", "call"]
    assert [one["value"] for one in values["identifiers"]] == ["DE136695976", "1"]
    assert survive(members[::-1], declared).values == values


def test_valid_prefers_what_the_hub_can_use():
    members = [member(1, {"vat": "bad"}, day=9), member(2, {"vat": "V7"}, day=0)]
    golden = survive(members, chain(Rule("valid"), Rule("recent"), attributes=("vat",)))
    assert golden.values["vat"] == "V7" and story(golden, "vat").losers[0]["rule"] == "valid"


def test_attributes_of_a_group_come_from_one_record():
    members = [
        member(1, {"street": "A", "city": "Berlin"}, day=0),
        member(2, {"street": "B"}, day=5),
    ]
    golden = survive(members, chain(Rule("recent"), attributes=("street", "city")))
    assert golden.values == {"street": "B"}  # never street B in the city of street A


def test_a_tie_goes_by_system_and_key_and_never_by_place():
    a, b = member(1, {"x": "1"}, system="erp"), member(2, {"x": "2"}, system="crm")
    for members in ([a, b], [b, a]):
        golden = survive(members, chain(Rule("recent")))
        assert golden.values["x"] == "2" and story(golden, "x").rule == "tie"


def test_the_deleted_give_no_value_unless_there_is_no_other():
    gone = member(1, {"x": "gone"}, day=9, deleted=True)
    golden = survive([gone, member(2, {"x": "here"})], chain(Rule("recent")))
    assert golden.values["x"] == "here" and not golden.deleted
    assert survive([gone], chain(Rule("recent"))).deleted


def test_pins_hold_the_later_one_wins_and_say_when_what_they_hide_moves():
    losing = fingerprint("v1")
    first = Pin(UUID(int=1), "x", "pinned", ZERO, "steward", losing)
    second = Pin(UUID(int=2), "x", "later", ZERO + timedelta(days=1), "steward", losing)
    members = [member(1, {"x": "v1"}), member(2, {"x": "v0"}, day=-1)]
    golden = survive(members, chain(Rule("recent")), [second, first])
    assert golden.values["x"] == "later" and golden.moved == ()
    told_ = story(golden, "x")
    assert told_.rule == "pin" and told_.pin == UUID(int=2)
    assert [(one["key"], one["rule"]) for one in told_.losers] == [("K2", "recent"), ("K1", "pin")]
    moved = survive([*members, member(3, {"x": "v2"}, day=3)], chain(Rule("recent")), [first])
    assert moved.values["x"] == "pinned" and moved.moved == ("x",)
    assert "x" not in survive(members, chain(Rule("recent")), [replace(first, value=None)]).values


def test_quality_tells_how_complete_and_how_far_records_agree():
    full = {"name": "A", "phone": "1", "vat": "V1", "street": "S", "city": "C", "tags": ["t"]}
    assert survive([member(1, full)], DECLARATION).quality["score"] == 1.0
    half = survive([member(1, {"name": "A", "phone": "1"}), member(2, {"name": "A", "phone": "2"})], DECLARATION)
    assert half.quality == {"score": 0.4, "complete": 0.3333, "agreed": 0.5, "records": 2}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_attribute_has_its_lineage_and_no_order_of_members_can_be_told(seed):
    chance = random.Random(seed)
    declared = customers().declaration
    members = [
        member(
            n, body(chance, 1), system=chance.choice(SYSTEMS), day=chance.randrange(3), deleted=chance.random() < 0.2
        )
        for n in range(chance.randint(1, 6))
    ]
    pins = [Pin(UUID(int=9), chance.choice(["city", "phone", "other"]), "pinned", ZERO, "steward")] * (seed % 2)
    golden = survive(members, declared, pins)
    lines = {one.attribute: one for one in told(golden.values, golden.lineage)}
    assert lines.keys() == golden.values.keys()
    known = {str(one.record): one for one in members}
    for line in lines.values():
        assert line.pin is not None or line.winners
        for winner in line.winners:
            value = known[winner["record"]].body[line.attribute]
            assert value == line.value or (line.rule == "all" and set(value) <= set(line.value))
        speaking = {r for r, one in known.items() if one.body.get(line.attribute)}
        if not golden.deleted:
            speaking = {r for r in speaking if not known[r].deleted}
        assert speaking <= {one["record"] for one in (*line.winners, *line.losers)}
    for _ in range(3):
        again = survive(chance.sample(members, len(members)), declared, pins)
        assert again == golden
    if len(members) == 1:
        assert survive(members, declared) == _together(members, plan_of(declared), ())
