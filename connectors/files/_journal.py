"""The journal beside what we write: which records are in which file, written before the file gets its name.

A file is published in three steps: its content under a hidden name, its journal entry, the rename. Whoever repeats a
write finds the entry: if the hidden file is still there it was not published, and is now; else it was, whoever took it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from threading import Lock

from connectors.files._config import OWN, WriteTo
from connectors.files._place import Place
from landbridge.errors import Invalid, Unavailable
from landbridge.strict import json as strict_json
from landbridge.time import EPOCH, Clock

_FORM = ".json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in one file: its identity (key and content, hashed) and our reference."""

    identity: str
    reference: str
    file: str
    at: str


class Journal:
    """The journal of one folder; what was read of it is kept in memory, new entries are looked for each time."""

    def __init__(self, system: str, place: Place, to: WriteTo, clock: Clock, days: int) -> None:
        self._system = system
        self._place = place
        self._to = to
        self._clock = clock
        self._days = days
        self._folder = str(PurePosixPath(to.folder, OWN))
        self._lock = Lock()
        self._read: set[str] = set()
        self._identities: dict[str, Entry] = {}
        self._references: dict[str, list[Entry]] = {}
        self._there = False

    def refresh(self) -> None:
        """Read what others have written meanwhile; what is older than it has to be is deleted."""
        with self._lock:
            if not self._there:
                if self._place.look(self._to.folder, OWN) is None:
                    self._place.make(self._folder)
                self._there = True
            oldest = self._clock.now() - timedelta(days=self._days)
            for entry in sorted(self._place.list(self._folder), key=lambda each: (each.mtime, each.name)):
                if not entry.name.endswith(_FORM) or entry.name.startswith(".") or entry.name in self._read:
                    continue
                try:
                    if EPOCH + timedelta(microseconds=entry.mtime // 1000) < oldest:
                        self._place.remove(self._folder, entry.name)
                    else:
                        self._take(entry.name, self._place.read(self._folder, entry.name))
                except FileNotFoundError:
                    continue  # another process deleted it

    def _take(self, name: str, content: bytes) -> None:
        try:
            held = strict_json.loads(content)
            entries = [Entry(str(i), str(r), str(held["file"]), str(held["at"])) for i, r in held["records"]]
        except (Invalid, KeyError, ValueError, TypeError):
            hint = "Restore it from a backup; if that cannot be, delete it: what it told of may be written twice."
            raise Unavailable(f"{self._system}: the journal {self._folder}/{name} cannot be read.", hint=hint) from None
        self._add(name, entries)

    def _add(self, name: str, entries: Sequence[Entry]) -> None:
        self._read.add(name)
        for entry in entries:
            self._identities[entry.identity] = entry
            self._references.setdefault(entry.reference, []).append(entry)

    def of(self, identity: str) -> Entry | None:
        """Where a record was written, by its identity."""
        return self._identities.get(identity)

    def under(self, reference: str) -> Entry | None:
        """Where the last state of a record was written, by our reference."""
        found = self._references.get(reference)
        return max(found, key=lambda entry: entry.at) if found else None

    def publish(self, key: str, file: str, content: bytes, records: Sequence[tuple[str, str]]) -> None:
        """Write a file and have it counted: after the rename it is there whole, before it nothing is."""
        self._place.write(self._to.folder, hidden(file), content)
        marker = self._marker(file)
        if marker is not None:
            self._place.write(self._to.folder, hidden(marker), b"")
        at = self._clock.now().isoformat()
        told = strict_json.dumps({"file": file, "at": at, "records": [list(each) for each in records]})
        name = f"{key}{_FORM}"
        self._place.write(self._folder, f".{name}.part", told)
        self._place.rename(self._folder, f".{name}.part", self._folder, name)
        with self._lock:
            self._add(name, [Entry(identity, reference, file, at) for identity, reference in records])
        self.complete(file)

    def complete(self, file: str) -> bool:
        """Give a file its name, and then its marker, if it has not got them yet; True if there was something to do."""
        found = False
        for name in filter(None, (file, self._marker(file))):
            if self._place.look(self._to.folder, hidden(name)) is not None:
                self._place.rename(self._to.folder, hidden(name), self._to.folder, name, effect=True)
                found = True
        return found

    def published(self, file: str) -> bool:
        """Whether a file of the journal has got its name."""
        return self._place.look(self._to.folder, hidden(file)) is None

    def _marker(self, file: str) -> str | None:
        return None if self._to.marker is None else self._to.marker.format(name=file)


def hidden(name: str) -> str:
    """The name under which a file lies until it is whole: no reader takes it."""
    return f".{name}.part"
