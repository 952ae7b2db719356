"""A declaration out of its file's node: everything it names is found, and every problem is told with its place."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson

from landbridge.errors import ConfigError, Problem
from landbridge.strict import Node, did_you_mean, yaml
from mdm.declaration import (
    EVERYONE,
    Block,
    Call,
    Column,
    Comparison,
    Declaration,
    Guard,
    Identifier,
    Level,
    Publication,
    Rule,
    Survivor,
    Thresholds,
)
from mdm.declare._fields import Fields, Unknown
from mdm.declare._models import ColumnEntry, ComparisonEntry, DeclarationFile
from mdm.declare._partly import partly

if TYPE_CHECKING:
    from mdm.normalise import Normaliser

_SIMILARITY = ("jaro_winkler", "intersect", "contains", "cosine")
"""Tests whose greater measure is the stricter one; of the others it is the lesser."""


def read_node(
    node: Node, fields: Fields, *, normalisers: Mapping[str, Normaliser], systems: Collection[str] | None
) -> tuple[Declaration, list[Problem]]:
    """The declaration and what is doubtful in it; raises ConfigError with every problem of the file."""
    problems: list[Problem] = []
    try:
        written = yaml.validate(node, DeclarationFile)
    except ConfigError as error:
        problems += error.problems
        written = partly(node)
    reader = _Reader(node, written, fields, normalisers, systems)
    declaration = reader.declaration()
    problems += reader.problems
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return declaration, list(_unused(node, declaration))


class _Reader:
    """Reads part after part, keeping the problems of all of them."""

    def __init__(
        self,
        node: Node,
        written: DeclarationFile,
        fields: Fields,
        normalisers: Mapping[str, Normaliser],
        systems: Collection[str] | None,
    ) -> None:
        self.problems: list[Problem] = []
        self._node = node
        self._written = written
        self._fields = fields
        self._normalisers = normalisers
        self._systems = systems

    def declaration(self) -> Declaration:
        """The whole, as far as it can be read."""
        written = self._written
        columns = tuple(self._column(name, entry) for name, entry in written.columns.items())
        comparisons = tuple(self._comparison(name, entry) for name, entry in written.comparisons.items())
        identifiers = tuple(Identifier(name, one.same, one.apart) for name, one in written.identifiers.items())
        for name in written.identifiers:
            self._known_column(("identifiers", name), name, key=True)
        found = Declaration(
            entity=written.entity,
            summary=written.summary,
            scoring=written.scoring,
            columns=columns,
            comparisons=comparisons,
            blocks=tuple(self._blocks()),
            thresholds=self._thresholds(),
            identifiers=identifiers,
            guard=Guard(written.guard.members, written.guard.density, written.guard.hot),
            survivors=tuple(self._survivors()),
            others=self._chain(("others",), written.others),
            placeholders=frozenset(written.placeholders),
            parent=self._parent(),
            publish=self._publish(),
            one_to_one=written.one_to_one,
        )
        return _digested(found)

    def _problem(self, path: tuple[str | int, ...], text: str, hint: str = "", *, key: bool = False) -> None:
        found, walked = self._node.find(path)
        self.problems.append(found.problem(text, hint, key=key and walked == path))

    def _column(self, name: str, entry: ColumnEntry) -> Column:
        here: tuple[str | int, ...] = ("columns", name)
        paths = []
        for index, one in enumerate(entry.source):
            try:
                paths.append(self._fields.path(one))
            except Unknown as unknown:
                self._problem((*here, "from", index), str(unknown), unknown.hint)
        for field, values in entry.where.items():
            for path in paths:
                try:
                    self._fields.where(path, field, values)
                except Unknown as unknown:
                    self._problem((*here, "where", field), str(unknown), unknown.hint, key=True)
                    break
        for call in entry.normalise:
            self._known_call((*here, "normalise"), call)
        if len(set(paths)) < len(paths):
            self._problem((*here, "from"), f"{name}: a path stands here twice.", "Remove one.")
        personal = entry.personal
        if personal is None:
            personal = any(self._fields.personal(path) for path in paths)
        return Column(name, tuple(paths), entry.normalise, entry.where, entry.many, personal)

    def _known_call(self, here: tuple[str | int, ...], call: Call) -> None:
        known = self._normalisers.get(call.name)
        if known is None:
            hint = did_you_mean(call.name, self._normalisers) or f"Known: {', '.join(sorted(self._normalisers))}."
            self._problem(here, f"normaliser '{call.name}' is not known.", hint)
        elif len(call.arguments) > len(known.arguments):
            takes = f"{call.name}({', '.join(known.arguments)})" if known.arguments else call.name
            text = f"normaliser '{call.name}' takes {len(known.arguments) or 'no'} argument"
            self._problem(here, f"{text}{'s' * (len(known.arguments) != 1)}.", f"Write {takes}.")

    def _known_column(self, path: tuple[str | int, ...], name: str, *, key: bool = False) -> bool:
        written = self._node.get("columns")
        columns = written.keys() if written is not None else ()
        if name in columns:
            return True
        hint = did_you_mean(name, columns) or f"Known: {', '.join(columns) or 'none'}."
        self._problem(path, f"'{name}' is no column of `columns`.", hint, key=key)
        return False

    def _comparison(self, name: str, entry: ComparisonEntry) -> Comparison:
        here: tuple[str | int, ...] = ("comparisons", name)
        self._known_column(here, name, key=True)
        tests = [one.test for one in entry.levels]
        for index, (strict, loose) in enumerate(pairwise(entry.levels)):
            if why := _out_of_order(strict, loose):
                self._problem((*here, "levels", index + 1), f"{name}: {why}", "Write the strictest first, each once.")
        if "cosine" in tests and self._written.scoring != "titles":
            text = f"{name}: cosine is a test of `scoring: titles`."
            self._problem((*here, "levels", tests.index("cosine")), text, "Use jaro_winkler, or score titles.")
        elif "cosine" in tests and len(tests) > 1:
            text = f"{name}: cosine stands alone; it weighs every degree of likeness."
            self._problem((*here, "levels", tests.index("cosine")), text, "Remove the other levels.")
        if entry.frequency and "exact" not in tests:
            text = f"{name}: frequency adjusts exact agreement, and there is no level `exact`."
            self._problem((*here, "frequency"), text, "Add `exact` as the first level.", key=True)
        if entry.unique is not None and "exact" not in tests:
            text = f"{name}: unique is about exact agreement, and there is no level `exact`."
            self._problem((*here, "unique"), text, "Add `exact` as the first level.", key=True)
        column = self._written.columns.get(name)
        makes_many = column is not None and any(
            call.name in self._normalisers and self._normalisers[call.name].many for call in column.normalise
        )
        if column is not None and not column.many and not makes_many:
            for index, test in enumerate(tests):
                if test == "intersect":
                    text = f"{name}: intersect counts values in common, and the column keeps one."
                    self._problem((*here, "levels", index), text, "Say `many: true` in `columns`, or use exact.")
        if column is not None:
            self._numbers(here, name, column, entry)
        return Comparison(name, entry.levels, entry.frequency, entry.unique)

    def _numbers(self, here: tuple[str | int, ...], name: str, column: ColumnEntry, entry: ComparisonEntry) -> None:
        """Numbers are compared as numbers, and nothing else is."""
        is_number = bool(column.normalise) and column.normalise[-1].name == "number"
        for index, level in enumerate(entry.levels):
            if is_number and level.test not in ("exact", "ratio"):
                text = f"{name}: {level.test} compares texts, and the column holds numbers."
                self._problem((*here, "levels", index), text, "Use exact and ratio, or normalise it by `code`.")
            elif level.test == "ratio" and not is_number:
                text = f"{name}: ratio compares numbers, and the column holds texts."
                self._problem((*here, "levels", index), text, "Normalise it by `number`.")
        if is_number and entry.frequency:
            text = f"{name}: frequency counts texts, and the column holds numbers."
            self._problem((*here, "frequency"), text, "Take it out, or normalise it by `code`.", key=True)

    def _blocks(self) -> Iterator[Block]:
        if not self._node.get("blocks") and self._written.scoring == "fellegi_sunter":
            text = "blocks is missing: without it no two records would ever be compared."
            self._problem((), text, "Name columns that agree in most records that are one.")
        seen: dict[Any, int] = {}
        for index, parts in enumerate(self._written.blocks):
            here: tuple[str | int, ...] = ("blocks", index)
            if parts is None:
                continue  # told already: it cannot be read
            if not parts:
                self._problem(here, "a block needs a column.", "Without one it would compare everything.")
            for place, (name, _) in enumerate(parts):
                self._known_column((*here, place, name), name, key=True)
            names = [name for name, _ in parts]
            if len(set(names)) < len(names):
                self._problem(here, "a block names a column twice.", "Remove one.")
            same = frozenset(parts)
            if same in seen:
                self._problem(here, f"the same block as blocks[{seen[same]}].", "Remove one of them.")
            seen.setdefault(same, index)
            yield Block(parts)

    def _thresholds(self) -> Thresholds:
        written = self._written.thresholds
        if written.review > written.auto:
            text = f"thresholds.review ({written.review:g}) is above thresholds.auto ({written.auto:g})."
            self._problem(("thresholds", "review"), text, "What is not sure enough for auto goes to review.")
        if written.auto < 0:
            text = f"thresholds.auto ({written.auto:g}) links what is rather two than one."
            self._problem(("thresholds", "auto"), text, "0 bits are even odds; 8 are 256 to 1.")
        return Thresholds(written.auto, written.review)

    def _survivors(self) -> Iterator[Survivor]:
        seen: dict[str, int] = {}
        for index, entry in enumerate(self._written.survivorship):
            here: tuple[str | int, ...] = ("survivorship", index)
            if entry is None:
                continue  # told already: it cannot be read
            kinds = []
            for place, name in enumerate(entry.attributes):
                at = (*here, "attributes", place)
                try:
                    kinds.append(self._fields.attribute(name))
                except Unknown as unknown:
                    self._problem(at, str(unknown), unknown.hint)
                if name in seen:
                    self._problem(at, f"'{name}' is in survivorship[{seen[name]}] already.", "Say it once.")
                seen.setdefault(name, index)
            for place, one in enumerate(entry.chain):
                if one.kind == "all" and (len(entry.attributes) > 1 or not set(kinds) <= {"list", "any"}):
                    text = "all: keeps the elements of every record, so it is for one attribute that is a list."
                    self._problem((*here, "chain", place), text, "Use another rule, or name a list alone.")
            yield Survivor(entry.attributes, self._chain((*here, "chain"), entry.chain))

    def _publish(self) -> dict[str, Publication]:
        found = {}
        for system, entry in self._written.publish.items():
            if system != EVERYONE:
                self._known_system(("publish", system), system, key=True)
            for place, name in enumerate(entry.attributes or ()):
                try:
                    self._fields.attribute(name)
                except Unknown as unknown:
                    self._problem(("publish", system, "attributes", place), str(unknown), unknown.hint)
            only = None if entry.attributes is None else frozenset(entry.attributes)
            found[system] = Publication(only, entry.quality)
        return found

    def _known_system(self, path: tuple[str | int, ...], system: str, *, key: bool = False) -> None:
        if self._systems is not None and system not in self._systems:
            hint = did_you_mean(system, self._systems) or f"Known: {', '.join(sorted(self._systems)) or 'none'}."
            self._problem(path, f"system '{system}' is not in config/systems.yaml.", hint, key=key)

    def _chain(self, here: tuple[str | int, ...], chain: tuple[Rule, ...]) -> tuple[Rule, ...]:
        for index, rule in enumerate(chain):
            if rule is None:
                continue  # told already: it cannot be read
            for place, system in enumerate(rule.systems):
                self._known_system((*here, index, "priority", place), system)
            if rule in chain[:index]:
                self._problem((*here, index), f"{rule.kind} stands in this chain already.", "Remove one.")
        return chain

    def _parent(self) -> str | None:
        name = self._written.parent
        if name is None:
            return None
        try:
            kind = self._fields.attribute(name)
        except Unknown as unknown:
            self._problem(("parent",), str(unknown), unknown.hint)
            return name
        if kind not in ("record", "any"):
            self._problem(
                ("parent",), f"'{name}' is no reference, it is {kind}.", "Name a field that refers to a record."
            )
        return name


def _out_of_order(strict: Level, loose: Level) -> str:
    """Why the second level could never be reached, or is not told apart from the first; "" if it is right."""
    if loose.test == "exact":
        return "exact is the strictest level, so that it comes first."
    if strict.test != loose.test:
        return ""
    wrong = loose.at >= strict.at if loose.test in _SIMILARITY else loose.at <= strict.at
    return f"{loose.test} {loose.at:g} is never reached after {strict.test} {strict.at:g}." if wrong else ""


def _unused(node: Node, declaration: Declaration) -> Iterator[Problem]:
    used = {one.column for one in declaration.comparisons} | {one.column for one in declaration.identifiers}
    used |= {name for block in declaration.blocks for name, _ in block.parts}
    for column in declaration.columns:
        if column.name not in used:
            found, _ = node.find(("columns", column.name))
            yield found.problem(
                f"column '{column.name}' is never used.", "Compare it, block by it, or remove it.", key=True
            )


def _digested(declaration: Declaration) -> Declaration:
    """The declaration with the digest of what scores depend on: comments, thresholds and survivorship do not count."""
    from dataclasses import replace

    return replace(declaration, digest=hashlib.sha256(orjson.dumps(scored_by(declaration))).hexdigest()[:32])


def scored_by(declaration: Declaration) -> Mapping[str, Any]:
    """What a model and its scores depend on, as JSON types."""
    return {
        "entity": declaration.entity,
        "scoring": declaration.scoring,
        "columns": [
            [
                one.name,
                list(one.paths),
                [[call.name, list(call.arguments)] for call in one.normalise],
                sorted([field, list(values)] for field, values in one.where.items()),
                one.many,
            ]
            for one in declaration.columns
        ],
        "comparisons": [
            [one.column, [[level.test, level.at] for level in one.levels], one.frequency, one.unique]
            for one in declaration.comparisons
        ],
        "identifiers": [[one.column, one.same, one.apart] for one in declaration.identifiers],
        "blocks": [[list(part) for part in one.parts] for one in declaration.blocks],
        "placeholders": sorted(declaration.placeholders),
    }
