"""CSV files of records and of truth, however they are separated: read whole, every row with its line."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from landbridge.errors import Finding, Invalid
from landbridge.strict import csv

SEPARATORS = (",", ";", "|", "\t")
NAMES = {",": "comma", ";": "semicolon", "|": "bar", "\t": "tab"}
SUFFIXES = (".csv", ".tsv", ".txt")
_SAMPLE = 50
TWOS = 0.8
"""The share of signs beyond ASCII that stand beside another such, from which on a file is taken for Chinese."""
_NUMBER = re.compile(r"[-+]?\d[\d.,:/-]*")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Table:
    """One file: its columns, its rows in order, and the line where each row begins."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    separator: str
    names: tuple[str, ...] = ()
    """The file of every row, where several files are one."""
    guessed: str = ""
    """The encoding that was taken for granted, where the file is not UTF-8 and nobody gave one."""

    @property
    def stem(self) -> str:
        """Its name without the ending: the system that its records come from."""
        return Path(self.name).stem

    def column(self, name: str) -> list[str]:
        """Every value of a column."""
        at = self.header.index(name)
        return [row[at] for row in self.rows]

    def record(self, number: int) -> dict[str, str]:
        """A row by its columns."""
        return dict(zip(self.header, self.rows[number], strict=True))

    def where(self, number: int) -> str:
        """file:line of a row."""
        return f"{self.names[number] if self.names else self.name}:{self.lines[number]}"


def invalid(where: str, message: str, hint: str) -> Invalid:
    """One finding of a folder's content."""
    return Invalid([Finding("", "file", message, hint, where)])


def joined(parts: Sequence[Table]) -> Table:
    """Files of the same columns as one, every row with the file it stands in."""
    return replace(
        parts[0],
        name=", ".join(one.name for one in parts),
        rows=tuple(row for one in parts for row in one.rows),
        lines=tuple(line for one in parts for line in one.lines),
        names=tuple(one.name for one in parts for _ in one.rows),
    )


def with_first_row(table: Table, columns: tuple[str, str], others: Sequence[Table]) -> Table:
    """The same file where what names two of its columns are ids of the others: then its first row is one like all."""
    known = {value for one in others for name in one.header for value in one.column(name)}
    if not all(name in known for name in columns):
        return table
    return replace(table, rows=(table.header, *table.rows), lines=(1, *table.lines))


def tables(folder: Path, encoding: str | None) -> list[Table]:
    """Every CSV file of a folder, by name; Invalid with the first thing that is wrong, and where."""
    if not folder.is_dir():
        raise invalid(str(folder), "this folder is not there.", "Give the folder that holds the CSV files.")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        hint = "Put the records there as one or two CSV files, with a header."
        raise invalid(str(folder), f"the folder holds no file that ends with {', '.join(SUFFIXES)}.", hint)
    return [read_table(path, encoding) for path in paths]


def read_table(path: Path, encoding: str | None = None) -> Table:
    """One CSV file; its separator is found, and unless given its encoding: UTF-8, as its mark says, or a likely one."""
    content = path.read_bytes()
    name = path.name
    if not content.strip():
        raise invalid(name, "the file is empty.", "It needs a header and records below.")
    known = encoding or next((codec for mark, codec in _MARKS if content.startswith(mark)), "") or _encoding(content)
    try:
        screen = csv.Screen(name, known)
    except LookupError:
        raise invalid(
            name, f"'{known}' is no encoding.", "Such as utf-8, utf-16, gb18030, cp1252 or latin-1."
        ) from None
    try:
        screen.feed(content)
        separator = _separator(content, known, name)
        rows = list(csv.numbered(io.BytesIO(content), csv.Dialect(separator, encoding=known), name))
    except Invalid as error:
        raise _in_words_of_the_command(error) from None
    guessed = "" if encoding or known in ("utf-8", "utf-16") else known
    return replace(_table(name, separator, rows), guessed=guessed)


