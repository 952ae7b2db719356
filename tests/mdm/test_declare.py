"""Declarations: what they mean, and every problem of a file at once, each at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError
from landbridge.strict import yaml
from mdm.declaration import Block, Call, Declaration, Identifier, Level, Rule, Survivor, Thresholds
from mdm.declare import check, load, read, schema

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
entity: customer
summary: One record of every customer.
columns:
  name: name | company
  phone: {from: [phones.number, "addresses[].phone"], normalise: phone(country), many: true}
  vat: {from: identifiers.value, where: {scheme: [vat, uscc]}, normalise: [text, alnum | vat]}
  city: addresses.city
  own: {from: extensions.region__c, personal: false}
identifiers:
  vat: {same: 20, apart: true}
  phone:
blocks:
  - vat
  - {phone: 4}
  - [{name: 6}, city]
comparisons:
  name: {levels: [exact, {jaro_winkler: 0.92}, {jaro_winkler: 0.8}], frequency: true}
  phone: [{intersect: 2}, {intersect: 1}]
  vat: {levels: exact, unique: 0.000001}
  city: exact
  own: [exact, {days: 3}]
thresholds: {auto: 8, review: 2.5}
guard: {members: 50}
placeholders: ["000000000"]
survivorship:
  - attributes: [name, legal_name]
    chain: [{priority: [erp, crm]}, {recent: 36h}, longest]
  - {attributes: phones, chain: [all]}
others: [valid, recent]
parent: parent
"""


@pytest.fixture(scope="module")
def canonical() -> Canonical:
    return Canonical.load(ROOT / "schemas" / "canonical")


def declared(text: str, canonical: Canonical | None = None, **around: Any) -> Declaration:
    return read(yaml.load(text, file="customer.yaml"), canonical=canonical, **around)


