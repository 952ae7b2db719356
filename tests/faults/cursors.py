"""Sources that change while they are read: whatever the dice do there, every record's last state arrives.

It drives the benches of the contract suite, so each connector with a feed of changes at its own sandbox: many rows in
one instant, late commits, changes between two pages of a running reading, a new process after any page.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "contract"))

from bench import Bench
from connectors_under_test import REGISTRY, make_bench
from suite import Inbox

from landbridge.connector import Registration
from landbridge.errors import Failure

__all__ = ["REGISTRY", "SOURCES", "read_while_changed", "source"]
SOURCES = (
    5 * [("salesforce", 18_000)]
    + 2 * [("sap_s4", 4_000), ("sql", 1_000), ("rest", 2_000), ("odata", 2_000)]
    + [("soap", 2_000)]
)
"""What the long form reads."""
GONE = "(deleted)"


class Foreigners:
    """Foreign users at work, by the dice, and what is true after it."""

    def __init__(self, bench: Bench, dice: random.Random) -> None:
        self.bench, self.dice = bench, dice
        self.truth: dict[str, str] = {}
        self.alive: list[str] = []
        self.changes = 0
        self.overlap = bench.connector().entity(bench.source).overlap.total_seconds()

    def step(self) -> None:
        """One thing happens."""
        kind = self.dice.choice(["create", "change", "change", "late", "remove", "tick", "tick", "wait"])
        if self.dice.random() < 0.03:  # more than a page in one instant
            kind = self.dice.choice(["load", "many"])
        if kind == "load":  # and what comes after it is far from it: no overlap reads it again
            self._new(self.bench.create(self.bench.page_size * 2 + 5))
            self.bench.tick(self.overlap * self.dice.choice([0, 3]))
            self._new(self.bench.create(1))
        elif kind == "create":
            self._new(self.bench.create(self.dice.choice([1, 3])))
        elif kind == "late":
            self._new([self.bench.late(self.dice.uniform(0, self.overlap * 0.9))])
        elif kind == "tick":
            self.bench.tick(self.dice.choice([0.4, 1, 30]))
        elif kind == "wait":
            self.bench.tick(self.overlap * self.dice.uniform(0.5, 3))
        elif kind == "remove":
            self._remove()
        else:
            for _ in range(self.dice.choice([1, 2]) if kind == "change" else self.bench.page_size * 2):
                self._change()

    def _new(self, keys: list[str]) -> None:
        self.truth |= dict.fromkeys(keys, "")
        self.alive += keys
        self.changes += len(keys)

    def _change(self) -> None:
        if self.alive:
            key = self.dice.choice(self.alive)
            self.truth[key] = f"text {self.dice.random()}"
            self.bench.change(key, self.truth[key])
            self.changes += 1

    def _remove(self) -> None:
        if self.alive:
            key = self.alive.pop(self.dice.randrange(len(self.alive)))
            if self.bench.remove(key):
                self.truth[key] = GONE
                self.changes += 1
            else:
                del self.truth[key]  # no feed of this product tells it


def read_while_changed(bench: Bench, changes: int, seed: int) -> dict[str, Any]:
    """So many changes while the source is read by processes that live for some pages; what did not arrive is lost."""
    dice = random.Random(f"cursors {seed}")
    there, inbox = Foreigners(bench, dice), Inbox()
    pages = again = 0
    while there.changes < changes:
        for _ in range(dice.randrange(4)):
            there.step()
        try:
            for page in bench.connector().read(bench.source, inbox.cursor):
                inbox.rows += page.rows
                inbox.cursor = page.cursor  # kept with the page's rows: what dies now goes on here
                pages, again = pages + 1, 0
                if dice.random() < 0.4:
                    break
                if dice.random() < 0.3:
                    there.step()
        except Failure as failure:  # such as: it changes faster than it can be read; the next run goes on
            again += 1
            assert again < 6, f"reading is stuck: {failure}"
        bench.close()
    bench.tick()
    for _ in range(3):
        inbox.take(bench.connector(), bench.source)
    found = {row.key: _text(row.body, bench.text_field) for row in inbox.rows}
    missed = {k: (v, found.get(k, "(never told)")) for k, v in there.truth.items() if found.get(k, GONE) != v}
    told: dict[str, Any] = {"changes_read": there.changes, "pages_read": pages, "lost": len(missed)}
    example = f"{bench.name}, seed {seed}: {dict(list(missed.items())[:3])}"
    return told | ({"wrongs": [example]} if missed else {})


def _text(body: dict[str, Any] | None, field: str) -> str:
    return GONE if body is None else body.get(field) or ""


@contextmanager
def source(registration: Registration, folder: Path, postgres: Any = None) -> Iterator[Bench]:
    """A connector's bench, started; `postgres` is the server of those that want one."""
    bench = make_bench(registration, folder)
    bench.fixture = lambda wanted: {"postgres": postgres}[wanted]
    bench.start()
    try:
        yield bench
    finally:
        bench.close()
        bench.stop()
