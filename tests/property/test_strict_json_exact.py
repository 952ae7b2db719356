"""Whatever number or text a foreign system sends leaves the JSON reader unchanged, or not at all."""

from __future__ import annotations

import json as stdlib
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import Invalid
from landbridge.strict import json

digits = st.text("0123456789", min_size=1, max_size=25)
literals = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{whole.lstrip('0') or '0'}{fraction}{exponent}",
    st.sampled_from(["", "-"]),
    digits,
    st.one_of(st.just(""), digits.map(lambda text: f".{text}")),
    st.one_of(
        st.just(""), st.integers(-420, 420).map(lambda n: f"e{n}"), st.integers(0, 99).map(lambda n: f"E+{n:02}")
    ),
)
frames = st.sampled_from(["{}", "[{}]", '{{"a":{}}}', '{{"a": {}, "b":1}}', "[1.5,\t{}\n]", '[ "x" ,{}]'])


def exact(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else value


def leaves(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: leaves(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [leaves(inner) for inner in value]
    return exact(value)


@settings(max_examples=1_500, deadline=None)
@given(literals, frames)
def test_every_number_is_exact(literal: str, frame: str) -> None:
    text = frame.format(literal)
    expected = stdlib.loads(text, parse_float=Decimal)
    assert leaves(json.loads(text)) == expected
    assert leaves(json.loads(json.dumps(json.loads(text)))) == expected


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(['":', '\\":', "1e500,", " 12345678901234567890", "\\u0022:", " :"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(['":', " :"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(values, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]), st.sampled_from([None, 1]))
def test_every_value_survives_however_it_is_spelled(
    value: Any, ascii_only: bool, separators: tuple[str, str], indent: int | None
) -> None:
    text = stdlib.dumps(value, ensure_ascii=ascii_only, separators=separators, indent=indent)
    found = json.loads(text)
    assert found == value
    assert json.loads(json.dumps(found)) == value
    assert json.digest(found) == json.digest(json.loads(json.dumps(found, sort=True)))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(['"a"', '"b"', '"\\u0061"', '"":'[:2], '"\\":"']), values), min_size=2, max_size=4
    ),
    st.sampled_from([":", " :", ": ", "\n:\t"]),
)
def test_a_key_that_stands_twice_never_passes(pairs: list[tuple[str, Any]], colon: str) -> None:
    text = "{" + ",".join(f"{key}{colon}{stdlib.dumps(value)}" for key, value in pairs) + "}"
    names = [stdlib.loads(key) for key, _ in pairs]
    try:
        found = json.loads(text)
    except Invalid as error:
        assert "stands twice" in str(error)
        assert len(set(names)) < len(names)
    else:
        assert len(found) == len(names)
