"""What each form of the language means, tried on both twins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from landbridge.errors import Invalid
from landbridge.strict import yaml
from landbridge.translator import Context, Mapping, Refused, Tables
from landbridge.translator._tables import read_codes

Make = Callable[..., Mapping]
CASES = "a: {choose: [{when: {x: {gt: 10}}, then: big}, {when: {x: {gt: 5}}, then: {from: y}}], else: small}"

GOOD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a: x", {"x": 1}, {"a": 1}),
    ("a: x", {}, {}),
    ("a: x", {"x": None}, {"a": None}),
    ("a: x.y", {"x": None}, {"a": None}),
    ("a: x.y", {"x": {}}, {}),
    ("a: x.y", {}, {}),
    ("a: 'x\\.y'", {"x.y": 1}, {"a": 1}),
    ("""a: '"Bill To".City'""", {"Bill To": {"City": "B"}}, {"a": "B"}),
    ("a: x[0].y", {"x": [{"y": 1}, {"y": 2}]}, {"a": 1}),
    ("a: x[-1].y", {"x": [{"y": 1}, {"y": 2}]}, {"a": 2}),
    ("a: x[3].y", {"x": []}, {}),
    ("a: x[role=b].y", {"x": [{"role": "a"}, {"role": "b", "y": 2}]}, {"a": 2}),
    ("a: 'x[role=\"b c\"].y'", {"x": [{"role": "b c", "y": 2}]}, {"a": 2}),
    ("a: x[role=b].y", {"x": [{"role": "a"}]}, {}),
    ("a: 'x[*].y'", {"x": [{"y": 1}, {}, {"y": None}]}, {"a": [1, None]}),
    ("a: 'x[*].y[*].z'", {"x": [{"y": [{"z": 1}, {"z": 2}]}, {"y": []}]}, {"a": [1, 2]}),
    ("a: {const: USD}", {}, {"a": "USD"}),
    ("a: {const: [1, {b: 2.5}]}", {}, {"a": [1, {"b": 2.5}]}),
    ("a: 7", {}, {"a": 7}),
    ("a: x | trim | upper", {"x": " de "}, {"a": "DE"}),
    ("a: x | trim", {"x": None}, {"a": None}),
    ("a: x | trim", {}, {}),
    ("a: x | default(none)", {"x": None}, {"a": "none"}),
    ("a: {from: x, default: 0}", {}, {"a": 0}),
    ("a: {from: x, default: {from: y}}", {"y": 3}, {"a": 3}),
    ("a: {from: x, if_null: keep}", {"x": None}, {}),
    ("a: {from: x, if_null: clear}", {"x": None}, {"a": None}),
    ("a: {b: {from: x, if_null: drop}, c: y}", {"x": None, "y": 1}, {}),
    ("a: {b: {from: x, if_null: drop}, c: y}", {"x": 2, "y": 1}, {"a": {"b": 2, "c": 1}}),
    ("a: {b: x, c: y}", {"x": None, "y": None}, {"a": None}),
    ("a: {b: x, c: y}", {"x": None}, {"a": None}),
    ("a: {b: x, c: y}", {}, {}),
    ("a: {b: x, c: {const: 1}}", {}, {}),
    ("a: {c: {const: 1}}", {}, {"a": {"c": 1}}),
    ("a: {amount: x, currency: {const: EUR}}", {"x": None}, {"a": None}),
    ("a: {value: x, unit: y}", {"y": "KGM"}, {}),
    ("a: {from: x, code: shop/order_status}", {"x": "Approved"}, {"a": "confirmed"}),
    ("a: {from: x, code: shop/order_status, default: draft}", {"x": None}, {"a": "draft"}),
    ("a: {from: x, choose: {true: company, false: person}}", {"x": True}, {"a": "company"}),
    ("a: {from: x, choose: {true: company, false: person}}", {"x": "false"}, {"a": "person"}),
    ("a: {from: x, choose: {A: 1}, else: 2}", {"x": "B"}, {"a": 2}),
    ("a: {from: x, choose: {A: {from: y}}, else: {from: z}}", {"x": "A", "y": 5, "z": 6}, {"a": 5}),
    ("a: {from: x, choose: {A: {from: y}}, else: {from: z}}", {"x": "B", "y": 5, "z": 6}, {"a": 6}),
    (CASES, {"x": 12.5}, {"a": "big"}),
    (CASES, {"x": 7, "y": "m"}, {"a": "m"}),
    ("a: {choose: [{when: {x: {gt: 10}}, then: big}]}", {"x": 7}, {}),
    ("a: {from: x, when: {s: [open, held]}}", {"x": 1, "s": "held"}, {"a": 1}),
    ("a: {from: x, when: {s: [open, held]}}", {"x": 1, "s": "shut"}, {}),
    ("a: {from: x, when: {s: {not: open}}}", {"x": 1}, {"a": 1}),
    ("a: {from: x, when: {s: {exists: false}}}", {"x": 1, "s": None}, {"a": 1}),
    ("a: {from: x, when: {any: [{s: 1}, {t: {starts: b}}]}}", {"x": 1, "s": 2, "t": "bc"}, {"a": 1}),
    ("a: {from: x, when: {none: [{s: 1}]}}", {"x": 1, "s": 1}, {}),
    ("a: {from: x, when: {s: true}}", {"x": 1, "s": 1}, {}),
    ("a: {from: x, when: {s: {ge: 2026-01-01}}}", {"x": 1, "s": "2026-01-01"}, {"a": 1}),
    ("a: {first: [x, y, z]}", {"x": None, "y": "", "z": "w"}, {"a": "w"}),
    ("a: {first: [x, y]}", {"x": None}, {"a": None}),
    ("a: {first: [x, y]}", {}, {}),
    ("a: {join: [x, y, z], with: ', '}", {"x": "A", "y": None, "z": "B"}, {"a": "A, B"}),
    ("a: {join: 'x[*].y', with: /}", {"x": [{"y": "p"}, {"y": "q"}]}, {"a": "p/q"}),
    ("a: {join: [x, y]}", {"x": None, "y": ""}, {"a": None}),
    ("a: {format: '{x}/{y | upper}'}", {"x": 7, "y": "de"}, {"a": "7/DE"}),
    ("a: {format: '{{{x}}}'}", {"x": 1}, {"a": "{1}"}),
    ("a: {format: '{x}/{y}'}", {"x": 7, "y": None}, {"a": None}),
    ("a: {concat: [x, {const: -}, y]}", {"x": "p", "y": "q"}, {"a": "p-q"}),
    ("a: {compute: x * (y + 1) / 4}", {"x": 0.1, "y": 2}, {"a": "0.075"}),
    ("a: {compute: '-x + 0.2'}", {"x": 0.1}, {"a": "0.1"}),
    ("a: {compute: 'round(x, 2)'}", {"x": "2.675"}, {"a": "2.68"}),
    ("a: {compute: 'round(x, 2)', then: number}", {"x": 2.675}, {"a": 2.68}),
    ("a: {compute: 'sum(lines, q * p)'}", {"lines": [{"q": 2, "p": 0.1}, {"q": 1, "p": "0.05"}]}, {"a": "0.25"}),
    ("a: {compute: 'sum(lines, q * ../k)'}", {"k": 3, "lines": [{"q": 2}, {"q": 1}]}, {"a": "9"}),
    ("a: {compute: 'sum(lines, q)'}", {"lines": []}, {"a": "0"}),
    ("a: {compute: 'sum(lines, q)'}", {"lines": [{"q": 1}, {"q": None}]}, {"a": None}),
    ("l: {each: l, b: {compute: p * q}}\nt: {compute: 'sum(l, p * q)'}", {"l": []}, {"l": [], "t": "0"}),
    ("l: {each: l, b: {compute: p * q}}\nt: {compute: 'sum(l, p * q)'}", {"l": None}, {"l": None, "t": None}),
    ("l: {each: l, b: {compute: p * q}}\nt: {compute: 'sum(l, p * q)'}", {}, {}),
    (
        "l: {each: l, b: {compute: p * q}}\nt: {compute: 'round(sum(l, p * q), 2)', then: number}",
        {"l": [{"p": 2, "q": 0.5}, {"p": 3, "q": "0.15"}]},
        {"l": [{"b": "1"}, {"b": "0.45"}], "t": 1.45},
    ),
    (
        "l: {each: l, b: {compute: p * q}}\nt: {compute: 'sum(l, p * q)'}",
        {"l": [{"p": None, "q": 0.5}, {"p": 3, "q": 1}]},
        {"l": [{"b": None}, {"b": "3"}], "t": None},
    ),
    (
        "l: {each: l, b: {compute: p * q}}\nt: {compute: 'sum(l, p * q)'}",
        {"l": [{"q": 0.5}, {"p": 3, "q": 1}]},
        {"l": [{}, {"b": "3"}]},
    ),
    ("a: {compute: x + y}", {"x": 1, "y": None}, {"a": None}),
    ("a: {compute: x + y}", {"x": 1}, {}),
    ("a: {compute: 'max(x, y, 3)'}", {"x": 1, "y": 7}, {"a": "7"}),
    ("a: {compute: 'abs(x) + min(x, y)'}", {"x": -1, "y": 7}, {"a": "0"}),
    (
        "a: {compute: p + q}",
        {"p": {"amount": "1.10", "currency": "EUR"}, "q": {"amount": 2, "currency": "EUR"}},
        {"a": {"amount": "3.1", "currency": "EUR"}},
    ),
    ("a: {compute: p * n}", {"p": {"value": "3", "unit": "KGM"}, "n": 2}, {"a": {"value": "6", "unit": "KGM"}}),
    (
        "a: {compute: 'sum(l, p)'}",
        {"l": [{"p": {"amount": "1", "currency": "EUR"}}] * 2},
        {"a": {"amount": "2", "currency": "EUR"}},
    ),
    (
        "a: {lookup: sales_areas, with: {seller: x, channel: y}, take: SalesOrganization}",
        {"x": "CN01", "y": "web"},
        {"a": "1310"},
    ),
    ("a: {lookup: sales_areas, with: {seller: x, channel: y}}", {"x": "DE01"}, {"a": {"SalesOrganization": "1010"}}),
    ("a: {ref: {customer: x}}", {"x": 17}, {"a": {"system": "crm", "scope": None, "entity": "customer", "id": "17"}}),
    (
        "a: {ref: {customer: x}, scope: y}",
        {"x": "7", "y": "CN01"},
        {"a": {"system": "crm", "scope": "CN01", "entity": "customer", "id": "7"}},
    ),
    ("a: {ref: {customer: x}}", {"x": None}, {"a": None}),
    (
        "a: {role: {const: r}, ref: {customer: x}}",
        {"x": "1"},
        {"a": {"role": "r", "ref": {"system": "crm", "scope": None, "entity": "customer", "id": "1"}}},
    ),
    ("a: [x, y, {const: 3}]", {"x": 1, "y": None}, {"a": [1, 3]}),
    ("a: [x, y]", {}, {"a": []}),
    ("a: {each: l, b: x, c: ../y}", {"l": [{"x": 1}, {"x": 2}], "y": 9}, {"a": [{"b": 1, "c": 9}, {"b": 2, "c": 9}]}),
    ("a: {each: l, b: x}", {"l": None}, {"a": None}),
    ("a: {each: l, b: x}", {}, {}),
    ("a: {each: l, b: x}", {"l": [None, {"x": 1}, {}]}, {"a": [{"b": 1}, {}]}),
    (
        "a: {each: l, where: {x: {gt: 1}}, b: x, n: $position, i: $index}",
        {"l": [{"x": 1}, {"x": 2}, {"x": 3}]},
        {"a": [{"b": 2, "n": 1, "i": 0}, {"b": 3, "n": 2, "i": 1}]},
    ),
    (
        "a: {each: l, n: {compute: $position * 10, then: pad(6)}}",
        {"l": [{}, {}]},
        {"a": [{"n": "000010"}, {"n": "000020"}]},
    ),
    (
        "a: {each: l, b: {each: m, c: x, d: ../../y, e: ../x}}",
        {"y": 5, "l": [{"x": 1, "m": [{"x": 2}]}]},
        {"a": [{"b": [{"c": 2, "d": 5, "e": 1}]}]},
    ),
    ("a: {each: x | split(;), take: . | upper}", {"x": "p; q"}, {"a": ["P", "Q"]}),
    ("a: {each: l, take: x}", {"l": [{"x": 1}, {"x": None}, {}]}, {"a": [1]}),
    (
        "a: {each: l, group_by: k, key: key, rows: {each: rows, v: v}}",
        {"l": [{"k": 1, "v": 1}, {"k": 2, "v": 2}, {"k": 1, "v": 3}]},
        {"a": [{"key": 1, "rows": [{"v": 1}, {"v": 3}]}, {"key": 2, "rows": [{"v": 2}]}]},
    ),
    (
        "a: {each: {flatten: 'l[*].m'}, b: x}",
        {"l": [{"m": [{"x": 1}]}, {"m": [{"x": 2}]}]},
        {"a": [{"b": 1}, {"b": 2}]},
    ),
    ("a: x\nb: {a: same}", {"x": 1}, {"a": 1, "b": {"a": 1}}),
    (
        "unit: u\nl: {each: l, q: {unit: same, v: x}}",
        {"u": "KGM", "l": [{"x": 1}]},
        {"unit": "KGM", "l": [{"q": {"unit": "KGM", "v": 1}}]},
    ),
    (".when: x\n.from: y", {"x": 1, "y": 2}, {"when": 1, "from": 2}),
    ("a: x | prefix($y.z)", {"x": "1", "y": {"z": "C-"}}, {"a": "C-1"}),
    ("a: x | phone($y)", {"x": "030 1234567", "y": "DE"}, {"a": "+49301234567"}),
    ("a: x | in_unit(GRM)", {"x": {"value": "2", "unit": "KGM"}}, {"a": {"value": "2000", "unit": "GRM"}}),
    (
        "a: x | in_unit(C62, units=$u)",
        {
            "x": {"value": "2", "unit": "BX"},
            "u": [{"unit": "BX", "numerator": 12, "denominator": 1}, {"unit": "C62", "numerator": 1, "denominator": 1}],
        },
        {"a": {"value": "24", "unit": "C62"}},
    ),
    ("a: x[0] | upper", {"x": ["p"]}, {"a": "P"}),
]


@pytest.mark.parametrize(("lines", "given", "gives"), GOOD, ids=[f"{n}: {case[0]}" for n, case in enumerate(GOOD)])
def test_a_form_gives_what_the_reference_says(
    lines: str, given: dict[str, Any], gives: dict[str, Any], make: Make, context: Context
) -> None:
    mapping = make(lines)
    assert mapping.inward is not None
    slow = mapping.inward.interpreter(context, True).run(mapping.inward.record, given)
    assert slow == gives
    for _ in range(4):  # the third time the compiled twin has learnt what may be missing
        assert mapping.read(given, context) == gives
    fast = mapping.inward._fast
    assert fast is not None
    if "compute: p" not in lines and "sum(l, p)" not in lines:  # arithmetic on records is the slow twin's
        assert fast(given, context, True) == gives


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("a: x.y", {"x": "text"}, "x is a text, it has no field 'y'"),
    ("a: x[0]", {"x": {"y": 1}}, "this is a record, a list is needed"),
    ("a: x | trim", {"x": 7}, "trim needs text, this is a number"),
    ("a: x | upper", {"x": ["a"]}, "upper needs text, this is a list"),
    ("a: {from: x, code: shop/order_status}", {"x": "Gone"}, "is not in the code list shop/order_status"),
    ("a: {from: x, choose: {A: 1}}", {"x": "B"}, "is none of: A"),
    ("a: {from: x, choose: {A: {from: y}}}", {"x": "B"}, "is none of: A"),
    ("a: {compute: x + y}", {"x": 1, "y": "1,5"}, "is no number"),
    ("a: {compute: x / y}", {"x": 1, "y": 0}, "division by zero"),
    ("a: {compute: x + y}", {"x": True, "y": 1}, "is no number"),
    (
        "a: {compute: p + q}",
        {"p": {"amount": "1", "currency": "EUR"}, "q": {"amount": "1", "currency": "USD"}},
        "currency EUR and currency USD cannot be added",
    ),
    (
        "a: {compute: p + q}",
        {"p": {"value": "1", "unit": "KGM"}, "q": {"value": "1", "unit": "C62"}},
        "unit KGM and unit C62",
    ),
    ("a: {compute: p + q}", {"p": {"amount": "1", "currency": "EUR"}, "q": 5}, "a plain number cannot be added"),
    (
        "a: {compute: 'sum(l, p)'}",
        {"l": [{"p": {"amount": "1", "currency": "EUR"}}, {"p": {"amount": "1", "currency": "USD"}}]},
        "cannot be added",
    ),
    ("a: {each: l, b: x}", {"l": {"x": 1}}, "each needs a list, this is a record"),
    ("a: {each: l, b: x}", {"l": ""}, "each needs a list"),
    ("a: {each: l, b: x}", {"l": [7]}, "it has no field 'x'"),
    (
        "a: {lookup: sales_areas, with: {seller: x, channel: y}, take: SalesOrganization}",
        {"x": "CN01", "y": "mail"},
        "no row of sales_areas is for seller a text ('CN01'), channel a text ('mail')",
    ),
    ("a: {ref: {customer: x}}", {"x": 1.5}, "an id is a text or a whole number"),
    ("a: {format: '{x}'}", {"x": [1]}, "cannot stand in a text"),
    ("a: x | in_unit(C62)", {"x": {"value": "2", "unit": "KGM"}}, "KGM cannot be converted to C62"),
    ("a: x | in_unit(MTR)", {"x": {"value": "2", "unit": "KGM"}}, "do not measure the same"),
    (
        "a: x | convert(USD)",
        {"x": {"amount": "2", "currency": "EUR"}},
        "there is no rate from EUR to USD on 2026-11-21",
    ),
    ("a: x | instant", {"x": "2026-11-21 10:00:00"}, "has no offset"),
    ("a: {from: x, when: {s: {gt: 5}}}", {"x": 1, "s": "soon"}, "is no number"),
    ("a: x | decimal", {"x": float("inf")}, "no finite number"),
    ("a: x | decimal", {"x": 1e300}, "more than 40 digits"),
]


@pytest.mark.parametrize(("lines", "given", "says"), BAD, ids=[f"{n}: {case[0]}" for n, case in enumerate(BAD)])
def test_what_has_no_meaning_is_refused_not_guessed(
    lines: str, given: dict[str, Any], says: str, make: Make, context: Context
) -> None:
    mapping = make(lines)
    with pytest.raises(Invalid) as caught:
        mapping.read(given, context)
    (finding,) = caught.value.findings
    assert says in finding.message
    assert finding.where == "mapping.yaml:3"
    with pytest.raises((LookupError, TypeError, ValueError, AttributeError, ArithmeticError, Refused)):
        assert mapping.inward is not None and mapping.inward._fast is not None
        mapping.inward._fast(given, context, True)


def test_create_and_update_write_different_fields(make: Make, context: Context) -> None:
    mapping = make("a: x\nb: {from: x, on: create}\nc: {from: x, on: update}\nd: {on: create, e: x}", direction="out")
    assert mapping.write({"x": 1}, context, creating=True) == {"a": 1, "b": 1, "d": {"e": 1}}
    assert mapping.write({"x": 1}, context, creating=False) == {"a": 1, "c": 1}


def test_a_code_goes_back_by_its_preferred_row(make: Make, context: Context) -> None:
    mapping = make("a: s | code(shop/order_status)", direction="out")
    assert mapping.write({"s": "confirmed"}, context, creating=True) == {"a": "Activated"}


def test_references_become_ids_of_the_target(make: Make, context: Context) -> None:
    mapping = make(
        "Partner: parties[role=sold_to].ref | target_id(customer)\nlines: {each: lines, '@line': k, Item: k | line_id}",
        direction="out",
    )
    body = {"parties": [{"role": "sold_to", "ref": {"subject": "s1"}}], "lines": [{"k": "a"}, {"k": "b"}]}
    assert mapping.write(body, context, creating=True) == {
        "Partner": "customer-s1",
        "lines": [{"@line": "a", "Item": "10"}, {"@line": "b", "Item": None}],
    }


def test_a_missing_parent_passes_through_as_itself(make: Make) -> None:
    from landbridge.translator import MissingParent

    mapping = make("Partner: c | target_id(customer)", direction="out")
    with pytest.raises(MissingParent) as caught:
        mapping.write({"c": {"subject": "s9"}}, Context(), creating=True)
    assert (caught.value.entity, caught.value.subject) == ("customer", "s9")


def test_money_is_converted_by_the_rate_of_its_day(make: Make) -> None:
    mapping = make("a: x | convert(USD, at=$on)\nb: {compute: x * 2}\nc: x | convert(USD) | round(0)")
    rates = {("EUR", "USD"): [("2026-01-01", Decimal("1.10")), ("2026-07-01", Decimal("1.20"))]}
    context = Context(now=datetime(2026, 11, 21, tzinfo=UTC), rates=rates)
    found = mapping.read({"x": {"amount": "10.5", "currency": "EUR"}, "on": "2026-06-30"}, context)
    assert found == {
        "a": {"amount": "11.55", "currency": "USD"},
        "b": {"amount": "21", "currency": "EUR"},
        "c": {"amount": "13", "currency": "USD"},
    }
    with pytest.raises(Invalid, match="there is no rate from EUR to USD on 2025-12-31"):
        mapping.read({"x": {"amount": "10", "currency": "EUR"}, "on": "2025-12-31"}, context)


def test_a_rule_of_a_code_list_follows_the_clock(make: Make, tables: Tables) -> None:
    rows = "[{native: A, canonical: old, until: 2026-06-30}, {native: A, canonical: new, from: 2026-07-01}]"
    tables.add(read_codes("dated", yaml.load(f"{{rows: {rows}}}", file="dated.yaml")))
    mapping = make("a: x | code(dated)")
    for day, word in ((datetime(2026, 6, 30, 23, tzinfo=UTC), "old"), (datetime(2026, 7, 1, tzinfo=UTC), "new")):
        assert mapping.read({"x": "A"}, Context(now=day)) == {"a": word}


@pytest.mark.parametrize("message", [None, [], "x", 7])
def test_a_message_that_is_no_record_is_refused(make: Make, context: Context, message: Any) -> None:
    with pytest.raises(Invalid, match=r"the message is .*, a record is needed"):
        make("a: x").read(message, context)
