"""The room a fault runs in: a store, a faulty target, workers that are processes, and what must hold at the end."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import requests
from nursery import Nursery
from roles import Later, Terms, made
from sqlalchemy import text

from landbridge.engine import Engine
from landbridge.store import Store, control
from landbridge.store.tables import metadata
from landbridge.time import Clock, SystemClock

LATE = 0.5
"""How long after its request a late effect stands; the settle time of the workers is longer."""


SIGNS = ("lost", "duplicated", "inversions", "unaccounted")
"""What a verdict may find wrong."""


@dataclass(frozen=True)
class Inputs:
    """Changes of orders in their order; every version of an order is to have its effect, except of those refused."""

    rows: list[dict[str, Any]]
    poison: frozenset[str]

    @classmethod
    def make(cls, orders: int, seed: int, *, changed: float = 0.25, most: int = 3, poison: float = 0.01) -> Inputs:
        """So many orders, some changed, up to so many times, some refused by the target for good."""
        dice = random.Random(f"inputs {seed}")
        names = [f"O-{n:05d}" for n in range(orders)]
        all_ = [
            n
            for n in range(orders)
            for _ in range(
                1 + (dice.randint((most + 1) // 2 if most > 3 else 1, most) if dice.random() < changed else 0)
            )
        ]
        near = sorted(range(len(all_)), key=lambda place: place + dice.random() * 12)  # changes of an order are close
        versions: Counter[int] = Counter()
        rows = []
        for at, place in enumerate(near):
            versions[all_[place]] += 1
            rows.append({"number": names[all_[place]], "version": versions[all_[place]], "at": at})
        return cls(rows, frozenset(dice.sample(names, round(orders * poison))))

    @property
    def expected(self) -> set[tuple[str, int]]:
        """What must stand in the target, as (order, version)."""
        return {(r["number"], r["version"]) for r in self.rows if r["number"] not in self.poison}


@dataclass
class Verdict:
    """What the target's journal and the store say at the end; every list of wrongs must be empty."""

    orders: int
    messages: int
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    inversions: list[str] = field(default_factory=list)
    unaccounted: list[str] = field(default_factory=list)
    dead: int = 0
    bad_replies: int = 0
    replies: int = 0

    @property
    def wrongs(self) -> dict[str, list[str]]:
        found = {name: getattr(self, name) for name in SIGNS}
        return {name: wrong[:10] for name, wrong in found.items() if wrong}

    def held(self, about: str) -> None:
        """Raises AssertionError with what is wrong."""
        assert not self.wrongs, f"{about}: {self.wrongs}"


_OPEN = """select state, code, attempts, left(reason, 200), count(*) from outbox where done_at is null
group by 1, 2, 3, 4"""


class Stuck(AssertionError):
    """It does not come to its end."""


