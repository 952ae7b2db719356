"""Salesforce record ids: 15 case-sensitive characters, or 18 that survive a spreadsheet."""

from __future__ import annotations

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?\Z")


def make_id(prefix: str, pod: str, number: int) -> str:
    """The 18-character id of the nth record of an object; ids sort in the order of their numbers."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return long_id(f"{prefix}{pod}0{digits.rjust(9, '0')}")


def long_id(short: str) -> str:
    """The 18-character form of 15 characters: three check letters say which of them are upper case."""
    tail = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, char in enumerate(short[start : start + 5]) if "A" <= char <= "Z")
        tail += _CHECK[bits]
    return short + tail


def read_id(text: str) -> str | None:
    """The 18-character form of either spelling, or None if it is no id."""
    if not _SHAPE.match(text):
        return None
    if len(text) == 15:
        return long_id(text)
    wanted = [_CHECK.find(char) for char in text[15:].upper()]
    if -1 in wanted:
        return None
    # the check letters restore the case of the first fifteen, which a spreadsheet may have lost
    chars = []
    for place, char in enumerate(text[:15]):
        upper = wanted[place // 5] >> (place % 5) & 1
        chars.append(char.upper() if upper else char.lower())
    return "".join(chars) + text[15:].upper()
