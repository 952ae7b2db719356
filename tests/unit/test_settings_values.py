"""Durations and sizes mean what they say and are written back the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.settings import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("2s", 2),
        ("15m", 900),
        ("1h30m", 5400),
        ("24h", 86400),
        ("7d", 604800),
        ("1.5h", 5400),
        ("2w", 1209600),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["15", 15, 1.5, True, None, "", "m", "15 m", "-5m", "15min", "1h-5m", "１m", "P1D"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="number with a unit"):
        parse_duration(text)


def test_a_duration_beyond_the_calendar_is_refused_and_not_an_overflow() -> None:
    with pytest.raises(ValueError, match="longer than the calendar"):
        parse_duration("99999999999999999w")


@given(st.integers(min_value=0, max_value=10**12))
def test_a_duration_survives_writing_and_reading(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize(
    ("text", "size"), [("10MB", 10**7), ("64MiB", 64 * 2**20), ("1 GiB", 2**30), ("512B", 512), (4096, 4096), ("0B", 0)]
)
def test_a_size_is_read(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["10", "1.5MB", "-1B", -1, True, None, "10mb", "10 Mb"])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="whole number with a unit"):
        parse_size(text)


@given(st.integers(min_value=0, max_value=2**50))
def test_a_size_survives_writing_and_reading(size: int) -> None:
    assert parse_size(format_size(size)) == size
