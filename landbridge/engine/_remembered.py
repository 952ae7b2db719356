"""What is looked up again and again, remembered for seconds: the same products and customers come with every order."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Found values by system, emptied when their time is over or they are too many.

    Keep only what stays true for seconds: a parent that has an id. What is missing, and what has lines, is looked up.
    """

    def __init__(self, keep: timedelta = timedelta(seconds=5), most: int = 50_000) -> None:
        self._keep = keep
        self._most = most
        self._until: dict[str, datetime] = {}
        self._values: dict[str, dict[K, V]] = {}

    def of(self, system: str, now: datetime) -> dict[K, V]:
        """What is remembered of a system; add to it what was found."""
        values = self._values.get(system)
        if values is None or now >= self._until[system] or len(values) > self._most:
            values = self._values[system] = {}
            self._until[system] = now + self._keep
        return values
