"""Code lists and decision tables: `config/codes/<name>.yaml` and `config/determine/<name>.yaml`.

A code list translates between a system's words and the canonical ones, both ways, with dates from and until which
a row holds. Where several native words mean one canonical word, one of them is `preferred` for the way back.
A decision table says what follows from some inputs; `hit: unique` allows one row to match, `hit: first` several.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from landbridge.errors import ConfigError, Problem
from landbridge.strict import Node, did_you_mean, yaml
from landbridge.translator._edits import Edit, Edits, text_of
from landbridge.translator._edits import edited as edits_over
from landbridge.translator._nodes import day_of, elements, keys_of, scalars
from landbridge.translator._rates import Rates, read_rates
from landbridge.translator._shorts import json_value
from landbridge.translator._values import MISSING, Refused, show

ALWAYS = (date.min, date.max)


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One pair of words and the days on which it holds (`until` is the last day)."""

    native: Any
    canonical: Any
    preferred: bool
    start: date
    until: date
    line: int


@dataclass(slots=True)
class Codes:
    """One code list."""

    name: str
    file: str
    rows: tuple[CodeRow, ...]
    _forward: dict[date | None, dict[Any, Any]] = field(default_factory=dict)
    _backward: dict[date | None, dict[Any, Any]] = field(default_factory=dict)

    @property
    def dated(self) -> bool:
        """Whether a row does not hold on every day."""
        return any((row.start, row.until) != ALWAYS for row in self.rows)

    def forward(self, day: date | None = None) -> dict[Any, Any]:
        """Native → canonical, as it holds on a day; null and missing pass."""
        key = day if self.dated else None
        if key not in self._forward:
            found = {row.native: row.canonical for row in self._valid(key)}
            self._forward[key] = {None: None, MISSING: MISSING, **found}
        return self._forward[key]

    def backward(self, day: date | None = None) -> dict[Any, Any]:
        """Canonical → native, as it holds on a day, by the preferred row; words without a clear way back are absent."""
        key = day if self.dated else None
        if key not in self._backward:
            found: dict[Any, Any] = {None: None, MISSING: MISSING}
            for word, rows in self._by_canonical(self._valid(key)).items():
                chosen = [row for row in rows if row.preferred] or rows
                if len(chosen) == 1:
                    found[word] = chosen[0].native
            self._backward[key] = found
        return self._backward[key]

    def lossy(self) -> list[tuple[Any, list[Any]]]:
        """Canonical words with several native ones of which none is preferred, on some day."""
        return [
            (word, [row.native for row in rows])
            for day in sorted({row.start for row in self.rows})
            for word, rows in self._by_canonical(self._valid(day)).items()
            if len(rows) > 1 and sum(row.preferred for row in rows) != 1
        ]

    def unknown(self, value: Any, forward: bool) -> Refused:
        """What to say about a value that the list does not have."""
        words = [str(row.native if forward else row.canonical) for row in self.rows]
        hint = did_you_mean(str(value), words) if isinstance(value, str) else ""
        if not hint and str(value) in words:
            hint = f"The list has the text '{value}', this is {show(value)}: add | text."
        side = "native" if forward else "canonical"
        lossy = not forward and any(value == word for word, _ in self.lossy())
        if lossy:
            return Refused(
                f"{show(value)} has several native words in the code list {self.name}",
                f"Mark one row `preferred: true` in {self.file}.",
                "code",
            )
        return Refused(
            f"{show(value)} is not in the code list {self.name}",
            f"{hint or 'Add a row'} ({side} side of {self.file}), or give a default.",
            "code",
        )

    def _valid(self, day: date | None) -> list[CodeRow]:
        return [row for row in self.rows if day is None or row.start <= day <= row.until]

    @staticmethod
    def _by_canonical(rows: Iterable[CodeRow]) -> dict[Any, list[CodeRow]]:
        found: dict[Any, list[CodeRow]] = {}
        for row in rows:
            if row.canonical is not None:
                found.setdefault(row.canonical, []).append(row)
        return found


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a decision table: what the inputs must be, and what follows."""

    when: Mapping[str, tuple[Any, ...]]
    then: Mapping[str, Any]
    line: int

    def holds(self, inputs: Mapping[str, Any]) -> bool:
        """Whether the inputs are what the row asks for; an input it does not name may be anything."""
        return all(
            any(inputs.get(name) == word and type(inputs.get(name)) is type(word) for word in words)
            for name, words in self.when.items()
        )


@dataclass(frozen=True, slots=True)
class Decisions:
    """One decision table."""

    name: str
    file: str
    hit: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rules: tuple[Rule, ...]

    def decide(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """What follows from the inputs; no row, or several where one is allowed, is Refused."""
        rules = [rule for rule in self.rules if rule.holds(inputs)]
        said = ", ".join(f"{name} {show(inputs.get(name))}" for name in self.inputs)
        if not rules:
            raise Refused(f"no row of {self.name} is for {said}", f"Add a row to {self.file}.", "determine")
        if self.hit == "unique" and len(rules) > 1:
            lines = " and ".join(str(rule.line) for rule in rules)
            raise Refused(
                f"the rows in lines {lines} of {self.name} are both for {said}",
                f"Narrow one of them in {self.file}, or declare `hit: first`.",
                "determine",
            )
        return rules[0].then


class Tables:
    """The code lists, decision tables and rates of a configuration folder, each read when first asked for."""

    def __init__(
        self, root: Path | None, *, under: Path | None = None, edits: Edits | None = None, revision: int = 0
    ) -> None:
        self._root = root  # the folder that holds codes/ and determine/
        self._edits = edits or {}  # what operators say of single rows, over the files
        self.revision = revision  # the newest edit, part of the digest of every mapping; 0 where there is none
        self._under = under or (root.parent if root else None)  # file names in messages start here
        self._codes: dict[str, Codes] = {}
        self._decisions: dict[str, Decisions] = {}
        self._rates: Rates | None = None

    def add(self, *tables: Codes | Decisions) -> Tables:
        """Tables made otherwise than from files, as tests do."""
        for table in tables:
            if isinstance(table, Codes):
                self._codes[table.name] = table
            else:
                self._decisions[table.name] = table
        return self

    def names(self, folder: str) -> list[str]:
        """The names of all tables in `codes`, `determine` or `rates`."""
        known: set[str] = set(self._codes if folder == "codes" else self._decisions if folder == "determine" else ())
        if self._root is not None and (base := self._root / folder).is_dir():
            known |= {path.relative_to(base).with_suffix("").as_posix() for path in base.rglob("*.yaml")}
        return sorted(known)

    def has(self, folder: str, name: str) -> bool:
        """Whether there is such a table."""
        return name in (self._codes if folder == "codes" else self._decisions) or self._file(folder, name) is not None

    def codes(self, name: str) -> Codes:
        """The code list of that name; raises ConfigError."""
        if name not in self._codes:
            self._codes[name] = read_codes(name, self._node("codes", name, edited=True))
        return self._codes[name]

    def decisions(self, name: str) -> Decisions:
        """The decision table of that name; raises ConfigError."""
        if name not in self._decisions:
            self._decisions[name] = read_decisions(name, self._node("determine", name, edited=True))
        return self._decisions[name]

    def rates(self) -> Rates:
        """The dated rates of currencies in `rates/`: (from, to) -> [(from which day, rate)]; raises ConfigError."""
        if self._rates is None:
            self._rates = read_rates(self._node("rates", name) for name in self.names("rates"))
        return self._rates

    def problems(self) -> list[Problem]:
        """Every problem of every table."""
        found: list[Problem] = []
        try:
            self.rates()
        except ConfigError as error:
            found += error.problems
        for folder, read in (("codes", self.codes), ("determine", self.decisions)):
            for name in self.names(folder):
                try:
                    read(name)
                except ConfigError as error:
                    found += error.problems
        return found

    def _file(self, folder: str, name: str) -> Path | None:
        if self._root is None or not all(part.replace("_", "").replace("-", "").isalnum() for part in name.split("/")):
            return None  # a name that climbs out of the folder is no name
        path = self._root / folder / f"{name}.yaml"
        return path if path.is_file() else None

    def file(self, folder: str, name: str) -> tuple[Node, str]:
        """A table's file as it stands, and the comments above it; raises ConfigError."""
        node, path = self._node(folder, name), self._file(folder, name)
        comment = "" if path is None else path.read_text(encoding="utf-8")
        return node, comment.partition("\n" + next(iter(node.keys()), ""))[0]

    def _node(self, folder: str, name: str, *, edited: bool = False) -> Node:
        path = self._file(folder, name)
        if path is None:
            hint = did_you_mean(name, self.names(folder))
            raise ConfigError([Problem(f"config/{folder}/{name}.yaml", 0, 0, "there is no such table.", hint)])
        shown = path.relative_to(self._under).as_posix() if self._under else path.name
        node = yaml.load(path.read_bytes(), file=shown)
        edits = self._edits.get((folder, name), ()) if edited else ()
        return with_edits(folder, node, edits) if edits else node


