"""What we wrote, read back: by our reference, from the file that the journal names, as long as nobody took it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.files._config import FileEntity, FilesConfig, Flag, Lines
from connectors.files._drop import Drop, StillGrowing
from connectors.files._place import Place
from connectors.files._write import Writer
from landbridge.connector import Row
from landbridge.errors import Invalid


class Written:
    """Reads our own files."""

    def __init__(self, place: Place, config: FilesConfig, writer: Writer) -> None:
        self._place = place
        self._config = config
        self._writer = writer

    def rows(self, entity: str, references: Sequence[str]) -> Iterator[Row]:
        """The last state of each record whose file is still there, in no order; each file is read once."""
        declared = self._config.entities[entity]
        if declared.write is None:
            return
        files: dict[str, set[str]] = {}
        for reference in references:
            file = self._writer.where(entity, reference)
            if file is not None:
                files.setdefault(file, set()).add(reference)
        own = _as_read(declared)
        for file, wanted in files.items():
            entry = self._place.look(declared.write.folder, file)
            if entry is None:
                continue
            try:
                with Drop(self._place, declared.write.folder, entry, own, self._config.max_file) as drop:
                    drop.records.check()
                    for row in drop.records.rows():
                        if row.key in wanted:
                            yield _plain(row, declared)
            except (Invalid, StillGrowing, FileNotFoundError):
                continue  # somebody else works on it: it is theirs now


def _as_read(declared: FileEntity) -> FileEntity:
    """Our own files as an entity that is read: its key is our reference."""
    to = declared.write
    assert to is not None
    lines = declared.lines
    if lines is not None:
        columns = [*lines.columns, *([lines.reference] if lines.reference else [])]
        lines = Lines(columns=tuple(columns), under=lines.under)
    return declared.model_copy(
        update={
            "key": (to.reference,),
            "changed": None,
            "deleted": Flag(column=to.action, values=("delete",)) if to.action else None,
            "lines": lines,
            "trailer": None,
            "header": min(declared.header, 1),
        }
    )


def _plain(row: Row, declared: FileEntity) -> Row:
    """A row without the columns that only we put there."""
    to = declared.write
    if row.body is not None and to is not None:
        own = {name for name in (to.reference, to.version, to.action) if name} - {c.name for c in declared.columns}
        row.body = {name: value for name, value in row.body.items() if name not in own}
    return row
