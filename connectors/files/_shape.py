"""The columns of one file against what is declared: found by name, checked cell by cell, made into native bodies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from connectors.files._config import Column, FileEntity
from connectors.files._values import converter, stamp_of
from landbridge.errors import Finding, Invalid
from landbridge.strict import csv, did_you_mean

MOST = 20
"""Findings told of one file; the rest is counted."""

_SENDER = "Correct the file or ask its sender; then drop it again."


class Findings:
    """What is wrong with one file, by line and column."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Finding] = []
        self._more = 0

    def add(self, line: int, column: str, message: str, hint: str = _SENDER) -> None:
        """One more thing that is wrong."""
        if len(self._found) >= MOST:
            self._more += 1
            return
        where = f"{self._file}:{line}" + (f":{column}" if column else "")
        self._found.append(Finding(where, "file", message, hint))

    def stop(self) -> None:
        """Raise Invalid if anything is wrong."""
        if self._more:
            self._found.append(Finding(self._file, "file", f"and {self._more:,} more", _SENDER))
        if self._found:
            raise Invalid(self._found)


class Shape:
    """Where each column of one file is, and how its cells are read."""

    def __init__(
        self, entity: FileEntity, names: Sequence[str], file: str, day: Callable[[float], datetime] | None
    ) -> None:
        self.entity = entity
        self.names = list(names)
        self._nulls = entity.empty == "null"
        declared = {column.name: column for column in entity.columns}
        every = [declared.get(name, Column(name=name)) for name in names]
        self._convert = [(i, made) for i, c in enumerate(every) if (made := converter(c, entity, day)) is not None]
        self.key = [self.names.index(name) for name in entity.key]
        needed = {*entity.key, *(c.name for c in entity.columns if c.required)}
        self._required = [(i, c.name) for i, c in enumerate(every) if c.name in needed]
        self._limited = [(i, c.name, c.length) for i, c in enumerate(every) if c.length is not None]
        self._converts = dict(self._convert)
        self._typed = [(i, c.name, self._converts[i]) for i, c in enumerate(every) if c.type != "text"]
        self._changed = self.names.index(entity.changed) if entity.changed is not None else None
        self._stamp = stamp_of(entity)
        self._deleted = self.names.index(entity.deleted.column) if entity.deleted is not None else None
        self._gone = {str(value) for value in entity.deleted.values} if entity.deleted is not None else set()
        self._file = file

    def check(self, line: int, row: Sequence[Any], found: Findings) -> None:
        """Look at every cell that something is asked of."""
        if len(row) != len(self.names):
            found.add(line, "", _ragged(len(row), len(self.names), self.entity.delimiter))
            return
        for at, name in self._required:
            if row[at] is None or row[at] == "":
                found.add(line, name, "is empty and must not be")
        for at, name, length in self._limited:
            if row[at] is not None and len(str(row[at])) > length:
                found.add(line, name, f"has {len(str(row[at]))} characters, {length} are agreed")
        for at, name, convert in self._typed:
            self._try(line, name, convert, row[at], found)
        if self._stamp is not None and self._changed is not None:
            stamp = self._converts.get(self._changed)
            value = row[self._changed]
            self._try(line, self.names[self._changed], self._stamp, stamp(value) if stamp else value, found)

    @staticmethod
    def _try(line: int, name: str, convert: Callable[[Any], Any], cell: Any, found: Findings) -> None:
        try:
            convert(cell)
        except ValueError as error:
            found.add(line, name, str(error))

    def body(self, row: list[Any]) -> dict[str, Any]:
        """A row that was checked as a native body."""
        for at, convert in self._convert:
            row[at] = convert(row[at])
        if self._nulls and "" in row:
            row = [None if cell == "" else cell for cell in row]
        return dict(zip(self.names, row))  # noqa: B905 - the check has counted the cells, and this is the innermost loop

    def key_of(self, body: dict[str, Any]) -> str:
        """The record's key; a slash inside of one of several columns is `~1`, so that no two records share a key."""
        key = self.entity.key
        if len(key) == 1:
            return str(body[key[0]])
        return "/".join(str(body[name]).replace("~", "~0").replace("/", "~1") for name in key)

    def stamp(self, body: dict[str, Any]) -> str | None:
        """The change stamp of a body in UTC; None where the entity has none."""
        return None if self._stamp is None else str(self._stamp(body[str(self.entity.changed)]))

    def gone(self, body: dict[str, Any]) -> bool:
        """Whether a body says that its record is deleted."""
        flag = self.entity.deleted
        return flag is not None and str(body.get(flag.column)) in self._gone


def names_of(entity: FileEntity, header: Sequence[Any], line: int, file: str) -> list[str]:
    """The columns that a header names; raises Invalid if it is not the header that was agreed."""
    names = ["" if cell is None else str(cell).strip() for cell in header]
    found = Findings(file)
    if len(names) == 1 and entity.format == "csv" and (other := _other_delimiter(names[0], entity)):
        message = f"the header is one column, '{names[0][:60]}'; it seems to be separated by {other!r}"
        found.add(line, "", message, f"Say `delimiter: {other!r}`, or ask the sender for {entity.delimiter!r}.")
        found.stop()
    for name, times in Counter(names).items():
        if name and times > 1:
            found.add(line, name, f"stands {times} times in the header", "Each column needs a name of its own.")
    for at, name in enumerate(names, 1):
        if not name:
            found.add(line, str(at), "the column has no name", "Give it one, or take the column out.")
    for name in _agreed(entity):
        if name not in names:
            near = did_you_mean(name, [n for n in names if n]) or f"There are: {', '.join(names)[:200]}."
            hint = f"{near} A renamed column is renamed in `columns` and in the mapping too."
            found.add(line, name, "the column is missing", hint)
    found.stop()
    return names


def _other_delimiter(header: str, entity: FileEntity) -> str | None:
    if len(_agreed(entity)) < 2 and not any(sign in header for sign in ";\t|"):
        return None
    other = csv.delimiter_of(header)
    return other if other != entity.delimiter else None


def _agreed(entity: FileEntity) -> list[str]:
    wanted = [column.name for column in entity.columns]
    wanted += [*entity.key, *([entity.changed] if entity.changed else [])]
    wanted += [entity.deleted.column] if entity.deleted else []
    if entity.lines is not None:
        wanted += [*entity.lines.columns, *([entity.lines.key] if entity.lines.key else [])]
    if entity.trailer is not None:
        wanted += entity.trailer.sums
    return list(dict.fromkeys(wanted))


def _ragged(came: int, width: int, delimiter: str) -> str:
    few = "a delimiter is missing, or a line break stands in a field without quotes"
    many = f"a field holds {delimiter!r} without quotes"
    return f"the row has {came} cells, the header {width}: {few if came < width else many}"
