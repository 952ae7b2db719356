"""What the long form is made of: parts in chunks, each with a seed of its own, each telling its figures as numbers.

Another subject is a module `hostile*.py` beside this one with a function of the same name, `(seed, numbers=...)`, that
returns its figures, and `FULL`, the numbers of the whole run; it is called once per chunk with a part of them. Figures
of all chunks are added, except those named `longest_…` or `…_slowest_ms`: the greatest stands. Those in `WRONGS` must
stay 0.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crash_points import every_point, patient
from cursors import REGISTRY, SOURCES, read_while_changed, source
from database import NoMount, crashed_databases, filled_disks, small_disk
from door import forged_over_http, hostile_bodies, overloaded, repeated
from hunts import HUNTS, caught
from kills import figures, random_kills
from network import over_a_bad_line
from pauses import paused_workers
from replays import replayed_twice
from room import SIGNS, Inputs, Room, Verdict
from timing import measure_timing
from toxics import STRENGTHS, TOXICS
from webhooks import every_receiving_point, killed_receivers
from workplace import Workplace

Figures = dict[str, Any]
WRONGS = (*SIGNS, "forged_accepted", "bad_input_5xx", "timing_leaks", "inside_shown", "failed")
GRADES = "CBA"
OTHERS = 50
"""In how many chunks another subject is cut."""
KILLED, RECEIVED, CRASHED, PAUSED = (250, 20), (400, 10), (500, 10), (150, 25)
"""Orders and faults of one chunk."""


@dataclass(frozen=True)
class Part:
    """One kind of fault: so many chunks, each `run(place, chunk, seed)`."""

    name: str
    chunks: int
    run: Callable[[Workplace, int, int], Figures]


def told(verdict: Verdict, room: Room, **more: Any) -> Figures:
    """The figures of a run, with what gives a wrong away."""
    found = figures(verdict, room) | {"unaccounted": len(verdict.unaccounted)} | more
    if verdict.wrongs:
        found["wrongs"] = [f"grade {room.terms.grade}, seed {room.seed}: {verdict.wrongs}"]
    return found


def _kills(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room(GRADES[chunk % 3], seed) as room:
        return told(random_kills(room, *KILLED), room)


def _updates(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room(GRADES[chunk % 3], seed) as room:
        inputs = Inputs.make(125, seed, changed=1.0, most=20, poison=0.0)
        verdict = random_kills(room, 0, 20, inputs=inputs)
        return told(verdict, room, updates=verdict.messages - verdict.orders)


def _points(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room(GRADES[chunk % 3], seed) as room:
        last, _ = every_point(patient(room))
        return {"crash_points": last - 1, "orders": 10 * last}


def _receivers(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room("B", seed) as room:
        verdict, again = killed_receivers(room, *RECEIVED)
        found = told(verdict, room, webhooks=verdict.messages, receiver_kills=room.kills, sent_again=again)
        return found | {"kills": 0}


def _receiving(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room("B", seed) as room:
        return {"receiver_points": every_receiving_point(room)}


def _databases(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room(GRADES[chunk % 3], seed, durable=True) as room:
        verdict, resumed = crashed_databases(room, place.server(durable=True), *CRASHED)
        return told(verdict, room, database_crashes=len(resumed), longest_resume_s=round(max(resumed), 2))


def _disks(place: Workplace, chunk: int, seed: int) -> Figures:
    try:
        with small_disk(place.home / f"disk-{chunk}", 120) as disk:
            server = place.on_disk(disk)
            try:
                with place.room(GRADES[chunk % 3], seed, server=server) as room:
                    return told(filled_disks(room, server, disk, 120, 4), room, full_disks=4)
            finally:
                server.remove()
    except NoMount:
        return {"full_disks": 0}


def _pauses(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room(GRADES[chunk % 3], seed) as room:
        verdict, pauses = paused_workers(room, *PAUSED, workers=6)
        return told(verdict, room, pauses=pauses) | {"kills": 0}


def line_of(chunk: int) -> tuple[str, int, str]:
    """The toxic, its strength and the grade of a chunk: each combination once."""
    kinds, strengths = len(TOXICS), len(STRENGTHS)
    return TOXICS[chunk % kinds], STRENGTHS[chunk // kinds % strengths], GRADES[chunk // kinds // strengths]


def _lines(place: Workplace, chunk: int, seed: int) -> Figures:
    toxic, strength, grade = line_of(chunk)
    with place.room(grade, seed) as room:
        return told(over_a_bad_line(room, 200, toxic, strength), room, bad_lines=1)


def _planted(place: Workplace, chunk: int, seed: int) -> Figures:
    fault = sorted(HUNTS)[chunk]
    with place.room(HUNTS[fault][0], seed) as room:
        gave_away = caught(lambda grade: room, fault)
        return {"planted": 1, "planted_caught": int(any(sign in gave_away for sign in SIGNS))}


def _cursors(place: Workplace, chunk: int, seed: int) -> Figures:
    name, changes = SOURCES[chunk]
    folder = place.home / f"cursors-{chunk}"
    folder.mkdir()
    with source(REGISTRY[name], folder, place.server()) as bench:
        return read_while_changed(bench, changes, seed)


def _forged(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room("B", seed) as room:
        return forged_over_http(room, 5_000)


def _bodies(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room("B", seed) as room:
        return hostile_bodies(room, 5_000)


def _replays(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room("CA"[chunk], seed) as room:
        return replayed_twice(room, 500)


def _repeated(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room("B", seed) as room:
        return repeated(room, 10_000)


def _overload(place: Workplace, chunk: int, seed: int) -> Figures:
    with place.room("B", seed) as room:
        return overloaded(room, 60.0)


def _timing(place: Workplace, chunk: int, seed: int) -> Figures:
    return measure_timing(1_000_000, seed)


def _contract(place: Workplace, chunk: int, seed: int) -> Figures:
    """Schemathesis, 500 examples per operation and kind of sender, by the test that does it in `make test`."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "tests/flows/test_webhook_contract.py"],
        cwd=root, env={**os.environ, "EXAMPLES": "500", "SEED": str(seed)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    answers = [ast.literal_eval(found) for found in re.findall(rf"SEED={seed} (\{{[^}}]*\}})", done.stdout)]
    bad = sum(n for one in answers for status, n in one.items() if status >= 500)
    found: Figures = {"contract_examples": 500, "contract_requests": sum(sum(one.values()) for one in answers)}
    if done.returncode:
        found |= {"failed": 1, "wrongs": [f"the webhooks' document, seed {seed}: {done.stdout[-1500:]}"]}
    return found | {"bad_input_5xx": bad}


def parts() -> list[Part]:
    """Every part, those of `hostile*.py` included."""
    ours = [
        Part("workers killed", 40, _kills),
        Part("records changed often", 6, _updates),
        Part("crash points", 3, _points),
        Part("receivers killed", 20, _receivers),
        Part("receivers' crash points", 1, _receiving),
        Part("databases crashed", 20, _databases),
        Part("disks filled", 5, _disks),
        Part("workers paused", 20, _pauses),
        Part("lines spoiled", len(TOXICS) * len(STRENGTHS) * len(GRADES), _lines),
        Part("planted faults", len(HUNTS), _planted),
        Part("sources that change", len(SOURCES), _cursors),
        Part("forged over HTTP", 4, _forged),
        Part("hostile bodies over HTTP", 4, _bodies),
        Part("dead letters replayed", 2, _replays),
        Part("deliveries repeated", 1, _repeated),
        Part("overload", 1, _overload),
        Part("timing", 1, _timing),
        Part("the webhooks' document", 4, _contract),
    ]
    return ours + [_other(file.stem) for file in sorted(Path(__file__).parent.glob("hostile*.py"))]


def _other(name: str) -> Part:
    module = importlib.import_module(name)

    def run(place: Workplace, chunk: int, seed: int) -> Figures:
        share = {kind: max(1, round(number / OTHERS)) for kind, number in module.FULL.items()}
        found = getattr(module, name)(seed, numbers=share)
        examples = [f"{name}, seed {seed}: {one}" for one in found.pop("examples", [])]
        found = {key: value for key, value in found.items() if isinstance(value, int | float) and key != "seed"}
        return found | ({"wrongs": examples} if examples else {})

    return Part(name.replace("_", " "), OTHERS, run)


def add(total: Figures, more: Figures) -> None:
    """Add the figures of a chunk."""
    for name, value in more.items():
        if name.startswith("longest_") or name.endswith("_slowest_ms"):
            total[name] = max(total.get(name, 0), value)
        else:
            total[name] = total.get(name, [] if isinstance(value, list) else 0) + value
