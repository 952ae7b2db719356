"""Hostile content through a whole flow: it is stored and delivered literally, and steers neither log, SQL nor terminal.

Every payload stands in every text of a record: key, reference, names, lines and keys of its fields.
"""

from __future__ import annotations

import logging
import random
import re
from decimal import Decimal
from typing import Any

import pytest
from desk import Desk
from memory import Memory
from workbench import Plain, balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.errors import Finding, Invalid, Rejected
from landbridge.strict import json

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)
SCHEMA = Canonical({"customer": {"type": "object", "properties": {"name": {"type": "string"}}}})

TEXTS = [
    "e\u0301 is not \u00e9",
    "\u00e9 is not e\u0301",
    "שלום עליכם",
    "مرحبا ١٢٣",
    "a\u202eb\u202cc",
    "\u200f12\u200e",
    "👩‍👩‍👧 😀",
    "柏林 Ⅷ ﬁ",
    "\u0130stanbul ß ſ",
    "\ufeffmark",
    "a\u2028b\u2029c",
    "\x7f\x85\x9b31m",
    " \t leading and trailing \n",
    "",
    "\uffff\ufffe",
    "2024-02-29",
    "2026-03-29T02:30:00+01:00",
    "2026-10-25T02:30:00",
    "0000-00-00",
    "9999-12-31T23:59:60Z",
    "1e400",
    "NaN",
    "-Infinity",
    "0x10",
    "00012",
    "1_000",
    "١٢٣",
    "true",
    "null",
    "~",
    "NO",
    "12:30:45",
    "\\u0000",
    "\\ud800",
    "x" * 100_000,
]
NUMBERS = [
    "0.1",
    "0.30000000000000004",
    "1e400",
    "-0.0",
    "12345678901234567890123",
    "19.99999999999999999",
    "1E-30",
    "2.50",
    "100",
]

PAYLOADS = [
    "'; DROP TABLE outbox; --",
    "' OR '1'='1",
    '"; DELETE FROM body; --',
    "$$; select pg_sleep(9); $$",
    "%s %(x)s %d {0} :name",
    "\\'; --",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "\t=1",
    '=HYPERLINK("http://evil.example","x")',
    "{{7*7}}",
    "${7*7}",
    "<%= 7*7 %>",
    "#{7*7}",
    "{% raw %}",
    "__import__('os').system('id')",
    "$(id)",
    "`id`",
    "; id",
    "| id",
    "&& id",
    "line\nERROR landbridge: forged line",
    "a\r\nX-Admin: 1",
    "a\rb",
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x08\x08\x08",
    "[bold red]x[/]",
    "[/]",
    "[link=http://evil.example]x[/link]",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "]]>",
    "../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "file:///etc/passwd",
    "a/b?c=d#e",
    "%2e%2e%2f",
    "CON",
    "\ud7ff\ue000",
    "$ne",
    "__proto__",
]


@pytest.fixture
def house(store: Any, clock: Any) -> tuple[Memory, Memory, Any]:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    return crm, erp, engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])


def arrived(erp: Memory) -> list[dict[str, Any]]:
    return [one.header for one in erp.records.get("customer", {}).values()]


def filled(text: str, number: int) -> dict[str, Any]:
    """A record with the text wherever a text may stand."""
    return {"name": text, "number": str(number), "nested": {"deep": [text, {"inner": text}]}, f"k {text[:50]}": text}


def test_texts_arrive_as_they_were_sent(house: Any) -> None:
    crm, erp, made = house
    sent = [filled(text, n) for n, text in enumerate(TEXTS)]
    for n, body in enumerate(sent):
        crm.put("customer", f"C{n}", body)
    made.run("customers")
    assert sorted(arrived(erp), key=lambda one: int(one["number"])) == sent
    balanced(made)


def test_numbers_arrive_to_their_last_digit(house: Any) -> None:
    crm, erp, made = house
    sent = [{"name": literal, "value": json.loads(literal)} for literal in NUMBERS]
    for n, body in enumerate(sent):
        crm.put("customer", f"C{n}", body)
    made.run("customers")
    got = {one["name"]: one["value"] for one in arrived(erp)}
    for literal in NUMBERS:
        value = got[literal]
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        assert exact == Decimal(literal), literal
    balanced(made)


@pytest.mark.parametrize("text", ["\x00", "a\x00b"])
def test_a_nul_stops_nobody_else(house: Any, text: str) -> None:
    crm, erp, made = house
    crm.put("customer", "before", {"name": "before"})
    crm.put("customer", "bad", {"name": text})
    crm.put("customer", "after", {"name": "after"})
    made.run("customers")
    assert [one["name"] for one in arrived(erp) if one["name"] != text] == ["before", "after"]
    balanced(made)


def test_payloads_are_kept_literally_and_make_no_line_and_no_statement(house: Any, store: Any, caplog: Any) -> None:
    crm, erp, made = house
    caplog.set_level(logging.DEBUG)
    chance = random.Random(4)
    sent = []
    for n in range(500):
        text = "".join(chance.choice(PAYLOADS) for _ in range(chance.choice((1, 1, 2))))
        sent.append(filled(text, n))
        crm.put("customer", f"{n} {text}", sent[-1])
    made.run("customers")
    assert sorted(arrived(erp), key=lambda one: int(one["number"])) == sent
    assert all("\n" not in record.getMessage() for record in caplog.records)
    [row] = balanced(made)
    assert (row.received, row.delivered) == (500, 500)


CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_no_payload_steers_the_terminal_of_an_operator(
    store: Any, clock: Any, tmp_path: Any, monkeypatch: Any, capsys: Any
) -> None:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)

    def read(native: Any, _: Any) -> dict[str, Any]:
        if native["number"].endswith("7"):
            raise Invalid([Finding("name", "type", f"is {native['name']}", native["name"], where=native["name"][:40])])
        return dict(native)

    made = engine(
        store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], {("crm", "customer"): Plain(read)}
    )
    operator = Desk(made, tmp_path, monkeypatch, capsys, SCHEMA)
    for n, text in enumerate([*PAYLOADS, "a\u202eb", "\u2066x"]):
        crm.put("customer", f"C{n} {text}", filled(text, n))
        erp.script.append(Rejected(f"the target says {text}", hint=text, status=text[:20]) if n % 2 else None)
    said = [operator("run", "customers")]
    ids = [str(row[0]) for row in store_rows(store, "select id from outbox where state <> 'delivered'")]
    assert len(ids) > 15
    for command in (["dead", "list"], ["dead", "list", "--json"], ["status"], ["accounting"]):
        said.append(operator(*command))
    said += [operator("dead", "show", id_, "--show-personal") for id_ in ids[:12]]
    crm.put("customer", "all", {"name": "all", "number": "1", "texts": PAYLOADS})
    said += [operator("peek", "crm", "customer", "all", "--show-personal"), operator("trace", f"C0 {PAYLOADS[0]}")]
    said += [operator("trace", f"C{n} {text}") for n, text in enumerate(PAYLOADS) if "\x1b" in text]
    whole = "".join(ran.out + ran.err for ran in said)
    assert CONTROL.findall(whole) == []
    assert "[bold red]x[/]" in whole, "markup is shown as it stands"
    assert "\\x1b[2J" in whole or "\\u001b[2J" in whole, "and what steers as its escape"
    assert "Traceback" not in whole


def store_rows(store: Any, query: str) -> list[Any]:
    from sqlalchemy import text

    with store.reading() as connection:
        return list(connection.execute(text(query)))
