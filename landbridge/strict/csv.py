"""CSV from and to foreign systems: strict quotes, a limit on fields, and errors that say in which line.

The standard library's reader does the work in its strict mode: a quote that is broken or never closed is an error, not
a guess. What it swallowed while it looked for the end is told by the line where the record began.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from landbridge.errors import Invalid
from landbridge.strict._lines import Screen, codec_of, invalid, undecodable

__all__ = ["Dialect", "Screen", "codec_of", "delimiter_of", "is_formula", "numbered", "rows", "written"]

_DELIMITERS = ";,\t|"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one sender writes its CSV; `quote` may be empty: then no field is quoted."""

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"

    @property
    def options(self) -> dict[str, Any]:
        """The same in the words of the standard library."""
        quoting = {"quotechar": self.quote} if self.quote else {"quoting": csv.QUOTE_NONE, "quotechar": None}
        return {"delimiter": self.delimiter, "strict": True, **quoting}


def rows(source: BinaryIO, dialect: Dialect) -> Iterator[list[str]]:
    """The rows of a text that was checked before, as fast as can be; blank lines are empty rows."""
    source.seek(0)
    return csv.reader(_text(source, dialect), **dialect.options)


def numbered(source: BinaryIO, dialect: Dialect, file: str) -> Iterator[tuple[int, list[str]]]:
    """(line where the row begins, row); Invalid with that line for what is not CSV in this dialect."""
    source.seek(0)
    reader = csv.reader(_text(source, dialect), **dialect.options)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except UnicodeDecodeError:
        raise undecodable(source, file, dialect.encoding) from None
    except csv.Error as error:
        raise _broken(error, file, line, reader.line_num, dialect) from None


def _broken(error: csv.Error, file: str, began: int, noticed: int, dialect: Dialect) -> Invalid:
    text = str(error)
    where = f"{file}:{began}"
    if "field larger" in text:
        limit = csv.field_size_limit()
        message = f"a field has more than {limit:,} characters: a quote that opens in this row is never closed"
    elif "unexpected end" in text:
        message = f"a quote that opens in this row is never closed (the file ends in line {noticed})"
    elif "expected after" in text:
        message = f"a quote is broken: in line {noticed} text stands after a closing {dialect.quote}"
    else:
        message = f"not CSV: {text}"
    doubled = dialect.quote * 2
    return invalid(where, message, f"Quotes inside of a field are doubled ({doubled}); the sender must write them so.")


def _text(source: BinaryIO, dialect: Dialect) -> io.TextIOWrapper:
    return _Kept(source, encoding=codec_of(dialect.encoding), errors="strict", newline="")


class _Kept(io.TextIOWrapper):
    """A text over a file that stays open when the text is forgotten."""

    def __del__(self) -> None:
        if not self.closed:
            self.detach()


def delimiter_of(header: str) -> str | None:
    """The delimiter that a header's line seems to be written with; None if none stands out."""
    best = max(_DELIMITERS, key=header.count)
    return best if header.count(best) else None


def written(rows: Iterable[Iterable[Any]], dialect: Dialect) -> bytes:
    """Rows as CSV with CR LF (RFC 4180); Invalid where a character has no place in the encoding."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n", **dialect.options)
    try:
        writer.writerows(rows)
        return out.getvalue().encode(dialect.encoding)
    except csv.Error as error:
        hint = "Without quotes no field may hold the delimiter or a line break; set `quote`."
        raise invalid("", f"cannot be written as CSV: {error}", hint) from None
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        message = f"U+{ord(character):04X} has no place in {dialect.encoding}"
        raise invalid("", message, "Say `encoding: utf-8`, or replace the character in the mapping.") from None


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would compute a cell of this text; plain numbers with a sign are none."""
    return text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
