"""The records of one file that lies whole before us: checked first from end to end, then given out page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import chain, islice
from typing import Any, BinaryIO

from connectors.files._config import FileEntity
from connectors.files._shape import Findings, Shape, names_of
from connectors.files._values import number_of
from landbridge.connector import Row
from landbridge.errors import Finding, Invalid
from landbridge.strict import csv, excel
from landbridge.strict import json as strict_json

_LONGEST = 16 * 1024 * 1024
_AT_ONCE = 500


@dataclass(slots=True)
class Checked:
    """A file that is sound: how many rows of records and how many records it has."""

    rows: int
    records: int


class Records:
    """One file's records; `source` is our own copy of it."""

    def __init__(self, source: BinaryIO, entity: FileEntity, file: str) -> None:
        self._source = source
        self._entity = entity
        self._file = file
        self._sheet: excel.Sheet | None = None
        self.names: list[str] = []
        self.checked: Checked | None = None

    # -- the whole file ------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        """Read it from end to end; raises Invalid with every finding, file:row:column."""
        if self._entity.format == "jsonl":
            self.checked = self._check_objects()
        else:
            self.checked = self._check_table()
        return self.checked

    def _check_table(self) -> Checked:
        numbered = self._numbered()
        self.names = self._header(numbered)
        shape, found, sums = self._shape(), Findings(self._file), _Sums(self._entity, self.names, self._file)
        documents, rows, mark = _Documents(self._entity, self._file), 0, self._entity.trailer
        excel_width = len(self.names) if self._entity.format == "excel" else 0
        grouped, summed, width = self._entity.lines is not None, sums.any, len(self.names)
        for line, row in numbered:
            if not row:
                continue
            if mark is not None and str(row[0]) == mark.mark:
                sums.compare(line, row, rows, found)
                self._nothing_after(numbered, found)
                break
            cells = row if len(row) >= excel_width else [*row, *[None] * (excel_width - len(row))]
            shape.check(line, cells, found)
            rows += 1
            if summed and len(cells) == width:
                sums.add(cells)
            if grouped and len(cells) == width:
                documents.add(line, tuple(str(cells[at]) for at in shape.key), found)
        else:
            sums.missing(found)
        found.stop()
        return Checked(rows, documents.count if self._entity.lines else rows)

    def _nothing_after(self, numbered: Iterator[tuple[int, Sequence[Any]]], found: Findings) -> None:
        for line, row in numbered:
            if row:
                found.add(line, "", "a row stands after the trailer")
                return

    def _header(self, numbered: Iterator[tuple[int, Sequence[Any]]]) -> list[str]:
        entity = self._entity
        if entity.header == 0:
            return [column.name for column in entity.columns]
        for line, row in numbered:
            if line >= entity.header and row:
                return names_of(entity, row, line, self._file)
        what = "the file is empty: not even a header stands in it"
        raise Invalid([Finding(self._file, "file", what, "Ask its sender; a drop without records has its header.")])

    def _numbered(self) -> Iterator[tuple[int, Sequence[Any]]]:
        if self._entity.format == "excel":
            self._sheet = excel.opened(self._source, self._file, self._entity.sheet)
            return self._sheet.checked(self._entity.header)
        return csv.numbered(self._source, self._dialect(), self._file)

    def _dialect(self) -> csv.Dialect:
        return csv.Dialect(self._entity.delimiter, self._entity.quote, self._entity.encoding)

    def _shape(self) -> Shape:
        return Shape(self._entity, self.names, self._file, self._sheet.day if self._sheet else None)

    def _check_objects(self) -> Checked:
        found, rows, mark = Findings(self._file), 0, self._entity.trailer
        sums, documents = _Sums(self._entity, [], self._file), _Documents(self._entity, self._file)
        agreed = [c for c in self._entity.columns if c.required or c.length]
        stamp = Shape(self._entity, self._object_names(), self._file, None)
        objects = self._objects()
        for line, body in objects:
            if mark is not None and mark.mark in body:
                sums.compare(line, body, rows, found)
                for after, _ in islice(objects, 1):
                    found.add(after, "", "a record stands after the trailer")
                break
            rows += 1
            _check_object(line, body, self._entity, agreed, stamp, found)
            sums.add(body)
            documents.add(line, tuple(str(body.get(name)) for name in self._entity.key), found)
        else:
            sums.missing(found)
        found.stop()
        return Checked(rows, documents.count if self._entity.lines else rows)

    def _object_names(self) -> list[str]:
        entity = self._entity
        wanted = [*entity.key, entity.changed or "", entity.deleted.column if entity.deleted else ""]
        return list(dict.fromkeys(name for name in [*wanted, *(c.name for c in entity.columns)] if name))

    def _objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._source.seek(0)
        for line, text in enumerate(self._source, 1):
            if not text.strip():
                continue
            try:
                body = strict_json.loads(text, max_bytes=_LONGEST)
            except Invalid as error:
                where = f"{self._file}:{line}"
                raise Invalid([Finding(where, "file", each.message, each.hint) for each in error.findings]) from None
            if not isinstance(body, dict):
                hint = "Each line of the file is one JSON object."
                raise Invalid([Finding(f"{self._file}:{line}", "file", "the line is no JSON object", hint)])
            yield line, body

    # -- page by page --------------------------------------------------------------------------------------------------

    def pages(self, start: int, size: int) -> Iterator[tuple[int, list[Row]]]:
        """(rows of the file that are read so far, records) from a row of the file on; documents come whole."""
        assert self.checked is not None, "a file is checked before its first row counts"
        if self._entity.format == "jsonl":
            shape = Shape(self._entity, self._object_names(), self._file, None)
            found: Iterator[Any] = (body for _, body in self._objects())
            bodies: Iterator[dict[str, Any]] = islice(found, start, self.checked.rows)
        else:
            shape = self._shape()
            bodies = map(shape.body, islice(self._plain(), start, self.checked.rows))
        if self._entity.lines is not None:
            documents = self._documents(shape, bodies, start)
            while together := list(islice(documents, size)):
                yield together[-1][0], [row for _, row in together]
            return
        key, at = self._entity.key[0], start
        simple = self._entity.deleted is None and self._entity.changed is None and len(self._entity.key) == 1
        while chunk := list(islice(bodies, size)):
            at += len(chunk)
            yield at, [Row(str(body[key]), body) for body in chunk] if simple else [_row(shape, body) for body in chunk]

    def rows(self) -> Iterator[Row]:
        """Every record."""
        for _, rows in self.pages(0, _AT_ONCE):
            yield from rows

    def _plain(self) -> Iterator[list[Any]]:
        """The rows after the header, without blank ones."""
        if self._entity.format == "excel":
            assert self._sheet is not None
            width, header = len(self.names), self._entity.header
            padded = (
                [*row, *[None] * (width - len(row))] for number, row in self._sheet.rows() if number >= max(header, 1)
            )
            return islice(padded, 1 if header else 0, None)
        found: Iterator[list[str]] = csv.rows(self._source, self._dialect())
        if self._entity.header > 1:
            after = csv.numbered(self._source, self._dialect(), self._file)
            found = (list(row) for line, row in after if line >= self._entity.header)
        return islice(filter(None, found), 1 if self._entity.header else 0, None)

    def _documents(self, shape: Shape, bodies: Iterator[dict[str, Any]], start: int) -> Iterator[tuple[int, Row]]:
        """Rows that follow each other with one key as one document with its lines."""
        lines = self._entity.lines
        assert lines is not None
        of_line = [*lines.columns, *([lines.key] if lines.key and lines.key not in lines.columns else [])]
        document: dict[str, Any] | None = None
        key, at = "", start
        for at, body in enumerate(chain(bodies, (None,)), start):
            new = None if body is None else shape.key_of(body)
            if document is not None and (body is None or new != key):
                yield at, _row(shape, document)
                document = None
            if body is None:
                return
            line = {name: body.pop(name, None) for name in of_line}
            if document is None:
                document, key = {**body, lines.under: []}, str(new)
            if any(value is not None for value in line.values()):
                document[lines.under].append(line)


