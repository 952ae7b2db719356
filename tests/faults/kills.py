"""Workers killed at random moments while orders flow past a target that answers badly."""

from __future__ import annotations

import time
from typing import Any

from room import Inputs, Room, Verdict


def random_kills(
    room: Room, orders: int, kills: int, *, workers: int = 2, rest: float = 0.35, inputs: Inputs | None = None
) -> Verdict:
    """So many orders by so many workers, of which one dies every `rest` seconds or so; then they finish."""
    inputs = inputs or Inputs.make(orders, room.seed)
    room.begin(inputs, shown=0)
    for _ in range(workers):
        room.hire()
    for n in range(kills):
        room.tell("show", shown=len(inputs.rows) * (n + 1) // kills)
        time.sleep(rest * room.dice.uniform(0.3, 1.7))
        room.kill()
        room.hire()
        if n % 5 == 0:
            room.accounts()
    room.tell("show", shown=len(inputs.rows))
    room.drained(meanwhile=lambda: _again(room))
    room.dismiss()
    time.sleep(0.6)  # what commits late has committed
    return room.verdict()


def _again(room: Room) -> None:
    room.replace_ended()


def figures(verdict: Verdict, room: Room) -> dict[str, Any]:
    """What is told of a run."""
    return {
        "orders": verdict.orders,
        "messages": verdict.messages,
        "kills": room.kills,
        "replies": verdict.replies,
        "bad_replies": verdict.bad_replies,
        "lost": len(verdict.lost),
        "duplicated": len(verdict.duplicated),
        "inversions": len(verdict.inversions),
        "dead": verdict.dead,
        "samples": room.samples,
    }
