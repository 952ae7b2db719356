"""What becomes of files: kept, moved or deleted when their rows are stored, set aside with the reason when broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath

from connectors.files._config import DONE, FAILED, FileEntity
from connectors.files._cursor import State, mark_of
from connectors.files._drop import Drop, StillGrowing
from connectors.files._place import Entry, Place
from landbridge.errors import Invalid, Rejected
from landbridge.time import Clock


class Afterwards:
    """Moves the files of one entity in one reading, and remembers what has to be told at its end."""

    def __init__(self, system: str, place: Place, declared: FileEntity, clock: Clock, *, looking: bool) -> None:
        self._system = system
        self._place = place
        self._declared = declared
        self._clock = clock
        self._looking = looking
        self._troubles: list[str] = []

    def finish(self, entries: Iterable[Entry]) -> None:
        """Move or delete files whose rows are stored for certain."""
        if self._looking or self._declared.afterwards == "keep":
            return
        for entry in entries:
            try:
                if self._declared.afterwards == "delete":
                    self._place.remove(self._declared.folder, entry.name)
                else:
                    self._move(entry.name, DONE)
                self._remove_marker(entry.name)
            except FileNotFoundError:
                continue  # somebody was faster

    @contextmanager
    def broken_aside(self, entry: Entry, state: State) -> Iterator[None]:
        """A broken file goes to `failed/` with the reason beside it, or stays and is known as broken."""
        try:
            yield
        except StillGrowing:
            return
        except FileNotFoundError:
            self._troubles.append(f"{entry.name} vanished while it was read; nothing of it was taken")
        except Invalid as error:
            text = "; ".join(f"{each.path}: {each.message}" for each in error.findings[:3])
            if self._declared.broken == "keep":
                state.done(mark_of(entry), None)
                self._troubles.append(f"{text} (left where it is; looked at again when it changes)")
                return
            if self._looking:
                self._troubles.append(f"{text} (a run sets it aside)")
                return
            name = self._set_aside(entry, error)
            self._troubles.append(f"{text} (set aside as {self._declared.folder or '.'}/{FAILED}/{name})")

    def _set_aside(self, entry: Entry, error: Invalid) -> str:
        lines = [f"{each.path}: {each.message}\n  {each.hint}" for each in error.findings]
        head = (
            f"{entry.name} was refused whole at {self._clock.now():%Y-%m-%d %H:%M:%S} UTC; nothing of it was taken.\n"
        )
        text = "\n".join([head, *lines, "", "Correct it, and drop it again under its name or another.", ""])
        try:
            name = self._move(entry.name, FAILED)
        except FileNotFoundError:
            return entry.name
        self._place.write(str(PurePosixPath(self._declared.folder, FAILED)), f"{name}.error.txt", text.encode())
        self._remove_marker(entry.name)
        return name

    def _move(self, name: str, folder: str) -> str:
        """Move into a folder of ours under a name that is free there; the name."""
        to = str(PurePosixPath(self._declared.folder, folder))
        self._place.make(to)
        path, new, count = PurePosixPath(name), name, 1
        while self._place.look(to, new) is not None:
            count += 1
            new = f"{path.stem}~{count}{path.suffix}"
        self._place.rename(self._declared.folder, name, to, new)
        return new

    def _remove_marker(self, name: str) -> None:
        if self._declared.marker is None:
            return
        marker = self._declared.marker.format(name=name, stem=PurePosixPath(name).stem)
        try:
            self._place.remove(self._declared.folder, marker)
        except FileNotFoundError:
            return

    def changed(self, state: State, drop: Drop) -> None:
        """A file of which a part was read holds something else now: it is read anew, whole."""
        for digest, (rows, name) in list(state.open.items()):
            if name == drop.entry.name and digest != drop.digest:
                del state.open[digest]
                self._troubles.append(f"{name} was changed after {rows:,} of its rows were read; it was read anew")

    def lost(self, state: State, names: Sequence[str]) -> None:
        """Files of which a part was read and which are gone: their other rows are missing until they are back."""
        for name in names:
            rows = next(rows for rows, each in state.open.values() if each == name)
            self._troubles.append(f"{name} is gone after {rows:,} of its rows were read; put it back as it was")

    def tell(self) -> None:
        """Raise what was wrong, once everything that is sound has been given out."""
        if not self._troubles:
            return
        more = f" (and {len(self._troubles) - 5} more)" if len(self._troubles) > 5 else ""
        message = f"{self._system}: {len(self._troubles)} of the files could not be read: "
        raise Rejected(
            message + "; ".join(self._troubles[:5]) + more + ".",
            hint="Every sound file was read. The reasons stand in the .error.txt beside each that was set aside.",
            sent=False,
        )
