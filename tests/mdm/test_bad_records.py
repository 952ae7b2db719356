"""Bad input, end to end: a clear error or the steward's notice, never a silent merge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from test_in_the_engine import ACME, World, address

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError
from mdm.declaration import Block, Declaration, Guard, Thresholds
from mdm.declare import load
from mdm.publish import untrained
from mdm.steward._doubts import doubts
from mdm.steward._notices import noticed
from mdm.store import models, reading

FACES = (
    ("Adler Druck GmbH", "Amtsgasse 4", "Aachen", "52062"),
    ("Birke Holzbau KG", "Birkenallee 17", "Bremen", "28195"),
    ("Chrom Galvanik AG", "Chausseestr. 220", "Chemnitz", "09111"),
    ("Dachs Tiefbau OHG", "Deichweg 9", "Dresden", "01067"),
)
"""Companies that have nothing in common."""


def company(number: int, **more: Any) -> dict[str, Any]:
    name, street, city, postcode = FACES[number]
    return {"name": name, "addresses": [address(street, city, postcode)], **more}


@pytest.fixture
def world(root: Path, store: Any, clock: Any) -> World:
    return World(root, store, clock)


def notices(world: World) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    with world.store.reading() as connection:
        declared = world.hub.declarations["customer"]
        for one in noticed(connection, "customer", declared.thresholds.auto):
            found.setdefault(one.kind, []).append(one)
    return found


def golden(world: World, *records: tuple[str, str]) -> list[Any]:
    """The golden records of records, each once, and that the target holds as many customers."""
    with world.store.reading() as connection:
        homes = reading.home(connection, [world.record(*one).record for one in records])
        return list(reading.stored(connection, set(homes.values())).values())


def asked(world: World) -> int:
    with world.store.reading() as connection:
        return len(doubts(connection, world.hub.current(connection, "customer").entities["customer"]))


# -- records ---------------------------------------------------------------------------------------------------------


def test_records_without_any_identifying_field_stay_apart_and_each_is_told(world: World) -> None:
    for key, name in (("1", "无"), ("2", "无"), ("3", "N/A"), ("4", "-")):
        world.crm.put("customer", key, {"name": name})
    world.run()
    assert len(golden(world, *(("crm", key) for key in "1234"))) == 4
    told = notices(world)["unidentified"]
    assert {one.about for one in told} == {str(world.record("crm", key).record) for key in "1234"}
    assert len(world.erp.effects("customer")) == 4, "they are customers nevertheless"
    world.crm.put("customer", "1", company(0))
    world.run()
    assert len(notices(world)["unidentified"]) == 3, "one that is mended is told no more"


@pytest.mark.parametrize(
    ("scheme", "bad", "right"),
    [
        ("vat", "DE136695977", "DE136695976"),
        ("uscc", "91110000600037342L", "91110000600037341L"),
        ("lei", "529900T8BM49AURSDO56", "529900T8BM49AURSDO55"),
        ("duns", "15048378", "150483782"),
    ],
)
def test_an_identifier_with_a_bad_check_digit_counts_as_none(world: World, scheme: str, bad: str, right: str) -> None:
    for number in (0, 1):
        world.crm.put("customer", str(number), company(number, identifiers=[{"scheme": scheme, "value": bad}]))
    world.run()
    assert len(golden(world, ("crm", "0"), ("crm", "1"))) == 2
    assert asked(world) == 0, "it is no reason to ask either"
    for number in (0, 1):
        body = company(number, identifiers=[{"scheme": scheme, "value": right}])
        world.crm.put("customer", str(number), body)
    world.run()
    valid = len(golden(world, ("crm", "0"), ("crm", "1"))) == 1 or asked(world) == 1
    assert valid, "the right one would have counted: the test would see it"


PLACEHOLDERS: list[dict[str, Any]] = [
    {"phones": [{"number": "000000000"}]},
    {"phones": [{"number": "+49 000 0000000"}]},
    {"phones": [{"number": "1234567890"}]},
    {"emails": [{"address": "test@test.com"}]},
    {"emails": [{"address": "noreply@example.com"}]},
    {"website": "http://www.example.com"},
    {"website": "无"},
    {"identifiers": [{"scheme": "vat", "value": "无"}]},
    {"identifiers": [{"scheme": "uscc", "value": "000000000000000000"}]},
    {"identifiers": [{"scheme": "duns", "value": "000000000"}]},
    {"identifiers": [{"scheme": "lei", "value": "00000000000000000000"}]},
]


@pytest.mark.parametrize("said", PLACEHOLDERS, ids=str)
def test_a_shared_placeholder_joins_nobody_and_asks_nobody(world: World, said: dict[str, Any]) -> None:
    for number in range(4):
        world.crm.put("customer", str(number), company(number, **said))
    world.run()
    assert len(golden(world, *(("crm", str(number)) for number in range(4)))) == 4
    assert asked(world) == 0
    with world.store.reading() as connection:
        shared = connection.execute(
            text("select count(*) from (select key from hub_key group by key having count(*) > 1) k")
        )
        assert shared.scalar_one() == 0, "it is no key to compare by"


def test_the_same_name_that_says_nothing_joins_nobody(world: World) -> None:
    for number, name in enumerate(("测试", "测试", "Test", "TEST")):
        world.crm.put("customer", str(number), {**company(number), "name": name})
    world.run()
    assert len(golden(world, *(("crm", str(number)) for number in range(4)))) == 4


# -- sources ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identified", [True, False], ids=["by its identifier", "by nothing but what it says"])
def test_one_id_for_two_customers_is_told_and_joins_nobody(world: World, identified: bool) -> None:
    vat = [[{"scheme": "vat", "value": value}] for value in ("DE136695976", "DE811569869")]
    more = [{"identifiers": one} for one in vat] if identified else [{}, {}]
    phones = [{"phones": [{"number": f"+49 30 {number}234567"}]} for number in (1, 2)]
    world.crm.put("customer", "7", company(0, **more[0], **phones[0]))
    world.shop.put("customer", "7", company(0, **more[0], **phones[0]))
    world.shop.put("customer", "8", company(1, **more[1], **phones[1]))
    world.run()
    [first] = golden(world, ("crm", "7"), ("shop", "7"))
    world.crm.put("customer", "7", company(1, **more[1], **phones[1]))
    world.run()
    [told] = notices(world)["reused"]
    assert told.about == str(world.record("crm", "7").record)
    left = golden(world, ("shop", "7"), ("shop", "8"))
    assert len(left) == 2, "the two customers are two"
    assert {one.values["name"] for one in left} == {"Adler Druck GmbH", "Birke Holzbau KG"}
    assert first.id in {one.id for one in golden(world, ("crm", "7"), ("shop", "7"), ("shop", "8"))}


def test_an_edit_that_keeps_something_is_no_reuse(world: World) -> None:
    world.crm.put("customer", "7", company(0, phones=[{"number": "+49 241 1234567"}]))
    world.run()
    moved = {**company(0), "addresses": [address("Neue Str. 1", "Kiel", "24103")]}
    world.crm.put("customer", "7", {**moved, "phones": [{"number": "+49 431 7654321"}]})
    world.run()
    world.crm.put("customer", "7", {**moved, "name": "Adler Digital GmbH", "phones": [{"number": "+49 431 7654321"}]})
    world.run()
    assert "reused" not in notices(world)


def test_a_circle_of_parents_is_told_and_joins_nobody(world: World) -> None:
    above = {"0": "1", "1": "2", "2": "0"}
    for number in range(3):
        world.crm.put("customer", str(number), company(number))
    world.run()
    for number in range(3):
        parent = {"system": "crm", "scope": "", "entity": "customer", "id": above[str(number)]}
        world.crm.put("customer", str(number), company(number, parent=parent))
    world.run()
    [circle] = notices(world)["circle"]
    assert set(circle.detail["way"]) == {str(world.record("crm", str(number)).record) for number in range(3)}
    assert len(golden(world, ("crm", "0"), ("crm", "1"), ("crm", "2"))) == 3
    world.crm.put("customer", "2", company(2))
    world.run()
    assert "circle" not in notices(world), "once it is mended it is told no more"


def test_a_record_that_stands_above_itself_is_no_trouble(world: World) -> None:
    parent = {"system": "crm", "scope": "", "entity": "customer", "id": "0"}
    for _ in range(2):
        world.crm.put("customer", "0", company(0, parent=parent))
        world.run()
    [alone] = golden(world, ("crm", "0"))
    assert alone.state == "active"
    assert [one.detail["way"] for one in notices(world).get("circle", [])] in ([], [[str(alone.id)]])


# -- rules and models ------------------------------------------------------------------------------------------------

Change = Callable[[Declaration], Declaration]


def linking(declared: Declaration) -> Declaration:
    """A rule file that links everything: any two of one country, whatever they say."""
    return replace(
        declared,
        blocks=(Block((("city", 1),)),),
        thresholds=Thresholds(auto=-900, review=-1000),
        guard=Guard(members=20, density=0.3, hot=500),
        digest="links everything",
    )


def test_rules_that_link_everything_join_nothing_and_say_so(world: World) -> None:
    world.hub.declarations["customer"] = linking(world.hub.declarations["customer"])
    for number in range(30):
        body = {"name": f"Firma {number}", "addresses": [address(f"Weg {number}", f"K{number}", f"{10000 + number}")]}
        (world.crm if number % 2 else world.shop).put("customer", str(number), body)
    world.run()
    keys = [("crm" if number % 2 else "shop", str(number)) for number in range(30)]
    assert len(golden(world, *keys)) == 30
    [crowd] = notices(world)["crowd"]
    assert crowd.detail["records"] == 30
    assert len(world.erp.effects("customer")) >= 30


def test_a_key_that_everybody_shares_finds_nothing_and_is_told(world: World) -> None:
    declared = world.hub.declarations["customer"]
    world.hub.declarations["customer"] = replace(declared, guard=Guard(members=200, density=0.3, hot=10))
    phone = [{"number": "+49 30 7654321"}]
    for number in range(16):
        place = [address(f"Gasse {number}", f"Ort{number}", f"{20000 + 7 * number}")]
        world.crm.put(
            "customer", str(number), {"name": f"{FACES[number % 4][0]} {number}", "addresses": place, "phones": phone}
        )
    world.run()
    assert len(golden(world, *(("crm", str(number)) for number in range(16)))) == 16
    assert [one.detail["records"] for one in notices(world)["hot_key"]] == [16]


def test_a_model_trained_on_other_columns_takes_nothing_and_names_the_column(
    root: Path, store: Any, clock: Any
) -> None:
    world = World(root, store, clock)
    declared = load(root, Canonical.load(root / "schemas" / "canonical"))["customer"]
    other = replace(declared, comparisons=tuple(one for one in declared.comparisons if one.column != "street"))
    foreign = untrained(other)
    with store.transaction("model") as connection:
        kept = models.Kept(foreign.model_id, "customer", foreign.dumps().decode(), None, clock.now())
        models.keep(connection, kept)
    world.crm.put("customer", "1", ACME)
    with pytest.raises(ConfigError) as refused:
        world.made.run("crm_customers")
    said = str(refused.value)
    assert "config/mdm/customer.yaml" in said and "street" in said and "landbridge mdm train customer" in said
    with store.reading() as connection:
        assert connection.execute(text("select count(*) from hub_record")).scalar_one() == 0
        assert connection.execute(text("select count(*) from inbox where not processed")).scalar_one() == 1
    assert world.erp.effects("customer") == []
    with store.transaction("mend") as connection:
        connection.execute(text("delete from hub_model"))
    clock.advance(timedelta(minutes=2))
    world.run()
    assert len(world.erp.effects("customer")) == 1, "nothing was lost meanwhile"
