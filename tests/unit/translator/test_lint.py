"""Lint says, with file, line and column, what cannot work, and what it probably should have been."""

from __future__ import annotations

from pathlib import Path

import pytest

from landbridge.canonical import Canonical
from landbridge.connector import Field, Fields
from landbridge.errors import ConfigError
from landbridge.translator import Report, Tables, Translator, lint

GOOD = """\
entity: sales_order
native: Order
in:
  number: OrderNumber
  currency: CurrencyIsoCode
  parties:
    - {role: sold_to, ref: {customer: AccountId}}
  lines:
    each: Items
    line_key: Id
    product: {ref: {product: Product}}
    quantities: {ordered: {value: Quantity, unit: Unit | code(shop/unit)}}
out:
  OrderNumber: number
  Status: {from: status, code: shop/unit}
"""


@pytest.fixture
def check(tables: Tables, canonical: Canonical, tmp_path: Path):
    def run(text: str, *fields: Field) -> Report:
        mapping = Translator(tmp_path, tables, canonical).load_text(text, file="mappings/shop/sales_order.yaml")
        known = {mapping.name: Fields("Order", {one.name: one for one in fields})} if fields else None
        return lint([mapping], known)

    return run


def test_a_good_mapping_has_no_problems(check) -> None:
    assert check(GOOD).problems == []


CASES = [
    ("  number: OrderNumber", "  numbr: OrderNumber", "sales_order has no field 'numbr'. Did you mean 'number'?", 4),
    ("  number: OrderNumber", "", "the required field 'number' is not written.", 5),
    ("{role: sold_to,", "{role: {const: soldto},", "parties[].role", None),
    ("role: sold_to", "role: {const: sold_too}", "parties cannot be", None),
    ("  number: OrderNumber", "  number: {const: 7}", "number is a text, this gives a number. Add | text.", 4),
    ("  number: OrderNumber", "  number: [OrderNumber]", "number is a text, this gives a list.", 4),
    ("code(shop/unit)}}", "code(shop/unti)}}", "there is no code list 'shop/unti'. Did you mean 'shop/unit'?", 12),
    ("  OrderNumber: number", "  OrderNumber: nmber", "sales_order has no field 'nmber'. Did you mean 'number'?", 14),
    ("code: shop/unit}", "code: shop/order_status}", "'confirmed' has no clear way back", None),
    (
        "  OrderNumber: number",
        "  Org: {lookup: sales_areas, with: {sellr: seller}, take: Sales}",
        "sales_areas has no input 'sellr'. Did you mean 'seller'?",
        14,
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "says", "line"), [case for case in CASES if case[3]], ids=lambda value: str(value)[:40]
)
def test_lint_says_what_is_wrong_and_where(check, old: str, new: str, says: str, line: int) -> None:
    problems = [str(one) for one in check(GOOD.replace(old, new)).problems]
    assert any(says in one and one.startswith(f"mappings/shop/sales_order.yaml:{line}:") for one in problems), problems


def test_a_word_that_the_canonical_field_does_not_know(check) -> None:
    problems = [str(one) for one in check(GOOD.replace("role: sold_to", "role: {const: sold_too}")).problems]
    assert any("role cannot be 'sold_too'. Did you mean 'sold_to'?" in one for one in problems), problems


def test_a_code_list_without_a_way_back_is_refused_for_out_only(
    tables: Tables, canonical: Canonical, tmp_path: Path
) -> None:
    from landbridge.strict import yaml
    from landbridge.translator._tables import read_codes

    lossy = yaml.load("{codes: lossy, map: {A: draft, B: draft, C: open}}", file="config/codes/lossy.yaml")
    tables.add(read_codes("lossy", lossy))
    text = GOOD.replace("code: shop/unit}", "code: lossy}")
    mapping = Translator(tmp_path, tables, canonical).load_text(text, file="m.yaml")
    (problem,) = lint([mapping]).problems
    assert "'draft' has no clear way back in lossy: A or B? Mark one row `preferred: true`" in str(problem)


FIELDS = (
    Field("OrderNumber", "string", 10, creatable=False, updatable=False),
    Field("Status", "string", 2, required=True),
    Field("AccountId", "string", 18, required=True),
    Field("CurrencyIsoCode", "string", 3, updatable=False),
    Field("Items", "array"),
    Field("Items.Id", "string", creatable=False, updatable=False),
    Field("Items.Product", "string", required=True),
    Field("Items.Quantity", "decimal"),
    Field("Description", "string", 20),
)


def test_the_vendors_field_list_is_held_against_both_directions(check) -> None:
    report = check(GOOD + "  CurrencyIsoCode: currency\n  Descriptoin: number\n  Description: {const: 1}\n", *FIELDS)
    problems = [str(one) for one in report.problems]
    for says in (
        "Order has no field 'Items.Unit'",
        "Order.OrderNumber is read-only.",
        "the required field Order.AccountId is not written.",
        "Order has no field 'Descriptoin'. Did you mean 'Description'?",
        "Order.CurrencyIsoCode cannot be changed later. Add `on: create`.",
        "'Each' is longer than the 2 signs of Order.Status.",
        "Order.Description is a text, this gives a number. Add | text.",
    ):
        assert any(says in one for one in problems), (says, problems)
    assert not any("Items.Product is not written" in one for one in problems)  # no item is written at all


