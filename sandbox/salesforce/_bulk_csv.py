"""CSV as Bulk API 2.0 reads and writes it: one dialect per job, every cell of a result quoted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sandbox._base import Document
from sandbox.salesforce._schema import Field

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
NULL = "#N/A"


class BadCsvError(Exception):
    """The content fails the whole job; the text is its errorMessage."""


def written(rows: Iterable[Sequence[str]], job: Document) -> str:
    """Rows in the job's dialect."""
    out = io.StringIO()
    dialect = {"delimiter": DELIMITERS[job["columnDelimiter"]], "lineterminator": ENDINGS[job["lineEnding"]]}
    csv.writer(out, quoting=csv.QUOTE_ALL, **dialect).writerows(rows)  # type: ignore[arg-type]  # two plain texts
    return out.getvalue()


def read(content: str, job: Document) -> Iterator[list[str]]:
    """The rows of an upload, header first; BadCsvError if the content is not the dialect that the job declared."""
    first = content.partition("\n")[0]
    if (job["lineEnding"] == "CRLF") != first.endswith("\r"):
        message = f"LineEnding is invalid on user data. Current LineEnding setting is {job['lineEnding']}"
        raise BadCsvError(f"ClientInputError : {message}")
    lines = csv.reader(io.StringIO(content, newline=""), delimiter=DELIMITERS[job["columnDelimiter"]], strict=True)
    width = None
    try:
        for cells in lines:
            width = width or len(cells)
            if len(cells) != width:
                raise BadCsvError(
                    f"InvalidBatch : The number of columns is not that of the header at line {lines.line_num}"
                )
            yield cells
    except csv.Error as error:
        raise BadCsvError(f"InvalidBatch : Failed to parse CSV at line {lines.line_num}: {error}") from None


def fields_of(header: Sequence[str], cells: Sequence[str]) -> Document:
    """One uploaded row as a record: an empty cell is left out, #N/A is null, `A.B` names a parent by its key."""
    found: Document = {}
    for name, cell in zip(header, cells, strict=True):
        if cell == "":
            continue
        value = None if cell == NULL else cell
        parent, _, key = name.partition(".")
        if key:
            found[parent] = {key: value}
        else:
            found[name] = value
    return found


def shown(field: Field, value: Any) -> str:
    """A value in the result of a query."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if field.type == "datetime":
        return str(value).replace("+0000", "Z")
    return str(value)
