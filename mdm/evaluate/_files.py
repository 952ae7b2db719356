"""CSV files of records and of truth, however they are separated: read whole, every row with its line."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import Finding, Invalid
from landbridge.strict import csv

SEPARATORS = (",", ";", "|", "\t")
NAMES = {",": "comma", ";": "semicolon", "|": "bar", "\t": "tab"}
SUFFIXES = (".csv", ".tsv", ".txt")
_SAMPLE = 50
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Table:
    """One file: its columns, its rows in order, and the line where each row begins."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    separator: str

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
        return f"{self.name}:{self.lines[number]}"


def invalid(where: str, message: str, hint: str) -> Invalid:
    """One finding of a folder's content."""
    return Invalid([Finding("", "file", message, hint, where)])


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
    """One CSV file; its separator is found, its encoding is UTF-8 (or what its mark says) unless given."""
    content = path.read_bytes()
    name = path.name
    if not content.strip():
        raise invalid(name, "the file is empty.", "It needs a header and records below.")
    known = encoding or next((codec for mark, codec in _MARKS if content.startswith(mark)), "utf-8")
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
    return _table(name, separator, rows)


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
    header = tuple(cell.strip() for cell in first)
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


def _wrong_header(name: str, line: int, header: tuple[str, ...]) -> Iterator[Finding]:
    where = f"{name}:{line}"
    if "" in header:
        hint = "The first row names the columns; give every column a name."
        yield Finding("", "file", f"column {header.index('') + 1} has no name.", hint, where)
    for column, count in Counter(header).items():
        if column and count > 1:
            yield Finding("", "file", f"two columns are called '{column}'.", "Rename one of them.", where)
