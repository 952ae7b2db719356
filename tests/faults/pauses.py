"""Workers that are stopped past their lease, wherever they stand, and go on: zombies must do no harm."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from room import Inputs, Room, Verdict


def paused_workers(room: Room, orders: int, pauses: int, *, workers: int = 4) -> tuple[Verdict, int]:
    """Workers stop themselves at random durable steps; each goes on when its rows are long somebody else's."""
    inputs = Inputs.make(orders, room.seed, changed=0.6)
    room.begin(inputs, shown=0)
    hold = room.terms.lease + room.terms.settle + 0.5
    for _ in range(workers):
        room.hire(pause_seed=room.dice.randrange(2**31))
    stopped: dict[int, float] = {}
    done, until = 0, time.monotonic() + 60 + pauses * hold
    while done < pauses:
        assert time.monotonic() < until, "they do not stop"
        room.tell("show", shown=len(inputs.rows) * (done + len(stopped) + 2) // (pauses + 1))
        now = time.monotonic()
        for pid in room.workers:
            if pid not in stopped and _stopped(pid):
                stopped[pid] = now
        for pid, since in list(stopped.items()):
            if now - since > hold:
                del stopped[pid]
                done += 1
                os.kill(pid, signal.SIGCONT)
        time.sleep(0.02)
    for pid in list(room.workers):
        os.kill(pid, signal.SIGCONT)
    time.sleep(0.3)
    for pid in list(room.workers):
        room.kill(pid)
    room.hire()
    room.hire()
    room.tell("show", shown=len(inputs.rows))
    room.drained()
    room.dismiss()
    time.sleep(0.6)
    return room.verdict(), done


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
