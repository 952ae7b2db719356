"""Quality rules as they are written: found, compiled, and refused with every problem at once."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from project_on_disk import registry, write_project

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError
from landbridge.quality import PER_BATCH, PER_ROW, VOCABULARY, Checker, Rules, read_rules
from landbridge.quality._regex import Unsafe, compiled
from landbridge.settings import Settings
from landbridge.strict import yaml

ORDER: dict[str, Any] = {
    "number": "4711",
    "currency": "EUR",
    "status": "confirmed",
    "ordered_on": "2026-02-01",
    "requested_on": "2026-02-03",
    "lines": [
        {
            "line_key": "a",
            "product": {"ref": {"system": "crm", "entity": "product", "id": "P1"}},
            "quantities": {"ordered": {"value": "0.10", "unit": "C62"}},
            "price": {"amount": "3", "currency": "EUR", "per": {"value": "1", "unit": "C62"}},
            "net": {"amount": "0.30", "currency": "EUR"},
        },
        {"line_key": "b", "quantities": {"ordered": {"value": "2", "unit": "C62"}}, "net": {"amount": "0.1"}},
    ],
    "totals": {"net": {"amount": "0.40", "currency": "EUR"}},
}


@pytest.fixture(scope="module")
def canonical(root: Path) -> Canonical:
    return Canonical.load(root / "schemas" / "canonical")


def rules(canonical: Canonical, *lines: str, entity: str = "sales_order") -> Rules:
    text = f"entity: {entity}\nexpectations:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
    return read_rules(yaml.load(text, file="config/quality/x.yaml"), "x", canonical)


def found(canonical: Canonical, line: str, body: dict[str, Any], entity: str = "sales_order") -> list[str]:
    return [one.path for one in Checker(rules(canonical, line, entity=entity))(body)]


NOT_NULL, BETWEEN = "type: expect_column_values_to_not_be_null", "type: expect_column_values_to_be_between"
IN_SET, REGEX = "type: expect_column_values_to_be_in_set", "type: expect_column_values_to_match_regex"
GREATER = "type: expect_column_pair_values_a_to_be_greater_than_b"
EQUAL = "type: expect_column_pair_values_to_be_equal"
ORDERED = "lines[].quantities.ordered.value"


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        (f"{NOT_NULL}, column: currency", []),
        (f"{NOT_NULL}, column: customer_po", ["customer_po"]),
        (f"{NOT_NULL}, column: 'lines[].price.amount'", ["lines[1].price.amount"]),
        (f"{NOT_NULL}, column: lines.price.amount", ["lines[1].price.amount"]),
        (f"{NOT_NULL}, column: 'lines[].product.ref'", ["lines[1].product.ref"]),
        (f"{NOT_NULL}, column: sales_area.organisation", ["sales_area.organisation"]),
        ("type: expect_column_values_to_be_null, column: status", ["status"]),
        (f"{BETWEEN}, column: '{ORDERED}', min_value: 0.1", []),
        (f"{BETWEEN}, column: '{ORDERED}', min_value: 0.1, strict_min: true", ["lines[0].quantities.ordered.value"]),
        (f"{BETWEEN}, column: '{ORDERED}', max_value: 2, strict_max: true", ["lines[1].quantities.ordered.value"]),
        (f"{BETWEEN}, column: ordered_on, min_value: '2026-02-02'", ["ordered_on"]),
        (f"{IN_SET}, column: currency, value_set: [USD, CNY]", ["currency"]),
        (f"{IN_SET}, column: '{ORDERED}', value_set: [0.1, 2.0]", []),
        ("type: expect_column_values_to_not_be_in_set, column: currency, value_set: [EUR]", ["currency"]),
        (f"{REGEX}, column: number, regex: '^[0-9]{{4}}$'", []),
        (f"{REGEX}, column: number, regex: '^[A-Z]'", ["number"]),
        ("type: expect_column_values_to_not_match_regex, column: number, regex: '11$'", ["number"]),
        ("type: expect_column_value_lengths_to_be_between, column: number, max_value: 3", ["number"]),
        ("type: expect_column_values_to_be_of_type, column: number, type_: int", ["number"]),
        ("type: expect_column_values_to_match_strftime_format, column: ordered_on, strftime_format: '%Y-%m-%d'", []),
        (f"{GREATER}, column_A: requested_on, column_B: ordered_on", []),
        (f"{GREATER}, column_A: ordered_on, column_B: requested_on, or_equal: true", ["ordered_on"]),
        (f"{EQUAL}, column_A: 'sum(lines[].net.amount)', column_B: totals.net.amount", []),
        (f"{EQUAL}, column_A: 'lines[].price.currency', column_B: currency", []),
        (
            f"{EQUAL}, column_A: 'lines[].price.currency', column_B: currency, ignore_row_if: both_values_are_missing",
            ["lines[1].price.currency"],
        ),
        (f"{BETWEEN}, column: 'count(lines[])', min_value: 3", ["count(lines[])"]),
        (f"{NOT_NULL}, column: customer_po, when: {{status: draft}}", []),
        (f"{NOT_NULL}, column: customer_po, when: {{status: [confirmed, open]}}", ["customer_po"]),
        (f"{NOT_NULL}, column: customer_po, when: {{lines.line_key: b}}", ["customer_po"]),
        (f"{NOT_NULL}, column: 'lines[].batch', when: {{lines.line_key: b}}", ["lines[1].batch"]),
        (f"{NOT_NULL}, column: 'lines[].batch', when: {{lines.price.amount: null}}", ["lines[1].batch"]),
        (f"{NOT_NULL}, column: extensions.F_colour", ["extensions.F_colour"]),
    ],
)
def test_a_rule_finds_what_it_says_and_where(canonical: Canonical, line: str, paths: list[str]) -> None:
    assert found(canonical, line, ORDER) == paths


def test_decimals_compare_exactly(canonical: Canonical) -> None:
    line = f"{EQUAL}, column_A: 'sum(lines[].net.amount)', column_B: totals.net.amount"
    body = {"lines": [{"net": {"amount": "0.1"}}, {"net": {"amount": "0.2"}}], "totals": {"net": {"amount": "0.30"}}}
    assert found(canonical, line, body) == []  # as floating point 0.1 + 0.2 is not 0.3
    body["totals"] = {"net": {"amount": "0.3000000000000000000001"}}
    assert found(canonical, line, body) == ["sum(lines[].net.amount)"]


def test_a_finding_says_what_why_and_what_now_and_no_personal_value(canonical: Canonical) -> None:
    line = f"{BETWEEN}, column: '{ORDERED}', min_value: 1, notes: An order orders something., hint: Correct it."
    (one, *_) = Checker(rules(canonical, line))(ORDER)
    assert (one.path, one.message, one.hint) == (
        "lines[0].quantities.ordered.value",
        "0.10 is not at least 1: An order orders something",
        "Correct it.",
    )
    assert (one.where, one.severity, one.noted) == ("config/quality/x.yaml:3", "critical", False)
    personal = Checker(rules(canonical, f"{REGEX}, column: name, regex: '^[A-Z]'", entity="customer"))
    (told,) = personal({"name": "ada lovelace"})
    assert told.message.startswith("*** ") and "ada" not in str(told.as_dict())


def test_what_is_only_noted_holds_nothing_up(canonical: Canonical) -> None:
    lines = (
        f"{NOT_NULL}, column: customer_po, severity: warning",
        f"{NOT_NULL}, column: site, severity: info",
        f"{NOT_NULL}, column: seller, mostly: 0.9",
    )
    told = Checker(rules(canonical, *lines))(ORDER)
    assert [(one.path, one.severity) for one in told] == [
        ("customer_po", "warning"),
        ("site", "info"),
        ("seller", "warning"),  # one message cannot break a share: the gate decides
    ]
    assert all(one.noted for one in told)


def test_what_only_a_batch_can_break_is_left_to_the_gate(canonical: Canonical) -> None:
    lines = (
        "type: expect_column_values_to_be_unique, column: number",
        "type: expect_compound_columns_to_be_unique, column_list: [number, currency]",
        "type: expect_table_row_count_to_be_between, min_value: 1",
        f"{IN_SET}, column: 'lines[].product.ref', value_set: {{known: product}}",
    )
    told = rules(canonical, *lines)
    assert len(told.batch_only) == len(told.rules) == 4
    assert Checker(told)(ORDER) == []


def test_every_expectation_for_a_row_has_a_test_of_its_own() -> None:
    assert len(VOCABULARY) == len(PER_ROW) + len(PER_BATCH) == 15
    assert all(name.startswith("expect_") for name in VOCABULARY)


PROBLEMS = [
    ("type: expect_column_values_to_not_be_nul, column: currency", "3:12", "Did you mean 'expect_column_values_to_not"),
    (f"{NOT_NULL}, column: curency", "3:57", "'curency' is no field of sales_order. Did you mean 'currency'?"),
    (f"{NOT_NULL}, column: lines.quantities.orderd.value", "3:57", "Did you mean 'lines.quantities.ordered.value'?"),
    (f"{NOT_NULL}, column: currency, colum: x", "3:67", "colum is not known here. Did you mean 'column'?"),
    (f"{NOT_NULL}, column: currency, mostly: 1.2", "3:75", "mostly: Input should be less than or equal to 1"),
    (f"{NOT_NULL}, column: currency, mostly: 0", "3:75", "mostly: Input should be greater than 0"),
    (f"{NOT_NULL}, column: currency, severity: fatal", "3:77", "severity: Input should be 'critical', 'warning' or"),
    (f"{NOT_NULL}, column: currency, when: {{stats: [x]}}", "3:81", "Did you mean 'status'?"),
    (f"{REGEX}, column: number, regex: '['", "3:72", "regex is no regular expression: unterminated character set"),
    (f"{REGEX}, column: number, regex: '(a+)+$'", "3:72", "regex may go back and try again more than"),
    (f"{REGEX}, column: number, regex: '(?=a)b'", "3:72", "regex looks around"),
    (f"{BETWEEN}, column: number, min_value: 3", "3:56", "only numbers, dates and instants lie between"),
    (f"{BETWEEN}, column: lines.price.amount", "3:5", "min_value or max_value is needed"),
    (
        f"{BETWEEN}, column: lines.price.amount, min_value: abc",
        "3:87",
        "lines[].price.amount is a number, this is none",
    ),
    (f"{BETWEEN}, column: ordered_on, min_value: '2026-13-01'", "3:79", "ordered_on is a date, this is none"),
    (f"{BETWEEN}, column: lines.price.amount, min_value: 5, max_value: 3", "3:101", "max_value is less than min_value"),
    (f"{BETWEEN}, column: lines.price.amount, min_value: 0.12345678901234567", "3:87", "Use at most 15 digits"),
    ("column: currency", "3:5", "type is missing"),
    (f"{IN_SET}, column: lines.product.ref, value_set: {{known: prodct}}", "3:93", "Did you mean 'product'?"),
    (f"{IN_SET}, column: currency, value_set: {{known: product}}", "3:84", "currency is no reference"),
    (f"{IN_SET}, column: currency, value_set: [1, EUR]", "3:77", "currency is a text, this is a number"),
    (f"{IN_SET}, column: lines, value_set: [EUR]", "3:55", "lines is a list: name a field in it"),
    (f"{EQUAL}, column_A: currency, column_B: totals.net.amount", "3:81", "do not compare"),
    (f"{EQUAL}, column_A: lines.net.amount, column_B: charges.amount.amount", "3:5", "stand in different lists"),
    (f"{EQUAL}, column_A: sum(totals.net.amount), column_B: totals.net.amount", "3:61", "one totals.net.amount only"),
]


@pytest.mark.parametrize(("line", "where", "says"), PROBLEMS, ids=[one[0][:60] for one in PROBLEMS])
def test_a_rule_that_cannot_be_is_refused_with_its_place(
    canonical: Canonical, line: str, where: str, says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        rules(canonical, line)
    (problem,) = refused.value.problems
    assert str(problem).startswith(f"config/quality/x.yaml:{where}  "), problem
    assert says in str(problem)


def test_every_problem_of_a_file_is_told_at_once(canonical: Canonical) -> None:
    lines = [line for line, _, _ in PROBLEMS if "number" not in line]
    with pytest.raises(ConfigError) as refused:
        rules(canonical, *lines, f"{NOT_NULL}, column: site", f"{NOT_NULL}, column: site")
    places = {problem.line for problem in refused.value.problems}
    assert places == set(range(3, len(lines) + 3)) | {len(lines) + 4}
    assert any("the same rule as in line" in problem.message for problem in refused.value.problems)


def test_two_rules_of_one_name_are_refused(canonical: Canonical) -> None:
    with pytest.raises(ConfigError, match=r"is in line 3 already\. Give one of them a `name`"):
        rules(canonical, f"{REGEX}, column: number, regex: a", f"{REGEX}, column: number, regex: b")
    named = rules(canonical, f"{REGEX}, column: number, regex: a", f"{REGEX}, column: number, regex: b, name: other")
    assert [rule.id for rule in named.rules] == ["column_values_to_match_regex number", "other"]


@pytest.mark.parametrize(
    ("pattern", "longest"),
    [
        (r"(a+)+$", 30), (r"(a|aa)+$", 30), (r"(a|a?)+$", 30), (r"^.*.*.*$", 255), (r"(.*)\1", 30), (r"(\w+\s?)*$", 40),
        (r"x*x*x*x*x*y", 100), (r"^(([a-z])+.)+[A-Z]$", 40), ("a{1,300}" * 4, 400),
    ],
)  # fmt: skip
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str, longest: int) -> None:
    with pytest.raises(Unsafe):
        compiled(pattern, longest)


@pytest.mark.parametrize(
    ("pattern", "longest"),
    [
        (r"^[^@\s]{1,64}@[^@\s.]{1,63}\.\S{2,190}$", 254), (r"\s+$", 255), (r"(a|b)*c", 100), (r"^(\d{3}-){1,9}$", 40),
        (r"\w", 255), (r"^(?:[A-Z]{2}|[0-9]{3})$", 3), (r"^.*x.*$", 1000),
    ],
)  # fmt: skip
def test_a_pattern_that_passes_ends_quickly_on_the_worst_of_values(pattern: str, longest: int) -> None:
    usable = compiled(pattern, longest)
    began = time.process_time()
    for worst in ("a", "a.", "a@", "0", "111-", " ", "x", "ab"):
        usable.search((worst * longest)[: longest - 1] + "\n")
    assert time.process_time() - began < 4


def test_the_compiled_rules_need_neither_great_expectations_nor_pandas(root: Path) -> None:
    """Checking a message imports neither, and costs what the rules cost; planted: the import shows."""
    code = """
