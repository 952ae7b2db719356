"""What is told of a row that does not satisfy a rule: for people, and never a personal value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from landbridge.errors import Finding
from landbridge.quality import _vocabulary as words
from landbridge.quality._columns import Column, place
from landbridge.quality._rules import Rule


def finding_of(rule: Rule, positions: tuple[int, ...], values: Sequence[Any]) -> Finding:
    """What is told of one row: where, what is wrong with it, and what to do now."""
    column = next((one for one in rule.columns if one.grain == rule.grain), rule.columns[0])
    severity = rule.expectation.severity
    if severity == "critical" and rule.mostly < 1:
        severity = "warning"  # a share cannot be broken by one message: the gate decides
    said = _said(rule, [_shown(one, value) for one, value in zip(rule.columns, values, strict=True)])
    notes = rule.expectation.notes
    text = f"{said}: {notes.rstrip('.')}" if notes else said
    return Finding(place(column, positions), rule.id, text, rule.expectation.hint, rule.where, severity)


def _shown(column: Column, value: Any) -> str:
    """A value as findings may show it: personal ones are masked."""
    if value is None:
        return "nothing"
    if (column.inner or column).personal:
        return "***"
    text = str(value)
    if column.type == "reference" and text.count("|") >= 3:
        system, _, entity, id_ = text.split("|", 3)
        text = f"{system} {entity} {id_}"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _said(rule: Rule, shown: Sequence[str]) -> str:
    one = rule.expectation
    first = shown[0] if shown else ""
    if isinstance(one, words.NotNull):
        return "is missing"
    if isinstance(one, words.Null):
        return f"{first} stands where nothing belongs"
    if isinstance(one, words.InSet):
        if rule.known:
            return f"{first} is no {rule.known} that is known here"
        return f"{first} is none of {_listed(rule.values)}"
    if isinstance(one, words.NotInSet):
        return f"{first} is one of {_listed(rule.values)}"
    if isinstance(one, words.MatchRegex | words.NotMatchRegex):
        return f"{first} {'does not match' if isinstance(one, words.MatchRegex) else 'matches'} {one.regex}"
    if isinstance(one, words.Between):
        return f"{first} is not {_range(one)}"
    if isinstance(one, words.LengthsBetween):
        return f"the length of {first} is not {_range(one)}"
    if isinstance(one, words.OfType):
        return f"{first} is no {one.type_}"
    if isinstance(one, words.StrftimeFormat):
        return f"{first} is not written as {one.strftime_format}"
    if isinstance(one, words.PairGreater):
        than = "at least" if one.or_equal else "greater than"
        return f"{rule.columns[0].path} ({first}) is not {than} {rule.columns[1].path} ({shown[1]})"
    if isinstance(one, words.PairEqual):
        return f"{rule.columns[0].path} ({first}) is not {rule.columns[1].path} ({shown[1]})"
    if isinstance(one, words.Unique | words.CompoundUnique):
        return f"{', '.join(shown)} stands more than once in the batch"
    return f"the batch does not have {_range(one)} records"


def _listed(values: frozenset[Any] | None) -> str:
    texts = sorted(str(value) for value in values or ())
    return ", ".join(texts[:8]) + (" …" if len(texts) > 8 else "")


def _range(one: Any) -> str:
    low, high = one.min_value, one.max_value
    least = [] if low is None else [f"{'above' if one.strict_min else 'at least'} {low}"]
    most = [] if high is None else [f"{'below' if one.strict_max else 'at most'} {high}"]
    return " and ".join(least + most)
