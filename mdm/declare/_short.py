"""The short forms of a declaration: `name | company | phone(country)`, `{jaro_winkler: 0.92}`, `{name: 6}`.

Each reader takes what stands in the file and gives the value it means; a ValueError says what is wrong with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

from landbridge.settings import parse_duration
from landbridge.strict import did_you_mean
from mdm.declaration import Call, Level, Rule, Test

TESTS: tuple[str, ...] = get_args(Test)
PLAIN_RULES = ("valid", "recent", "complete", "longest", "majority", "all")
RULES = (*PLAIN_RULES, "priority")

_CALL = re.compile(r"([A-Za-z_]\w*)(?:\((.*)\))?", re.ASCII | re.DOTALL)
_DAY = 86400


def split_pipe(text: str) -> tuple[str, str]:
    """A column's short form as its path and the text of its normalisers."""
    path, _, calls = text.partition("|")
    return path.strip(), calls.strip()


def calls(written: Any) -> tuple[Call, ...]:
    """Normalisers in order, out of `company | pinyin` or a list of such."""
    if isinstance(written, list | tuple):
        return tuple(one for part in written for one in calls(part))
    if not isinstance(written, str):
        raise ValueError("normalisers are written as text, such as company | pinyin")
    if not written.strip():
        raise ValueError("a normaliser is missing here; leave `normalise` out where there is none")
    return tuple(_call(part.strip()) for part in written.split("|"))


def _call(text: str) -> Call:
    found = _CALL.fullmatch(text)
    if found is None:
        said = f"'{text}' is" if text else "nothing between two | is"
        raise ValueError(f"{said} no normaliser; write a name, or name(argument, argument)")
    arguments = [part.strip() for part in (found[2] or "").split(",")] if found[2] is not None else []
    if "" in arguments and arguments != [""]:
        raise ValueError(f"'{text}' has an empty argument; remove a comma")
    return Call(found[1], tuple(part for part in arguments if part))


def level(written: Any) -> Level:
    """A level of a comparison: `exact`, or a test with its measure, `{jaro_winkler: 0.92}`."""
    if isinstance(written, Level):
        return written
    if written == "exact":
        return Level("exact")
    if isinstance(written, str):
        if written in TESTS:
            raise ValueError(f"{written} needs a measure: write {{{written}: {_EXAMPLE[written]}}}")
        raise ValueError(_not_one("a level", written, TESTS))
    name, measure = _single(written, "a level is `exact` or one test with its measure, such as {jaro_winkler: 0.92}")
    if name not in TESTS:
        raise ValueError(_not_one("a level", name, TESTS))
    if name == "exact":
        raise ValueError("exact has no measure: write exact")
    at = _number(measure, name)
    if name in _SHARES and not 0 < at < 1:
        raise ValueError(f"{name} is between 0 and 1, this is {at:g}")
    if name not in _SHARES and (at < (0 if name == "days" else 1) or at != int(at)):
        raise ValueError(f"{name} counts whole {_COUNTS[name]}, this is {at:g}")
    return Level(name, at)  # type: ignore[arg-type]  # one of TESTS, which are the words of its type


_SHARES = ("jaro_winkler", "ratio", "cosine")
_EXAMPLE = {
    "jaro_winkler": "0.92",
    "levenshtein": "1",
    "damerau_levenshtein": "1",
    "intersect": "1",
    "contains": "4",
    "days": "31",
    "ratio": "0.1",
    "cosine": "0.25",
}
_COUNTS = {
    "levenshtein": "edits",
    "damerau_levenshtein": "edits",
    "intersect": "values",
    "contains": "characters",
    "days": "days",
}


def part(written: Any) -> tuple[str, int | None]:
    """A part of a block: a column, or its first characters as `{name: 6}`."""
    if isinstance(written, tuple):
        return written
    if isinstance(written, str):
        return written, None
    name, measure = _single(written, "a part of a block is a column, or its first characters such as {name: 6}")
    length = _number(measure, name)
    if length != int(length) or not 1 <= length <= 100:
        raise ValueError(f"{name}: the first characters are 1 to 100, this is {length:g}")
    return name, int(length)


def rule(written: Any) -> Rule:
    """A link of a survivorship chain: a word, `{priority: [erp, crm]}`, or `{recent: 180d}`."""
    if isinstance(written, Rule):
        return written
    if isinstance(written, str):
        if written == "priority":
            raise ValueError("priority needs its systems, the most trusted first: write {priority: [erp, crm]}")
        if written not in PLAIN_RULES:
            raise ValueError(_not_one("a rule", written, RULES))
        return Rule(written)  # type: ignore[arg-type]  # one of PLAIN_RULES, which are words of its type
    name, measure = _single(written, "a rule is a word, {priority: [erp, crm]} or {recent: 180d}")
    if name == "priority":
        systems = [measure] if isinstance(measure, str) else measure
        if not isinstance(systems, list) or not systems or not all(isinstance(one, str) for one in systems):
            raise ValueError("priority is a list of systems, the most trusted first")
        if len(set(systems)) < len(systems):
            raise ValueError("priority names a system twice")
        return Rule("priority", systems=tuple(systems))
    if name == "recent":
        try:
            days = parse_duration(measure).total_seconds() / _DAY
        except ValueError as error:
            raise ValueError(f"recent: {error}") from None
        if days <= 0:
            raise ValueError("recent: trust cannot halve within no time")
        return Rule("recent", half_life_days=days)
    if name in PLAIN_RULES:
        raise ValueError(f"{name} takes nothing: write {name}")
    raise ValueError(_not_one("a rule", name, RULES))


def _single(written: Any, otherwise: str) -> tuple[str, Any]:
    if not isinstance(written, Mapping) or len(written) != 1:
        raise ValueError(otherwise)
    name, measure = next(iter(written.items()))
    return str(name), measure


def _number(measure: Any, name: str) -> float:
    if isinstance(measure, bool) or not isinstance(measure, int | float | Decimal) or not math.isfinite(measure):
        raise ValueError(f"{name} needs a number")
    return float(measure)


def _not_one(what: str, word: str, known: tuple[str, ...]) -> str:
    near = did_you_mean(word, known)
    return f"'{word}' is not {what}. {near or 'Known: ' + ', '.join(known) + '.'}"
