"""Excel workbooks (.xlsx) from and to foreign systems: limits on what they unpack to, no entities, no guesses.

A workbook is a ZIP of XML: its folder is read first (how much would come out of it), then every XML part is looked over
for a DOCTYPE, and only then openpyxl reads one sheet, row by row. Cells hold what was last computed.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from landbridge.errors import Invalid
from landbridge.strict._lines import invalid

__all__ = ["Cell", "Limits", "Sheet", "cell_name", "opened", "text", "written"]

_LAST_ROW = 1_048_576
_CHUNK = 1 << 20
_LONGEST_TEXT = 32_767
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w.:-]+)[\"']")
_ENCODINGS = {b"utf-8", b"us-ascii", b"ascii"}
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s+ref=[\"']([A-Z]+[0-9]+:[A-Z]+([0-9]+))[\"']")
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!")

Cell = str | int | float | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one workbook may unpack to."""

    max_unpacked: int = 1024 * 1024 * 1024
    max_texts: int = 128 * 1024 * 1024
    max_parts: int = 5_000


class Sheet:
    """One sheet of a workbook; the row of its header is the caller's business."""

    def __init__(self, source: BinaryIO, file: str, sheet: str | None, limits: Limits) -> None:
        self._source = source
        self._file = file
        self._limits = limits
        self.name, self.epoch = self._chosen(sheet)

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """(number, cells) of every row that is not empty, as fast as can be; numbers count as Excel does."""
        with _book(self._source, self._file) as book:
            found = _rows(book[self.name])
            for number, cells in enumerate(found, 1):
                row = _trimmed(cells)
                if row:
                    yield number, row

    def checked(self, header: int = 0) -> Iterator[tuple[int, Sequence[Cell]]]:
        """The same rows; Invalid for an error value, a formula whose result is not stored, and merged cells.

        Merged cells above the row of the header are titles, and may be there.
        """
        self._refuse_merged(header)
        with _book(self._source, self._file) as values, _book(self._source, self._file, formulas=True) as formulas:
            told, meant = _rows(values[self.name]), _rows(formulas[self.name])
            for number, (cells, texts) in enumerate(zip(told, meant, strict=True), 1):
                row = _trimmed(cells)
                self._refuse(number, cells, texts)
                if row:
                    yield number, row

    def _refuse_merged(self, header: int) -> None:
        """Of merged cells only the first holds the value: the others would be read as empty."""
        with (
            _book(self._source, self._file) as book,
            zipfile.ZipFile(self._source) as archive,
            archive.open(book[self.name]._worksheet_path) as part,
        ):
            tail = b""
            while chunk := part.read(_CHUNK):
                text = tail + chunk
                for found in _MERGED.finditer(text):
                    if int(found[2]) >= max(header, 1):
                        where = f"{self._file}:{found[1].decode()}"
                        hint = "Have the sender unmerge them, and write the value into each cell."
                        raise invalid(where, "cells are merged: which rows the value is of cannot be told", hint)
                tail = text[-200:]

    def _refuse(self, number: int, cells: Sequence[Any], texts: Sequence[Any]) -> None:
        for column, (value, meant) in enumerate(zip(cells, texts, strict=True)):
            if value is None and meant is not None:
                where = f"{self._file}:{cell_name(number, column)}"
                hint = "Open the workbook in Excel and save it, or have the sender write values."
                raise invalid(where, "a formula stands here without its result", hint)
            if isinstance(value, str) and value in _ERRORS:
                where = f"{self._file}:{cell_name(number, column)}"
                raise invalid(where, f"the cell holds the error {value}", "Correct the formula in the workbook.")

    def _chosen(self, sheet: str | None) -> tuple[str, datetime]:
        with _book(self._source, self._file) as book:
            names = [each.title for each in book.worksheets]
            if not names:
                raise invalid(self._file, "the workbook has no sheet", "Ask the sender for the right file.")
            if sheet is not None and sheet not in names:
                hint = f"There are: {', '.join(names[:20])}. Say one of them in `sheet`."
                raise invalid(self._file, f"there is no sheet '{sheet}'", hint)
            return sheet or names[0], book.epoch

    def day(self, serial: float) -> datetime:
        """The date that a plain number stands for in this workbook's own calendar (from 1900 or from 1904)."""
        from openpyxl.utils.datetime import from_excel

        found = from_excel(serial, epoch=self.epoch)
        return found if isinstance(found, datetime) else datetime.combine(self.epoch.date(), found)


def opened(source: BinaryIO, file: str, sheet: str | None = None, limits: Limits = Limits()) -> Sheet:
    """One sheet (the first if none is named) of a workbook that was looked over; raises Invalid."""
    try:
        _look_over(source, file, limits)
        return Sheet(source, file, sheet, limits)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, OSError, SyntaxError) as error:
        raise _unreadable(source, file, error) from None


