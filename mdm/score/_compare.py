"""The tests of a level in Python; on a database they are seven functions of the same names (`mdm.bulk`).

Similarities are compared with a slack of 1e-9: two libraries may differ in the last bit of a quotient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from mdm.declaration import Level

SLACK = 1e-9
Measure = Callable[[Any, Any], float]

SIGNS = {
    "jaro_winkler": (">=", "lb_jaro_winkler"),
    "levenshtein": ("<=", "lb_levenshtein"),
    "damerau_levenshtein": ("<=", "lb_damerau_levenshtein"),
    "intersect": (">=", "lb_shared"),
    "contains": (">=", "lb_contains"),
    "days": ("<=", "lb_days"),
    "ratio": ("<=", "lb_ratio"),
}
"""Per test: which way its threshold holds, and the function that measures it, in SQL as in Python."""

FAR = 1_000_000


def shared(a: Sequence[str], b: Sequence[str]) -> int:
    """How many values both hold."""
    return len(set(a).intersection(b))


def contains(a: str, b: str) -> int:
    """The length of the shorter text if the longer holds it, else 0."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    return len(short) if short in long else 0


def days(a: str, b: str) -> int:
    """Days between two ISO dates; what is no date is far away."""
    try:
        return abs((date.fromisoformat(a) - date.fromisoformat(b)).days)
    except ValueError:
        return FAR


def ratio(a: float, b: float) -> float:
    """The difference of two numbers as a share of the greater."""
    if a == b:
        return 0.0
    return abs(a - b) / max(abs(a), abs(b))


def measures() -> dict[str, Measure]:
    """Every measure by the name it has in SQL; rapidfuzz is loaded here."""
    from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler, Levenshtein

    return {
        "lb_jaro_winkler": JaroWinkler.similarity,
        "lb_levenshtein": Levenshtein.distance,
        "lb_damerau_levenshtein": DamerauLevenshtein.distance,
        "lb_shared": shared,
        "lb_contains": contains,
        "lb_days": days,
        "lb_ratio": ratio,
    }


def threshold(level: Level) -> str:
    """The number a level's measure is held against, as it stands in SQL: similarities with their slack."""
    if level.test == "jaro_winkler":
        return repr(round(level.at - SLACK, 12))
    if level.test == "ratio":
        return repr(round(level.at + SLACK, 12))
    return str(int(level.at)) if level.test != "days" else repr(float(level.at))


def held(column: str) -> str:
    """A declared column's name in SQL, which is none of SQL's own words."""
    return f"v_{column}"


def condition(level: Level, declared: str) -> str:
    """The level as SQL over the column's values `_l` and `_r`, the same on every database."""
    column = held(declared)
    if level.test == "exact":
        return f"{column}_l = {column}_r"
    sign, function = SIGNS[level.test]
    return f"{function}({column}_l, {column}_r) {sign} {threshold(level)}"


def ladder(levels: Sequence[Level], many: bool) -> Callable[[Any, Any], int]:
    """A function that gives the level of two values: len(levels) for the first that holds, 0 for none."""
    known = measures()
    top = len(levels)
    steps: list[tuple[int, str, Measure | None, float]] = []
    for at, level in enumerate(levels):
        if level.test == "exact":
            steps.append((top - at, "=", None, 0.0))
        else:
            sign, function = SIGNS[level.test]
            steps.append((top - at, sign, known[function], float(threshold(level))))
    if many and any(level.test == "exact" for level in levels):
        return lambda a, b: _climb(steps, tuple(a), tuple(b))
    if top and levels[0].test == "exact" and len({level.test for level in levels[1:]}) == 1:
        return _exact_then(top, steps[1:])
    return lambda a, b: _climb(steps, a, b)


def _climb(steps: list[tuple[int, str, Measure | None, float]], a: Any, b: Any) -> int:
    for number, sign, measure, limit in steps:
        if measure is None:
            if a == b:
                return number
        elif (measure(a, b) >= limit) if sign == ">=" else (measure(a, b) <= limit):
            return number
    return 0


def _exact_then(top: int, steps: list[tuple[int, str, Measure | None, float]]) -> Callable[[Any, Any], int]:
    """The usual ladder, exact and then one measure with several limits: measured once."""
    measure = steps[0][2]
    at_least = steps[0][1] == ">="
    limits = [(number, limit) for number, _, _, limit in steps]
    assert measure is not None

    def level(a: Any, b: Any) -> int:
        if a == b:
            return top
        found = measure(a, b)
        for number, limit in limits:
            if (found >= limit) if at_least else (found <= limit):
                return number
        return 0

    return level
