"""The breaker of one system as a delivery sees it: how many rows it may take, and what it tells of each call."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from landbridge.connector import Outcome
from landbridge.engine._parts import Parts
from landbridge.engine._retry import backoff
from landbridge.errors import Failure, OutcomeUnknown, Unavailable
from landbridge.net import Breaker as Terms
from landbridge.store import breakers, control
from landbridge.store._breaker import Standing

_OF_THE_SYSTEM = frozenset({"", "429", "502", "503", "504"})
"""What `Unavailable` says where it is about the system; other codes may be about one record, such as a lock."""


class Breaker:
    """Opened by deliveries that fail, closed by the first answer; made anew per delivery, shared by the store.

    Thread-safe. Where nothing fails it writes nothing, and reads what was read beside the pauses anyway.
    """

    def __init__(self, parts: Parts, system: str, standing: Standing | None) -> None:
        self._parts = parts
        self._system = system
        self._standing = standing
        self._terms = parts.breakers.get(system) or Terms()
        self._lock = threading.Lock()
        self._probes = False

    @property
    def probes(self) -> bool:
        """Whether ours is the one row that is let through to see whether the system is back."""
        return self._probes

    @property
    def failed_on(self) -> Sequence[int]:
        """The rows on which it failed: another one is a better probe, since they may have failed for their own sake."""
        return self._standing.failed if self._standing is not None else ()

    @property
    def is_open(self) -> bool:
        """Whether what is claimed and not sent yet is to be given back."""
        standing = self._standing
        return standing is not None and standing.open_until is not None and not self._probes

    def room(self, size: int) -> int:
        """How many rows may be claimed now: all that fit, one, or none."""
        standing, now = self._standing, self._parts.clock.now()
        if standing is None or standing.open_until is None:
            return size
        if standing.open_until > now:
            return 0
        if not self._probes:
            with self._parts.store.transaction("breaker") as connection:
                self._probes = breakers.probe(connection, self._system, now, now + self._parts.lease)
        return 1 if self._probes else 0

    def leave(self) -> None:
        """No row was there to be let through."""
        if self._probes:
            self._probes = False
            with self._parts.store.transaction("breaker") as connection:
                breakers.leave(connection, self._system)

    def told(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """What a call for these rows came to: one answer in it, good or bad, and the system is there."""
        failures = [one for one in outcomes if isinstance(one, Unavailable | OutcomeUnknown)]
        if outcomes and len(failures) == len(outcomes):
            self.failed(rows, failures[0])
        elif outcomes:
            self.answered()

    def answered(self) -> None:
        """The system answered."""
        if self._standing is None:
            return
        with self._lock, self._parts.store.transaction("breaker") as connection:
            self._standing, self._probes = None, False
            if breakers.close(connection, self._system):
                self._note(connection, "breaker_closed", {})

    def failed(self, rows: Sequence[int], failure: Failure) -> None:
        """The system did not answer, or takes nothing now."""
        if not self._terms.after:
            return
        with self._lock, self._parts.store.transaction("breaker") as connection:
            before, probe = self._standing, self._probes
            self._standing, self._probes = (
                breakers.fail(
                    connection,
                    self._system,
                    rows,
                    self._parts.clock.now(),
                    after=self._terms.after,
                    rest=lambda opened: self._rest(opened, failure),
                    reason=str(failure),
                    alike=_alike(failure),
                    probe=probe,
                ),
                False,
            )
            if self._standing.opened == 1 and (before is None or not before.opened):
                self._note(connection, "breaker_opened", {"reason": str(failure), "failures": self._standing.failures})

    def _rest(self, opened: int, failure: Failure) -> timedelta:
        first, longest = timedelta(seconds=self._terms.first), timedelta(seconds=self._terms.longest)
        asked = failure.wait if isinstance(failure, Unavailable) and failure.wait is not None else 0.0
        return max(backoff(opened, first, max(first, longest)), timedelta(seconds=asked))

    def _note(self, connection: Connection, event: str, detail: dict[str, object]) -> None:
        control.note(connection, event, "engine", self._parts.clock.now(), system=self._system, detail=detail)


def _alike(failure: Failure) -> bool:
    """Whether every record would have failed so: then two failures of one record count as two."""
    return isinstance(failure, Unavailable) and (not failure.sent or failure.status in _OF_THE_SYSTEM)
