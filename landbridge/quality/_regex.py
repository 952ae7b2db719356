"""Whether a regular expression is safe: the most steps it can take on the longest value of its field is bounded.

Python's matcher goes back and tries again wherever a repeat could have ended elsewhere. The bound is the product of the
ways each repeat can end, so that a pattern whose repeats are inside of one another has none.
"""

from __future__ import annotations

import re
from re import _constants, _parser  # type: ignore[attr-defined]  # the stubs do not know the parser of `re`
from typing import Any

MOST_STEPS = 10_000_000
"""About half a second at the very worst, for one value made to hurt."""

LONGEST_VALUE = 1000
"""Taken for a field whose schema sets no length."""

_REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT}
_LOOKS = {
    getattr(_constants, name): text
    for name, text in {
        "GROUPREF": "refers back to a group",
        "GROUPREF_EXISTS": "depends on a group",
        "ASSERT": "looks around",
        "ASSERT_NOT": "looks around",
    }.items()
}


class Unsafe(Exception):
    """A pattern that cannot be used; its text says why."""


def compiled(pattern: str, longest: int | None) -> re.Pattern[str]:
    """The pattern, checked; Unsafe if it is no regular expression or may take too long on a value of this length."""
    try:
        found = re.compile(pattern)
        tree = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Unsafe(f"is no regular expression: {error}") from None
    length = longest or LONGEST_VALUE
    steps = _ways(tree, length) * (1 if _anchored(tree) else length)
    if steps > MOST_STEPS:
        raise Unsafe(f"may go back and try again more than {MOST_STEPS:,} times on a value of {length} characters")
    return found


def _ways(tree: Any, length: int) -> float:
    """In how many ways a sequence can match the beginnings of one value, at most."""
    ways = 1.0
    for code, argument in tree:
        if code in _LOOKS:
            raise Unsafe(_LOOKS[code])
        if code in _REPEATS:
            low, high, inner = argument
            ways *= _repeated(low, min(int(high), length), _ways(inner, length))
        elif code is _constants.BRANCH:
            ways *= sum(_ways(branch, length) for branch in argument[1])
        elif code is _constants.SUBPATTERN:
            ways *= _ways(argument[-1], length)
        elif code in (_constants.POSSESSIVE_REPEAT, _constants.ATOMIC_GROUP):
            _ways(argument[-1] if isinstance(argument, tuple) else argument, length)  # never goes back into it
        if ways > MOST_STEPS:
            return ways
    return ways


def _repeated(low: int, high: int, inner: float) -> float:
    if inner <= 1:
        return float(max(1, high - low + 1))
    total = 0.0
    for times in range(low, high + 1):
        total += inner**times
        if total > MOST_STEPS:
            return total
    return max(1.0, total)


def _anchored(tree: Any) -> bool:
    """Whether it can only begin where the value begins."""
    for code, argument in tree:
        return code is _constants.AT and argument in (_constants.AT_BEGINNING, _constants.AT_BEGINNING_STRING)
    return False
