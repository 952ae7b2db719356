"""Something that is away is told once when it goes and once when it is back, and asked less and less meanwhile."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

SHORTEST = 0.1
LONGEST = 3.0
"""Seconds between two tries, at the least and at the most."""
PART = 0.25
"""How much of the time that it is away already is waited before the next try."""


class Outage:
    """What several threads know of one thing that they all need; thread-safe."""

    def __init__(self, what: str, log: logging.Logger, *, now: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._log = log
        self._now = now
        self._lock = threading.Lock()
        self._since: float | None = None
        self._tries = 0

    @property
    def is_away(self) -> bool:
        """Whether it was away when it was last asked for."""
        return self._since is not None

    def away(self, why: str) -> None:
        """It did not answer: a line the first time, silence from then on."""
        with self._lock:
            self._tries += 1
            if self._since is not None:
                return
            self._since = self._now()
        self._log.error("%s is away; what waits is kept, and goes on when it is back", self._what, extra={"why": why})

    def back(self) -> None:
        """It answered: a line if it was away."""
        if self._since is None:
            return
        with self._lock:
            since, tries = self._since, self._tries
            self._since, self._tries = None, 0
        if since is not None:
            spent = {"away_seconds": round(self._now() - since, 1), "tries": tries}
            self._log.warning("%s is back", self._what, extra=spent)

    def rest(self) -> float:
        """Seconds until the next try: a part of the time that it is away already, and no two threads the same."""
        since = self._since
        spent = 0.0 if since is None else self._now() - since
        return min(LONGEST, max(SHORTEST, spent * PART)) * random.uniform(0.8, 1.2)
