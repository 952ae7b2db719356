"""Systems in memory whose sends and receives pass the seam, and a hook that ends a worker at the n-th durable step."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from memory import Memory, Record

from landbridge import seam
from landbridge.connector import Accepted, Delivered, Found, Outcome, Page, Row, Write


class Crash(BaseException):
    """The worker is gone; no `except Exception` may save it."""


class CrashAt:
    """Raises at the n-th durable step and at every later one: a process that died does nothing more."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.steps = 0
        self.fired = ""
        self._lock = threading.Lock()

    def __call__(self, kind: str, what: str) -> None:
        with self._lock:
            self.steps += 1
            if self.steps < self.n:
                return
            self.fired = self.fired or f"step {self.n}: {kind} {what}"
        raise Crash(self.fired)


class Seamed(Memory):
    """Announces what it sends and receives, and remembers every effect in its order."""

    def __init__(self, *args: Any, **entities: Any) -> None:
        super().__init__(*args, **entities)
        self.done: list[tuple[str, str, int, str]] = []  # (entity, reference, version, action)
        self._one_at_a_time = threading.RLock()

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        for page in super().read(entity, since, limit=limit):
            seam.step("receive", f"{self.name} page")
            yield page

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        seam.step("send", f"{self.name} fetch")
        with self._one_at_a_time:
            return super().fetch(entity, ids)

    def find(self, entity: str, reference: str) -> Found | None:
        seam.step("send", f"{self.name} find")
        with self._one_at_a_time:
            return super().find(entity, reference)

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        seam.step("send", f"{self.name} write")
        with self._one_at_a_time:
            outcomes = super().write(entity, writes)
        seam.step("receive", f"{self.name} written")
        return outcomes

    def _commit(self, entity: str, write: Write) -> Delivered:
        self.done.append((entity, write.reference, write.version, write.action))
        return super()._commit(entity, write)

    def duplicates(self, entity: str) -> list[str]:
        """References that stand on more than one record."""
        references = [record.reference for record in self.effects(entity)]
        return sorted({r for r in references if references.count(r) > 1})

    def inversions(self) -> list[tuple[str, int, int]]:
        """Effects of an older version after those of a newer one, by reference."""
        newest: dict[tuple[str, str], int] = {}
        found = []
        for entity, reference, version, _ in self.done:
            before = newest.get((entity, reference), 0)
            if version < before:
                found.append((reference, before, version))
            newest[entity, reference] = max(before, version)
        return found


class Staged(Seamed):
    """Writes in two calls: the first makes the record, the second confirms it; each stage counts how often it ran."""

    def __init__(self, *args: Any, **entities: Any) -> None:
        super().__init__(*args, **entities)
        self.confirmed: dict[str, int] = {}

    def _commit(self, entity: str, write: Write) -> Outcome:  # type: ignore[override]  # it is accepted first
        if write.stage is None and write.action == "create":
            made = super()._commit(entity, write)
            return Accepted(made.target_id, "confirm", target_id=made.target_id)
        if write.stage == "confirm":
            record: Record = self.records[entity][write.handle or write.target_id or ""]
            self.done.append((entity, write.reference, write.version, "confirm"))
        else:
            super()._commit(entity, write)
            record = self.records[entity][write.target_id or ""]
        record.header["confirmed"] = True
        return Delivered(record.id, str(record.version), False, dict(record.keys), self.native(record))
