"""What an unquoted word in YAML means: YAML 1.2 core without its surprises.

`true`, `false`, `null`, `~`, nothing, decimal integers and decimal fractions have a meaning; all else is the text that
stands there: `NO`, `on`, `01067`, `0x1F`, `1_000`, `12:30`, `2026-11-21`, `+49301234567`. What two readers would read
differently and neither reading is safe (`1e5`, `.inf`) is refused, so that quotes decide.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
STARTS = frozenset("-.0123456789")
MAX_DIGITS = 100  # int() and Decimal() stay cheap, and no business number is longer

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_FRACTION = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_UNCLEAR = re.compile(
    r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    re.ASCII,
)


class Unclear(Exception):
    """An unquoted word that some readers take for a number and some for a text."""


def resolve(text: str) -> Any:
    """The value of an unquoted word; raises Unclear where only quotes can decide."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in STARTS:
        return text
    if len(text) > MAX_DIGITS:
        if _UNCLEAR.fullmatch(text):
            raise Unclear(f"has more than {MAX_DIGITS} digits")
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return Decimal(text)
    if _UNCLEAR.fullmatch(text):
        raise Unclear("may be a number or a text")
    return text