def test_what_comes_in_but_never_goes_back_and_what_may_be_cut_are_warnings(check) -> None:
    report = check(GOOD + "  Description: number\n", *FIELDS)
    warnings = [str(one) for one in report.warnings]
    assert any("Order.AccountId is read but never written back" in one for one in warnings), warnings
    assert any(
        "up to 100 signs may come, Order.Description takes 20. Say what happens to more" in one for one in warnings
    )
    fitted = check(GOOD + "  Description: number | fits(20)\n", *FIELDS)
    assert not any("Order.Description takes" in str(one) for one in fitted.warnings)


GRAMMAR = [
    ("a: x | trimm", "function 'trimm' is not known. Did you mean 'trim'?", "3:10"),
    ("a: x | pad", "pad needs the argument 'length'. Write pad(length, fill=\"0\").", "3:10"),
    ("a: x | pad(a)", "pad: length is a text ('a'), number is needed.", "3:10"),
    ("a: x | pad(1, size=2)", "pad has no argument 'size'.", "3:10"),
    ("a: x | trim(1)", "trim takes no argument, not 1.", "3:10"),
    ("a: x y", "'y' is not expected here. Quote a name with blanks", "3:8"),
    ("a: x..y", "a field name is needed", "3:8"),
    ("a: x[1", "'=' is needed in a selector, here is the end.", "3:9"),
    ("a: x[abc]", "[abc] is no selector.", "3:8"),
    ("a: ../x", "../x climbs 1 up, but only 0 `each` stand around it.", "3:6"),
    ("a: $position", "$position is known inside of `each` only.", "3:6"),
    ("a: same", "`same` repeats a field 'a' written above; there is none.", "3:6"),
    ("a: {compute: x +}", "a field name is needed", "3:"),
    ("a: {compute: '(x'}", "')' is needed after an expression in parentheses", "3:"),
    ("a: {from: x, cod: y}", "cod is not known beside from. Did you mean 'code'?", "3:16"),
    ("a: {from: x, const: 1}", "from and const cannot stand side by side.", "3:6"),
    ("a: {from: x, on: creat}", "on is one of create, update, always. Did you mean 'create'?", "3:"),
    ("a: {from: x, if_null: kep}", "if_null is one of keep, clear, drop. Did you mean 'keep'?", "3:"),
    ("a: {from: x, when: {s: {grater: 1}}}", "grater is no comparison.", "3:"),
    ("a: {from: x, when: s}", "a condition is a mapping such as {status: [confirmed]}.", "3:"),
    ("a: {format: '{x'}", "a brace has no partner.", "3:"),
    ("a: ~", "a value is missing here.", "3:6"),
]


@pytest.mark.parametrize(("line", "says", "at"), GRAMMAR, ids=[case[0] for case in GRAMMAR])
def test_the_grammar_says_what_it_does_not_understand(make, line: str, says: str, at: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(line)
    problems = [str(one) for one in caught.value.problems]
    assert any(says in one and one.startswith(f"mapping.yaml:{at}") for one in problems), problems


def test_all_problems_of_all_files_come_at_once(tmp_path: Path, tables: Tables) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.yaml").write_text("entity: a\nin:\n  x: y | trimm\n  z: ../q\n")
    (tmp_path / "shop" / "b.yaml").write_text("entity: b\noutt:\n  x: y\n")
    (tmp_path / "shop" / "c.yaml").write_text("entity: b\nin: {x: y, x: z}\n")
    with pytest.raises(ConfigError) as caught:
        Translator(tmp_path, tables).load()
    text = str(caught.value)
    assert "3 files" in text
    for says in ("trimm", "../q", "outt is not known here. Did you mean 'out'?", "c.yaml:2"):
        assert says in text


def test_sources_and_targets_name_their_lines(check, tables: Tables, canonical: Canonical, tmp_path: Path) -> None:
    mapping = Translator(tmp_path, tables, canonical).load_text(GOOD, file="m.yaml")
    assert mapping.sources()["Items.Quantity"] == ["m.yaml:12"]
    assert mapping.targets() == {"OrderNumber": ["m.yaml:14"], "Status": ["m.yaml:15"]}


def test_a_line_is_made_anew_and_what_the_connector_adds_is_no_field_of_the_vendors(check) -> None:
    lines = "  Items:\n    each: lines\n    Key: line_key\n    Product: product.ref\n"
    inward = GOOD.replace(
        "ordered: {value: Quantity,", 'shipped: {value: "@shipped", unit: Unit}, ordered: {value: Quantity,'
    )
    problems = [
        str(one) for one in check(inward + lines, *FIELDS, Field("Items.Key", "string", updatable=False)).problems
    ]
    assert not any("Items.Key" in one for one in problems), problems
    assert not any("@shipped" in one for one in problems), problems


def test_a_value_under_a_condition_that_is_shortened_is_no_warning(check) -> None:
    text = GOOD + "  Description: {from: number | cut(20), when: {status: [draft]}}\n"
    assert not any("Order.Description takes" in str(one) for one in check(text, *FIELDS).warnings)