import sys, time
from pathlib import Path
from landbridge.settings import Settings
import landbridge.installation
began = time.process_time()
from landbridge.quality import Checker
root = Path(sys.argv[1])
settings = Settings.load(root, offline=True)
checkers = {name: Checker(rules) for name, rules in settings.quality.items()}
checkers["customer"]({"name": "Acme", "emails": [{"address": "x"}]})
if len(sys.argv) > 2:
    import pandas
print(sorted({name.partition(".")[0] for name in sys.modules} & {"great_expectations", "pandas", "numpy", "scipy"}))
"""
    run = [sys.executable, "-c", code, str(root)]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip() == "[]"
    planted = subprocess.run([*run, "planted"], capture_output=True, text=True, check=True).stdout
    assert "pandas" in planted


def test_the_shipped_rules_are_right_and_tell_people_what_to_do(root: Path, canonical: Canonical) -> None:
    shipped = {path.stem: yaml.load_file(path, root=root) for path in (root / "config" / "quality").glob("*.yaml")}
    assert set(shipped) >= {"customer", "supplier", "product", "sales_order", "inventory_level"}
    for name, node in shipped.items():
        one = read_rules(node, name, canonical)
        assert one.entity == name and len(one.rules) >= 4
        assert any(rule.batch_only for rule in one.rules), f"{name} has a rule across records"
        for rule in one.rules:
            assert rule.expectation.notes.endswith("."), rule.id
            if rule.expectation.severity == "critical":
                assert rule.expectation.hint.endswith("."), rule.id


def test_a_shipped_rule_finds_what_it_is_there_for(root: Path, canonical: Canonical) -> None:
    def told(name: str, body: dict[str, Any]) -> set[tuple[str, str]]:
        node = yaml.load_file(root / "config" / "quality" / f"{name}.yaml", root=root)
        return {
            (re.sub(r"\[\d+\]", "", one.path), one.severity) for one in Checker(read_rules(node, name, canonical))(body)
        }

    assert told("customer", {"name": " - ", "emails": [{"address": "nobody"}], "addresses": [{"role": "main"}]}) == {
        ("name", "critical"), ("emails.address", "warning"), ("addresses.country", "warning"),
    }  # fmt: skip
    assert told("customer", {"name": "Test GmbH", "credit_limit": {"amount": "-1", "currency": "EUR"}}) == {
        ("name", "warning"), ("credit_limit.amount", "critical"),
    }  # fmt: skip
    assert told("product", {"number": "P1 ", "name": "Nut", "units": [{"unit": "CT", "numerator": "0"}]}) == {
        ("number", "critical"), ("units.numerator", "critical"),
    }  # fmt: skip
    assert told("sales_order", ORDER) == set()
    wrong = ORDER | {"totals": {"net": {"amount": "9", "currency": "EUR"}}, "requested_on": "2026-01-01"}
    assert told("sales_order", wrong) == {("requested_on", "warning"), ("sum(lines[].net.amount)", "warning")}
    stock = {"available": {"value": "5", "unit": "C62"}, "on_hand": {"value": "-2", "unit": "KGM"}}
    assert told("inventory_level", stock) == {
        ("on_hand.value", "warning"), ("on_hand.unit", "critical"), ("on_hand.value", "info"),
    }  # fmt: skip
    assert told("supplier", {"name": "Acme", "lead_time_days": -1}) == {("lead_time_days", "critical")}


RULE = "  - {type: expect_column_values_to_not_be_null, column: %s}\n"


def test_settings_read_every_file_of_rules_and_tell_every_problem(tmp_path: Path) -> None:
    project = write_project(
        tmp_path,
        config__quality__orders="entity: sales_order\nexpectations:\n" + RULE % "numbr" + RULE % "lines.line_kee",
        config__quality__people="entity: custmer\nexpectations:\n" + RULE % "name",
        config__quality__empty="entity: customer\nexpectations: []\nextra: 1\n",
        config__flows__customers_to_erp=(
            "flow: customers_to_erp\nextract: {from: crm, entity: customer}\ncheck: {quality: order}\n"
            "deliver: [{to: erp, entity: customer}]\n"
        ),
    )
    (project / "config" / "quality" / "old.yml").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        Settings.load(project, registry=registry(), offline=True)
    told = [str(problem) for problem in refused.value.problems]
    for said in (
        "config/flows/customers_to_erp.yaml:3:18  check.quality: config/quality/order.yaml is not there. Did you mean",
        "config/quality/empty.yaml:2:15  expectations: List should have at least 1 item",
        "config/quality/empty.yaml:3:1  extra is not known here.",
        "config/quality/old.yml  only *.yaml is read here.",
        "config/quality/orders.yaml:3:57  'numbr' is no field of sales_order. Did you mean 'number'?",
        "config/quality/orders.yaml:4:57  'lines.line_kee' is no field of sales_order. Did you mean 'lines.line_key'?",
        "config/quality/people.yaml:1:9  'custmer' is no canonical entity. Did you mean 'customer'?",
    ):
        assert any(one.startswith(said) for one in told), (said, told)
    assert len(told) == 7


def test_a_flow_with_the_rules_of_another_entity_is_refused(tmp_path: Path) -> None:
    project = write_project(
        tmp_path,
        config__quality__orders="entity: sales_order\nexpectations:\n" + RULE % "number",
        config__flows__customers_to_erp=(
            "flow: customers_to_erp\nextract: {from: crm, entity: customer}\ncheck: {quality: orders}\n"
            "deliver: [{to: erp, entity: customer}]\n"
        ),
    )
    with pytest.raises(ConfigError, match="these are rules of sales_order, and the flow carries customer"):
        Settings.load(project, registry=registry(), offline=True)


def test_an_editors_schema_takes_what_is_shipped_and_refuses_what_is_refused(root: Path) -> None:
    import jsonschema_rs

    from landbridge.settings import schemas

    validator = jsonschema_rs.Draft202012Validator(schemas.quality())
    for path in (root / "config" / "quality").glob("*.yaml"):
        assert validator.is_valid(yaml.load_file(path).value), path
    for wrong in (
        {"type": "expect_nothing", "column": "x"},
        {"type": "expect_column_values_to_not_be_null", "colum": "x"},
    ):
        assert not validator.is_valid({"entity": "customer", "expectations": [wrong]})
