"""Strangers, broken bodies and too many senders at the door for webhooks: the short form, and that it sees a fault."""

from __future__ import annotations

import pytest
import timing
from door import forged_over_http, hostile_bodies, overloaded, repeated

from landbridge.signatures import Forged, _verify


def clean(found):
    wrongs = ("forged_accepted", "bad_input_5xx", "inside_shown", "lost", "duplicated", "failed")
    assert not any(found.get(name) for name in wrongs), found


def test_nothing_forged_is_believed_over_http_and_nothing_of_it_is_kept(enter):
    found = forged_over_http(enter("B"), 1_000)
    clean(found)
    assert found["http_forgeries"] == 1_000


def test_a_broken_body_is_taken_or_refused_and_the_next_one_is_heard(enter):
    clean(hostile_bodies(enter("B"), 1_000))


def test_what_is_sent_again_is_answered_2xx_and_has_no_second_effect(enter):
    clean(repeated(enter("B"), 500, 50))


def test_more_than_can_be_kept_is_told_to_come_back_and_what_was_taken_is_kept(enter):
    found = overloaded(enter("B"), 4.0)
    clean(found)
    assert found["overload_refused"] > 100


def test_the_time_of_a_refusal_does_not_tell_where_it_is_wrong(seed):
    assert min(timing.measure_timing(40_000, seed + again)["longest_timing_t"] for again in range(2)) < timing.LEAKS


def test_a_comparison_that_stops_at_the_first_difference_is_seen(monkeypatch, seed):
    def early(expected, given):
        for ours in expected:
            for theirs in given:
                if len(ours) == len(theirs) and all(a == b for a, b in zip(ours, theirs, strict=True)):
                    return
        raise Forged("signature")

    monkeypatch.setattr(_verify, "_matching", early)
    found = timing.measure_timing(8_000, seed)
    assert found["timing_leaks"] == 3, "all but the token, of which only hashes are compared"


@pytest.mark.parametrize("fault", ["believed", "broken"])
def test_a_door_that_believes_or_breaks_is_seen(enter, fault):
    room = enter("B")
    room.fault = f"everything_{fault}"
    found = forged_over_http(room, 100)
    assert found["forged_accepted" if fault == "believed" else "bad_input_5xx"] > 20
    assert found["wrongs"]
