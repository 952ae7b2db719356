"""The executor for single messages: the rules of a file become one function of a body, made once.

It looks at each list of the body once for all rules that look into it. It never imports great-expectations, and a
property test holds that both give the same verdict, row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from landbridge.errors import Finding
from landbridge.quality import _vocabulary as words
from landbridge.quality._columns import Scopes, rows
from landbridge.quality._findings import finding_of
from landbridge.quality._rules import Grain, Rule, Rules
from landbridge.quality._values import raw_value, typed_value

Test = Callable[[Scopes], bool]
"""True where a row does not satisfy the rule."""


class Checker:
    """The rules of one file that a single body can be held to, ready to be called; safe to share between threads."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._plan: list[tuple[Grain, tuple[tuple[Test, Rule], ...]]] = []
        by_grain: dict[Grain, list[tuple[Test, Rule]]] = {}
        for rule in rules.rules:
            if not rule.batch_only:
                by_grain.setdefault(rule.grain, []).append((test_of(rule), rule))
        self._plan = [(grain, tuple(tests)) for grain, tests in by_grain.items()]

    def __call__(self, body: dict[str, Any]) -> list[Finding]:
        """What is wrong with a body; the severity of each finding says whether that holds it up."""
        found: list[Finding] = []
        for grain, tests in self._plan:
            for positions, scopes in rows(body, grain):
                for test, rule in tests:
                    if test(scopes):
                        found.append(finding_of(rule, positions, [one.raw_of(scopes) for one in rule.columns]))
        return found

    def unexpected(self, rule: Rule, body: dict[str, Any]) -> list[tuple[int, ...]]:
        """The rows of a body that do not satisfy one rule, by their positions."""
        test = test_of(rule)
        return [positions for positions, scopes in rows(body, rule.grain) if test(scopes)]


def test_of(rule: Rule) -> Test:
    """The rule as a function of one row, its conditions in front."""
    test = _test(rule)
    if not rule.when:
        return test
    holds = conditions(rule)
    return lambda scopes: test(scopes) and holds(scopes)  # in this order: few rows break a rule


def conditions(rule: Rule) -> Callable[[Scopes], bool]:
    """Whether a row is looked at: every path holds one of its values, any element of a list that the row is not in."""

    asked = [
        (column, raw_value(column), allowed, column.grain == rule.grain[: len(column.grain)])
        for column, allowed in rule.when
    ]

    def holds(scopes: Scopes) -> bool:
        for column, value, allowed, within in asked:
            if within:
                if value(scopes) not in allowed:
                    return False
            elif not any(value(inner) in allowed for _, inner in rows(scopes[0], column.grain)):
                return False
        return True

    return holds


def _test(rule: Rule) -> Test:
    one = rule.expectation
    if isinstance(one, words.PairGreater | words.PairEqual):
        return _pair(rule, one)
    column = rule.columns[0]
    value = typed_value(column) if rule.typed else raw_value(column)
    if isinstance(one, words.NotNull):
        return lambda scopes: value(scopes) is None
    if isinstance(one, words.Null):
        return lambda scopes: value(scopes) is not None
    if isinstance(one, words.InSet):
        allowed = rule.values or frozenset()
        return lambda scopes: (found := value(scopes)) is not None and found not in allowed
    if isinstance(one, words.NotInSet):
        refused = rule.values or frozenset()
        return lambda scopes: (found := value(scopes)) is not None and found in refused
    if isinstance(one, words.MatchRegex | words.NotMatchRegex):
        return _regex(rule, value, wanted=isinstance(one, words.MatchRegex))
    if isinstance(one, words.Between):
        return _between(rule, value, strict_min=one.strict_min, strict_max=one.strict_max)
    if isinstance(one, words.LengthsBetween):
        lengths = _between(rule, lambda found: found, strict_min=one.strict_min, strict_max=one.strict_max)
        return lambda scopes: (found := value(scopes)) is not None and lengths(len(str(found)))  # type: ignore[arg-type]  # a length in place of a row
    if isinstance(one, words.OfType):
        wanted = {"str": str, "int": int, "bool": bool}[one.type_]
        return lambda scopes: (found := value(scopes)) is not None and not isinstance(found, wanted)
    if isinstance(one, words.StrftimeFormat):
        return _strftime(one.strftime_format, value)
    raise TypeError(f"{one.type} has no test of its own")  # a test holds that every one has


def _regex(rule: Rule, value: Callable[[Scopes], Any], *, wanted: bool) -> Test:
    assert rule.pattern is not None
    search = rule.pattern.search

    def test(scopes: Scopes) -> bool:
        found = value(scopes)
        return found is not None and (search(found if type(found) is str else str(found)) is None) is wanted

    return test


def _between(rule: Rule, value: Callable[[Any], Any], *, strict_min: bool, strict_max: bool) -> Test:
    low, high = rule.bounds

    def test(scopes: Scopes) -> bool:
        found = value(scopes)
        if found is None:
            return False
        if low is not None and not (found > low if strict_min else found >= low):
            return True
        return high is not None and not (found < high if strict_max else found <= high)

    return test


def _strftime(form: str, value: Callable[[Scopes], Any]) -> Test:
    def test(scopes: Scopes) -> bool:
        found = value(scopes)
        if found is None:
            return False
        try:
            datetime.strptime(found, form)  # noqa: DTZ007 - asked whether it can be read; nothing is made of it
        except (TypeError, ValueError):
            return True
        return False

    return test


def _pair(rule: Rule, one: words.PairGreater | words.PairEqual) -> Test:
    first, second = (typed_value(column) for column in rule.columns)
    either = one.ignore_row_if == "either_value_is_missing"
    equal = isinstance(one, words.PairEqual)
    or_equal = isinstance(one, words.PairGreater) and one.or_equal

    def test(scopes: Scopes) -> bool:
        a, b = first(scopes), second(scopes)
        if a is None or b is None:
            return not either and not (a is None and b is None)
        if equal:
            return bool(a != b)
        return not (a >= b if or_equal else a > b)

    return test
