"""Timing that stands a noisy machine: contenders take turns on the same chunks, and medians of ratios count."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Contender = Callable[[Sequence[Any]], object]


@dataclass(slots=True)
class Timed:
    """CPU seconds per chunk of every contender, chunk by chunk in the order they ran."""

    chunk: int
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def per_second(self, name: str) -> float:
        """How many things a contender does per CPU-second, by its median chunk."""
        return self.chunk / statistics.median(self.seconds[name])

    def ratio(self, name: str, rival: str) -> float:
        """How many times as fast as the rival, by the median over chunks run side by side."""
        pairs = zip(self.seconds[name], self.seconds[rival], strict=True)
        return statistics.median(theirs / ours for ours, theirs in pairs)


def interleaved(contenders: dict[str, Contender], things: Sequence[Any], *, chunk: int, rounds: int = 1) -> Timed:
    """Every contender on every chunk; who goes first changes from chunk to chunk."""
    timed = Timed(chunk, {name: [] for name in contenders})
    names = list(contenders)
    number = 0
    for _ in range(rounds):
        for start in range(0, len(things) - chunk + 1, chunk):
            part = things[start : start + chunk]
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                before = time.process_time()
                contenders[name](part)
                timed.seconds[name].append(time.process_time() - before)
            number += 1
    return timed


def cpu_baseline() -> float:
    """Millions of additions this machine does per CPU-second right now; printed beside absolute figures."""
    before = time.process_time()
    total = 0
    for number in range(2_000_000):
        total += number
    return 2.0 / (time.process_time() - before)
