"""A drop: one file copied whole to our own disk before anything of it counts, with the digest of its content."""

from __future__ import annotations

import hashlib
import tempfile
from types import TracebackType
from typing import BinaryIO, Self, cast

from connectors.files._config import FileEntity
from connectors.files._place import Entry, Place
from connectors.files._records import Records
from landbridge.errors import Finding, Invalid
from landbridge.strict import csv

DIGEST = 12


class StillGrowing(Exception):
    """The file was written to while it was copied: it is left for the next time."""


class Drop:
    """A private copy without a name, so that nobody changes, moves or deletes it while it is read."""

    def __init__(self, place: Place, folder: str, entry: Entry, entity: FileEntity, longest: int) -> None:
        self.entry = entry
        if entry.kind != "file":
            hint = "Links and pipes are never followed; drop the file itself."
            raise Invalid([Finding(entry.name, "file", "is no plain file", hint)])
        if entry.size > longest:
            message = f"has {entry.size:,} bytes, more than {longest:,} (`max_file`)"
            raise Invalid([Finding(entry.name, "file", message, "Have it split, or raise `max_file`.")])
        self._spool = cast(BinaryIO, tempfile.TemporaryFile(prefix="landbridge-"))  # noqa: SIM115 - closed by the context
        try:
            self.digest = self._copy(place, folder, entity)
        except BaseException:
            self._spool.close()
            raise
        self.records = Records(self._spool, entity, entry.name)

    def _copy(self, place: Place, folder: str, entity: FileEntity) -> bytes:
        digest = hashlib.blake2b(digest_size=DIGEST)
        screen = None
        if entity.format != "excel":
            screen = csv.Screen(self.entry.name, entity.encoding if entity.format == "csv" else "utf-8")
        wrong: Invalid | None = None

        def take(chunk: bytes) -> None:
            nonlocal wrong
            digest.update(chunk)
            self._spool.write(chunk)
            if screen is not None and wrong is None:
                try:
                    screen.feed(chunk)
                except Invalid as error:
                    wrong = error  # said only once it is certain that the file is whole

        size = place.fetch(folder, self.entry.name, take)
        now = place.look(folder, self.entry.name)
        if size != self.entry.size or (now is not None and now != self.entry):
            raise StillGrowing(self.entry.name)
        if wrong is not None:
            raise wrong
        return digest.digest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()
