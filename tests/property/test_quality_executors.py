"""Both executors of quality rules give the same verdict: what is compiled, and great-expectations, row by row.

The bodies are random and nasty: nulls, missing, empty, blank and unicode texts, exact decimals of many digits, booleans
where numbers belong, numbers where texts belong, dates that are none. `QUALITY_SEED` and `QUALITY_ROUNDS` replay or
widen a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from landbridge.canonical import Canonical
from landbridge.quality import PER_ROW, Checker, Rules, read_rules
from landbridge.quality import _compiled as compiled
from landbridge.strict import yaml

pytest.importorskip("great_expectations", reason="needs the extra `quality`")

from landbridge.gate._frames import frames
from landbridge.gate._judge import Judge

SEED = int(os.environ.get("QUALITY_SEED", random.SystemRandom().randrange(10**6)))
ROUNDS = int(os.environ.get("QUALITY_ROUNDS", "3"))
BODIES = 400

TEXTS = [
    "", " ", "a", "A", "abc", "ABC", "ab\n", "007", "-1", "EUR", "USD", "eur", "上海", "ß", "é", "e\u0301", "😀", "a b",
    "x" * 70, "None", "nan", "NaN", "<NA>", "null", "True", "\t", "a\x00b", "1e5", "٣",
]  # fmt: skip
NUMBERS = [
    "0", "0.0", "-0", "0.1", "0.10", "0.3", "1", "1.0", "10", "-1", "100", "99.999999999999999999", "100.0000000000001",
    "123456789012345678901234567890", "0.1000000000000000055511151231257827", "NaN", "Infinity", "1_0", "abc", "",
]  # fmt: skip
DATES = ["2026-01-01", "2026-01-02", "2025-12-31", "1999-12-31", "2026-02-30", "", "2026-1-1", "today", "9999-12-31"]
INSTANTS = ["2026-01-01T00:00:00Z", "2025-12-31T23:30:00-01:00", "2026-01-02T00:30:00+08:00", "2026-01-01", "x"]
ODD = [True, False, 0, 1, 7, -1, 10**30, Decimal("1.5"), [], {}, ["a"], {"a": 1}]

RULES = r"""
entity: sales_order
expectations:
  - {type: expect_column_values_to_not_be_null, column: currency}
  - {type: expect_column_values_to_not_be_null, column: "lines[].price.amount"}
  - {type: expect_column_values_to_not_be_null, column: "lines[].product.ref"}
  - {type: expect_column_values_to_not_be_null, column: terms}
  - {type: expect_column_values_to_be_null, column: cancel_reason}
  - {type: expect_column_values_to_be_null, column: "lines[].batch"}
  - {type: expect_column_values_to_be_in_set, column: currency, value_set: [EUR, USD, "", "1"]}
  - {type: expect_column_values_to_be_in_set, column: "lines[].price.amount", value_set: [0, 0.1, 1, 100]}
  - {type: expect_column_values_to_be_in_set, column: terms.partial_delivery, value_set: [true]}
  - {type: expect_column_values_to_be_in_set, column: terms.payment_days, value_set: [0, 1, 7]}
  - {type: expect_column_values_to_not_be_in_set, column: number, value_set: [abc, "007", 上海]}
  - {type: expect_column_values_to_not_be_in_set, column: "lines[].price.amount", value_set: [0.3]}
  - {type: expect_column_values_to_match_regex, column: number, regex: '^[A-Z]+$'}
  - {type: expect_column_values_to_match_regex, column: seller, regex: '\w'}
  - {type: expect_column_values_to_match_regex, column: "lines[].description", regex: '^.{1,3}$'}
  - {type: expect_column_values_to_match_regex, column: "lines[].price.amount", regex: '^[0-9]'}
  - {type: expect_column_values_to_not_match_regex, column: number, regex: '\d'}
  - {type: expect_column_values_to_not_match_regex, column: site, regex: '(?i)^(a|x)'}
  - {type: expect_column_values_to_be_between, column: "lines[].price.amount", min_value: 0.1}
  - {type: expect_column_values_to_be_between, column: "lines[].price.amount", min_value: 0.1, max_value: 100,
     strict_min: true, strict_max: true, name: b1}
  - {type: expect_column_values_to_be_between, column: "lines[].quantities.ordered.value",
     max_value: 99.9999999999, strict_max: true}
  - {type: expect_column_values_to_be_between, column: terms.payment_days, min_value: 0, max_value: 7,
     strict_max: true}
  - {type: expect_column_values_to_be_between, column: ordered_on, min_value: "2026-01-01"}
  - {type: expect_column_values_to_be_between, column: requested_on, max_value: "2026-01-01", strict_max: true}
  - {type: expect_column_values_to_be_between, column: changed_at, min_value: "2026-01-01", max_value: "2026-01-01"}
  - {type: expect_column_values_to_be_between, column: "count(lines[])", min_value: 1, max_value: 2}
  - {type: expect_column_values_to_be_between, column: "sum(lines[].price.amount)", min_value: 0}
  - {type: expect_column_value_lengths_to_be_between, column: number, min_value: 1, max_value: 3}
  - {type: expect_column_value_lengths_to_be_between, column: "lines[].description", max_value: 3, strict_max: true}
  - {type: expect_column_value_lengths_to_be_between, column: site, min_value: 3, strict_min: true}
  - {type: expect_column_values_to_be_of_type, column: number, type_: str}
  - {type: expect_column_values_to_be_of_type, column: terms.payment_days, type_: int}
  - {type: expect_column_values_to_be_of_type, column: terms.partial_delivery, type_: bool}
  - {type: expect_column_values_to_match_strftime_format, column: ordered_on, strftime_format: "%Y-%m-%d"}
  - {type: expect_column_pair_values_a_to_be_greater_than_b, column_A: requested_on, column_B: ordered_on}
  - {type: expect_column_pair_values_a_to_be_greater_than_b, column_A: requested_on, column_B: ordered_on,
     or_equal: true, name: g1}
  - {type: expect_column_pair_values_a_to_be_greater_than_b, column_A: "lines[].price.amount",
     column_B: "lines[].quantities.ordered.value", ignore_row_if: both_values_are_missing}
  - {type: expect_column_pair_values_a_to_be_greater_than_b, column_A: number, column_B: seller}
  - {type: expect_column_pair_values_to_be_equal, column_A: "lines[].price.amount",
     column_B: "lines[].quantities.ordered.value"}
  - {type: expect_column_pair_values_to_be_equal, column_A: number, column_B: seller,
     ignore_row_if: both_values_are_missing}
  - {type: expect_column_pair_values_to_be_equal, column_A: "lines[].description", column_B: site}
  - {type: expect_column_pair_values_to_be_equal, column_A: "sum(lines[].price.amount)", column_B: totals.net.amount}
  - {type: expect_column_values_to_not_be_null, column: seller, when: {currency: [EUR, null]}, name: w1}
  - {type: expect_column_values_to_not_be_null, column: "lines[].description",
     when: {lines.price.amount: ["1", "0.1", null], seller: [a, abc, "", null]}, name: w2}
  - {type: expect_column_values_to_not_be_null, column: site, when: {lines.description: [abc, a, null]}, name: w3}
  - {type: expect_column_values_to_be_between, column: "lines[].schedules[].requested.value", min_value: 1,
     when: {lines.description: [abc, a, null]}}
