"""What kind of value stands in a native field, texts that hold numbers and dates included."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?", re.ASCII)
_ODATA = re.compile(r"/Date\(-?\d+([+-]\d+)?\)/", re.ASCII)
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")


def kind_of(value: Any) -> str:
    """One of: null, boolean, integer, decimal, date, instant, text, empty, record, list."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, (float, Decimal)):
        return "decimal"
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "record"
    return _text(str(value))


def _text(text: str) -> str:
    if not text.strip():
        return "empty"
    if _DATE.fullmatch(text):
        return "date"
    if _INSTANT.fullmatch(text) or _ODATA.fullmatch(text):
        return "instant"
    if _DECIMAL.fullmatch(text) and not (len(text) > 1 and text[0] == "0" and text[1] != "."):
        return "decimal" if "." in text else "integer"  # 01067 is a code, no number
    return "text"


def shape_of(value: Any) -> str:
    """The form of a value without its content: `AB-1234` is `aa-9999`; at most 30 signs."""
    return _DIGIT.sub("9", _LETTER.sub("a", str(value)[:30]))
