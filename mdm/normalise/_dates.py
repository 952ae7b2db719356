"""Dates of birth, foundation and the like: ISO, or nothing."""

from __future__ import annotations

import re
from datetime import date

from mdm.normalise._registry import normaliser
from mdm.normalise._text import plain

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?(?:[t ].*)?")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*([-./])\s*(\d{1,2})\s*\2\s*(\d{4})")


@normaliser(
    "date",
    ("2020-03-01T10:00:00Z", "2020-03-01"),
    ("1.3.2020", "2020-03-01"),
    ("2020年3月1日", "2020-03-01"),
    ("20200301", "2020-03-01"),
    ("03/04/2020", None),
    ("1900-01-01", None),
    arguments=("order",),
)
def iso_date(value: str, order: str | None = None) -> str | None:
    """A date as YYYY-MM-DD; 03/04/2020 needs the argument dmy or mdy, and 1900-01-01 and the like say nothing."""
    value = plain(value)
    if found := _YEAR_FIRST.fullmatch(value) or _PACKED.fullmatch(value):
        return _date(found[1], found[2], found[3])
    if found := _YEAR_LAST.fullmatch(value):
        one, two = found[1], found[3]
        if int(one) > 12 or found[2] == "." or order == "dmy":
            return _date(found[4], two, one)
        if int(two) > 12 or order == "mdy" or one == two:
            return _date(found[4], one, two)
    return None


def _date(year: str, month: str, day: str) -> str | None:
    if (year, int(month), int(day)) in (("1900", 1, 1), ("1970", 1, 1), ("9999", 12, 31), ("1800", 1, 1)):
        return None
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