def with_edits(folder: str, node: Node, edits: Sequence[Edit]) -> Node:
    """The table as it is with these edits, as `landbridge codes export` writes it."""
    text = text_of(folder, node, edits_over(folder, node, edits))
    return yaml.load(text.encode(), file=f"{node.file} (as edited, see `landbridge codes export`)")


def read_codes(name: str, node: Node) -> Codes:
    """A code list out of its file; raises ConfigError with every problem."""
    problems = keys_of(node, {"codes", "summary", "map", "preferred", "rows"})
    rows = [row for one in elements(node, "rows") if (row := _code_row(one, problems)) is not None]
    preferred = {} if "preferred" not in node else dict(scalars(node["preferred"], problems))
    for native, place, target in node["map"].items() if "map" in node else ():
        if isinstance(target.value, (dict, list)):
            problems.append(target.problem("a word is needed here.", "Use `rows:` for more than a pair of words."))
            continue
        is_preferred = preferred.get(str(target.value)) == native
        rows.append(CodeRow(native, json_value(target.value), is_preferred, *ALWAYS, place[0]))
    for word in preferred:
        if not any(row.preferred and str(row.canonical) == word for row in rows):
            problems.append(node["preferred"].problem(f"{word} → {preferred[word]} is no pair of this list."))
    problems += _twice(node, rows)
    if not rows and not problems:
        problems.append(node.problem("a code list needs `map:` or `rows:`."))
    if problems:
        raise ConfigError(problems)
    return Codes(name, node.file, tuple(rows))


