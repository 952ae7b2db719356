"""Whatever happens in the org while it is read, every record's last state arrives."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import pytest
from bench import Bench
from bench_salesforce import SalesforceBench
from connectors_under_test import REGISTRY
from suite import Inbox
from test_suite_catches import LooksNeverBack, SkipsTies, StopsAfterAPage

from landbridge.connector import Registration

ROUNDS = 8
STEPS = 60
Start = Callable[[Registration], Bench]
GONE = "(deleted)"


class Org:
    """Foreign users at work, by the dice, and what is true after it."""

    def __init__(self, bench: Bench, dice: random.Random) -> None:
        assert isinstance(bench, SalesforceBench)
        self.bench = bench
        self.dice = dice
        self.truth: dict[str, str] = {}
        self.overlap = bench.connector().entity("customer").overlap.total_seconds()

    def step(self) -> None:
        """One thing happens."""
        kind = self.dice.choice(["create", "create", "change", "change", "late", "remove", "tick", "tick", "wait"])
        alive = [key for key, text in self.truth.items() if text != GONE]
        if kind == "create":
            self.truth |= dict.fromkeys(self.bench.create(self.dice.choice([1, 3, 230])), "")
        elif kind == "late":
            self.truth[self.bench.late(self.dice.uniform(0, self.overlap * 0.9))] = ""
        elif kind == "tick":
            self.bench.tick(self.dice.choice([0.4, 1, 30]))
        elif kind == "wait":
            self.bench.tick(self.overlap * self.dice.uniform(0.5, 3))
        elif alive:
            key = self.dice.choice(alive)
            self.truth[key] = GONE if kind == "remove" else f"text {self.dice.random()}"
            if kind == "remove":
                self.bench.remove(key)
            else:
                self.bench.change(key, self.truth[key])


def wrong_records(bench: Bench, seed: int) -> dict[str, tuple[str, str]]:
    """Records whose last state did not arrive: what is true, and what the receiver believes."""
    dice = random.Random(seed)
    org, inbox = Org(bench, dice), Inbox()
    for _ in range(STEPS):
        org.step()
        if dice.random() < 0.5:  # a process that reads some pages and dies, or reads to the end
            inbox.take(bench.connector(), "customer", pages=dice.choice([1, 1, 2, None]))
            bench.close()
    bench.tick()
    for _ in range(3):
        inbox.take(bench.connector(), "customer")
    believed = {row.key: (row.body["Description"] or "") if row.body else GONE for row in inbox.rows}
    return {
        key: (text, believed.get(key, "(never told)"))
        for key, text in org.truth.items()
        if believed.get(key, GONE) != text
    }


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_every_change_arrives_whatever_happens_while_reading(start: Start, seed: int) -> None:
    wrong = wrong_records(start(REGISTRY["salesforce"]), seed)
    assert not wrong, f"seed {seed}: {len(wrong)} records differ: {dict(list(wrong.items())[:3])}"


@pytest.mark.parametrize("planted", [SkipsTies, LooksNeverBack, StopsAfterAPage])
def test_the_dice_find_planted_faults(start: Start, planted: type) -> None:
    broken = dataclasses.replace(REGISTRY["salesforce"], connector=planted)
    assert any(wrong_records(start(broken), seed) for seed in range(4))