def _row(shape: Shape, body: dict[str, Any]) -> Row:
    key, stamp = shape.key_of(body), shape.stamp(body)
    if shape.gone(body):
        return Row(key, None, stamp, action="delete")
    return Row(key, body, stamp)


def _check_object(
    line: int, body: dict[str, Any], entity: FileEntity, agreed: Sequence[Any], shape: Shape, found: Findings
) -> None:
    for name in entity.key:
        if body.get(name) in (None, "") or isinstance(body[name], dict | list):
            found.add(line, name, "is empty and must not be")
    for column in agreed:
        value = body.get(column.name)
        if value in (None, "") and column.required and column.name not in entity.key:
            found.add(line, column.name, "is empty and must not be")
        if column.length is not None and value is not None and len(str(value)) > column.length:
            found.add(line, column.name, f"has {len(str(value))} characters, {column.length} are agreed")
    if entity.changed is not None:
        try:
            shape.stamp({entity.changed: None, **body})
        except ValueError as error:
            found.add(line, entity.changed, str(error))


class _Documents:
    """Counts documents, and sees when the rows of one do not stand together: half of it would come twice."""

    def __init__(self, entity: FileEntity, file: str) -> None:
        self._grouped = entity.lines is not None
        self._seen: set[int] = set()
        self._last: tuple[str, ...] | None = None
        self.count = 0

    def add(self, line: int, key: tuple[str, ...], found: Findings) -> None:
        """One more row."""
        if not self._grouped or key == self._last:
            return
        self._last = key
        self.count += 1
        mark = hash(key)
        if mark in self._seen:
            message = f"the rows of {'/'.join(key)} do not stand together"
            found.add(line, "", message, "The sender must sort the file by its key.")
        self._seen.add(mark)


