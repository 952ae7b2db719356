"""Rows of cells from and to a machine that writes CSV by RFC 4180: quotes are exact, every row as wide as the header.

For files that people drop, whose dialect must be found out first, see `strict.csv`.
"""

from __future__ import annotations

import csv as _csv
import io
from collections.abc import Iterable, Iterator, Sequence

from landbridge.errors import Finding, Invalid

LONGEST_CELL = 131_072  # characters; the standard library's own limit


def rows(data: bytes) -> Iterator[list[str]]:
    """The rows of UTF-8 text, the header first, one in memory at a time; Invalid with the line of what is wrong."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    reader = _csv.reader(text, strict=True)
    width = -1
    try:
        for cells in reader:
            if not cells:
                continue
            if len(cells) != width:
                if width >= 0:
                    raise _invalid(reader.line_num, f"{len(cells)} cells where the header has {width}")
                width = len(cells)
            yield cells
    except UnicodeDecodeError as error:
        raise _invalid(reader.line_num + 1, f"no UTF-8 ({error.reason})") from None
    except _csv.Error as error:
        raise _invalid(reader.line_num, str(error)) from None


def text(lines: Iterable[Sequence[str]]) -> bytes:
    """Rows as UTF-8 with a line feed after each; quoted where a cell needs it."""
    out = io.StringIO(newline="")
    _csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue().encode()


def _invalid(line: int, message: str) -> Invalid:
    return Invalid([Finding(f"line {line}", "csv", message, "Read it again; it may have been cut on the way.")])
