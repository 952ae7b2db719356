"""What both twins call for the rarer forms, so that there is one truth about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from landbridge.translator._paths import Path, walk
from landbridge.translator._tables import Decisions
from landbridge.translator._values import MISSING, Refused, decimal_text, kind_of, show, to_decimal


def as_text(value: Any) -> str:
    """A scalar as it stands in a text."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        raise Refused(f"{kind_of(value)} cannot stand in a text", "", "type")
    return decimal_text(to_decimal(value))


def join_parts(separator: str, values: tuple[Any, ...]) -> Any:
    """Texts joined; lists are taken apart; null if nothing is left, missing if nothing was there."""
    if all(value is MISSING for value in values):
        return MISSING
    texts = [
        as_text(text) for value in values for text in (value if isinstance(value, list) else [value]) if given(text)
    ]
    return separator.join(texts) if texts else None


def given(value: Any) -> bool:
    """Whether there is something: not missing, not null, not empty text."""
    return value is not MISSING and value is not None and value != ""


def identifier(value: Any) -> str:
    """An id as text: systems number, we compare."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise Refused(f"an id is a text or a whole number, this is {show(value)}", "", "type")


def listed(value: Any) -> list[Any]:
    """The list, or Refused."""
    if type(value) is not list:
        raise Refused(
            f"each needs a list, this is {show(value)}", "Add | as_list if one record may stand for a list.", "type"
        )
    return value


def flattened(value: Any) -> list[Any]:
    """A list of lists as one list; null ones are passed over."""
    return [one for inner in listed(value) if inner is not None for one in listed(inner)]


def grouped(value: Any, by: Path) -> list[dict[str, Any]]:
    """The elements as groups {key, rows}; those without the field make a group with key null."""
    groups: dict[Any, dict[str, Any]] = {}
    for one in listed(value):
        if one is None:
            continue
        key = walk(one, by.steps)
        key = None if key is MISSING else key
        if isinstance(key, (list, dict)):
            raise Refused(f"{by} is {kind_of(key)}, a group needs a text or a number", "", "type")
        groups.setdefault((type(key), key), {"key": key, "rows": []})["rows"].append(one)
    return list(groups.values())


def equal(value: Any, word: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    return bool(value == word) and (type(value) is bool) == (type(word) is bool)


def among(value: Any, words: tuple[Any, ...]) -> bool:
    """Whether the value is one of the words."""
    return any(equal(value, word) for word in words)


def empty(value: Any) -> bool:
    """Whether nothing is in it."""
    return value is MISSING or value is None or value == "" or value == [] or value == {}


def compare(value: Any, operator: str, word: Any) -> bool:
    """A comparison of a condition; null and missing are never greater, less, or a part of something."""
    if value is MISSING or value is None:
        return False
    if operator in ("starts", "ends", "contains"):
        return _within(value, operator, word)
    if isinstance(value, (list, dict)):
        raise Refused(f"{kind_of(value)} cannot be compared", "", "type")
    if isinstance(word, str):
        if type(value) is not str:
            raise Refused(f"{show(value)} cannot be compared with the text '{word}'", "", "type")
        left: Any = value
        right: Any = word
    else:
        left, right = to_decimal(value), Decimal(word)
    if operator == "gt":
        return bool(left > right)
    if operator == "ge":
        return bool(left >= right)
    return bool(left < right) if operator == "lt" else bool(left <= right)


def _within(value: Any, operator: str, word: Any) -> bool:
    if operator == "contains" and isinstance(value, list):
        return among(word, tuple(value))
    if type(value) is not str or not isinstance(word, str):
        raise Refused(f"{show(value)} cannot be searched for {show(word)}", "", "type")
    if operator == "starts":
        return value.startswith(word)
    return value.endswith(word) if operator == "ends" else word in value


def decider(table: Decisions, names: tuple[str, ...], take: str) -> Callable[..., Any]:
    """The decision table as a function of its inputs in this order; recent decisions are kept."""

    @lru_cache(2048, typed=True)
    def decide(*values: Any) -> Mapping[str, Any]:
        return table.decide(dict(zip(names, values, strict=True)))

    if take:
        return lambda *values: decide(*values)[take]
    return lambda *values: dict(decide(*values))
