"""Rounds of a property, each by a seed from 1 on: on two processes, and so that a run may be cut and gone on with.

FIRST=<seed> goes on where another run ended (it said so), BUDGET=<seconds> begins no round after that time.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from landbridge.store import Store
from landbridge.time import SystemClock
from mdm.store import migrate

PROCESSES = 2


class Room:
    """What a round is given: an empty hub of this process alone."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store = Store(url, SystemClock())
        migrate(self.store.engine)


_room: list[Room] = []


def each(
    rounds: int, urls: list[str], told: Callable[[Room, int], dict[str, Any]], *, every: int = 100
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The figures of every round by its seed, as they come; one process per URL. What failed names its seed."""
    first = int(os.environ.get("FIRST") or 1)
    until = time.monotonic() + float(os.environ.get("BUDGET") or "inf")  # the same clock in every process
    context = multiprocessing.get_context("fork")
    left = context.Queue()
    for url in urls:
        left.put(url)
    done = 0
    begun = time.monotonic()
    with context.Pool(len(urls), _open, (left,)) as pool:
        seeds = range(first, rounds + 1)
        for seed, figures in pool.imap(_Round(told, until), seeds):
            if figures is None:
                print(f"   the budget ended: go on with FIRST={seed}", flush=True)
                break
            yield seed, figures
            done += 1
            if done % every == 0:
                print(f"   {done} rounds in {time.monotonic() - begun:.0f} s", flush=True)


def _open(left: Any) -> None:
    _room.append(Room(left.get()))


class _Round:
    """One round, in a process of the pool."""

    def __init__(self, told: Callable[[Room, int], dict[str, Any]], until: float) -> None:
        self._told, self._until = told, until

    def __call__(self, seed: int) -> tuple[int, dict[str, Any] | None]:
        return seed, None if time.monotonic() > self._until else self._told(_room[0], seed)
