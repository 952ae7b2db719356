"""Whoever takes webhooks may die at any moment: what was answered 2xx is kept, and has its effect once."""

from __future__ import annotations

from webhooks import every_receiving_point, killed_receivers


def test_receivers_that_are_killed_lose_nothing_they_acknowledged(enter, seed):
    room = enter("B")
    verdict, again = killed_receivers(room, 150, 8)
    verdict.held(f"seed {seed}")
    assert room.kills == 8
    assert again, "no kill met a request"


def test_a_receiver_may_die_at_every_durable_step(enter):
    assert every_receiving_point(enter("B")) >= 20
