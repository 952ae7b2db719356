"""Reading: new drops in order, each checked whole before its first record counts; a broken one stops no other.

What is done to a file afterwards happens on the next read: only a cursor that comes back says that its rows are stored.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import PurePosixPath

from connectors.files._afterwards import Afterwards
from connectors.files._config import DONE, FileEntity, FilesConfig
from connectors.files._cursor import State, mark_of, parse
from connectors.files._drop import Drop, StillGrowing
from connectors.files._place import Entry, Place
from landbridge.connector import KeyHash, Page, Row
from landbridge.errors import Invalid, Rejected
from landbridge.strict import json as strict_json
from landbridge.time import Clock

_PARTIAL = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".swp")


class Reader:
    """Reads the files of one place."""

    def __init__(self, system: str, place: Place, config: FilesConfig, clock: Clock) -> None:
        self._system = system
        self._place = place
        self._config = config
        self._clock = clock

    # -- feeds ---------------------------------------------------------------------------------------------------------

    def pages(self, entity: str, since: str | None, limit: int | None, *, looking: bool = False) -> Iterator[Page]:
        """The records of every drop that is not known yet; broken files are told after the last page."""
        declared = self._readable(entity)
        if declared.snapshot:
            yield from self._snapshot(entity, declared, looking)
            return
        state = parse(since, self._clock.now(), self._system)
        after = Afterwards(self._system, self._place, declared, self._clock, looking=looking)
        listed = self._listed(declared)
        after.finish(entry for entry in listed if state.was_read(entry))
        came = 0
        before = state.text()
        for entry in self._settled(declared, listed, state):
            with (
                after.broken_aside(entry, state),
                Drop(self._place, declared.folder, entry, declared, self._config.max_file) as drop,
            ):
                for rows, told in self._of(drop, declared, state, after, None if limit is None else limit - came):
                    came += len(rows)
                    before = told
                    yield Page(rows, told)
            if limit is not None and came >= limit:
                return
        after.lost(state, self._mentioned(state, listed))
        state.forget({mark_of(entry) for entry in listed})
        if state.text() != before:
            yield Page([], self._told(state))
        after.tell()

    def _of(
        self, drop: Drop, declared: FileEntity, state: State, after: Afterwards, left: int | None
    ) -> Iterator[tuple[list[Row], str]]:
        """The pages of one drop with the cursors after them; nothing for content that was read under another name."""
        mark = mark_of(drop.entry)
        if declared.repeat == "skip" and drop.digest in state.contents():
            state.done(mark, drop.digest)
            return
        checked = drop.records.check()
        after.changed(state, drop)
        start, _ = state.open.get(drop.digest, (0, ""))
        at, rows = start, list[Row]()
        for at, rows in drop.records.pages(start, min(self._config.page_size, left or self._config.page_size)):
            left = None if left is None else left - len(rows)
            if at >= checked.rows:
                break
            state.open[drop.digest] = at, drop.entry.name
            yield rows, self._told(state)
            if left is not None and left <= 0:
                return
        state.done(mark, drop.digest)
        if rows:
            yield rows, self._told(state)

    def _told(self, state: State) -> str:
        state.seen = self._clock.now().isoformat()
        return state.text()

    @staticmethod
    def _mentioned(state: State, listed: Sequence[Entry]) -> Sequence[str]:
        there = {entry.name for entry in listed}
        return [name for _, name in state.open.values() if name not in there]

    def _snapshot(self, entity: str, declared: FileEntity, looking: bool) -> Iterator[Page]:
        """The newest file that is sound is all there is; older ones are over."""
        after = Afterwards(self._system, self._place, declared, self._clock, looking=looking)
        listed = self._listed(declared)
        left = self._settled(declared, listed, State())
        if listed and left and listed[-1] not in left:
            return  # the newest grows: an older one would take back what it said when it was read before
        while left:
            entry = left.pop()
            with (
                after.broken_aside(entry, State()),
                Drop(self._place, declared.folder, entry, declared, self._config.max_file) as drop,
            ):
                checked = drop.records.check()
                total = checked.records if declared.deleted is None else None
                held: list[Row] = []
                for _, rows in drop.records.pages(0, self._config.page_size):
                    if held:
                        yield Page(held, None, total=total)
                    held = [row for row in rows if row.action != "delete"]
                after.finish(left)
                left = []
                yield Page(held, None, complete=True, total=total)
        after.tell()

    # -- which files ---------------------------------------------------------------------------------------------------

    def _readable(self, entity: str) -> FileEntity:
        declared = self._config.entities[entity]
        if declared.pattern is None:
            raise Rejected(f"{self._system}: {entity} is only written.", hint="Say `pattern` to read it.", sent=False)
        return declared

    def _listed(self, declared: FileEntity, folder: str | None = None) -> list[Entry]:
        """The files of an entity in their order; hidden ones and those that are being uploaded are none."""
        assert declared.pattern is not None
        found = self._place.list(declared.folder if folder is None else folder)
        names = {entry.name for entry in found}
        wanted = [
            entry
            for entry in found
            if entry.kind != "folder"
            and fnmatch.fnmatchcase(entry.name, declared.pattern)
            and not entry.name.startswith(".")
            and not entry.name.lower().endswith(_PARTIAL)
            and (declared.marker is None or folder is not None or marker_of(declared.marker, entry.name) in names)
            and (declared.marker is None or not _is_marker(declared.marker, entry.name, names))
        ]
        if declared.order == "name":
            return sorted(wanted, key=lambda entry: entry.name)
        return sorted(wanted, key=lambda entry: (entry.mtime, entry.name))

    def _settled(self, declared: FileEntity, listed: Sequence[Entry], state: State) -> list[Entry]:
        """Those that are not known and do not grow: with a marker at once, else after a look `quiet` seconds later."""
        start = datetime.fromisoformat(state.start).timestamp() * 1e9 if state.start else 0
        new = [entry for entry in listed if mark_of(entry) not in state.known and entry.mtime >= start]
        if new and declared.marker is None and declared.quiet > 0:
            self._clock.sleep(declared.quiet)
            now = set(self._place.list(declared.folder))
            new = [entry for entry in new if entry in now]
        names = {name for _, name in state.open.values()}
        return sorted(new, key=lambda entry: entry.name not in names)  # what is half read goes on first

    # -- records by key ------------------------------------------------------------------------------------------------

    def latest(self, entity: str, wanted: set[str] | None = None) -> Iterator[Row]:
        """Every record of the files that are there, and of those that were read and moved, oldest first."""
        declared = self._readable(entity)
        places = [(declared.folder, entry) for entry in self._listed(declared)]
        if declared.snapshot:
            places = places[-1:]
        elif declared.afterwards == "move":
            folder = str(PurePosixPath(declared.folder, DONE))
            if self._place.look(declared.folder, DONE) is not None:
                places += [(folder, entry) for entry in self._listed(declared, folder)]
        by_name = declared.order == "name"
        for folder, entry in sorted(places, key=lambda each: (0 if by_name else each[1].mtime, each[1].name)):
            try:
                with Drop(self._place, folder, entry, declared, self._config.max_file) as drop:
                    drop.records.check()
                    for row in drop.records.rows():
                        if wanted is None or row.key in wanted:
                            yield row
            except (Invalid, StillGrowing, FileNotFoundError):
                continue  # told when the feed is read; nothing of it counts

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """The last state of each record in the files; those that no file holds as `delete`."""
        found = {row.key: row for row in self.latest(entity, set(ids))}
        return [found.get(key) or Row(key, None, action="delete") for key in dict.fromkeys(ids)]

    def keys(self, entity: str, low: str | None, high: str | None) -> Iterator[KeyHash]:
        """Every key with the digest of its last state, ascending."""
        last: dict[str, bytes] = {}
        for row in self.latest(entity):
            if row.body is None:
                last.pop(row.key, None)
            elif (low is None or row.key >= low) and (high is None or row.key < high):
                last[row.key] = strict_json.digest(row.body)
        for key in sorted(last):
            yield KeyHash(key, last[key])


def marker_of(marker: str, name: str) -> str:
    """The name of the file that says that another one is whole."""
    return marker.format(name=name, stem=PurePosixPath(name).stem)


def _is_marker(marker: str, name: str, names: set[str]) -> bool:
    return any(marker_of(marker, other) == name for other in names if other != name)
