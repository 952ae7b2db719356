"""What the JSON reader takes, refuses and writes."""

from __future__ import annotations

import datetime
import json as stdlib
import time
from decimal import Decimal
from typing import Any

import pytest

from landbridge.errors import Invalid
from landbridge.strict import json

EXACT = [
    "0.1",
    "9.80",
    "1.10",
    "-0.30",
    "123456789012.345",
    "12345678901234.5",
    "1234567890123456.7",
    "0.1234567890123456789",
    "19.99999999999999999",
    "9007199254740993",
    "9007199254740993.0",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "1e5",
    "1E+22",
    "1e23",
    "1.5e-7",
    "1e308",
    "1e309",
    "1e400",
    "-1e400",
    "1e-320",
    "5e-324",
    "1e-400",
    "123456789012345e99",
    "1234567890123456e2",
    "0.000000000000000000000000012345",
    "100000000000000000000000.0",
    "-0",
    "0.0",
]


@pytest.mark.parametrize("literal", EXACT)
@pytest.mark.parametrize("frame", ["{}", '{{"a":{}}}', "[1, {}]", '{{"a" : -0.5, "b":{} }}', '["x",{}]', "[\n{}\n]"])
def test_a_number_leaves_as_it_came(literal: str, frame: str) -> None:
    found = json.loads(frame.format(literal))
    while isinstance(found, (dict, list)):
        found = list(found.values())[-1] if isinstance(found, dict) else found[-1]
    assert isinstance(found, (int, float, Decimal))
    assert Decimal(repr(found) if isinstance(found, float) else found) == Decimal(literal)
    if "." not in literal and "e" not in literal.lower():
        assert type(found) is int


def test_the_type_of_a_number_depends_on_its_own_literal_only() -> None:
    assert [type(x) for x in json.loads("[1.5, 0.1, 19.99999999999999999]")] == [float, float, Decimal]
    assert [type(x) for x in json.loads("[1.5, 0.1]")] == [float, float]


REFUSED = [
    ('{"a":1,"a":2}', "'a' stands twice"),
    ('{"a" :1,"a":2}', "'a' stands twice"),
    ('{"a"\n:1,"a":2}', "'a' stands twice"),
    ('[{"x":{"a":null,"b":1,"a":null}}]', "'a' stands twice"),
    ('{"a":1,"a":2,"b":"\\"\\u003a"}', "'a' stands twice"),
    ('{"a":1,"a":2,"b":"\\u0022:"}', "'a' stands twice"),
    ('{"a":1,"\\u0061":2}', "'a' stands twice"),
    ("NaN", "not JSON"),
    ("[Infinity]", "not JSON"),
    ("[1e400, NaN]", "NaN is no JSON number"),
    ('[1e400, "\\ud800"]', "surrogate"),
    ('[1e400, {"a":1,"a":2}]', "'a' stands twice"),
    ("[1e1001]", "out of range"),
    ("[1e999999999]", "out of range"),
    ("[1e-99999999999999999999]", "out of range"),
    (f"[{'9' * 5_000}]", "5,000 characters"),
    (f"[0.{'9' * 5_000}]", "5,002 characters"),
    ('"\\ud800"', "not JSON"),
    ('"\ud800"', "surrogate"),
    (b'"\xff"', "UTF-8"),
    (b'"\xed\xa0\x80"', "UTF-8"),
    ("[1,]", "line 1 column"),
    ('{"a":1', "not JSON"),
    ("{'a':1}", "not JSON"),
    ('"a\nb"', "not JSON"),
    ("01", "not JSON"),
    ("+1", "not JSON"),
    ("", "empty"),
    ("  \n", "empty"),
    ("<html><body>Sign in</body></html>", "HTML or XML"),
    ("{}{}", "not JSON"),
    ("[" * 100_000, "depth"),
    ("[" * 255 + "]" * 255, "deep"),
    ('{"a":' * 1_000 + "1" + "}" * 1_000, "deep"),
    ("[1e400," + "[" * 100_000, "deep"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_cannot_be_trusted_is_refused_with_a_hint(text: str | bytes, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        json.loads(text)
    (finding,) = caught.value.findings
    assert message in finding.message
    assert finding.hint


def test_the_deepest_value_that_is_read_can_be_written() -> None:
    text = b"[" * 254 + b"]" * 254
    assert json.dumps(json.loads(text)) == text


def test_limits_can_be_narrowed() -> None:
    with pytest.raises(Invalid, match="11 bytes"):
        json.loads(b'"123456789"', max_bytes=10)
    assert json.loads('{"a":[1]}', max_depth=2) == {"a": [1]}
    with pytest.raises(Invalid, match="more than 2 deep"):
        json.loads('{"a":[[1]]}', max_depth=2)


def test_texts_that_look_like_numbers_and_keys_stay() -> None:
    value = {"id": "801000000000000002", "x": ", 12345678901234567890", "y": "a1e500, b", "z": 'q":1', "ü": "\x00😀"}
    for text in (stdlib.dumps(value), stdlib.dumps(value, ensure_ascii=False), stdlib.dumps(value, indent=2)):
        assert json.loads(text) == value
        assert json.loads(b"\xef\xbb\xbf" + text.encode()) == value


def test_a_decimal_is_written_with_exactly_its_digits() -> None:
    assert (
        json.dumps({"a": Decimal("1.50"), "b": [Decimal("1E+3"), Decimal("-0.10")]}) == b'{"a":1.50,"b":[1000,-0.10]}'
    )
    assert json.dumps(Decimal("1e400")) == b"1E+400"
    assert json.dumps({"b": 2**70, "a": (1, 2)}, sort=True) == b'{"a":[1,2],"b":1180591620717411303424}'


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object(), datetime.date(2026, 11, 21), {1: 2}])
def test_what_json_does_not_have_is_not_written(value: Any) -> None:
    with pytest.raises(Invalid, match="cannot be written"):
        json.dumps({"a": value})
    with pytest.raises(Invalid, match="cannot be written"):
        json.digest({"a": value})


def test_a_digest_is_the_same_for_the_same_value() -> None:
    first = json.digest({"a": 1, "b": [1.5, "x"], "c": 1e-5})
    assert len(first) == 16
    assert json.digest({"c": Decimal("0.000010"), "b": [Decimal("1.50"), "x"], "a": 1}) == first
    assert json.digest({"a": 1, "b": ["x", 1.5], "c": 1e-5}) != first
    assert json.digest({"a": 1, "b": [1.5, "x"], "c": 1e-5, "d": None}) != first
    assert json.digest([Decimal("1e400")]) == json.digest([Decimal("10e399")])
    assert json.digest([2**70]) != json.digest([2**70 + 1])
    assert json.digest([Decimal("0.12345678901234567890")]) == json.digest([Decimal("0.1234567890123456789")])


def test_a_value_with_many_keys_twice_is_refused_quickly() -> None:
    text = "{" + ",".join(f'"k{i % 50_000}":1' for i in range(100_000)) + "}"
    started = time.process_time()
    with pytest.raises(Invalid):
        json.loads(text)
    assert time.process_time() - started < 1
