"""Orders over a line that is spoiled: every kind, every strength, every grade of target."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from room import Inputs, Room, Verdict, content


@contextmanager
def spoiled_line(room: Room) -> Iterator[None]:
    """Everything between the workers and the target goes through the proxy; the source is reached directly."""
    before = room.terms
    (room.folder / "proxy").unlink(missing_ok=True)
    proxy = room.nursery.fork("proxy", folder=str(room.folder), target=room.port, seed=room.seed)
    try:
        room.terms = replace(before, target=int(content(room.folder / "proxy")))
        yield
    finally:
        room.terms = before
        room.nursery.kill(proxy)


def over_a_bad_line(room: Room, orders: int, toxic: str, strength: int) -> Verdict:
    """So many orders by two workers over a line with one toxic; the target itself answers well."""
    (room.folder / "toxic").write_text(json.dumps({"toxic": toxic, "strength": strength}))
    inputs = Inputs.make(orders, room.seed)
    with spoiled_line(room):
        room.begin(inputs, script={})
        room.hire()
        room.hire()
        room.drained()
        room.dismiss()
    time.sleep(0.2)
    return room.verdict()