class _Sums:
    """What the trailer says, against what the rows are."""

    def __init__(self, entity: FileEntity, names: Sequence[str], file: str) -> None:
        self._trailer = entity.trailer
        self._number = number_of(entity)
        names_ = list(names)
        columns = self._trailer.sums if self._trailer is not None else {}
        self._at: dict[str, Any] = {name: names_.index(name) if names_ else name for name in columns}
        self._sums: dict[str, Decimal] = dict.fromkeys(columns, Decimal(0))

    @property
    def any(self) -> bool:
        """Whether there is anything to add up."""
        return bool(self._at)

    def add(self, row: Any) -> None:
        """One more row; what is no number is told by its column."""
        for name, at in self._at.items():
            try:
                value = row.get(at) if isinstance(row, dict) else row[at]
                self._sums[name] += Decimal(str(self._number(value) or 0))
            except (ValueError, InvalidOperation):
                continue

    def compare(self, line: int, row: Any, rows: int, found: Findings) -> None:
        """Every number of the trailer against ours."""
        assert self._trailer is not None
        hint = "The file was cut or changed on its way: ask its sender for a new one."
        if self._trailer.rows is not None:
            told = self._told(row, self._trailer.rows)
            if told != rows:
                found.add(line, "", f"the trailer says {_shown(told)} rows, {rows:,} came", hint)
        for name, place in self._trailer.sums.items():
            told = self._told(row, place)
            if told != self._sums[name]:
                found.add(line, name, f"the trailer says {_shown(told)}, the rows add up to {self._sums[name]:,}", hint)

    def missing(self, found: Findings) -> None:
        """The file ended without its trailer."""
        if self._trailer is not None:
            message = f"the trailer '{self._trailer.mark}' is missing"
            found.add(0, "", message, "The file was cut on its way: ask its sender for a new one.")

    def _told(self, row: Any, place: int | str) -> Decimal | None:
        try:
            value = row.get(place) if isinstance(row, dict) else row[int(place) - 1]
            number = self._number(value)
        except (ValueError, IndexError):
            return None
        return None if number is None else Decimal(str(number))


def _shown(number: Decimal | None) -> str:
    return "no number of" if number is None else f"{number:,}"
