"""Files: an instance's mapping builds on the product's, tables hold what they say, tests inside tell the difference."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError
from landbridge.strict import yaml
from landbridge.translator import Context, Refused, Tables, Translator, run_tests
from landbridge.translator._tables import read_codes, read_decisions

BASE = """
entity: thing
native: Thing
in:
  a: x
  b: {c: y, d: z}
  e: [x, y]
  f: {from: x, default: 1}
out:
  X: a
tests:
  - {name: base, in: {given: {x: 1}, contains: {a: 1}}}
"""
CHANGE = """
extends: shop/thing
in:
  a: ~
  b: {d: w, g: v}
  e: [z]
  f: {first: [x, y]}
  h: {drop: true}
out: {X: {from: a, on: create}, Y: b}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in (("shop/thing", BASE), ("shop_eu/thing", CHANGE)):
        path = tmp_path / "mappings" / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path / "mappings"


def test_an_instance_changes_adds_and_removes_fields(root: Path, context: Context) -> None:
    mapping = Translator(root).get("shop_eu", "thing")
    assert mapping.entity == "thing"
    assert mapping.tests == ()
    given = {"x": 1, "y": 2, "z": 3, "w": 4, "v": 5}
    assert mapping.read(given, context) == {"b": {"c": 2, "d": 4, "g": 5}, "e": [3], "f": 1}
    assert mapping.write({"a": 1, "b": 2}, context, creating=False) == {"Y": 2}
    assert mapping.sources()["y"][0].startswith("mappings/shop/thing.yaml:")
    assert mapping.sources()["w"][0].startswith("mappings/shop_eu/thing.yaml:")


def test_the_digest_changes_with_the_meaning_only(root: Path) -> None:
    translator = Translator(root)
    first = translator.get("shop_eu", "thing").digest
    base = root / "shop" / "thing.yaml"
    base.write_text("# a remark\n" + BASE.replace("name: base", "name: other"))
    assert translator.get("shop_eu", "thing").digest == first
    base.write_text(BASE.replace("{c: y,", "{c: yy,"))
    assert translator.get("shop_eu", "thing").digest != first


@pytest.mark.parametrize("wanted", ["shop/thin", "../secret", "/etc/passwd", "shop_eu/thing"])
def test_extends_names_a_mapping_that_is_there_and_not_itself(root: Path, wanted: str) -> None:
    (root / "shop_eu" / "thing.yaml").write_text(f"extends: {wanted}\n")
    with pytest.raises(ConfigError, match="extends"):
        Translator(root).get("shop_eu", "thing")


