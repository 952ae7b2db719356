"""Customers and orders in memory, with stamps of whole seconds and marks instead of deletions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any

from sandbox._base import Clock

Record = dict[str, Any]
RULES: dict[str, dict[str, int]] = {"customers": {"name": 80, "note": 4000, "city": 60}, "orders": {"note": 200}}
REQUIRED = {"customers": ("name",), "orders": ("customer_id",)}
OWN = ("id", "updated_at", "created_at", "revision", "deleted")


class RefusedError(Exception):
    """A call that is answered with an error: status, the API's own code, and a text."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Store:
    """The records of one account; safe from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._records: dict[str, dict[int, Record]] = {"customers": {}, "orders": {}}
        self._next = 0
        self._replies: dict[str, tuple[int, Record]] = {}

    def stamp(self) -> str:
        """The present second."""
        return written(self._clock.now())

    def all(self, kind: str) -> list[Record]:
        """Every record, in the order it was made."""
        with self._lock:
            return [deepcopy(each) for each in self._records[kind].values()]

    def get(self, kind: str, key: str) -> Record:
        """One record that is there."""
        with self._lock:
            found = self._records[kind].get(int(key)) if key.isdigit() else None
            if found is None or found["deleted"]:
                raise RefusedError(404, "not_found", f"There is no {kind[:-1]} {key}.")
            return deepcopy(found)

    def by_reference(self, kind: str, reference: str) -> Record | None:
        """The record whose `external_ref` is exactly this."""
        with self._lock:
            for each in self._records[kind].values():
                if each["external_ref"] == reference and not each["deleted"]:
                    return deepcopy(each)
        return None

    def create(self, kind: str, body: Record, key: str | None = None) -> tuple[int, Record]:
        """A new record; with an idempotency key the same answer each time."""
        with self._lock:
            if key is not None and key in self._replies:
                return self._replies[key]
            self._check(kind, body, whole=True)
            reference = body.get("external_ref")
            if reference is not None and self.by_reference(kind, reference) is not None:
                raise RefusedError(409, "duplicate", f"external_ref {reference} is taken.")
            made = 201, self._put(kind, self._number(), body, {})
            if key is not None:
                self._replies[key] = made
            return made

    def upsert(self, kind: str, reference: str, body: Record) -> tuple[int, Record]:
        """The record with this reference, made or changed."""
        with self._lock:
            held = self.by_reference(kind, reference)
            self._check(kind, body, whole=held is None)
            body = {**body, "external_ref": reference}
            if held is None:
                return 201, self._put(kind, self._number(), body, {})
            return 200, self._put(kind, held["id"], body, held)

    def change(self, kind: str, key: str, body: Record, expected: str | None = None) -> Record:
        """Change the fields that are sent; 412 if the record is another one than `expected` by now."""
        with self._lock:
            held = self.get(kind, key)
            if expected is not None and expected != tag(held):
                raise RefusedError(412, "stale", "The record was changed meanwhile.")
            self._check(kind, body, whole=False)
            return self._put(kind, held["id"], body, held)

    def delete(self, kind: str, key: str) -> None:
        """Mark a record as deleted; it is told by the list with `deleted=true`."""
        with self._lock:
            held = self.get(kind, key)
            self._records[kind][held["id"]] = {**held, "deleted": True, "updated_at": self.stamp()}

    def load(self, kind: str, bodies: Iterator[Record]) -> list[str]:
        """Many records at once, without looking at them."""
        with self._lock:
            return [str(self._put(kind, self._number(), body, {})["id"]) for body in bodies]

    def _number(self) -> int:
        self._next += 1
        return self._next

    def _put(self, kind: str, number: int, body: Record, held: Record) -> Record:
        now = self.stamp()
        record = {"external_ref": None, **held, **{name: each for name, each in body.items() if name not in OWN}}
        record |= {"id": number, "updated_at": now, "created_at": held.get("created_at", now), "deleted": False}
        record["revision"] = held.get("revision", 0) + 1
        if kind == "orders":
            record["lines"] = self._lines(body.get("lines"), held.get("lines") or [])
        self._records[kind][number] = record
        return deepcopy(record)

    def _lines(self, sent: Any, held: list[Record]) -> list[Record]:
        """What is sent is the whole: a line with a number is that line, one without is new, the others are gone."""
        if sent is None:
            return held
        there = {each["id"]: each for each in held}
        made = []
        for line in sent:
            number = line.get("id")
            if number is not None and number not in there:
                raise RefusedError(422, "unknown_line", f"There is no line {number}.")
            made.append({**there.get(number, {}), **line, "id": number if number is not None else self._number()})
        return made

    def _check(self, kind: str, body: Any, *, whole: bool) -> None:
        if not isinstance(body, dict):
            raise RefusedError(400, "bad_request", "A JSON object is needed.")
        for name in REQUIRED[kind]:
            if (whole and not body.get(name)) or (name in body and not body[name]):
                raise RefusedError(422, "missing_field", f"{name} is needed.")
        for name, longest in RULES[kind].items():
            if isinstance(body.get(name), str) and len(body[name]) > longest:
                raise RefusedError(422, "too_long", f"{name} has more than {longest} characters.")


def written(at: datetime) -> str:
    """An instant as the API writes it: whole seconds, UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def tag(record: Record) -> str:
    """The entity tag of a record."""
    return f'"{record["id"]}-{record["revision"]}"'
