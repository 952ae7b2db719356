"""Writing: what is new of a batch becomes one file that appears whole; nothing is written a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from threading import Lock

from connectors.files._config import FileEntity, FilesConfig, WriteTo
from connectors.files._journal import Journal
from connectors.files._layout import EXTENSIONS, Layout
from connectors.files._place import Place
from landbridge.connector import Delivered, Found, Outcome, Write
from landbridge.errors import Failure, OutcomeUnknown, Rejected
from landbridge.strict import json as strict_json
from landbridge.time import Clock


class Writer:
    """Writes the files of one place."""

    def __init__(self, system: str, place: Place, config: FilesConfig, clock: Clock) -> None:
        self._system = system
        self._place = place
        self._config = config
        self._clock = clock
        self._journals: dict[str, Journal] = {}
        self._lock = Lock()

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, in order; a record that cannot be written keeps no other from it."""
        declared, to = self._writable(entity)
        journal, layout = self._journal(entity), Layout(f"{self._system}: {entity}", declared, to)
        outcomes: list[Outcome] = []
        fresh: list[tuple[str, Write, list[dict[str, object]]]] = []
        with self._lock:  # two batches at once would look for each other's records in vain
            journal.refresh()
            for write in writes:
                outcome = self._one(write, to, layout, journal, fresh)
                outcomes.append(outcome)
            if fresh:
                failure = self._publish(entity, declared, to, layout, journal, fresh)
                if failure is not None:
                    news = {id(write) for _, write, _ in fresh}
                    return [
                        failure if id(write) in news and isinstance(outcome, Delivered) else outcome
                        for write, outcome in zip(writes, outcomes, strict=True)
                    ]
        return outcomes

    def _one(
        self,
        write: Write,
        to: WriteTo,
        layout: Layout,
        journal: Journal,
        fresh: list[tuple[str, Write, list[dict[str, object]]]],
    ) -> Outcome:
        if write.action == "delete":
            if write.policy == "ignore" or write.target_id is None:
                return Delivered(write.target_id or "")
            if to.action is None:
                hint = "Say `write.action`, the column that tells it, or another `on_delete`."
                return Rejected(f"{self._system}: {write.entity}: no column says 'delete'.", hint=hint, sent=False)
        try:
            rows = layout.record(write)
        except Rejected as failure:
            return failure
        identity = _identity(write, rows)
        known = journal.of(identity)
        if known is not None:
            try:
                journal.complete(known.file)
            except Failure as failure:
                return failure
        elif all(identity != other for other, _, _ in fresh):
            fresh.append((identity, write, rows))
        lines = {line.line_key: line.line_key for line in write.lines if line.after is not None}
        created = write.action == "create" and known is None
        return Delivered(write.reference, created=created, lines=lines)

    def _publish(
        self,
        entity: str,
        declared: FileEntity,
        to: WriteTo,
        layout: Layout,
        journal: Journal,
        fresh: Sequence[tuple[str, Write, list[dict[str, object]]]],
    ) -> Failure | None:
        """Write one file of all that is new; what went wrong holds for each of its records."""
        key = hashlib.blake2b("\n".join(sorted(i for i, _, _ in fresh)).encode(), digest_size=10).hexdigest()
        now = self._clock.now()
        name = to.name.format(entity=entity, key=key, date=f"{now:%Y%m%d}", time=f"{now:%H%M%S}")
        extension = EXTENSIONS[declared.format]
        name = name if "." in name else name + extension
        try:
            content = layout.content([rows for _, _, rows in fresh])
            journal.publish(key, name, content, [(identity, write.reference) for identity, write, _ in fresh])
        except Failure as failure:
            return failure
        except FileNotFoundError as error:
            hint = "Another program works in the folder; leave hidden files alone."
            return OutcomeUnknown(f"{self._system}: {name} is gone before it had its name: {error}.", hint=hint)
        return None

    def find(self, entity: str, reference: str) -> Found | None:
        """What was written under our reference, if its file has got its name; the reference is the record's id."""
        self._writable(entity)
        journal = self._journal(entity)
        journal.refresh()
        entry = journal.under(reference)
        if entry is None or not journal.published(entry.file):
            return None
        return Found(reference)

    def where(self, entity: str, reference: str) -> str | None:
        """The name of the file that holds the last state of a record that was published."""
        journal = self._journal(entity)
        journal.refresh()
        entry = journal.under(reference)
        return entry.file if entry is not None and journal.published(entry.file) else None

    def _writable(self, entity: str) -> tuple[FileEntity, WriteTo]:
        declared = self._config.entities[entity]
        if declared.write is None:
            raise Rejected(f"{self._system}: {entity} is only read.", hint="Say `write` to write it.", sent=False)
        return declared, declared.write

    def _journal(self, entity: str) -> Journal:
        _, to = self._writable(entity)
        if entity not in self._journals:
            self._journals[entity] = Journal(self._system, self._place, to, self._clock, self._config.remember)
        return self._journals[entity]


def _identity(write: Write, rows: Sequence[dict[str, object]]) -> str:
    """The same for a repeat of one write, whoever repeats it in whatever batch; another content is another write."""
    told = [write.entity, write.key, write.action == "delete", [{k: str(v) for k, v in row.items()} for row in rows]]
    return hashlib.blake2b(strict_json.dumps(told, sort=True), digest_size=12).hexdigest()
