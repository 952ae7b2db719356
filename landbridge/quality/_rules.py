"""One file of config/quality, read: its rules with their columns found, and every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError, Problem
from landbridge.quality import _vocabulary as words
from landbridge.quality._cells import UNFIT, Kind, typed
from landbridge.quality._columns import Column, Columns, UnknownColumn
from landbridge.quality._regex import Unsafe, compiled
from landbridge.quality._vocabulary import PER_BATCH, VOCABULARY, Expectation, Known
from landbridge.strict import Node, did_you_mean, yaml

Grain = tuple[tuple[str, ...], ...]


class QualityFile(BaseModel):
    """One file of config/quality: what records of an entity must satisfy beyond their schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    entity: str = Field(description="The canonical entity.", examples=["sales_order"])
    expectations: list[Any] = Field(
        min_length=1,
        max_length=200,
        description="The rules, in great-expectations' own words; each has a `type`.",
        examples=[[{"type": "expect_column_values_to_not_be_null", "column": "currency"}]],
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation with everything found that it names."""

    id: str
    expectation: Expectation
    columns: tuple[Column, ...]
    when: tuple[tuple[Column, frozenset[Any]], ...] = ()
    where: str = ""
    pattern: re.Pattern[str] | None = None
    bounds: tuple[Any, Any] = (None, None)
    values: frozenset[Any] | None = None

    @property
    def type(self) -> str:
        """Its name in great-expectations."""
        return self.expectation.type

    @property
    def grain(self) -> Grain:
        """The lists whose elements are its rows: those of its finest column."""
        return max((column.grain for column in self.columns), key=len, default=())

    @property
    def known(self) -> str:
        """The entity whose known records it asks for, if it does."""
        asked = getattr(self.expectation, "value_set", None)
        return asked.known if isinstance(asked, Known) else ""

    @property
    def batch_only(self) -> bool:
        """Whether only the gate can decide it."""
        return isinstance(self.expectation, PER_BATCH) or bool(self.known)

    @property
    def mostly(self) -> float:
        """The share of rows that must satisfy it."""
        return float(getattr(self.expectation, "mostly", 1))

    @property
    def personal(self) -> bool:
        """Whether its values may tell about a person."""
        return any((column.inner or column).personal for column in self.columns)

    @property
    def typed(self) -> bool:
        """Whether it compares values as what they mean, rather than as they are written."""
        comparing = (words.Between, words.PairGreater, words.PairEqual, words.InSet, words.NotInSet)
        unique = (words.Unique, words.CompoundUnique)
        if isinstance(self.expectation, words.InSet | words.NotInSet):
            return self.columns[0].kind == "number"
        return isinstance(self.expectation, (*comparing, *unique))


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one file."""

    name: str
    entity: str
    rules: tuple[Rule, ...] = field(default=())

    @property
    def batch_only(self) -> tuple[Rule, ...]:
        """Those that only the gate decides."""
        return tuple(rule for rule in self.rules if rule.batch_only)


def read_rules(node: Node, name: str, canonical: Canonical) -> Rules:
    """The rules in a file's node; ConfigError with every problem of it."""
    whole = yaml.validate(node, QualityFile)
    if whole.entity not in canonical:
        known = canonical.entities
        hint = did_you_mean(whole.entity, known) or f"Known: {', '.join(known) or 'none'}."
        raise ConfigError([node["entity"].problem(f"'{whole.entity}' is no canonical entity.", hint)])
    reader = _Reader(Columns.of(canonical, whole.entity), canonical)
    rules = [rule for element in node["expectations"].elements() if (rule := reader.rule(element)) is not None]
    if reader.problems:
        raise ConfigError(reader.problems)
    return Rules(name, whole.entity, tuple(rules))


class _Reader:
    """Reads rule after rule, keeping the problems of all of them."""

    def __init__(self, columns: Columns, canonical: Canonical) -> None:
        self.problems: list[Problem] = []
        self._columns = columns
        self._canonical = canonical
        self._ids: dict[str, int] = {}
        self._same: dict[Any, int] = {}

    def rule(self, node: Node) -> Rule | None:
        """One rule, or None with its problems kept."""
        expectation = self._expectation(node)
        if expectation is None:
            return None
        before = len(self.problems)
        columns = [self._column(at, path) for at, path in _written(node)]
        when = [(self._column(at, path), frozenset(expectation.when[path])) for path, _, at in _items(node.get("when"))]
        if len(self.problems) > before:
            return None
        found = [column for column in columns if column is not None]
        self.problems += _fits(node, expectation, found)
        if len(self.problems) > before:
            return None
        rule = Rule(
            expectation.name or _id(expectation, found),
            expectation,
            tuple(found),
            tuple((column, values) for column, values in when if column is not None),
            f"{node.file}:{node.line}",
            **self._arguments(node, expectation, found),
        )
        self._once(node, rule)
        return rule if len(self.problems) == before else None

    def _expectation(self, node: Node) -> Expectation | None:
        kind = node.get("type")
        if not node.is_mapping:
            self.problems.append(node.problem(f"a mapping is needed here, this is {node.kind}.", "Begin with `type:`."))
            return None
        if kind is None:
            self.problems.append(node.problem("type is missing.", "It is the expectation's name."))
            return None
        model = VOCABULARY.get(str(kind.value))
        if model is None:
            hint = did_you_mean(str(kind.value), VOCABULARY) or f"Known: {', '.join(VOCABULARY)}."
            self.problems.append(kind.problem(f"expectation '{kind.value}' is not known here.", hint))
            return None
        try:
            return yaml.validate(node, model)
        except ConfigError as error:
            self.problems += error.problems
            return None

    def _column(self, node: Node, path: str) -> Column | None:
        try:
            return self._columns.find(path)
        except UnknownColumn as unknown:
            self.problems.append(node.problem(str(unknown), unknown.hint))
            return None

    def _arguments(self, node: Node, one: Expectation, columns: Sequence[Column]) -> dict[str, Any]:
        """What the arguments mean for these columns, with a problem where they mean nothing."""
        found: dict[str, Any] = {}
        if isinstance(one, words.MatchRegex | words.NotMatchRegex):
            try:
                found["pattern"] = compiled(one.regex, columns[0].max_length)
            except Unsafe as unsafe:
                hint = "Write repeats that end in one way only, bounded and anchored: ^[a-z]{1,60}$"
                self.problems.append(node["regex"].problem(f"regex {unsafe}.", hint))
        elif isinstance(one, words.Between):
            found["bounds"] = self._bounds(node, one, columns[0])
        elif isinstance(one, words.LengthsBetween | words.RowCount):
            found["bounds"] = self._ordered(node, one.min_value, one.max_value)
        elif isinstance(one, words.InSet | words.NotInSet):
            found["values"] = self._values(node, one, columns[0])
        return found

    def _bounds(self, node: Node, one: words.Between, column: Column) -> tuple[Any, Any]:
        bounds: list[Any] = []
        for word in ("min_value", "max_value"):
            written = getattr(one, word)
            value = None if written is None else _bound(written, column.kind)
            if value is UNFIT:
                self.problems.append(node[word].problem(f"{word}: {column.path} is a {column.kind}, this is none.", ""))
                return (None, None)
            if isinstance(value, Decimal) and Decimal(repr(float(value))) != value:
                text = f"{word}: great-expectations holds bounds as floating point, which cannot hold this one."
                self.problems.append(node[word].problem(text, "Use at most 15 digits."))
            bounds.append(value)
        return self._ordered(node, *bounds)

    def _ordered(self, node: Node, low: Any, high: Any) -> tuple[Any, Any]:
        if low is not None and high is not None and low > high:
            self.problems.append(node["max_value"].problem("max_value is less than min_value.", "Exchange them."))
        return (low, high)

    def _values(self, node: Node, one: words.InSet | words.NotInSet, column: Column) -> frozenset[Any] | None:
        asked = one.value_set
        if isinstance(asked, Known):
            at = node["value_set"]["known"]
            if asked.known not in self._canonical:
                hint = did_you_mean(asked.known, self._canonical.entities)
                self.problems.append(at.problem(f"'{asked.known}' is no canonical entity.", hint))
            elif column.type != "reference":
                text = f"{column.path} is no reference, so nobody can tell whether it is known."
                self.problems.append(at.problem(text, "Name the path of a reference, such as lines[].product.ref."))
            return None
        values = []
        for value, at in zip(asked, node["value_set"].elements(), strict=True):
            meant = typed(value, column.kind) if column.kind in ("number", "text", "boolean") else value
            if meant is UNFIT:
                text = f"value_set: {column.path} is a {column.kind}, this is {at.kind}."
                self.problems.append(at.problem(text, "Write values as the field holds them."))
            values.append(meant)
        return frozenset(values) if UNFIT not in values else None

    def _once(self, node: Node, rule: Rule) -> None:
        content = repr(sorted(rule.expectation.model_dump(exclude={"name", "notes", "hint", "meta"}).items()))
        if content in self._same:
            text = f"the same rule as in line {self._same[content]}."
            self.problems.append(node.problem(text, "Remove one of them."))
        elif rule.id in self._ids:
            text = f"a rule of the name '{rule.id}' is in line {self._ids[rule.id]} already."
            self.problems.append(node.problem(text, "Give one of them a `name`."))
        self._same.setdefault(content, node.line)
        self._ids.setdefault(rule.id, node.line)


def _written(node: Node) -> Iterator[tuple[Node, str]]:
    """Every place of a rule that names a column."""
    for word in ("column", "column_A", "column_B", "column_list"):
        found = node.get(word)
        if found is not None:
            for one in found.elements() if found.is_list else (found,):
                yield one, str(one.value)


def _items(node: Node | None) -> Iterator[tuple[str, tuple[int, int], Node]]:
    return node.items() if node is not None else iter(())


def _id(one: Expectation, columns: Sequence[Column]) -> str:
    named = ", ".join(column.path for column in columns)
    return f"{one.type.removeprefix('expect_')} {named}".strip()


def _bound(written: Any, kind: Kind | None) -> Any:
    if kind == "date":
        value = typed(written, "date")
        return value if isinstance(value, date) and len(str(written)) == 10 else UNFIT
    return typed(written, "number") if type(written) is not str else UNFIT


def _fits(node: Node, one: Expectation, columns: Sequence[Column]) -> Iterator[Problem]:
    """Whether the expectation means something for columns of these types, and for columns that stand so."""
    grains = sorted({column.grain for column in columns}, key=len)
    for coarse, fine in pairwise(grains):
        if fine[: len(coarse)] != coarse:
            yield node.problem("its columns stand in different lists, so that no row holds both.", "", key=False)
            return
    kinds = [column.kind for column in columns]
    if isinstance(one, words.Between) and kinds[0] not in ("number", "date"):
        text = f"{columns[0].path} is {_a(columns[0])}: only numbers, dates and instants lie between two values."
        yield node["column"].problem(text, "Lengths have expect_column_value_lengths_to_be_between.")
    elif isinstance(one, words.MatchRegex | words.NotMatchRegex | words.LengthsBetween | words.StrftimeFormat):
        if columns[0].kind not in ("text", "date", "number") and columns[0].type != "any":
            yield node["column"].problem(f"{columns[0].path} is {_a(columns[0])}, not a text.", "")
    elif isinstance(one, words.InSet | words.NotInSet | words.OfType | words.Unique | words.CompoundUnique):
        for column, (at, _) in zip(columns, _written(node), strict=True):
            if column.type in ("record", "list"):
                yield at.problem(f"{column.path} is {_a(column)}: name a field in it.", "")
    elif isinstance(one, words.PairGreater | words.PairEqual):
        types = {"reference" if column.type == "reference" else column.kind for column in columns}
        if len(types) > 1 or None in types or (isinstance(one, words.PairGreater) and "reference" in types):
            text = f"{columns[0].path} ({_a(columns[0])}) and {columns[1].path} ({_a(columns[1])}) do not compare."
            yield node["column_B"].problem(text, "")


def _a(column: Column) -> str:
    return f"{'an' if column.type[0] in 'aeiou' else 'a'} {column.type}"