def _encoding(content: bytes) -> str:
    """UTF-8 if it is that; else the one of Chinese files if its signs come in twos, or that of western ones."""
    read = content.decode("utf-8", "replace")
    broken = read.count("\ufffd")
    if len(re.findall(r"[^\x00-\x7f\ufffd]", read)) > broken:
        return "utf-8"  # it is that, or a few bytes of it are wrong, and their place is told
    for codec in ("utf-8", "gb18030", "cp1252"):
        try:
            content.decode(codec)
        except UnicodeDecodeError:
            continue
        high = len(re.findall(rb"[\x80-\xff]", content))
        if codec != "gb18030" or len(re.findall(rb"[\x81-\xfe]{2}", content)) * 2 >= TWOS * high:
            return codec
    return "utf-8"


def _in_words_of_the_command(error: Invalid) -> Invalid:
    """Encodings are given by an option here, not in a mapping."""
    findings = []
    for one in error.findings:
        hint = one.hint.replace("Say `encoding: ", "Give `--encoding ").replace("say `encoding: ", "give `--encoding ")
        findings.append(Finding("", one.rule, one.message, hint, one.where or one.path))
    return Invalid(findings)


def _separator(content: bytes, encoding: str, name: str) -> str:
    """The separator that cuts the first rows into the most fields, as many in each; else a comma."""
    lines = content[: 1 << 20].splitlines(keepends=True)[: _SAMPLE * 4]
    sample = b"".join(lines) if encoding != "utf-16" else content
    best, most = ",", (0.0, 1)
    for separator in SEPARATORS:
        try:
            counts = _counts(sample, separator, encoding, name)
        except Invalid:
            continue
        if not counts:
            continue
        fields, rows = Counter(counts).most_common(1)[0]
        agreed = rows / len(counts) if counts[0] == fields else 0.0
        if fields > 1 and (round(agreed, 1), fields) > most:
            best, most = separator, (round(agreed, 1), fields)
    return best


def _counts(sample: bytes, separator: str, encoding: str, name: str) -> list[int]:
    """Fields per row; a quote that the sample's end cuts off ends it."""
    counts: list[int] = []
    try:
        for _, row in csv.numbered(io.BytesIO(sample), csv.Dialect(separator, encoding=encoding), name):
            if row:
                counts.append(len(row))
            if len(counts) >= _SAMPLE:
                break
    except Invalid:
        if len(counts) < 2:
            raise
    return counts


def _table(name: str, separator: str, numbered: Sequence[tuple[int, list[str]]]) -> Table:
    filled = [(line, row) for line, row in numbered if any(cell.strip() for cell in row)]
    if not filled:
        raise invalid(name, "the file is empty.", "It needs a header and records below.")
    (line, first), rest = filled[0], filled[1:]
    header = _named(tuple(cell.strip() for cell in first))
    if _is_a_record(first, [row for _, row in rest[:_SAMPLE]]):
        header, rest = _named(("",) * len(first)), filled
    findings = list(_wrong_header(name, line, header))
    if not rest:
        findings.append(Finding("", "file", "there are no rows below the header.", "Add records.", name))
    for line, row in rest:
        if len(row) != len(header):
            message = f"this row has {len(row)} fields, and the header {len(header)}."
            hint = f"Fields are separated by a {NAMES[separator]} here; one that holds it is quoted."
            findings.append(Finding("", "file", message, hint, f"{name}:{line}"))
            if len(findings) >= 20:
                break
    if findings:
        raise Invalid(findings)
    return Table(
        name,
        header,
        tuple(tuple(cell.strip() for cell in row) for _, row in rest),
        tuple(n for n, _ in rest),
        separator,
    )


def _named(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Columns by their names; one without is called by its number."""
    return tuple(cell or f"column_{place}" for place, cell in enumerate(cells, 1))


def _is_a_record(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is none of names: it has a number where the rows below have numbers too."""
    if not below or [cell.strip() for cell in first] in [
        [str(at) for at in range(low, low + len(first))] for low in (0, 1)
    ]:
        return False
    for place, cell in enumerate(first):
        if _NUMBER.fullmatch(cell.strip()):
            values = [row[place].strip() for row in below if place < len(row) and row[place].strip()]
            if sum(_NUMBER.fullmatch(value) is not None for value in values) > len(values) / 2:
                return True
    return False


def _wrong_header(name: str, line: int, header: tuple[str, ...]) -> Iterator[Finding]:
    where = f"{name}:{line}"
    for column, count in Counter(header).items():
        if count > 1:
            yield Finding("", "file", f"two columns are called '{column}'.", "Rename one of them.", where)
