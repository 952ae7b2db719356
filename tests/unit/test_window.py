"""A feed's cursor never skips: closed windows, an overlap, the last record of an open one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from landbridge.connector import Window
from landbridge.errors import Denied, Rejected

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OVERLAP = timedelta(minutes=5)


def parsed(text: str | None, latest: datetime = NOW) -> Window:
    return Window.parse(text, system="crm", latest=latest)


def test_the_first_window_ends_at_the_newest_stamp_and_has_no_beginning():
    window = parsed(None).begin("2026-11-22T11:00:00Z", NOW, OVERLAP)
    assert (window.low, window.high, window.open) == (None, "2026-11-22T11:00:00Z", True)


def test_an_open_window_goes_on_after_its_last_record_whatever_came_since():
    window = parsed(None).begin("2026-11-22T11:00:00Z", NOW, OVERLAP)
    window = parsed(window.read_to(("2026-11-22T10:00:00Z", "7"), last=False).text())
    assert window.begin("2026-11-22T11:59:00Z", NOW, OVERLAP) == window
    assert window.after == ("2026-11-22T10:00:00Z", "7")


def test_the_next_window_reads_the_overlap_again():
    closed = Window(high="2026-11-22T11:00:00+01:00", seen=NOW.timestamp())
    following = closed.begin("2026-11-22T11:30:00Z", NOW, OVERLAP)
    assert following.low == "2026-11-22T09:55:00+00:00"
    assert following.high == "2026-11-22T11:30:00Z"
    assert following.open


def test_what_stays_quiet_longer_than_the_overlap_is_read_once_more_and_then_settled():
    closed = Window(high="2026-11-22T11:00:00Z", seen=NOW.timestamp())
    soon = closed.begin("2026-11-22T11:00:00Z", NOW + OVERLAP, OVERLAP)
    assert soon.open and not soon.settled
    late = closed.begin("2026-11-22T11:00:00Z", NOW + OVERLAP + timedelta(seconds=2), OVERLAP)
    assert late.open and late.settled
    settled = late.read_to(None, last=True)
    assert not settled.begin("2026-11-22T11:00:00Z", NOW + timedelta(hours=1), OVERLAP).open
    assert settled.begin("2026-11-22T11:00:01Z", NOW + timedelta(hours=1), OVERLAP).open


def test_an_instant_that_a_person_gave_is_a_closed_window():
    assert parsed("2026-11-21T08:00:00Z").high == "2026-11-21T08:00:00+00:00"


@pytest.mark.parametrize("text", ["", "yesterday", "{", '{"low": 1}', '{"this is": "no cursor"}', "[]"])
def test_what_is_no_cursor_is_rejected_with_what_to_do(text):
    with pytest.raises(Rejected) as caught:
        parsed(text)
    assert caught.value.hint


def test_a_cursor_past_now_is_denied():
    with pytest.raises(Denied, match="future"):
        parsed(Window(high="2026-11-22T12:00:01Z").text())