def _code_row(node: Node, problems: list[Problem]) -> CodeRow | None:
    found = keys_of(node, {"native", "canonical", "preferred", "from", "until"}, {"native", "canonical"})
    start, until = day_of(node, "from", date.min, found), day_of(node, "until", date.max, found)
    for key in ("native", "canonical"):
        if key in node and isinstance(node[key].value, (dict, list)):
            found.append(node[key].problem("a word is needed here."))
    if "preferred" in node and not isinstance(node["preferred"].value, bool):
        found.append(node["preferred"].problem("true or false is needed here."))
    if start > until:
        found.append(node["from"].problem("the row ends before it begins."))
    problems += found
    if found:
        return None
    preferred = "preferred" in node and node["preferred"].value is True
    return CodeRow(
        json_value(node["native"].value), json_value(node["canonical"].value), preferred, start, until, node.line
    )


def _twice(node: Node, rows: list[CodeRow]) -> list[Problem]:
    found = []
    for number, row in enumerate(rows):
        for other in rows[:number]:
            same = other.native == row.native and type(other.native) is type(row.native)
            if same and other.start <= row.until and row.start <= other.until:
                text = f"'{row.native}' is translated in line {other.line} already, on the same days."
                found.append(Problem(node.file, row.line, 1, text, "Remove one, or give them different dates."))
    return found


def read_decisions(name: str, node: Node) -> Decisions:
    """A decision table out of its file; raises ConfigError with every problem."""
    problems = keys_of(
        node, {"determine", "summary", "hit", "inputs", "outputs", "rows"}, {"inputs", "outputs", "rows"}
    )
    inputs, outputs = ([str(one.value) for one in elements(node, key)] for key in ("inputs", "outputs"))
    hit = node["hit"].value if "hit" in node else "unique"
    if hit not in ("unique", "first"):
        problems.append(node["hit"].problem("hit is unique or first.", did_you_mean(str(hit), ["unique", "first"])))
    rules = []
    for row in elements(node, "rows"):
        found = keys_of(row, {"when", "then"}, {"when", "then"})
        if not found:
            found += keys_of(row["when"], set(inputs)) + keys_of(row["then"], set(outputs), set(outputs))
        problems += found
        if not found:
            when = {
                key: tuple(json_value(value.value)) if value.is_list else (json_value(value.value),)
                for key, _, value in row["when"].items()
            }
            rules.append(Rule(when, json_value(row["then"].value), row.line))
    if problems:
        raise ConfigError(problems)
    return Decisions(name, node.file, str(hit), tuple(inputs), tuple(outputs), tuple(rules))
