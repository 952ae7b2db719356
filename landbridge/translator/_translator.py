"""Loads mapping files: reads, extends, checks their grammar, and hands out mappings that compile when first used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError, Problem
from landbridge.strict import Node, did_you_mean, json, yaml
from landbridge.translator._extends import over
from landbridge.translator._forms import Forms
from landbridge.translator._mapping import Direction, Mapping
from landbridge.translator._registry import Functions
from landbridge.translator._shape import Shape, shape_of
from landbridge.translator._tables import Tables

KEYS = ("entity", "native", "description", "extends", "in", "out", "tests")
MAX_EXTENDS = 4
LANGUAGE = 1  # part of every digest: a change of what the language means changes every mapping's revision


class Translator:
    """The mappings of one installation."""

    def __init__(
        self,
        mappings: Path,
        tables: Tables | None = None,
        canonical: Canonical | None = None,
        functions: Functions | None = None,
    ) -> None:
        self.root = mappings
        self.tables = tables if tables is not None else Tables(None)
        self.canonical = canonical
        self._shapes: dict[str, Shape] = {}
        self.functions = functions if functions is not None else Functions.standard()

    def files(self) -> list[Path]:
        """Every mapping file, in order of name."""
        return sorted(self.root.rglob("*.yaml"))

    def path(self, name: str, entity: str) -> Path:
        """Where the mapping of an instance or product for an entity stands; raises ConfigError if there is none."""
        path = self.root / name / f"{entity}.yaml"
        if not path.is_file():
            known = [file.relative_to(self.root).with_suffix("").as_posix() for file in self.files()]
            shown = f"{self.root.name}/{name}/{entity}.yaml"
            raise ConfigError(
                [Problem(shown, 0, 0, "there is no such mapping.", did_you_mean(f"{name}/{entity}", known))]
            )
        return path

    def get(self, name: str, entity: str) -> Mapping:
        """The mapping of an instance or product for an entity."""
        return self.load_file(self.path(name, entity))

    def load(self, paths: Iterable[Path] | None = None) -> list[Mapping]:
        """Mappings out of files (all of them if none are said); raises ConfigError with every problem of every file."""
        found, problems = self.try_load(paths)
        if problems:
            raise ConfigError(problems)
        return found

    def try_load(self, paths: Iterable[Path] | None = None) -> tuple[list[Mapping], list[Problem]]:
        """The mappings that can be read, and every problem of the others."""
        found: list[Mapping] = []
        problems: list[Problem] = []
        for path in self.files() if paths is None else paths:
            try:
                found.append(self.load_file(path))
            except ConfigError as error:
                problems += error.problems
        return found, problems

    def load_file(self, path: Path) -> Mapping:
        """One mapping; raises ConfigError with every problem in it."""
        return self.build(self._read(path), path.relative_to(self.root).with_suffix("").as_posix())

    def load_text(self, text: str, *, file: str = "mapping.yaml") -> Mapping:
        """One mapping out of its text, as tests and editors have it."""
        return self.build(yaml.load(text, file=file), file.removesuffix(".yaml"))

    def build(self, node: Node, name: str) -> Mapping:
        """A mapping out of its file's tree."""
        node = self._extended(node, 0)
        problems = _keys(node)
        if problems:
            raise ConfigError(problems)
        entity = str(node["entity"].value)
        shape = self._shape(node, entity, problems)
        inward = self._direction(node, "in", shape, entity, problems)
        outward = self._direction(node, "out", shape, entity, problems)
        if problems:
            raise ConfigError(problems)
        return Mapping(
            name=name,
            file=node.file,
            entity=entity,
            native=str(node["native"].value) if "native" in node else "",
            node=node,
            tests=tuple(node["tests"].elements()) if "tests" in node else (),
            digest=_digest(node) + (f"+{self.tables.revision}" if self.tables.revision else ""),
            inward=inward,
            outward=outward,
            tables=self.tables,
            shape=shape,
        )

    def _shape(self, node: Node, entity: str, problems: list[Problem]) -> Shape | None:
        if self.canonical is None:
            return None
        if entity not in self.canonical:
            hint = did_you_mean(entity, self.canonical.entities)
            problems.append(node["entity"].problem(f"there is no canonical entity '{entity}'.", hint))
            return None
        if entity not in self._shapes:
            self._shapes[entity] = shape_of(self.canonical.schema(entity))
        return self._shapes[entity]

    def _direction(
        self, node: Node, name: str, shape: Shape | None, entity: str, problems: list[Problem]
    ) -> Direction | None:
        if name not in node:
            return None
        forward = name == "in"
        forms = Forms(name, self.functions, problems)
        record = forms.root(node[name], shape if forward else None)
        optional: frozenset[str] = frozenset()
        if not forward and shape is not None:
            optional = frozenset(path for path, _ in optional_paths(shape))
        return Direction(record, forward, self.tables, shape, entity, optional)

    def _extended(self, node: Node, depth: int) -> Node:
        if "extends" not in node:
            return node
        wanted = str(node["extends"].value)
        path = self.root / f"{wanted.removesuffix('.yaml')}.yaml"
        inside = path.resolve().is_relative_to(self.root.resolve())
        if depth >= MAX_EXTENDS or not inside or not path.is_file():
            known = [file.relative_to(self.root).with_suffix("").as_posix() for file in self.files()]
            message = "mappings extend each other in a circle." if depth >= MAX_EXTENDS else "there is no such mapping."
            raise ConfigError([node["extends"].problem(f"extends {wanted}: {message}", did_you_mean(wanted, known))])
        return over(self._extended(self._read(path), depth + 1), node)

    def _read(self, path: Path) -> Node:
        shown = f"{self.root.name}/{path.relative_to(self.root).as_posix()}"
        return yaml.load(path.read_bytes(), file=shown)


def optional_paths(shape: Shape, prefix: str = "") -> list[tuple[str, Shape]]:
    """The places of a canonical record that may be missing, as the compiler names paths."""
    found: list[tuple[str, Shape]] = []
    for name, child in shape.fields.items():
        path = f"{prefix}.{name}" if prefix else name
        if not child.required:
            found.append((path, child))
        inner = child
        while inner.type == "list" and inner.element is not None:
            path, inner = f"{path}[]", inner.element
        found += optional_paths(inner, path)
    return found


def _keys(node: Node) -> list[Problem]:
    if not node.is_mapping:
        return [node.problem(f"a mapping file is a mapping with entity, in and out; this is {node.kind}.")]
    problems = [
        inner.problem(f"{key} is not known here.", did_you_mean(key, KEYS) or f"Known: {', '.join(KEYS)}.", key=True)
        for key, _, inner in node.items()
        if key not in KEYS
    ]
    if "entity" not in node:
        problems.append(node.problem("entity is missing.", "Name the canonical entity, such as sales_order."))
    if "in" not in node and "out" not in node:
        problems.append(node.problem("neither in nor out is there.", "Write at least one direction."))
    if "tests" in node and not node["tests"].is_list:
        problems.append(node["tests"].problem(f"tests is a list, this is {node['tests'].kind}."))
    return problems


def _digest(node: Node) -> str:
    content: dict[str, Any] = {
        key: inner.value for key, _, inner in node.items() if key not in ("tests", "description")
    }
    try:
        text = orjson.dumps([LANGUAGE, content], option=orjson.OPT_SORT_KEYS, default=str)
    except TypeError:  # a whole number of more than 64 bits
        text = json.dumps([LANGUAGE, content], sort=True)
    return hashlib.sha256(text).hexdigest()[:16]
