"""Code lists and decision tables as operators edit them at run time: judged as files are, with who, when and why.

The files are the base; an edit says how one row is from now on. The engine takes it up with its next batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landbridge.errors import ConfigError, Invalid, LandbridgeError, Problem
from landbridge.store import codes as kept
from landbridge.strict import did_you_mean
from landbridge.translator import Context, Edit, Tables, Translator, edited, key_of, lint, rows_of, text_of
from landbridge.translator._values import show as shown

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from landbridge.installation import Installation
    from landbridge.store._codes import CodeEdit

FOLDERS = ("codes", "determine")
AT_ONCE = 500
"""Rows that a preview looks at: it answers a person who waits."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row that holds, with the edit that says so (None: the file does)."""

    row: dict[str, Any]
    edit: CodeEdit | None
    file: dict[str, Any] | None  # what the file says of the same row


@dataclass(frozen=True, slots=True)
class Table:
    """One code list or decision table as it holds now."""

    folder: str
    name: str
    version: int
    lines: tuple[Line, ...]
    removed: tuple[CodeEdit, ...]  # rows of the file that an operator took out

    @property
    def title(self) -> str:
        """How it is named: folder and name."""
        return f"{self.folder}/{self.name}"


class CodeLists:
    """The tables of one installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._files = Tables(installation.root / "config", under=installation.root)

    def find(self, name: str) -> tuple[str, str]:
        """Folder and name of a table, named with or without its folder; ConfigError with the nearest one."""
        folder, _, rest = name.partition("/")
        if folder in FOLDERS and self._files.has(folder, rest):
            return folder, rest
        found = [one for one in FOLDERS if self._files.has(one, name)]
        if len(found) == 1:
            return found[0], name
        if found:
            text = f"{name} is a code list and a decision table."
            raise ConfigError([Problem("config", 0, 0, text, f"Write codes/{name} or determine/{name}.")])
        known = [f"{one}/{each}" for one in FOLDERS for each in self._files.names(one)]
        short = [one.partition("/")[2] for one in known]
        hint = did_you_mean(name, [*known, *short]) or "`landbridge codes list` names them all."
        raise ConfigError([Problem("config", 0, 0, f"there is no code list or decision table '{name}'.", hint)])

    def all(self) -> Iterator[Table]:
        """Every table, as it holds."""
        with self._installation.store.reading() as connection:
            standing = kept.standing(connection)
            for folder in FOLDERS:
                for name in self._files.names(folder):
                    yield self._table(connection, folder, name, standing)

    def table(self, folder: str, name: str) -> Table:
        """One table, as it holds."""
        with self._installation.store.reading() as connection:
            return self._table(connection, folder, name, kept.standing(connection))

    def text(self, folder: str, name: str) -> str:
        """The table as a file: what may be committed in place of the one that is there."""
        node, comment = self._files.file(folder, name)
        return text_of(folder, node, [line.row for line in self.table(folder, name).lines], comment)

    def history(self, folder: str, name: str, limit: int) -> list[CodeEdit]:
        """Every edit of one table, newest first."""
        with self._installation.store.reading() as connection:
            return kept.history(connection, folder, name, limit)

    def edit(
        self,
        folder: str,
        name: str,
        key: str,
        action: str,
        row: dict[str, Any] | None,
        *,
        actor: str,
        reason: str,
        expected: int | None = None,
    ) -> int:
        """Set, remove or reset one row; returns the table's version.

        ConfigError if a file that says so would not pass `landbridge check`; Conflict if the table was edited since the
        version that the person looked at. What counts already is refused too: nobody then believes to have changed it.
        """
        if not reason.strip():
            raise LandbridgeError("An edit needs a reason.", hint="Say --reason: it is what the history will tell.")
        installation = self._installation
        with installation.store.transaction("codes") as connection:
            kept.alone(connection)
            if expected is not None:
                kept.expect(connection, folder, name, expected)
            standing = kept.standing(connection)
            now = self._table(connection, folder, name, standing)
            was = next((line for line in now.lines if key_of(folder, line.row) == key), None)
            self._refuse_nothing(now, key, action, row, was)
            others = [one for one in standing if (one.folder, one.name, one.key) != (folder, name, key)]
            self._judge(folder, name, standing, [*others, *([_Said(folder, name, key, row)] * (action != "reset"))])
            return kept.add(
                connection,
                folder,
                name,
                key,
                action,
                row=row,
                was=was.row if was is not None else None,
                actor=actor,
                reason=reason.strip(),
                now=installation.clock.now(),
            )

    def passing(self, folder: str, name: str) -> tuple[list[Any], int]:
        """The rows, quarantined or dead, that this table had no word for and now has; and how many still wait for one.

        What stopped in canonicalise is tried whole, without being kept; what stopped on its way out counts as passing
        if its word is there now, since its target is not asked here.
        """
        said = f"code list {name}" if folder == "codes" else f"of {name} is for"
        passing, lacking = [], 0
        with self._installation.store.reading() as connection:
            self._installation.refresh(connection)
            found = kept.lacking(connection, said, AT_ONCE)
        whole = re.compile(re.escape(said) + r"(?![\w/-])")
        for row in found:
            messages = [str(one.get("message", "")) for one in row.findings or ()]
            lines = [one for one in messages if whole.search(one)]
            if not lines:
                continue
            if self._passes(row) if row.subject is None else self._has(folder, name, lines):
                passing.append(row)
            else:
                lacking += 1
        return passing, lacking

    # -- within

    def _table(self, connection: Connection, folder: str, name: str, standing: Sequence[CodeEdit]) -> Table:
        node, _ = self._files.file(folder, name)
        file = {key_of(folder, row): row for row in rows_of(folder, node)}
        edits = {one.key: one for one in standing if (one.folder, one.name) == (folder, name)}
        rows = edited(folder, node, [Edit(one.key, one.row) for one in edits.values()])
        keys = [key_of(folder, row) for row in rows]
        lines = (Line(row, edits.get(key), file.get(key)) for key, row in zip(keys, rows, strict=True))
        removed = tuple(one for one in edits.values() if one.row is None and one.key in file)
        return Table(folder, name, kept.version(connection, folder, name), tuple(lines), removed)

    def _refuse_nothing(
        self, table: Table, key: str, action: str, row: dict[str, Any] | None, was: Line | None
    ) -> None:
        standing = {line.edit.key for line in table.lines if line.edit} | {one.key for one in table.removed}
        if action == "set" and was is not None and was.row == row:
            raise LandbridgeError(f"{table.title} says that already.", hint="`landbridge codes show` shows it.")
        if action == "remove" and was is None:
            raise LandbridgeError(f"{table.title} has no such row.", hint="`landbridge codes show` shows its rows.")
        if action == "reset" and key not in standing:
            raise LandbridgeError(f"No edit of {table.title} counts for that row.", hint="It is as its file says.")

    def _judge(self, folder: str, name: str, before: Sequence[Any], after: Sequence[Any]) -> None:
        """Refuse what `landbridge check` would refuse in a file; what was wrong already is not held against it."""
        tables = self._tables(after)
        tables.codes(name) if folder == "codes" else tables.decisions(name)
        if found := self._problems(tables):
            known = {(one.file, one.line, one.message) for one in self._problems(self._tables(before))}
            if fresh := [one for one in found if (one.file, one.line, one.message) not in known]:
                raise ConfigError(fresh)

    def _tables(self, said: Sequence[Any]) -> Tables:
        edits: dict[tuple[str, str], list[Edit]] = {}
        for one in said:
            edits.setdefault((one.folder, one.name), []).append(Edit(one.key, one.row))
        root = self._installation.root
        return Tables(root / "config", under=root, edits=edits)

    def _problems(self, tables: Tables) -> list[Problem]:
        installation = self._installation
        translator = Translator(installation.root / "mappings", tables, installation.canonical)
        mappings, problems = translator.try_load()
        return [*problems, *lint(mappings).problems]

    def _passes(self, row: Any) -> bool:
        installation = self._installation
        context = Context(system=row.system, scope=row.scope or "", now=installation.clock.now())
        try:
            mapping = installation.engine.parts.mappings[row.system, row.entity]
            installation.canonical.check(row.entity, mapping.read(row.native or {}, context))
        except Invalid:
            return False
        return True

    def _has(self, folder: str, name: str, lines: Sequence[str]) -> bool:
        if folder == "determine":
            return True  # its inputs are not told in a way that could be asked again
        words = self._installation.translator.tables.codes(name).backward(self._installation.clock.now().date())
        return all(any(f"{shown(word)} is not in" in line for word in words) for line in lines)


@dataclass(frozen=True, slots=True)
class _Said:
    folder: str
    name: str
    key: str
    row: dict[str, Any] | None
