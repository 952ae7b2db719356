"""Durations and sizes as people write them in YAML: `15m`, `1h30m`, `64MiB`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+", re.ASCII)
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"(\d+)\s*(B|KB|MB|GB|KiB|MiB|GiB)", re.ASCII)


def parse_duration(value: Any) -> timedelta:
    """The duration that a text such as `15m`, `1h30m` or `250ms` means; a number without a unit is refused."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        raise ValueError("a duration is a number with a unit (ms, s, m, h, d or w), such as 15m or 1h30m")
    try:
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value)))
    except OverflowError:
        raise ValueError("this duration is longer than the calendar goes; use a shorter one") from None


def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as the same duration."""
    rest = round(value.total_seconds() * 1000)
    text = ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, round(_UNITS[unit] * 1000))
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_size(value: Any) -> int:
    """The number of bytes that a text such as `64MiB` or `10MB` means; a whole number is bytes already."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("a size is a whole number with a unit (B, KB, MB, GB, KiB, MiB or GiB), such as 64MiB")
    return int(found[1]) * _SIZES[found[2]]


def format_size(value: int) -> str:
    """The shortest text that `parse_size` reads back as the same number of bytes."""
    exact = (f"{value // size}{unit}" for unit, size in _SIZES.items() if value and value % size == 0)
    return min(exact, key=len, default="0B")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d|w))+$"}),
]
"""A length of time, written with units: `250ms`, `15m`, `1h30m`, `24h`, `7d`."""

Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+ ?([KMG]i?)?B$"}]}),
]
"""A number of bytes, written with a unit: `10MB`, `64MiB`."""
