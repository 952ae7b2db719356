"""A system in memory: feeds what a test puts there, takes writes, and misbehaves on request."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from landbridge import strict
from landbridge.connector import (
    Accepted,
    Config,
    Connector,
    Delivered,
    Entity,
    Fields,
    Found,
    Identity,
    KeyHash,
    Outcome,
    Page,
    Row,
    Write,
)
from landbridge.errors import Failure, OutcomeUnknown
from landbridge.time import ManualClock


@dataclass
class Record:
    """One stored record; lines by their number."""

    id: str
    header: dict[str, Any]
    lines: dict[str, dict[str, Any]]
    reference: str
    version: int = 1
    keys: dict[str, str] = field(default_factory=dict)  # our line key -> number


class Memory(Connector[Config]):
    """Grade C with versions and numbered lines, unless a test says otherwise."""

    def __init__(self, name: str, clock: ManualClock, **entities: Entity) -> None:
        self.name = name
        self.config = Config()
        self.clock = clock
        self.declared = entities
        self.rows: dict[str, list[Row]] = {}
        self.pages: dict[str, list[Page]] = {}
        self.records: dict[str, dict[str, Record]] = {}
        self.calls: list[tuple[str, Any]] = []
        self.script: list[Any] = []  # next outcomes: a Failure, an Accepted, "after", "crash", None for success
        self.later: list[tuple[Any, Write]] = []  # (when, write): commits after the client gave up
        self.organisation = f"org-{name}"
        self.versions = True

    def entity(self, entity: str) -> Entity:
        return self.declared[entity]

    def check(self) -> Identity:
        return Identity(self.organisation)

    def describe(self, entity: str) -> Fields:
        return Fields(entity)

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        if self.declared[entity].snapshot:
            yield from self.pages.get(entity, [])
            return
        start = int(since or 0)
        rows = self.rows.get(entity, [])
        for at in range(start, len(rows), 3):
            chunk = rows[at : at + 3]
            yield Page(copy.deepcopy(chunk), str(at + len(chunk)))

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        self.calls.append(("fetch", list(ids)))
        self._commit_due()
        found = []
        for id_ in ids:
            record = self.records.get(entity, {}).get(id_)
            if record is not None:
                found.append(Row(id_, self.native(record), version=str(record.version) if self.versions else None))
        return found

    def native(self, record: Record) -> dict[str, Any]:
        lines = [{"item": number, **line} for number, line in record.lines.items()]
        return {"id": record.id, **copy.deepcopy(record.header), "lines": lines}

    def find(self, entity: str, reference: str) -> Found | None:
        self.calls.append(("find", reference))
        self._commit_due()
        for record in self.records.get(entity, {}).values():
            if record.reference == reference:
                return Found(record.id, str(record.version), dict(record.keys))
        return None

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        self._commit_due()
        self.calls.append(("write", [copy.deepcopy(w) for w in writes]))
        return [self._one(entity, write) for write in writes]

    def _one(self, entity: str, write: Write) -> Outcome:
        said = self.script.pop(0) if self.script else None
        if said == "crash":
            raise SystemExit("the worker dies here")
        if isinstance(said, tuple) and said[0] == "later":
            self.later.append((said[1], write))
            raise OutcomeUnknown("timed out", hint="")
        if isinstance(said, Failure | Accepted):
            return said
        outcome = self._commit(entity, write)
        return OutcomeUnknown("cut after commit") if said == "after" else outcome

    def _commit_due(self) -> None:
        due = [entry for entry in self.later if entry[0] <= self.clock.now()]
        self.later = [entry for entry in self.later if entry not in due]
        for _, write in due:
            self._commit(write.entity, write)

    def _commit(self, entity: str, write: Write) -> Delivered:
        kept = self.records.setdefault(entity, {})
        if write.action == "create":
            record = Record(str(4711 + len(kept)), dict(write.after), {}, write.reference)
            kept[record.id] = record
        else:
            record = kept[write.target_id or ""]
            record.header.update(write.changed)
            record.version += 1
        if write.action == "delete":
            record.header["blocked"] = write.policy
        for line in write.lines:
            if line.action == "insert":
                number = str(10 * (len(record.lines) + 1))
                record.lines[number] = dict(line.after or {})
                record.keys[line.line_key] = number
            elif line.action == "update":
                record.lines[line.line_id or ""].update(line.after or {})
            elif line.action == "cancel":
                record.lines[line.line_id or ""]["rejected"] = "X1"
        version = str(record.version) if self.versions else None
        return Delivered(record.id, version, write.action == "create", dict(record.keys), self.native(record))

    def put(self, entity: str, key: str, body: Mapping[str, Any], stamp: str | None = None, **more: Any) -> None:
        """A change at the source."""
        self.rows.setdefault(entity, []).append(
            Row(key, dict(body), stamp=stamp or f"s{len(self.rows.get(entity, []))}", **more)
        )

    def effects(self, entity: str) -> list[Record]:
        """What stands in the system."""
        return list(self.records.get(entity, {}).values())

    def written(self) -> int:
        """Write calls so far."""
        return sum(1 for kind, _ in self.calls if kind == "write")


class Book(Memory):
    """A memory system that can be reconciled: `now` is what it holds, `rows` is what its feed tells of that.

    `own_hashes` gives hashes that cannot be compared with a digest of the body, like those of a version or a stamp.
    """

    def __init__(self, name: str, clock: ManualClock, *, own_hashes: bool = False, **entities: Entity) -> None:
        super().__init__(name, clock, **entities)
        self.now: dict[str, dict[str, Row]] = {}
        self.own_hashes = own_hashes
        self.fetched = 0

    def save(self, entity: str, key: str, body: Mapping[str, Any], stamp: str, *, told: bool = True) -> None:
        """A record is written; without `told` the feed skips it."""
        row = Row(key, dict(body), stamp=stamp)
        self.now.setdefault(entity, {})[key] = row
        if told:
            self.rows.setdefault(entity, []).append(copy.deepcopy(row))

    def remove(self, entity: str, key: str) -> None:
        """A record is deleted, and no feed tells."""
        self.now.get(entity, {}).pop(key, None)
        self.records.get(entity, {}).pop(key, None)

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        held = {key: (row.body or {}, row.stamp) for key, row in self.now.get(entity, {}).items()}
        held |= {key: (self.native(one), str(one.version)) for key, one in self.records.get(entity, {}).items()}
        for key in sorted(held):
            if (low is None or key >= low) and (high is None or key < high):
                body, stamp = held[key]
                yield KeyHash(key, str(stamp).encode() if self.own_hashes else strict.json.digest(body))

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        self.fetched += len(ids)
        found = super().fetch(entity, ids)
        found += [copy.deepcopy(self.now[entity][id_]) for id_ in ids if id_ in self.now.get(entity, {})]
        there = {row.key for row in found}
        return found + [Row(id_, None, action="delete") for id_ in ids if id_ not in there]
