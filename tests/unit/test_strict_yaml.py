"""What the YAML reader takes, what it refuses, and where it says so."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from landbridge.errors import ConfigError, Problem
from landbridge.strict import yaml


def value(text: str | bytes) -> Any:
    return yaml.load(text, file="a.yaml").value


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        yaml.load(text, file="a.yaml")
    return caught.value.problems


# The surprises of YAML 1.1 and 1.2 that must have no effect: each word stays what a person reads.
KEPT: list[tuple[str, Any]] = [
    ("NO", "NO"),
    ("no", "no"),
    ("yes", "yes"),
    ("Yes", "Yes"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("N", "N"),
    ("True", "True"),
    ("FALSE", "FALSE"),
    ("true", True),
    ("false", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("Null", "Null"),
    ("NULL", "NULL"),
    ("01067", "01067"),
    ("0o17", "0o17"),
    ("0x1F", "0x1F"),
    ("0b101", "0b101"),
    ("1_000", "1_000"),
    ("12:30:45", "12:30:45"),
    ("190:20:30", "190:20:30"),
    ("22:22", "22:22"),
    ("2026-11-21", "2026-11-21"),
    ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
    ("+49301234567", "+49301234567"),
    ("-00", "-00"),
    ("0", 0),
    ("-12", -12),
    ("12345678901234567890123", 12345678901234567890123),
    ("0.1", Decimal("0.1")),
    ("9.80", Decimal("9.80")),
    ("-0.5", Decimal("-0.5")),
    ("1.5e3", Decimal("1500")),
    ("00.5", "00.5"),
    ("1.2.3", "1.2.3"),
    ("1,000", "1,000"),
    ("=", "="),
    ("Infinity", "Infinity"),
    ("nan", "nan"),
    ("١٢", "١٢"),
    ("'12'", "12"),
    ('"true"', "true"),
    ("a:b", "a:b"),
    ("柏林 GmbH", "柏林 GmbH"),
    ('"\\U0001F600"', "😀"),
    ("Price | decimal(2)", "Price | decimal(2)"),
]


@pytest.mark.parametrize(("word", "expected"), KEPT)
def test_a_word_means_what_a_person_reads(word: str, expected: Any) -> None:
    found = value(f"key: {word}\n")["key"]
    assert found == expected
    assert type(found) is type(expected)


def test_a_decimal_keeps_its_trailing_zeros() -> None:
    assert str(value("price: 9.80")["price"]) == "9.80"


REFUSED: list[tuple[str, str, int, int]] = [
    ("a: 1\nb: 2\na: 3\n", "duplicate of line 1", 3, 1),
    ("{a: 1, a: 2}\n", "duplicate", 1, 8),
    ('1: a\n"1": b\n', "duplicate", 2, 1),
    ("a: &x 1\n", "anchor", 1, 4),
    ("b: *x\n", "alias", 1, 4),
    ("a: &x {b: 1}\n", "anchor", 1, 4),
    ("a: &x [1]\n", "anchor", 1, 4),
    ("a: !!str 1\n", "!!str is a tag", 1, 4),
    ("a: !secret x\n", "!secret is a tag", 1, 4),
    ("a: !!python/object/apply:os.system [ls]\n", "tag", 1, 4),
    ("a: ! 12\n", "tag", 1, 4),
    ("<<: {a: 1}\n", "merge key", 1, 1),
    ("a: 1\n---\nb: 2\n", "second document", 2, 1),
    ("%YAML 1.1\n---\na: 1\n", "%YAML", 1, 1),
    ("%TAG ! tag:x,2026:\n---\na: 1\n", "%TAG", 1, 1),
    ("[a, b]: 1\n", "where a key is expected", 1, 1),
    ("? {a: 1}\n: 2\n", "where a key is expected", 1, 3),
    ("~: 1\n", "a key is missing", 1, 1),
    ("? \n: 1\n", "a key is missing", 1, 2),
    ("null: 1\n", "a key is missing", 1, 1),
    ("a:\n\tb: 1\n", "a tab", 2, 1),
    ("a: 1\x07\n", "U+0007", 1, 5),
    ("a: 1\x85b: 2\n", "U+0085", 1, 5),
    ("a: 1\u2028b: 2\n", "U+2028", 1, 5),
    ("a: x\u202ey\n", "U+202E", 1, 5),
    ("a: x\ufeffy\n", "byte order mark", 1, 5),
    ("a: 1\rb: 2\n", "carriage return", 1, 5),
    ('a: "\\0"\n', "U+0000", 1, 4),
    ('a: "\\ud800"\n', "not YAML", 1, 7),
    ("a: 1e5\n", "number or a text", 1, 4),
    ("a: 12E03\n", "number or a text", 1, 4),
    ("a: .5\n", "number or a text", 1, 4),
    ("a: 5.\n", "number or a text", 1, 4),
    ("a: .inf\n", "number or a text", 1, 4),
    ("a: -.INF\n", "number or a text", 1, 4),
    ("a: .NaN\n", "number or a text", 1, 4),
    (f"a: {'9' * 101}\n", "more than 100 digits", 1, 4),
    ("a: b: c\n", "not YAML", 1, 5),
    ("a: [1, 2\n", "not YAML", 2, 1),
    ("a: 'x\n", "not YAML", 2, 1),
    ("a: @x\n", "not YAML", 1, 4),
    ("a: `x`\n", "not YAML", 1, 4),
    ("a: %x\n", "not YAML", 1, 4),
    ("a: 1\n  b: 2\n", "not YAML", 2, 4),
    ('a: "C:\\dir"\n', "not YAML", 1, 7),
]


@pytest.mark.parametrize(("text", "message", "line", "column"), REFUSED)
def test_a_surprise_is_refused_with_its_place_and_a_hint(text: str, message: str, line: int, column: int) -> None:
    found = problems(text)[0]
    assert message in found.message
    assert (found.file, found.line, found.column) == ("a.yaml", line, column)
    assert found.hint


def test_all_problems_come_at_once() -> None:
    found = problems("a: &x 1\nb: *x\na: 2\nc: 1e5\n")
    assert [problem.line for problem in found] == [1, 2, 3, 4]


def test_bytes_that_are_not_utf8_are_refused_at_their_place() -> None:
    (found,) = problems(b"a: 1\nb: M\xfcnchen\n")
    assert (found.line, found.column) == (2, 5)
    assert "0xfc" in found.message
    assert "UTF-16" in problems("a: 1".encode("utf-16"))[0].message


def test_a_utf8_byte_order_mark_at_the_start_is_skipped() -> None:
    assert value(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


def test_keys_are_text_as_written() -> None:
    assert value("on: create\n1: x\ntrue: y\n1.50: z\n") == {"on": "create", "1": "x", "true": "y", "1.50": "z"}


def test_an_empty_file_is_null_at_its_first_line() -> None:
    for text in ("", "# only a comment\n", "---\n"):
        node = yaml.load(text, file="a.yaml")
        assert node.value is None
        assert node.column == 1


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "{? ", "? ", "[{a: "])
def test_depth_is_limited_without_recursion_or_delay(opening: str) -> None:
    started = time.process_time()
    found = problems(opening * 100_000)
    assert time.process_time() - started < 1
    assert any("deep" in problem.message or "key is expected" in problem.message for problem in found)


def test_size_is_limited(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    big.write_text("a: " + "x" * 3_000_000)
    with pytest.raises(ConfigError, match="larger than"):
        yaml.load_file(big, root=tmp_path)


def test_a_missing_file_is_a_problem_of_that_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        yaml.load_file(tmp_path / "flows" / "x.yaml", root=tmp_path)
    (problem,) = caught.value.problems
    assert problem.file == "flows/x.yaml"
    assert "No such file" in problem.message


def test_a_file_is_named_relative_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x:\n  y: [1, {z: 2}]\n")
    node = yaml.load_file(tmp_path / "a.yaml", root=tmp_path)
    assert node.file == "a.yaml"
    assert node.at(("x", "y", 1, "z")) == (2, 14)
    assert node.at(("x", "y", 1, "z"), key=True) == (2, 11)
    assert node.at(("x", "list[int]", "y", "missing")) == (2, 6)
    assert [(key, place, child.value) for key, place, child in node.items()] == [("x", (1, 1), {"y": [1, {"z": 2}]})]
    assert [element.value for element in node["x"]["y"].elements()] == [1, {"z": 2}]


class Retry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    attempts: int = Field(default=8, ge=1)
    first: str = "2s"


class Deliver(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str
    mode: Literal["upsert", "create"] = "upsert"
    source: str | None = Field(default=None, alias="from")


class Flow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    flow: str
    deliver: list[Deliver]
    retry: Retry | None = None
    webhook: bool = False
    flags: dict[str, bool] = {}
    each: list[bool] = []


def test_a_model_gets_the_values_of_the_file() -> None:
    node = yaml.load("flow: x\ndeliver: [{to: erp, from: crm}]\nretry: {attempts: 3}\n", file="a.yaml")
    flow = yaml.validate(node, Flow)
    assert flow.deliver[0].source == "crm"
    assert flow.retry is not None and flow.retry.attempts == 3


def test_every_problem_of_a_model_has_its_place_and_a_near_name() -> None:
    text = (
        "flow: x\nretyr: {}\ndeliver:\n  - {to: erp, frm: crm}\n  - mode: upsrt\nretry:\n  attempts: 0\n  frist: 2s\n"
    )
    with pytest.raises(ConfigError) as caught:
        yaml.validate(yaml.load(text, file="f.yaml"), Flow)
    assert [str(problem) for problem in caught.value.problems] == [
        "f.yaml:2:1  retyr is not known here. Did you mean 'retry'?",
        "f.yaml:4:15  deliver[0].frm is not known here. Did you mean 'from'?",
        "f.yaml:5:5  deliver[1].to is missing.",
        "f.yaml:5:11  deliver[1].mode: Input should be 'upsert' or 'create'. Did you mean 'upsert'?",
        "f.yaml:7:13  retry.attempts: Input should be greater than or equal to 1.",
        "f.yaml:8:3  retry.frist is not known here. Did you mean 'first'?",
    ]


def test_a_word_is_no_boolean_even_where_the_model_would_take_it() -> None:
    text = "flow: x\ndeliver: []\nwebhook: NO\nflags: {a: true, b: on}\neach: [false, 'true']\n"
    with pytest.raises(ConfigError) as caught:
        yaml.validate(yaml.load(text, file="f.yaml"), Flow)
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(3, 10), (4, 21), (5, 15)]
    assert yaml.validate(yaml.load("flow: x\ndeliver: []\nwebhook: true\n", file="f.yaml"), Flow).webhook is True


def test_a_file_that_is_no_mapping_is_a_problem_not_a_crash() -> None:
    for text in ("", "[1, 2]", "hello"):
        with pytest.raises(ConfigError, match="a mapping is needed"):
            yaml.validate(yaml.load(text, file="f.yaml"), Flow)


def test_600_files_load_well_within_their_share_of_a_check() -> None:
    body = "".join(f"  field_{i}: {{from: Source{i}, code: salesforce/order_status}}\n" for i in range(20))
    text = f"entity: sales_order\nnative: Order\nin:\n{body}"
    assert 1_000 < len(text) < 1_400
    started = time.process_time()
    for _ in range(600):
        assert yaml.load(text, file="a.yaml").value["entity"] == "sales_order"
    assert time.process_time() - started < 1.2
