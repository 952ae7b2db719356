"""Dead letters in numbers: a target that refused everything is healed, and all are replayed twice while workers die."""

from __future__ import annotations

from typing import Any

from room import Inputs, Room

from landbridge.store import control
from landbridge.time import SystemClock


def replayed_twice(room: Room, orders: int) -> dict[str, Any]:
    """So many dead letters, replayed twice over; each then has one effect."""
    inputs = Inputs.make(orders, room.seed, changed=0.0, poison=1.0)
    room.begin(inputs, script={})
    room.hire()
    room.hire()
    room.drained()
    letters = _dead(room)
    assert len(letters) == orders, f"{len(letters)} dead letters of {orders}"
    room.inputs = Inputs(inputs.rows, frozenset())
    room.tell("heal")
    again = 0
    for _ in range(2):
        with room.store.transaction("replay") as connection:
            again += control.replay(connection, letters, SystemClock().now())
        room.kill()
        room.hire()
    room.drained()
    with room.store.transaction("replay") as connection:
        late = control.replay(connection, letters, SystemClock().now())
    room.dismiss()
    verdict = room.verdict()
    found: dict[str, Any] = {"dead_letters_replayed": again, "lost": len(verdict.lost) + late}
    found |= {"duplicated": len(verdict.duplicated), "unaccounted": len(verdict.unaccounted)}
    return found | ({"wrongs": [f"replays, seed {room.seed}: {verdict.wrongs}"]} if verdict.wrongs or late else {})


def _dead(room: Room) -> list[int]:
    with room.store.reading() as connection:
        return [row.id for row in control.attention(connection, ["dead"], limit=100_000)]
