"""`landbridge steward`: what each command shows and does, how it hides what is personal, and how it refuses."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from steward_bench import ACME, ACME_MAYBE, address, terminal, twins

from mdm.store import labels


@pytest.fixture
def steward(root, tmp_path, store, clock, monkeypatch, capsys):
    world, landbridge = terminal(root, tmp_path, store, clock, monkeypatch, capsys)

    def run(*arguments: Any, code: int = 0) -> str:
        ran = landbridge("steward", *arguments)
        assert ran.code == code, ran
        return ran.out if code == 0 else ran.err

    run.world = world
    return run


def one(world, system, key):
    return str(world.record(system, key).record)


def decision(said: str) -> str:
    return re.search(r"steward undo customer (\S+)", said)[1]


def test_the_queue_lists_the_doubtful_pair_in_plain_words_and_hides_its_name(steward):
    said = steward("queue", "customer")
    heading, row, after = said.splitlines()
    assert heading.split()[:2] == ["a", "b"]
    assert {"crm:1", "shop:1", "***"} <= set(row.split()) and "Acme" not in said
    assert "likely one" in row
    assert after == f"next: landbridge steward show customer {' '.join(row.split()[:2])}"
    assert "Acme Maschinenbau GmbH" in steward("queue", "customer", "--show-personal")


def test_the_waterfall_sums_to_the_weight_and_differing_fields_are_marked(steward):
    said = steward("show", "customer", "crm:1", "shop:1", "--show-personal")
    assert re.search(r"^≠ +name +Acme Maschinenbau GmbH +Acme Maschinenbau$", said, re.MULTILINE)
    assert re.search(r"^a +phones\[0\]\.number", said, re.MULTILINE)
    assert re.search(r"^ +addresses\[0\]\.city +Stuttgart +Stuttgart$", said, re.MULTILINE)
    steps = [float(bits) for bits in re.findall(r"^ *([+-]\d+\.\d+)  (?!sum)", said, re.MULTILINE)]
    [total] = re.findall(r"^ *([+-]\d+\.\d+)  sum", said, re.MULTILINE)
    shown = json.loads(steward("show", "customer", "crm:1", "shop:1", "--json"))
    assert sum(s["bits"] + s["rarity_bits"] for s in shown["steps"]) == pytest.approx(shown["weight"], abs=1e-9)
    assert sum(steps) == pytest.approx(float(total), abs=0.01 * len(steps))


def test_nothing_personal_is_shown_unless_it_is_asked_for(steward):
    steward("pin", "customer", "crm:1", "name", '"Acme pinned"')
    steward("decide", "customer", "unsure", "crm:1", "shop:1", "--reason", "asked")
    for command in (
        ("queue", "customer", "--json"),
        ("show", "customer", "crm:1", "shop:1"),
        ("show", "customer", "crm:1", "shop:1", "--json"),
        ("golden", "customer", "crm:1"),
        ("golden", "customer", "crm:1", "--json"),
        ("decisions", "customer"),
        ("decisions", "customer", "--json"),
        ("notices", "customer"),
        ("decide", "customer", "same", "crm:2", "shop:1", "--dry-run"),
    ):
        said = steward(*command)
        for secret in ("Acme", "Stuttgart", "123456", "Hauptstra", "acme", "stuttgart", "Bolzen"):
            assert secret not in said, (command, secret)
    assert "Acme pinned" in steward("decisions", "customer", "--show-personal")


def test_same_is_previewed_done_and_taken_back(steward):
    world = steward.world
    before = steward("golden", "customer", "shop:1")
    said = steward("decide", "customer", "same", "crm:1", "shop:1", "--dry-run", "--show-personal")
    crm, shop = one(world, "crm", "1"), one(world, "shop", "1")
    assert f"shop:1 would belong to golden {crm}." in said
    assert f"golden {shop} would be gone." in said
    assert "Nothing was decided." in steward("decisions", "customer")
    made = decision(steward("decide", "customer", "same", "crm:1", "shop:1", "--reason", "called them"))
    assert world.record("shop", "1").subject == world.record("crm", "1").record
    assert "Nothing waits" in steward("queue", "customer")
    assert f"golden {crm}" in steward("golden", "customer", shop), "a retired id leads to who holds its records"
    listed = steward("decisions", "customer")
    assert f"{made} " in listed and "a steward: same" in listed and "(called them)" in listed
    assert f"shop:1 would belong to golden {shop}." in steward("undo", "customer", made, "--dry-run")
    assert world.record("shop", "1").subject == world.record("crm", "1").record, "a preview changes nothing"
    steward("undo", "customer", made)
    assert "taken back" in steward("decisions", "customer")
    assert steward("golden", "customer", "shop:1").splitlines()[1:4] == before.splitlines()[1:4]


def test_a_rejected_pair_says_which_field_changed_when_it_comes_back(steward):
    steward("decide", "customer", "different", "crm:1", "shop:1")
    assert "Nothing waits" in steward("queue", "customer")
    steward.world.shop.put("customer", "1", {**ACME_MAYBE, "website": "https://acme.example"})
    steward.world.run()
    said = steward("queue", "customer")
    assert "asked again because web changed since it was decided (different)." in said


def test_a_contradiction_is_refused_with_what_to_do(steward):
    made = decision(steward("decide", "customer", "different", "crm:1", "shop:1"))
    refused = steward("decide", "customer", "same", "crm:1", "shop:1", code=1)
    assert f"Revoke decision {made} first" in refused
    assert refused == steward("decide", "customer", "same", "crm:1", "shop:1", "--dry-run", code=1)


def test_parents_and_splits(steward):
    world = steward.world
    steward("decide", "customer", "parent-of", "crm:2", "shop:1")
    refused = steward("decide", "customer", "parent-of", "shop:1", "crm:2", code=1)
    assert "circle" in refused
    steward("decide", "customer", "same", "crm:1", "shop:1")
    refused = steward("decide", "customer", "split", "shop:1", "crm:1", code=1)
    assert "decided to be the same" in refused
    world.shop.put("customer", "3", {**ACME, "website": "acme.example"})
    world.run()
    assert world.record("shop", "3").subject == world.record("crm", "1").subject
    steward("decide", "customer", "split", "crm:1", "shop:1", "--from", "shop:3")
    assert world.record("shop", "3").subject == world.record("shop", "3").record
    assert "is about two records" in steward("decide", "customer", "same", "crm:1", "crm:2", "shop:1", code=1)
    assert "Name two" in steward("decide", "customer", "split", "crm:1", code=1)


def test_a_pin_is_checked_against_the_canonical_model_previewed_and_reported_when_it_moves(steward):
    world = steward.world
    said = steward("pin", "customer", "crm:1", "name", '"Acme"', "--dry-run", "--show-personal")
    assert "name: Acme Maschinenbau GmbH → Acme" in said
    steward("pin", "customer", "crm:1", "name", '"Acme"')
    assert "pinned by decision" in steward("golden", "customer", "crm:1")
    for attribute, value, why in (
        ("name", "7", "name: "),
        ("name", "null", "name: "),
        ("nam", '"x"', "customer has no field 'nam'"),
        ("name", "Acme", "no JSON"),
        ("addresses", '[{"role": 3}]', "addresses"),
    ):
        assert why in steward("pin", "customer", "crm:1", attribute, value, code=1)
    world.crm.put("customer", "1", {**ACME, "name": "Acme Maschinenbau AG"})
    world.run()
    assert "pin_moved" in steward("notices", "customer") and "name of golden" in steward("notices", "customer")


def test_pairs_of_one_pattern_are_decided_after_a_sample_and_a_preview(steward):
    world = steward.world
    twins(world, "Bremen", "Kiel", "Lübeck")
    shown = steward("alike", "customer", "crm:10", "shop:10", "--show-personal")
    assert shown.startswith("4 waiting pairs agree so: name=") and "Werk Kiel GmbH" in shown
    tried = steward("alike", "customer", "crm:10", "shop:10", "--decide", "same")
    assert "Nothing was decided" in tried and "would be gone" in tried and "Werk" not in tried
    assert world.record("shop", "10").subject != world.record("crm", "10").subject
    done = steward("alike", "customer", "crm:10", "shop:10", "--decide", "same", "--yes", "--reason", "one city")
    assert "4 pairs decided same" in done and done.count("landbridge steward undo") == 4
    for key in ("10", "11", "12"):
        assert world.record("shop", key).subject == world.record("crm", key).subject
    assert "no waiting pair agrees so" in steward("alike", "customer", "crm:10", "shop:10", code=1)


def test_a_pair_that_is_asked_again_is_not_decided_with_others(steward):
    world = steward.world
    steward("decide", "customer", "different", "crm:1", "shop:1")
    twins(world, "Bremen", "Kiel")
    world.shop.put("customer", "1", {**ACME_MAYBE, "website": "https://acme.example"})
    world.run()
    assert "asked again" in steward("queue", "customer")
    assert "2 pairs decided same" in steward("alike", "customer", "crm:10", "shop:10", "--decide", "same", "--yes")
    assert world.record("shop", "1").subject != world.record("crm", "1").subject


def test_a_golden_record_is_shown_as_it_was_known_and_as_it_was(steward):
    world = steward.world
    known = world.clock.now()
    world.clock.advance(timedelta(days=1))
    world.crm.put("customer", "1", {**ACME, "name": "Acme Neu GmbH", "addresses": [address("Ring 2", "Ulm", "89073")]})
    world.run()
    now = steward("golden", "customer", "crm:1", "--show-personal")
    assert "name: Acme Neu GmbH" in now and "version 2" in now
    then = steward("golden", "customer", "crm:1", "--known-at", known.isoformat(), "--show-personal")
    assert "name: Acme Maschinenbau GmbH" in then and "version 2" not in then
    assert "this is what was stored then" in then
    valid = steward("golden", "customer", "crm:1", "--as-of", known.isoformat(), "--show-personal")
    assert "name: Acme Maschinenbau GmbH" in valid
    assert "did not know" in steward("golden", "customer", "crm:1", "--known-at", "2001-01-01", code=1)
    assert "is not a time" in steward("golden", "customer", "crm:1", "--as-of", "yesterday", code=1)


def test_labels_are_given_by_one_key_without_a_weight_and_decide_nothing(steward, monkeypatch):
    world = steward.world
    keys = iter("xs")
    monkeypatch.setattr("typer.getchar", lambda: next(keys))
    said = steward("label", "customer", "--show-personal")
    assert "Acme Maschinenbau" in said and said.endswith("1 pair labelled.\n")
    assert not re.search(r"bits|likely|\d\.\d\d", said), "nothing tells what the hub thinks"
    assert world.record("shop", "1").subject != world.record("crm", "1").subject
    assert steward("label", "customer") == "0 pairs labelled.\n"
    steward("label", "customer", "crm:1", "shop:1", "unsure")
    with world.store.reading() as connection:
        assert [(row.actor, row.verdict) for row in labels.kept(connection, "customer")] == [("a steward", "unsure")]
    assert "about two records" in steward("label", "customer", "crm:1", code=1)


def test_notices_tell_of_records_that_say_nothing(steward):
    assert steward("notices", "customer") == "Nothing to know.\n"
    steward.world.shop.put("customer", "9", {"name": "无"})
    steward.world.run()
    assert " shop:9: says nothing" in steward("notices", "customer")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("queue", "supplier"), "keeps no supplier"),
        (("show", "customer", "crm:1", "crm:99"), "is not known to the hub"),
        (("show", "customer", "crm:1", "crm:1"), "one record"),
        (("undo", "customer", "seven"), "no decision's id"),
        (("undo", "customer", "00000000-0000-7000-8000-000000000000"), "there is no decision"),
        (("decide", "customer", "same", "crm:1", "nonsense"), "is not known to the hub"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(steward, command, why):
    said = steward(*command, code=1)
    assert why in said and "hint:" in said
