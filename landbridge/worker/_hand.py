"""A hand: a thread that does one kind of work when asked to, each thing once however often it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from landbridge.worker._trouble import Trouble

LONGEST_REST = 0.5
"""Seconds after which a hand looks up though nobody asked it."""

T = TypeVar("T")


class Hand(Generic[T]):
    """Calls `act` with what was asked for since the last time; with nothing when `rest` is over.

    What fails is told (`Trouble`) and asked for again: a hand outlives every fault of what it works with.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[set[T]], None],
        rest: Callable[[], float] | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        self._act = act
        self._trouble = trouble or Trouble()
        self._rest = rest
        self._asked: set[T] = set()
        self._news = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._live, name=f"worker-{name}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def ask(self, *what: T) -> None:
        """Ask for something; returns at once."""
        with self._news:
            self._asked.update(what)
            self._news.notify()

    def stop(self) -> None:
        """Let it finish what is under way; `join` waits until it did."""
        with self._news:
            self._stopping = True
            self._news.notify()

    def join(self) -> None:
        """Wait until it ended."""
        if self._thread.ident is not None:
            self._thread.join()

    def _live(self) -> None:
        while (taken := self._next()) is not None:
            try:
                self._act(taken)
                if taken:
                    self._trouble.over(self._thread.name)
            except Exception as error:  # noqa: BLE001 - the store went away, or a fault of ours: the hand outlives both
                self._again(taken, self._trouble.met(self._thread.name, error))

    def _next(self) -> set[T] | None:
        """What is to be done now; None at the end."""
        with self._news:
            until = None if self._rest is None else max(0.0, self._rest())
            if not (self._asked or self._stopping):
                self._news.wait(until)
            if self._stopping:
                return None
            taken, self._asked = self._asked, set()
            return taken

    def _again(self, taken: set[T], rest: float) -> None:
        """Ask for it again after a rest, which what is new meanwhile does not shorten."""
        with self._news:
            self._news.wait_for(lambda: self._stopping, rest)
            self._asked |= taken
