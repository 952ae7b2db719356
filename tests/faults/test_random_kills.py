"""Workers die by SIGKILL at random moments: every order has its effect once, in order, or stands among the dead."""

from __future__ import annotations

import pytest
from kills import figures, random_kills


@pytest.mark.parametrize(("grade", "orders", "kills"), [("C", 250, 20), ("B", 125, 10), ("A", 125, 10)])
def test_orders_survive_workers_that_are_killed(enter, grade, orders, kills, seed, record_property):
    room = enter(grade)
    verdict = random_kills(room, orders, kills)
    record_property("figures", figures(verdict, room))
    verdict.held(f"grade {grade}, seed {seed}, {figures(verdict, room)}")
    assert room.kills == kills
    assert verdict.bad_replies >= 0.2 * verdict.replies