class Room:
    """One run of the harness; a context that leaves no process behind."""

    def __init__(self, folder: Path, url: str, nursery: Nursery, grade: str, seed: int, **terms: Any) -> None:
        self.folder, self.url, self.nursery, self.seed = folder, url, nursery, seed
        self.dice = random.Random(f"room {seed}")
        self.store = Store(url, SystemClock(), pool=3)
        (folder / "port").unlink(missing_ok=True)
        self.target = nursery.fork("target", folder=str(folder), seed=seed, late=LATE, strength=1.0, hang=0.6, idle=1.5)
        self.port = int(content(folder / "port"))
        self.control = requests.Session()
        self.terms = Terms(url=url, source=self.port, target=self.port, grade=grade, **terms)
        self.workers: list[int] = []
        self.kills = 0
        self.samples = 0
        self.fault = ""

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in [*self.workers, self.target]:
            self.nursery.kill(pid)
        self.workers = []
        self.control.close()
        self.store.close()

    # -- the target ---------------------------------------------------------------------------------------------------

    def begin(self, inputs: Inputs, *, shown: int | None = None, script: dict[str, str] | None = None) -> None:
        """An empty store and an empty target with these changes at the source, `shown` of them visible."""
        self.inputs = inputs
        self.kills = self.samples = 0
        with self.store.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(text(f"delete from {table.name}"))
        self.engine()  # its feed and its route are known from now on
        self.tell("reset", seed=self.seed, source=inputs.rows, poison=sorted(inputs.poison), script=script,
                  shown=len(inputs.rows) if shown is None else shown)  # fmt: skip

    def tell(self, what: str, **body: Any) -> Any:
        """Ask the target for something."""
        return self.control.post(f"http://127.0.0.1:{self.port}/-/{what}", json=body, timeout=30).json()

    # -- workers ------------------------------------------------------------------------------------------------------

    def hire(self, **spec: Any) -> int:
        """One more worker."""
        pid = self.nursery.fork("worker", terms=asdict(self.terms), fault=self.fault, **spec)
        self.workers.append(pid)
        return pid

    def kill(self, pid: int | None = None) -> None:
        """SIGKILL one worker, by the dice if none is named."""
        pid = pid or self.dice.choice(self.workers)
        self.workers.remove(pid)
        self.nursery.kill(pid)
        self.kills += 1

    def replace_ended(self) -> int:
        """Hire anew for workers that ended by themselves, as their supervisor would; how many."""
        ended = [pid for pid in self.workers if self.nursery.ended(pid) is not None]
        for pid in ended:
            self.workers.remove(pid)
            self.hire()
        return len(ended)

    def dismiss(self) -> None:
        """SIGTERM every worker and wait: what was begun is finished."""
        for pid in self.workers:
            os.kill(pid, signal.SIGTERM)
        for pid in self.workers:
            self.nursery.wait(pid)
        self.workers = []

    # -- the end ------------------------------------------------------------------------------------------------------

    def engine(self, ahead: float = 0.0) -> Engine:
        """An engine in this process, its clock put forward."""
        clock: Clock = Later(ahead) if ahead else SystemClock()
        return made(replace(self.terms, concurrency=1), self.store, clock)

    def accounts(self) -> Any:
        """The accounting of the one route; raises if its equation does not hold at this moment."""
        with self.store.reading() as connection:
            [row] = control.accounting(connection)
        done = row.delivered + row.suppressed + row.dead + row.discarded + row.quarantined + row.conflict + row.steward
        assert row.received == done + row.in_flight, f"the accounting does not balance: {row}"
        self.samples += 1
        return row

    def drained(self, within: float = 60.0, *, meanwhile: Callable[[], None] = lambda: None) -> Any:
        """Wait until every message came and none is open; it is stuck if nothing goes on for `within` seconds."""
        until, before = time.monotonic() + within, (0, 0)
        while True:
            row = self.accounts()
            if row.received >= len(self.inputs.rows) and row.in_flight == 0:
                return row
            if (row.received, row.in_flight) != before:  # on a machine that others keep busy it may take long
                until, before = time.monotonic() + within, (row.received, row.in_flight)
            if time.monotonic() > until:
                raise Stuck(f"after {within:g} s {row}, of {len(self.inputs.rows)}; {self._open()}")
            meanwhile()
            time.sleep(0.05)

    def _open(self) -> str:
        """What is open, by state and reason, and why what needs a person does."""
        with self.store.reading() as connection:
            found = control.attention(connection, ["dead", "quarantined", "conflict"])
            states = connection.execute(text(_OPEN)).all()
        return f"{[tuple(row) for row in states]}; {[f'{r.source_key} {r.state}: {r.reason}' for r in found]}"

    def verdict(self) -> Verdict:
        """Compare what went in with the effects and the dead letters."""
        effects, bad = self.journal()
        said = Verdict(len({r["number"] for r in self.inputs.rows}), len(self.inputs.rows))
        said.bad_replies, said.replies = bad, self.tell("look")["replies"]
        stand = {(e["order"], e["version"]) for e in effects}
        dead = self._dead(said)
        said.lost = [f"{order} v{v}" for order, v in sorted(self.inputs.expected - stand)]
        made_ = Counter(e["order"] for e in effects if e["new"])
        said.duplicated = [f"{order} stands {n} times" for order, n in sorted(made_.items()) if n > 1]
        if self.terms.grade == "A":
            times = Counter((e["order"], e["version"]) for e in effects)
            said.duplicated += [f"{o} v{v} had {n} effects" for (o, v), n in sorted(times.items()) if n > 1]
        said.inversions = _inversions(effects)
        said.unaccounted += [f"{key} is a dead letter" for key in sorted(dead - self.inputs.poison)]
        said.unaccounted += [f"{key} is no dead letter" for key in sorted(self.inputs.poison - dead)]
        row = self.accounts()
        said.dead = row.dead
        if row.in_flight:
            said.unaccounted.append(f"{row.in_flight} still in flight")
        if row.received != len(self.inputs.rows):
            said.unaccounted.append(f"{row.received} received of {len(self.inputs.rows)}")
        if row.delivered != len(self.inputs.expected):
            said.unaccounted.append(f"{row.delivered} delivered of {len(self.inputs.expected)}")
        return said

    def journal(self) -> tuple[list[dict[str, Any]], int]:
        """The effects in their order, and how many replies were bad."""
        lines = [json.loads(line) for line in (self.folder / "journal").read_text().splitlines()]
        return [line for line in lines if "effect" in line], sum("bad" in line for line in lines)

    def _dead(self, said: Verdict) -> set[str]:
        with self.store.reading() as connection:
            found = control.attention(connection, ["dead", "quarantined", "conflict"], limit=100_000)
        said.unaccounted += [f"{r.source_key} is {r.state}: {r.reason}" for r in found if r.state != "dead"]
        return {row.source_key for row in found if row.state == "dead"}


def _inversions(effects: list[dict[str, Any]]) -> list[str]:
    newest: dict[str, int] = {}
    found = []
    for one in effects:
        order, version = one["order"], one["version"]
        if version < newest.get(order, 0):
            found.append(f"{order} went back from v{newest[order]} to v{version}")
        newest[order] = max(newest.get(order, 0), version)
    return found


def content(file: Path, within: float = 10.0) -> str:
    """What stands in a file, as soon as it is there."""
    until = time.monotonic() + within
    while not file.exists():
        if time.monotonic() > until:
            raise Stuck(f"{file} does not come")
        time.sleep(0.005)
    return file.read_text()