def test_a_mapping_that_is_not_there_is_named_with_the_nearest(root: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'shop/thing'"):
        Translator(root).get("shop", "thingy")


def test_a_dated_code_holds_on_its_days() -> None:
    text = """
    rows:
      - {native: A, canonical: old, until: 2026-06-30}
      - {native: A, canonical: new, from: 2026-07-01}
    """
    codes = read_codes("c", yaml.load(text, file="c.yaml"))
    assert codes.forward(date(2026, 6, 30))["A"] == "old"
    assert codes.forward(date(2026, 7, 1))["A"] == "new"
    assert codes.backward(date(2026, 7, 1)) == {**codes.backward(date(2026, 7, 1)), "new": "A"}
    assert "old" not in codes.backward(date(2026, 7, 1))


BAD_CODES = [
    ("{codes: c}", "a code list needs `map:` or `rows:`"),
    ("{map: {A: x}, mapp: {}}", "mapp is not known here. Did you mean 'map'?"),
    ("{rows: [{native: A}]}", "canonical is missing"),
    ("{rows: [{native: A, canonical: x}, {native: A, canonical: y}]}", "'A' is translated in line 1 already"),
    ("{rows: [{native: A, canonical: x, from: soon}]}", "a date such as 2026-11-21 is needed"),
    ("{rows: [{native: A, canonical: x, from: 2026-02-02, until: 2026-01-01}]}", "ends before it begins"),
    ("{map: {A: x}, preferred: {x: B}}", "x → B is no pair of this list"),
]


@pytest.mark.parametrize(("text", "says"), BAD_CODES, ids=[case[1] for case in BAD_CODES])
def test_a_code_list_says_what_is_wrong_with_it(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_codes("c", yaml.load(text, file="c.yaml"))
    assert says in str(caught.value)
    assert "c.yaml:1:" in str(caught.value)


def test_a_decision_table_refuses_no_row_and_two_rows() -> None:
    rows = "[{when: {a: 1}, then: {x: p}}, {when: {b: [2, 3]}, then: {x: q}}]"
    table = read_decisions("t", yaml.load(f"{{inputs: [a, b], outputs: [x], rows: {rows}}}", file="t.yaml"))
    assert table.decide({"a": 1, "b": 9}) == {"x": "p"}
    assert table.decide({"a": 7, "b": 3}) == {"x": "q"}
    with pytest.raises(Refused, match=r"no row of t is for a a number \(7\), b a number \(9\)"):
        table.decide({"a": 7, "b": 9})
    with pytest.raises(Refused, match="lines 1 and 1 of t are both for"):
        table.decide({"a": 1, "b": 2})
    with pytest.raises(Refused, match="no row"):
        table.decide({"a": True, "b": 9})


def test_fractions_in_tables_are_those_of_messages() -> None:
    table = read_decisions(
        "t", yaml.load("{inputs: [a], outputs: [x], rows: [{when: {a: 0.1}, then: {x: 2.5}}]}", file="t")
    )
    assert table.decide({"a": 0.1}) == {"x": 2.5}
    assert type(table.decide({"a": 0.1})["x"]) is float
    codes = read_codes("c", yaml.load("{rows: [{native: 0.1, canonical: low}]}", file="c"))
    assert codes.forward()[0.1] == "low"


def test_tables_come_by_folder_and_tell_all_their_problems(tmp_path: Path) -> None:
    for name, text in (("codes/shop/a", "{map: {A: x}}"), ("codes/b", "{maap: {}}"), ("determine/d", "{rows: []}")):
        path = tmp_path / "config" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tables = Tables(tmp_path / "config")
    assert tables.names("codes") == ["b", "shop/a"]
    assert tables.codes("shop/a").forward()["A"] == "x"
    assert {problem.file for problem in tables.problems()} == {"config/codes/b.yaml", "config/determine/d.yaml"}
    with pytest.raises(ConfigError, match="there is no such table"):
        tables.codes("../config/codes/b")


def test_a_failing_test_shows_the_difference(tmp_path: Path, canonical: Canonical) -> None:
    text = """
entity: sales_order
in: {number: x, currency: {const: Euro}}
tests:
  - name: wrong in two ways
    in: {given: {x: "1"}, expect: {number: "2", seller: A, currency: Euro}}
  - name: not refused
    in: {given: {x: "1"}, error: something}
"""
    mapping = Translator(tmp_path, Tables(None), canonical).load_text(text, file="m.yaml")
    first, second = run_tests(mapping, canonical)
    assert (first.file, first.line, first.passed) == ("m.yaml", 6, False)
    assert "number: expected '2', is '1'" in first.differences
    assert "seller: expected 'A', is missing" in first.differences
    assert any(line.startswith("not canonical: currency") for line in first.differences)
    assert second.differences[0] == "expected the error: something"


def test_explain_names_the_line_and_the_paths_of_every_value(tmp_path: Path, context: Context) -> None:
    text = "entity: e\nin:\n  a: x.y | upper\n  l:\n    each: z\n    b: {join: [p, ../x.y]}\n"
    mapping = Translator(tmp_path).load_text(text, file="m.yaml")
    steps = mapping.explain({"x": {"y": "v"}, "z": [{"p": "w"}]}, context, direction="in")
    assert [(step.field, step.value, step.where, step.paths) for step in steps] == [
        ("a", "V", "m.yaml:3", ("x.y",)),
        ("l[0].b", "w v", "m.yaml:6", ("z[0].p", "x.y")),
    ]


def test_three_hundred_mappings_are_read_and_linted_in_no_time(tmp_path: Path, canonical: Canonical) -> None:
    from time import process_time

    from landbridge.translator import lint

    text = (Path(__file__).parents[3] / "benchmarks" / "mapping" / "full" / "crm_order.yaml").read_text()
    tables = Tables(Path(__file__).parents[3] / "benchmarks" / "mapping" / "tables")
    for number in range(300):
        folder = tmp_path / f"s{number}"
        folder.mkdir()
        (folder / "sales_order.yaml").write_text(text)
    before = process_time()
    mappings = Translator(tmp_path, tables, canonical).load()
    assert lint(mappings).problems == []
    assert len(mappings) == 300
    assert process_time() - before < 2.4  # 0.4 on an idle machine; a busy core counts double
