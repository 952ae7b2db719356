"""Broken bytes never break a reader: the documented error leaves, quickly, or a value that is right.

The seed is printed; LANDBRIDGE_SEED replays it, LANDBRIDGE_MUTANTS sets how many (5,000).
"""

from __future__ import annotations

import contextlib
import json as stdlib
import os
import random
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from landbridge.errors import ConfigError, Invalid
from landbridge.strict import json, xml, yaml

MUTANTS = int(os.environ.get("LANDBRIDGE_MUTANTS", "5000"))
SEED = int(os.environ.get("LANDBRIDGE_SEED", random.SystemRandom().randrange(2**32)))

YAML = """\
# a mapping
entity: sales_order
in:
  number:      OrderNumber | trim
  zip: 01067
  price: 9.80
  parties:
    - {role: sold_to, ref: {customer: AccountId}}
    - {role: "ship_to", when: {status: [confirmed, 'x y']}}
  text: |
    two
    lines 柏林
  on: create
  none: ~
"""
JSON = """\
{"Id": "801000000000000002", "n": -12.50, "big": 12345678901234567890, "e": 1.5e-7, "ok": true, "no": null,
 "t": "M\\u00fcnchen \\ud83d\\ude00 柏林", "lines": [{"a": 1, "b": [0.1, 19.99999999999999999]}, {}]}"""
XML = """\
<?xml version="1.0" encoding="utf-8"?>
<!-- c --><s:E xmlns:s="urn:s" a="1"><s:B>x &amp; &#252; 柏林<![CDATA[<raw>]]></s:B><c/></s:E>"""

PIECES = {
    "yaml": [
        *["&a ", "*a", "!t ", "<<: ", "---\n", "\t", "\x00", "\x85", "- ", "? ", ": ", ">", "%", "#"],
        *"[]{}|'\"",
    ],
    "json": [*["1e400", "NaN", "\\u", "\\ud800", "e999", ":["], '"a":1,', " :", "\x00", *'[]{}",:-0'],
    "xml": [
        *["<!DOCTYPE", "<!ENTITY", "&x;", "]]>", "<![CDATA[", "<?", "?>", "xmlns:", "utf-16", "--"],
        "\x00",
        *'<>&"}',
    ],
}


def mutants(text: str, kind: str) -> Iterator[bytes]:
    print(f"LANDBRIDGE_SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
    chance = random.Random(f"{SEED}{kind}")
    source = text.encode()
    pieces = [piece.encode() for piece in PIECES[kind]] + [b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xfe\xff"]
    for _ in range(MUTANTS):
        data = bytearray(source)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            at = chance.randrange(len(data) + 1)
            way = chance.randrange(6)
            if way == 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            elif way == 1:
                data[at:at] = chance.choice(pieces)
            elif way == 2:
                del data[at : at + chance.randrange(1, 12)]
            elif way == 3:
                start = chance.randrange(len(data) + 1)
                data[at:at] = data[start : start + chance.randrange(1, 40)]
            elif way == 4:
                data[at:at] = chance.choice(pieces) * chance.choice((2, 10, 300))
            else:
                del data[at:]
        yield bytes(data)


def outcomes(kind: str, text: str, read: Callable[[bytes], Any], error: type[Exception]) -> Iterator[tuple[bytes, Any]]:
    """Each mutant that is read, with its value; anything but the documented error fails the test."""
    refused = 0
    for data in mutants(text, kind):
        started = time.process_time()
        try:
            value = read(data)
        except error:
            refused += 1
        else:
            yield data, value
        assert time.process_time() - started < 1, data
    assert MUTANTS * 0.2 < refused < MUTANTS, "the mutants are too mild or too wild to tell anything"


ALLOWED = (str, bool, int, Decimal, type(None))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            assert type(key) is str
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def test_yaml_mutants_are_read_or_refused() -> None:
    for data, value in outcomes("yaml", YAML, lambda data: yaml.load(data, file="m.yaml").value, ConfigError):
        for leaf in leaves(value):
            assert type(leaf) in ALLOWED, data
            if isinstance(leaf, (int, Decimal)) and not isinstance(leaf, bool):
                assert format(leaf, "f").lstrip("-")[:1].encode() in data


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a duplicate key passed"
    return dict(pairs)


def test_json_mutants_are_read_exactly_or_refused() -> None:
    for data, value in outcomes("json", JSON, json.loads, Invalid):
        expected = stdlib.loads(data.decode("utf-8-sig"), parse_float=Decimal, object_pairs_hook=_pairs)
        exact = [Decimal(repr(leaf)) if isinstance(leaf, float) else leaf for leaf in leaves(value)]
        assert exact == list(leaves(expected)), data


def test_xml_mutants_are_read_or_refused() -> None:
    for data, root in outcomes("xml", XML, xml.parse, Invalid):
        assert isinstance(root, xml.Element)
        assert b"<!ENTITY" not in data or b"CDATA" in data or b"<!--" in data


@pytest.mark.parametrize("size", [1_000_000])
@pytest.mark.parametrize("piece", [*PIECES["yaml"], "a: ", "a\n", "'a", '"\\', "[a,", "{a,", "|\n a\n", "? a\n"])
def test_a_megabyte_of_one_piece_does_not_stop_the_yaml_reader(piece: str, size: int) -> None:
    started = time.process_time()
    with contextlib.suppress(ConfigError):
        yaml.load(piece * (size // len(piece)), file="m.yaml")
    assert time.process_time() - started < 3