def cell_name(row: int, column: int) -> str:
    """`B7` of row 7 and the second column (columns count from 0)."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


class _book:  # noqa: N801 - a context, used like a function
    """A workbook open for reading; what its reader raises on broken XML is Invalid."""

    def __init__(self, source: BinaryIO, file: str, *, formulas: bool = False) -> None:
        self._source, self._file, self._formulas = source, file, formulas

    def __enter__(self) -> Any:
        from openpyxl import load_workbook  # costs 0.2 s to import, and few systems send workbooks

        self._source.seek(0)
        self._book = load_workbook(self._source, read_only=True, data_only=not self._formulas, keep_links=False)
        return self._book

    def __exit__(self, kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, (zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError, SyntaxError)):
            raise _unreadable(self._source, self._file, error) from None


def _look_over(source: BinaryIO, file: str, limits: Limits) -> None:
    source.seek(0)
    with zipfile.ZipFile(source) as archive:
        parts = archive.infolist()
        unpacked = sum(part.file_size for part in parts)
        texts = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
        if len(parts) > limits.max_parts or unpacked > limits.max_unpacked or texts > limits.max_texts:
            message = f"the workbook unpacks to {unpacked:,} bytes in {len(parts):,} parts"
            raise invalid(file, message, "Send smaller workbooks, or CSV.")
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                _refuse_doctype(archive, part, file)


def _refuse_doctype(archive: zipfile.ZipFile, part: zipfile.ZipInfo, file: str) -> None:
    """No part may hold a DOCTYPE or an entity, nor hide one in an encoding that is not UTF-8."""
    tail, first = b"", True
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            if first:
                declared = _DECLARED.match(chunk.removeprefix(b"\xef\xbb\xbf")[:200])
                strange = declared is not None and declared[1].lower() not in _ENCODINGS
                if strange or chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise invalid(file, f"{part.filename} is not UTF-8", "Save the workbook in Excel again.")
                first = False
            if b"<!DOCTYPE" in tail + chunk or b"<!ENTITY" in tail + chunk:
                raise invalid(
                    file, f"{part.filename} holds a DOCTYPE, and none is read", "This is no workbook of Excel."
                )
            tail = chunk[-16:]


def _unreadable(source: BinaryIO, file: str, error: BaseException) -> Invalid:
    source.seek(0)
    start = source.read(8)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        hint = "Save it as .xlsx without a password."
        return invalid(file, "this is an encrypted workbook or one of the old format (.xls)", hint)
    if not start.startswith(b"PK"):
        return invalid(file, "this is no workbook (.xlsx)", "Look at what the sender writes; CSV needs `format: csv`.")
    text = f"the workbook cannot be read ({type(error).__name__}: {str(error)[:120]})"
    return invalid(file, text, "The file was cut or is damaged; send it again.")


def _rows(page: Any) -> Iterator[Sequence[Any]]:
    """The rows of a sheet, each as wide as its own cells: what the sheet says of its size may be a lie."""
    page.reset_dimensions()
    rows: Iterator[Sequence[Any]] = page.iter_rows(max_row=_LAST_ROW, values_only=True)
    return rows


def _trimmed(cells: Sequence[Any]) -> list[Any]:
    row = list(cells)
    while row and row[-1] is None:
        row.pop()
    return row


def written(rows: Iterable[Sequence[Any]], sheet: str = "Sheet1") -> bytes:
    """A workbook of one sheet; a text stays a text, whatever it begins with."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils.exceptions import IllegalCharacterError

    book = Workbook(write_only=True)
    page = book.create_sheet(sheet)
    for row in rows:
        cells = []
        for value in row:
            try:
                cell = WriteOnlyCell(page, value=value)
            except IllegalCharacterError:
                hint = "Take control characters out in the mapping."
                raise invalid("", "a text holds a character that a workbook cannot hold", hint) from None
            if isinstance(value, str):
                cell.data_type = "s"  # openpyxl takes a text that begins with = for a formula
            cells.append(cell)
        page.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def text(value: str) -> str:
    """The text, if a cell can hold it; Invalid with what is in the way."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if len(value) > _LONGEST_TEXT:
        message = f"a cell takes {_LONGEST_TEXT:,} characters, not {len(value):,}"
        raise invalid("", message, "Shorten it, such as by `cut(n)`.")
    if ILLEGAL_CHARACTERS_RE.search(value):
        hint = "Take control characters out in the mapping."
        raise invalid("", "a text holds a character that a workbook cannot hold", hint)
    return value
