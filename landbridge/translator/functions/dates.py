"""Functions on dates and instants: a business date has no zone, an instant always has an offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from landbridge.translator._registry import Example, function
from landbridge.translator._values import Refused, show

E = Example
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EPOCH = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/", re.ASCII)
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$", re.ASCII)
_START = datetime(1970, 1, 1, tzinfo=UTC)


def zone_of(name: str) -> tzinfo:
    """The time zone of that IANA name."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused(f"'{name}' is no time zone", "Write an IANA name such as Europe/Berlin.", "zone") from error


def moment(value: Any) -> datetime:
    """The date and time that a text writes, with or without an offset."""
    if type(value) is not str:
        raise Refused(f"an instant is written as text, this is {show(value)}", "", "type")
    found = _EPOCH.fullmatch(value)
    try:
        if found:
            instant = _START + timedelta(milliseconds=int(found[1]))
            return instant if found[2] else instant.replace(tzinfo=None)
        return datetime.fromisoformat(_OFFSET.sub(r"\1:\2", value))
    except (ValueError, OverflowError) as error:
        raise Refused(f"{show(value)} is no date and time", "Write 2026-11-21T10:00:00Z.", "date") from error


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Refused(f"{show(value)} is no date", "Write 2026-11-21.", "date") from error


@function(
    "date",
    remember=True,
    examples=(
        E("date", "2026-11-21", "2026-11-21"),
        E("date(zone=UTC)", "2026-11-21T23:30:00Z", "2026-11-21"),
        E("date(zone=Europe/Berlin)", "2026-11-21T23:30:00Z", "2026-11-22"),
        E("date", "/Date(1795219200000)/", "2026-11-21"),
        E("date", "2026-11-21T23:30:00Z", Refused),
        E("date", "2026-02-30", Refused),
    ),
)
def business_date(value: str, zone: str = "") -> str:
    """The business date; of an instant only with the zone in which its day is meant."""
    if _DATE.fullmatch(value):
        return _day(value).isoformat()
    found = moment(value)
    if found.tzinfo is None:
        if found.time() == datetime.min.time():
            return found.date().isoformat()
        raise Refused(f"{show(value)} is a time without zone, no date", "Use instant(zone=…) first.", "zone")
    if not zone:
        raise Refused(f"{show(value)} is an instant; its day depends on the zone", "Write date(zone=…).", "zone")
    return found.astimezone(zone_of(zone)).date().isoformat()


@function(
    "instant",
    remember=True,
    examples=(
        E("instant", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
        E("instant", "2026-11-21T10:00:00.000+0000", "2026-11-21T10:00:00Z"),
        E("instant", "2026-11-21T10:00:00+08:00", "2026-11-21T02:00:00Z"),
        E("instant(zone=Asia/Shanghai)", "2026-11-21 10:00:00", "2026-11-21T02:00:00Z"),
        E("instant(zone=UTC)", "/Date(1795255200000)/", "2026-11-21T10:00:00Z"),
        E("instant", "2026-11-21 10:00:00", Refused),
    ),
)
def instant(value: str, zone: str = "") -> str:
    """The instant in UTC, RFC 3339; a text without offset needs the zone it was written in."""
    found = moment(value)
    if found.tzinfo is None:
        if not zone:
            raise Refused(f"{show(value)} has no offset", "Say in which zone it is written: instant(zone=…).", "zone")
        found = found.replace(tzinfo=zone_of(zone))
    return _rfc3339(found.astimezone(UTC))


@function("now", takes="any", context=True)
def now(value: Any, context: Any) -> str:
    """The instant of the translation, whatever stands before the pipe: for records that carry no time of their own."""
    return _rfc3339(context.now.astimezone(UTC))


def _rfc3339(value: datetime) -> str:
    spec = "microseconds" if value.microsecond % 1000 else "milliseconds" if value.microsecond else "seconds"
    return value.isoformat(timespec=spec).replace("+00:00", "Z")


_PARTS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
_PART = re.compile("YYYY|MM|DD|hh|mm|ss")


def _pattern(text: str) -> str:
    return _PART.sub(lambda match: _PARTS[match[0]], text.replace("%", "%%"))


@function(
    "date_as",
    remember=True,
    examples=(E("date_as(YYYYMMDD)", "2026-11-21", "20261121"), E("date_as(DD.MM.YYYY)", "2026-11-21", "21.11.2026")),
)
def date_as(value: str, pattern: str) -> str:
    """The business date written another way; YYYY, MM and DD stand for its parts."""
    return _day(value).strftime(_pattern(pattern))


@function(
    "date_from",
    remember=True,
    examples=(E("date_from(DD.MM.YYYY)", "21.11.2026", "2026-11-21"), E("date_from(YYYYMMDD)", "20261332", Refused)),
)
def date_from(value: str, pattern: str) -> str:
    """The business date read from another way of writing it."""
    try:
        return datetime.strptime(value, _pattern(pattern)).date().isoformat()  # noqa: DTZ007  # a date has no zone
    except ValueError as error:
        raise Refused(f"{show(value)} is not written as {pattern}", "", "date") from error


@function(
    "instant_as",
    remember=True,
    examples=(
        E("instant_as(YYYYMMDDhhmmss, zone=Europe/Berlin)", "2026-11-21T10:00:00Z", "20261121110000"),
        E('instant_as("YYYY-MM-DD hh:mm:ss", zone=UTC)', "2026-11-21T10:00:00Z", "2026-11-21 10:00:00"),
    ),
)
def instant_as(value: str, pattern: str, zone: str) -> str:
    """The instant written another way, as clocks of the given zone show it."""
    found = moment(value)
    if found.tzinfo is None:
        raise Refused(f"{show(value)} has no offset", "Use instant(zone=…) first.", "zone")
    return found.astimezone(zone_of(zone)).strftime(_pattern(pattern))


@function("odata_date", remember=True, examples=(E("odata_date", "2026-11-21", "/Date(1795219200000)/"),))
def odata_date(value: str) -> str:
    """The business date in OData V2 JSON: milliseconds of its midnight, of which only the day counts."""
    day = _day(value)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return f"/Date({(midnight - _START) // timedelta(milliseconds=1)})/"


@function("add_days", remember=True, examples=(E("add_days(7)", "2026-11-28", "2026-12-05"),))
def add_days(value: str, days: int) -> str:
    """The business date so many days later, or earlier if negative."""
    try:
        return (_day(value) + timedelta(days=days)).isoformat()
    except OverflowError as error:
        raise Refused(f"{show(value)} plus {days} days is out of range", "", "date") from error