def problems(text: str, canonical: Canonical | None = None, **around: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        declared(text, canonical, **around)
    return [str(problem).removeprefix("customer.yaml:") for problem in caught.value.problems]


def test_a_declaration_means_what_it_says(canonical: Canonical) -> None:
    found = declared(GOOD, canonical, systems=["erp", "crm"])
    name, phone, vat, city, own = found.columns
    assert (name.paths, name.normalise, name.personal) == (("name",), (Call("company"),), True)
    assert phone.paths == ("phones[].number", "addresses[].phone")
    assert (phone.normalise, phone.many) == ((Call("phone", ("country",)),), True)
    assert vat.where == {"scheme": ("vat", "uscc")}
    assert vat.normalise == (Call("text"), Call("alnum"), Call("vat"))
    assert city.paths == ("addresses[].city",)
    assert (own.paths, own.personal) == (("extensions.region__c",), False)
    assert found.identifiers == (Identifier("vat", 20, True), Identifier("phone"))
    assert found.blocks == (
        Block((("vat", None),)),
        Block((("phone", 4),)),
        Block((("name", 6), ("city", None))),
    )
    assert found.comparisons[0].levels == (Level("exact"), Level("jaro_winkler", 0.92), Level("jaro_winkler", 0.8))
    assert found.comparisons[0].frequency
    assert found.comparisons[2].unique == 0.000001
    assert found.comparisons[3].levels == (Level("exact"),)
    assert found.thresholds == Thresholds(8, 2.5)
    assert (found.guard.members, found.guard.hot) == (50, 500)
    assert found.survivors == (
        Survivor(
            ("name", "legal_name"),
            (Rule("priority", ("erp", "crm")), Rule("recent", half_life_days=1.5), Rule("longest")),
        ),
        Survivor(("phones",), (Rule("all"),)),
    )
    assert found.others == (Rule("valid"), Rule("recent"))
    assert (found.parent, found.one_to_one, found.placeholders) == ("parent", False, frozenset({"000000000"}))


def test_its_digest_follows_what_scores_depend_on_and_nothing_else(canonical: Canonical) -> None:
    digest = declared(GOOD, canonical).digest
    assert len(digest) == 32
    same = ("# a comment\n" + GOOD, GOOD.replace("auto: 8", "auto: 9"), GOOD.replace(" {recent: 36h},", ""))
    assert {declared(text, canonical).digest for text in same} == {digest}
    other = (
        GOOD.replace("0.92", "0.91"),
        GOOD.replace("{name: 6}", "{name: 5}"),
        GOOD.replace("name | company", "name"),
        GOOD.replace("same: 20", "same: 21"),
        GOOD.replace('["000000000"]', "[nobody]"),
    )
    assert len({declared(text, canonical).digest for text in other} - {digest}) == len(other)


WRONG = [
    ("name: name |", "name: nam |", "4:9", "'nam' is no field of customer. Did you mean 'name'?"),
    ("city: addresses.city", "city: addresses", "7:9", "'addresses' is a list, not a value."),
    ("scheme: [vat, uscc]", "schema: [vat]", "6:42", "the elements of identifiers have no 'schema'. Did you mean"),
    ("name: name | company", "name: {from: name, where: {kind: [x]}}", "4:30", "'name' stands in no list."),
    ("name: name | company", "name: name |", "4:9", "a normaliser is missing after the |."),
    ("| company", "| com pany", "4:9", "'com pany' is no normaliser"),
    (
        "normalise: phone(country)",
        "normalize: phone",
        "5:55",
        "columns.phone.normalize is not known here. Did you mean",
    ),
    ("  phone:\n", "  phne:\n", "11:3", "'phne' is no column of `columns`. Did you mean 'phone'?"),
    ("  - vat\n", "  - vta\n", "13:5", "'vta' is no column of `columns`. Did you mean 'vat'?"),
    ("{name: 6}", "{name: 0}", "15:6", "the first characters are 1 to 100"),
    ("  - {phone: 4}", "  - vat", "14:5", "the same block as blocks[0]."),
    ("  - {phone: 4}", "  - []", "14:5", "a block needs a column."),
    ("  city: exact", "  town: exact", "20:3", "'town' is no column"),
    ("{jaro_winkler: 0.8}]", "{jaro_winkler: 0.95}]", "17:48", "jaro_winkler 0.95 is never reached after"),
    ("[exact, {jaro_winkler: 0.92},", "[{jaro_winkler: 0.92}, exact,", "17:41", "exact is the strictest level"),
    ("{jaro_winkler: 0.92}", "{jaro_winkler: 92}", "17:26", "jaro_winkler is between 0 and 1, this is 92."),
    ("{jaro_winkler: 0.92}", "jaro_winkler", "17:26", "jaro_winkler needs a measure: write {jaro_winkler: 0.92}."),
    ("{jaro_winkler: 0.92}", "jaro_winkle", "17:26", "'jaro_winkle' is not a level. Did you mean 'jaro_winkler'?"),
    ("city: exact", "city: [{intersect: 1}]", "20:10", "intersect counts values in common"),
    ("city: exact", "city: {levels: [{levenshtein: 2}], frequency: true}", "20:38", "frequency adjusts exact"),
    ("city: exact", "city: [{levenshtein: 1}, {levenshtein: 1}]", "20:28", "levenshtein 1 is never reached"),
    ("city: exact", "city: [{cosine: 0.25}]", "20:10", "cosine is a test of `scoring: titles`."),
    (
        "region__c, personal: false}",
        "region__c, normalise: number}",
        "21:16",
        "days compares texts, and the column holds",
    ),
    ("city: exact", "city: [{ratio: 0.1}]", "20:10", "ratio compares numbers, and the column holds texts."),
    ("unique: 0.000001", "unique: 1", "19:32", "Input should be less than 1"),
    ("review: 2.5", "review: 9", "22:31", "thresholds.review (9) is above thresholds.auto (8)."),
    ("auto: 8", "auto: -3", "22:20", "thresholds.auto (-3) links what is rather two than one."),
    ("members: 50", "membres: 50", "23:9", "guard.membres is not known here. Did you mean 'members'?"),
    ("[name, legal_name]", "[nmae]", "26:18", "'nmae' is no field of customer. Did you mean 'name'?"),
    ("[name, legal_name]", "[phones.number]", "26:18", "'phones.number' is no top-level field. Name 'phones'."),
    ("[name, legal_name]", "[phones]", "28:18", "'phones' is in survivorship[0] already."),
    ("priority: [erp, crm]", "priority: [epr, crm]", "27:25", "system 'epr' is not in config/systems.yaml. Did you"),
    ("priority: [erp, crm]", "priority: []", "27:13", "priority is a list of systems"),
    ("recent: 36h", "recent: 36", "27:37", "a duration is a number with a unit"),
    ("longest]", "longst]", "27:52", "'longst' is not a rule. Did you mean 'longest'?"),
    ("longest]", "all]", "27:52", "all: keeps the elements of every record"),
    ("others: [valid, recent]", "others: [recent, recent]", "29:18", "recent stands in this chain already."),
    ("parent: parent", "parent: name", "30:9", "'name' is no reference, it is text."),
    ("entity: customer", "entity: custmer", "1:9", "'custmer' is no canonical entity. Did you mean 'customer'?"),
]


@pytest.mark.parametrize(("good", "bad", "where", "what"), WRONG, ids=[one[3][:40] for one in WRONG])
def test_what_is_wrong_is_told_where_it_stands(
    canonical: Canonical, good: str, bad: str, where: str, what: str
) -> None:
    assert GOOD.count(good) == 1
    told = problems(GOOD.replace(good, bad), canonical, systems=["erp", "crm"])
    assert any(one.startswith(f"{where}  ") and what in one for one in told), told


def test_all_problems_come_at_once_those_of_form_and_those_of_meaning(canonical: Canonical) -> None:
    text = GOOD
    wrong = [one for one in WRONG if one[0] in ("name: name |", "  - vat\n", "review: 2.5", "members: 50", "longest]")]
    for good, bad, _, _ in {one[0]: one for one in wrong}.values():
        text = text.replace(good, bad)
    told = problems(text, canonical, systems=["erp", "crm"])
    assert len(told) == 5, told


def test_no_follower_of_a_column_that_cannot_be_read(canonical: Canonical) -> None:
    """A column whose entry is broken is there all the same: its blocks and comparisons are not told as unknown."""
    assert len(problems(GOOD.replace("name: name | company", "name: name |"), canonical)) == 1


def test_without_blocks_parties_would_never_be_compared() -> None:
    text = "entity: x\ncolumns: {name: name}\ncomparisons: {name: exact}\nthresholds: {auto: 8, review: 2}\n"
    assert "blocks is missing" in problems(text)[0]
    assert declared(text + "scoring: titles\n").scoring == "titles"


def test_words_of_a_text_are_many_values() -> None:
    text = "entity: x\ncolumns: {w: name | tokens}\nblocks: [w]\ncomparisons: {w: [{intersect: 2}]}\n"
    text += "thresholds: {auto: 8, review: 2}"
    assert declared(text).comparisons[0].levels == (Level("intersect", 2),)
    assert "intersect counts values in common" in problems(text.replace("tokens", "text"))[0]


def test_the_columns_of_a_csv_file_are_known_too() -> None:
    text = (
        "entity: x\ncolumns: {name: Name}\nblocks: [name]\ncomparisons: {name: exact}\nthresholds: {auto: 8, review: 2}"
    )
    assert declared(text, header=["Name", "Town"]).columns[0].paths == ("Name",)
    assert "'Name' is no column of the records. Did you mean 'name1'?" in problems(text, header=["name1"])[0]


def test_a_file_that_is_no_mapping_or_empty_is_told() -> None:
    for text in ("", "[]", "- entity: x"):
        assert "a mapping is needed here" in problems(text)[0]


def test_a_project_is_read_whole_with_its_doubts(canonical: Canonical, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "mdm"
    folder.mkdir(parents=True)
    (folder / "customer.yaml").write_text(GOOD.replace("  city: exact\n", "").replace(", city]", "]"))
    assert load(tmp_path, canonical, ["erp", "crm"])["customer"].entity == "customer"
    wrong, doubts = check(tmp_path, canonical, ["erp", "crm"])
    assert not wrong
    assert [str(one).partition("  ")[2] for one in doubts] == [
        "column 'city' is never used. Compare it, block by it, or remove it."
    ]
    (folder / "supplier.yaml").write_text(GOOD)
    (folder / "product.yml").write_text(GOOD)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, canonical, ["erp"])
    told = "\n".join(map(str, caught.value.problems))
    assert "config/mdm/supplier.yaml:1:9  entity: 'customer' is not the name of its file." in told
    assert "config/mdm/product.yml  only *.yaml is read here." in told
    assert told.count("system 'crm' is not in config/systems.yaml.") == 2


def test_the_editors_schema_takes_what_is_read_and_refuses_what_is_not() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())

    def wrong(text: str) -> bool:
        import json

        return not validator.is_valid(json.loads(json.dumps(yaml.load(text, file="x").value, default=float)))

    assert not wrong(GOOD)
    for bad in ("membres: 50", "{jaro_winkle: 0.92}", "longst", "{prioriti: [erp, crm]}"):
        good = {"membres: 50": "members: 50", "{jaro_winkle: 0.92}": "{jaro_winkler: 0.92}"}.get(bad)
        good = good or {"longst": "longest", "{prioriti: [erp, crm]}": "{priority: [erp, crm]}"}[bad]
        assert wrong(GOOD.replace(good, bad)), bad


def test_every_key_has_a_description() -> None:
    def bare(part: dict[str, Any], path: str) -> list[str]:
        return [f"{path}.{name}" for name, one in part.get("properties", {}).items() if not one.get("description")]

    whole = schema()
    parts = {"": whole} | {
        name: one["oneOf"][1] if "oneOf" in one else one
        for name, one in whole["$defs"].items()
        if isinstance(one, dict)
    }
    assert [missing for name, part in parts.items() for missing in bare(part, name)] == []
