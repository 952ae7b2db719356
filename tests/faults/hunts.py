"""Hunts for planted faults: the part of the harness that is to see each of them."""

from __future__ import annotations

from collections.abc import Callable

import planted
from crash_points import every_point, one, patient
from pauses import paused_workers
from room import Inputs, Room
from webhooks import every_receiving_point

Hunt = Callable[[Room], None]
NEVER = 1_000_000


def at_every_point(room: Room) -> None:
    """Crash points, until one shows a wrong."""
    every_point(patient(room))


def at_delivery(room: Room) -> None:
    """The same, beyond the steps of reading and processing."""
    every_point(patient(room), start=25)


def while_replies_are_lost(room: Room) -> None:
    """Effects that stand though their reply was lost, or that stand later; no crash is needed."""
    inputs = Inputs.make(10, room.seed)
    for act in ("drop_after", "late"):
        one(patient(room), inputs, NEVER, {"2": act, "5": act})


def among_zombies(room: Room) -> None:
    """Workers paused past their lease, a few at a time, until something is wrong."""
    for _ in range(4):
        verdict, _ = paused_workers(room, 80, 10, workers=5)
        verdict.held("zombies")
        room.seed += 1


def at_the_door(room: Room) -> None:
    """Every durable step of who takes webhooks."""
    every_receiving_point(room)


HUNTS: dict[str, tuple[str, Hunt]] = {
    "marked_done_before_sending": ("C", at_delivery),
    "a_new_key_per_attempt": ("A", while_replies_are_lost),
    "cursor_moved_before_the_commit": ("B", at_every_point),
    "asked_at_once": ("C", while_replies_are_lost),
    "no_fencing": ("C", among_zombies),
    "acknowledged_before_the_commit": ("B", at_the_door),
}
"""By fault: the grade of the room, and the hunt."""
assert HUNTS.keys() == planted.FAULTS.keys()


def caught(enter: Callable[[str], Room], fault: str) -> str:
    """Plant a fault into every worker and hunt it; what gave it away, empty if nothing did."""
    grade, hunt = HUNTS[fault]
    room = enter(grade)
    room.fault = fault
    try:
        hunt(room)
    except AssertionError as error:
        return str(error) or "a wrong without words"
    return ""