"""


def body(dice: random.Random) -> dict[str, Any]:
    """A body as a mapping might make one, before any schema looked at it."""

    def of(*pools: list[Any]) -> Any:
        pool = ODD if dice.random() < 0.08 else dice.choice(pools)
        return None if dice.random() < 0.15 else dice.choice(pool)

    def record(**fields: Callable[[], Any]) -> Any:
        made = {name: make() for name, make in fields.items() if dice.random() < 0.9}
        return dice.choice([made] * 12 + [None, "text", [made]])

    def line() -> Any:
        return record(
            description=lambda: of(TEXTS),
            batch=lambda: of(TEXTS),
            price=lambda: record(amount=lambda: of(NUMBERS)),
            quantities=lambda: record(ordered=lambda: record(value=lambda: of(NUMBERS))),
            product=lambda: record(ref=lambda: record(system=lambda: "crm", id=lambda: of(TEXTS))),
            schedules=lambda: [
                record(requested=lambda: record(value=lambda: of(NUMBERS))) for _ in range(dice.randrange(3))
            ],
        )

    made = record(
        number=lambda: of(TEXTS),
        seller=lambda: of(TEXTS),
        site=lambda: of(TEXTS),
        currency=lambda: of(TEXTS),
        cancel_reason=lambda: of(TEXTS),
        ordered_on=lambda: of(DATES),
        requested_on=lambda: of(DATES),
        changed_at=lambda: of(INSTANTS),
        terms=lambda: record(payment_days=lambda: of([0, 1, 6, 7, 365]), partial_delivery=lambda: of([True, False])),
        lines=lambda: dice.choice([[line() for _ in range(dice.randrange(4))], None, "none"]),
        totals=lambda: record(net=lambda: record(amount=lambda: of(NUMBERS))),
    )
    return made if isinstance(made, dict) else {}


@pytest.fixture(scope="module")
def rules(root: Path) -> Rules:
    """Every expectation for a row, in several forms."""
    found = read_rules(yaml.load(RULES, file="rules.yaml"), "rules", Canonical.load(root / "schemas" / "canonical"))
    assert {type(rule.expectation) for rule in found.rules} == set(PER_ROW)
    return found


@pytest.fixture(scope="module")
def judge() -> Judge:
    """great-expectations, imported once."""
    return Judge()


Rows = set[tuple[int, tuple[int, ...]]]


def of_great_expectations(judge: Judge, rules: Rules, bodies: list[dict[str, Any]]) -> dict[str, Rows]:
    """The unexpected rows of every rule, as great-expectations sees them."""
    found: dict[str, Rows] = {}
    for frame in frames(rules):
        for number, one in enumerate(bodies):
            frame.add(number, str(number), one)
        for said in judge.ask(frame):
            found[said.rule.id] = {(frame.owners[at][0], frame.owners[at][2]) for at in said.wrong}
    return found


def of_the_compiled(rules: Rules, bodies: list[dict[str, Any]]) -> dict[str, Rows]:
    """The same as the compiled rules see them."""
    checker = Checker(rules)
    return {
        rule.id: {(number, at) for number, one in enumerate(bodies) for at in checker.unexpected(rule, one)}
        for rule in rules.rules
    }


def differences(one: dict[str, Rows], other: dict[str, Rows], bodies: list[dict[str, Any]]) -> list[str]:
    """Where two verdicts differ: rule, row and body."""
    return [
        f"{rule}: row {row} of {bodies[number]}: only {'the first' if (number, row) in one[rule] else 'the second'}"
        for rule in one
        for number, row in sorted(one[rule] ^ other[rule])
    ]


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_both_executors_give_the_same_verdict_row_by_row(judge: Judge, rules: Rules, round_: int) -> None:
    seed = SEED + round_
    print(f"QUALITY_SEED={seed}")  # noqa: T201 - replays this very run
    dice = random.Random(seed)
    bodies = [body(dice) for _ in range(BODIES)]
    theirs, ours = of_great_expectations(judge, rules, bodies), of_the_compiled(rules, bodies)
    told = differences(theirs, ours, bodies)
    assert not told, f"QUALITY_SEED={seed}: {len(told)} differences\n" + "\n".join(told[:10])


def test_the_random_bodies_break_every_rule_and_satisfy_every_rule(rules: Rules) -> None:
    dice = random.Random(1)
    bodies = [body(dice) for _ in range(1500)]
    broken = of_the_compiled(rules, bodies)
    assert not [rule for rule, wrong in broken.items() if not 5 < len(wrong) < 1495]


@pytest.mark.parametrize("spoiled", ["_between", "_regex", "_pair", "_strftime"])
def test_a_difference_between_the_executors_is_seen(
    judge: Judge, rules: Rules, spoiled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the compiled twin forgets what strict means, finds everything, or takes a missing value for wrong."""
    genuine = getattr(compiled, spoiled)

    def wrong(rule: Any, *arguments: Any, **named: Any) -> Any:
        if spoiled == "_between" and named.get("strict_min"):
            named["strict_min"] = False
        if spoiled == "_pair":
            return genuine(rule, replace_first(arguments[0]))
        test = genuine(rule, *arguments, **named)
        return (lambda scopes: False) if spoiled in ("_regex", "_strftime") else test

    def replace_first(one: Any) -> Any:
        return one.model_copy(update={"ignore_row_if": "both_values_are_missing"})

    monkeypatch.setattr(compiled, spoiled, wrong)
    dice = random.Random(7)
    bodies = [body(dice) for _ in range(120)]
    assert differences(of_great_expectations(judge, rules, bodies), of_the_compiled(rules, bodies), bodies)


def test_decimals_are_exact_in_both(judge: Judge, rules: Rules) -> None:
    """0.1 as floating point is more than 0.1: a bound means what was written."""
    bodies = [{"lines": [{"price": {"amount": amount}}]} for amount in ("0.1", "0.0999999999999999999999", "0.10")]
    rule = next(one for one in rules.rules if one.id == "column_values_to_be_between lines[].price.amount")
    only = replace(rules, rules=(rule,))
    assert of_great_expectations(judge, only, bodies)[rule.id] == {(1, (0,))}
    assert of_the_compiled(only, bodies)[rule.id] == {(1, (0,))}
