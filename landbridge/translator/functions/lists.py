"""Functions on lists."""

from __future__ import annotations

from typing import Any

from landbridge.translator._registry import Example, function
from landbridge.translator._values import Refused, show

E = Example


@function(
    "split",
    returns="list",
    examples=(E('split(";")', "a; b;c", ["a", "b", "c"]), E('split(";")', "", [])),
)
def split(value: str, separator: str) -> list[str]:
    """The parts of a text between separators, without blanks around them; empty parts are left out."""
    return [part for part in (piece.strip() for piece in value.split(separator)) if part]


@function("join", takes="list", examples=(E('join(";")', ["a", "b"], "a;b"), E('join(";")', ["a", None], "a")))
def join(value: list[Any], separator: str) -> str:
    """The texts of a list as one; null and empty ones are passed over."""
    parts = [part for part in value if part not in (None, "")]
    for part in parts:
        if type(part) is not str:
            raise Refused(f"join needs texts, an element is {show(part)}", "", "type")
    return separator.join(parts)


@function("at", takes="list", returns="any", examples=(E("at(0)", ["a", "b"], "a"), E("at(5)", ["a"], None)))
def at(value: list[Any], index: int) -> Any:
    """The element at that place, counted from 0 (-1 is the last); null if there is none."""
    return value[index] if -len(value) <= index < len(value) else None


@function("count", takes="list", returns="number", examples=(E("count", ["a", "b"], 2),))
def count(value: list[Any]) -> int:
    """How many elements there are."""
    return len(value)


@function("unique", takes="list", returns="list", examples=(E("unique", ["b", "a", "b"], ["b", "a"]),))
def unique(value: list[Any]) -> list[Any]:
    """The elements without repetitions, in their order."""
    found: list[Any] = []
    for one in value:
        if not any(one == kept and type(one) is type(kept) for kept in found):
            found.append(one)
    return found


@function("as_list", takes="any", returns="list", examples=(E("as_list", "a", ["a"]), E("as_list", ["a"], ["a"])))
def as_list(value: Any) -> list[Any]:
    """The value as a list of one; a list stays as it is."""
    return value if isinstance(value, list) else [value]


@function(
    "field",
    takes="record",
    returns="any",
    examples=(E("field(zh)", {"zh": "北京"}, "北京"), E("field(en)", {"zh": "北京"}, None)),
)
def field(value: dict[str, Any], name: str) -> Any:
    """The field of a record by name; null if it has none."""
    return value.get(name)
