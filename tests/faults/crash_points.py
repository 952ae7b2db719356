"""A worker process ends at its n-th durable step, n = 1, 2, … until a run comes to its end without."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import count

from roles import DIED
from room import Inputs, Room

STEP = 1200.0
"""How far the clock is put forward for each new worker, in seconds; longer than lease and settle time together."""
PATIENT = {"lease": 120.0, "settle": 600.0, "concurrency": 1, "read": 0.15}
SCRIPTED = ("500_before", "500_after", "drop_after", "429", "cut_body", "html", "late")


def every_point(
    room: Room, orders: int = 10, *, start: int = 1, stride: int = 1, more: Callable[[int], bool] = lambda n: True
) -> tuple[int, bool]:
    """Crash at each step from `start` on while `more(n)`; the last point tried, and whether it was beyond the end.

    Raises AssertionError that names the point, if afterwards something is lost, doubled, out of order or unaccounted.
    """
    inputs = Inputs.make(orders, room.seed, changed=0.3, poison=0.1)
    for n in count(start, stride):
        if not more(n):
            return n - 1, False
        if not one(room, inputs, n, scripted(room, inputs, n)):
            return n, True
    raise AssertionError("never reached")


def scripted(room: Room, inputs: Inputs, n: int) -> dict[str, str]:
    """What goes wrong at the target beside the crash at this point: three writes, by the dice."""
    dice = random.Random(f"{room.seed} {n}")
    return {str(write): dice.choice(SCRIPTED) for write in dice.sample(range(1, len(inputs.rows) + 1), 3)}


def one(room: Room, inputs: Inputs, n: int, script: dict[str, str]) -> bool:
    """Crash at the n-th step and go on with new workers; whether there is an n-th step."""
    room.begin(inputs, script=script)
    code = room.nursery.wait(room.nursery.fork("dies", terms=asdict(room.terms), n=n, fault=room.fault))
    about = f"crash at step {n}, grade {room.terms.grade}, seed {room.seed}, script {script}"
    assert code in (0, DIED), f"{about}: the worker ended with {code}"
    for rounds in range(1, 12):
        room.tell("later")
        room.engine(STEP * rounds).run("orders")
        row = room.accounts()
        if row.received >= len(inputs.rows) and row.in_flight == 0:
            break
    room.tell("later")
    room.verdict().held(about)
    return code == DIED


def patient(room: Room) -> Room:
    """The room with the lease and settle time of production: the clock is put forward instead of waiting."""
    room.terms = replace(room.terms, **PATIENT)
    return room
