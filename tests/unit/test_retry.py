"""Waits double, with jitter, up to the longest; no attempt is later than the flow's deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from landbridge.engine._retry import after_failure, backoff
from landbridge.errors import Denied, OutcomeUnknown, Unavailable
from landbridge.settings import Flow

NOW = datetime(2026, 1, 5, tzinfo=UTC)
FIRST, LONGEST, SETTLE = timedelta(seconds=2), timedelta(minutes=10), timedelta(minutes=5)
HOUR = timedelta(hours=1)
FLOW = Flow.model_validate(
    {
        "flow": "orders",
        "extract": {"from": "crm", "entity": "order"},
        "deliver": [{"to": "erp"}],
        "retry": {"attempts": 8, "first": "2s", "longest": "10m", "within": "1h"},
    }
)


@pytest.mark.parametrize("attempts", [1, 2, 5, 9, 10, 30, 1000])
def test_waits_double_with_half_of_it_jitter_up_to_the_longest(attempts):
    whole = min(LONGEST, FIRST * 2 ** min(attempts - 1, 20))
    waits = {backoff(attempts, FIRST, LONGEST) for _ in range(300)}
    assert whole / 2 <= min(waits) and max(waits) <= whole
    assert len(waits) > 250, "workers that failed together would come back together"
    assert max(waits) - min(waits) > whole / 4


@pytest.mark.parametrize("spent", [timedelta(0), HOUR / 2, HOUR - timedelta(seconds=1)])
def test_no_attempt_is_later_than_the_deadline(spent):
    for _ in range(50):
        following = after_failure(Unavailable("down"), FLOW, 7, NOW - spent, NOW, SETTLE)
        assert following.state == "ready" and NOW < following.due <= NOW - spent + HOUR


def test_at_the_deadline_it_is_a_dead_letter():
    assert after_failure(Unavailable("down"), FLOW, 2, NOW - HOUR, NOW, SETTLE).state == "dead"


def test_a_target_that_asks_for_more_time_than_is_left_is_believed():
    asks = Unavailable("come back tomorrow", wait=7200.0)
    assert after_failure(asks, FLOW, 1, NOW, NOW, SETTLE).state == "dead"
    asks = Unavailable("come back in half an hour", wait=1800.0)
    assert after_failure(asks, FLOW, 1, NOW, NOW, SETTLE).due >= NOW + HOUR / 2


def test_so_many_attempts_and_no_more():
    states = [after_failure(Unavailable("down"), FLOW, n, NOW, NOW, SETTLE).state for n in range(1, 9)]
    assert states == ["ready"] * 7 + ["dead"]


def test_who_is_denied_uses_no_attempt_and_what_is_unknown_settles_first():
    denied = after_failure(Denied("no right"), FLOW, 99, NOW - 9 * HOUR, NOW, SETTLE)
    assert (denied.state, denied.counted) == ("ready", False)
    unknown = after_failure(OutcomeUnknown("timed out"), FLOW, 1, NOW, NOW, SETTLE)
    assert (unknown.state, unknown.due) == ("unknown", NOW + SETTLE)
