"""Declarations of a project: every file of config/mdm, or one of them, with all their problems at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError, Problem
from landbridge.strict import Node, did_you_mean, yaml
from mdm.declaration import Declaration
from mdm.declare._fields import AnyFields, CanonicalFields, Fields, HeaderFields
from mdm.declare._models import DeclarationFile
from mdm.declare._reader import read_node

if TYPE_CHECKING:
    from mdm.normalise import Normaliser

FOLDER = "config/mdm"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def read(
    source: Node | Path,
    *,
    canonical: Canonical | None = None,
    header: Sequence[str] | None = None,
    systems: Collection[str] | None = None,
) -> Declaration:
    """The declaration in a file or its node; raises ConfigError with every problem at once.

    Paths are looked for in the canonical entity, or among the columns of CSV files (`header`), or not at all.
    """
    node = source if isinstance(source, Node) else yaml.load_file(source)
    return _read(node, canonical, header, systems)[0]


def read_project(
    root: Path, canonical: Canonical, systems: Collection[str] | None
) -> tuple[dict[str, Declaration], list[Problem], list[Problem]]:
    """Every declaration of config/mdm by its entity, every problem, and what is doubtful; nothing is raised."""
    found: dict[str, Declaration] = {}
    problems, warnings = _misnamed(root), list[Problem]()
    for path in sorted((root / FOLDER).glob("*.yaml")):
        try:
            node = yaml.load_file(path, root=root)
            problems += _unlike_its_file(node, path.stem)
            found[path.stem], doubts = _read(node, canonical, None, systems)
            warnings += doubts
        except ConfigError as error:
            problems += error.problems
    return found, problems, warnings


def load(root: Path, canonical: Canonical, systems: Collection[str] | None = None) -> dict[str, Declaration]:
    """Every declaration of a project by its entity; raises ConfigError with every problem of all files."""
    found, problems, _ = read_project(root, canonical, systems)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return found


def check(root: Path, canonical: Canonical, systems: Collection[str] | None) -> tuple[list[Problem], list[Problem]]:
    """What `landbridge check` tells of config/mdm: problems and warnings."""
    _, problems, warnings = read_project(root, canonical, systems)
    return problems, warnings


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of config/mdm/*.yaml, for editors."""
    made = DeclarationFile.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    definitions = made.get("$defs", {})
    for name, also in (("ColumnEntry", _TEXT), ("ComparisonEntry", _LEVELS), ("IdentifierEntry", _NOTHING)):
        definitions[name] = {
            "oneOf": [also, definitions[name]],
            "description": definitions[name].get("description", ""),
        }
    entry = definitions["ComparisonEntry"]["oneOf"][1]["properties"]
    levels = {"oneOf": [{"const": "exact"}, {**_LEVELS, "items": entry["levels"]["items"]}]}
    definitions["ComparisonEntry"]["oneOf"][0] = levels
    entry["levels"] = {**levels, "description": entry["levels"]["description"]}
    return {"$schema": DIALECT, **made}


_TEXT = {"type": "string", "description": "path | normaliser | normaliser(argument)"}
_LEVELS: dict[str, Any] = {"type": "array", "minItems": 1}
_NOTHING = {"type": "null"}


def _read(
    node: Node, canonical: Canonical | None, header: Sequence[str] | None, systems: Collection[str] | None
) -> tuple[Declaration, list[Problem]]:
    fields: Fields = AnyFields()
    problems: list[Problem] = []
    if header is not None:
        fields = HeaderFields(tuple(header))
    elif canonical is not None:
        word = node.get("entity")
        if word is not None and isinstance(word.value, str):
            if word.value in canonical:
                fields = CanonicalFields(canonical, word.value)
            else:
                known = canonical.entities
                hint = did_you_mean(word.value, known) or f"Known: {', '.join(known) or 'none'}."
                problems.append(word.problem(f"'{word.value}' is no canonical entity.", hint))
    try:
        found = read_node(node, fields, normalisers=_normalisers(), systems=systems)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from None
    if problems:
        raise ConfigError(problems)
    return found


def _unlike_its_file(node: Node, stem: str) -> list[Problem]:
    word = node.get("entity")
    if word is None or not isinstance(word.value, str) or word.value == stem:
        return []
    hint = f"Write '{stem}', or rename the file to {word.value}.yaml."
    return [word.problem(f"entity: '{word.value}' is not the name of its file.", hint)]


def _misnamed(root: Path) -> list[Problem]:
    hint = "Name it .yaml, or move it elsewhere."
    names = sorted(path.name for path in (root / FOLDER).glob("*") if path.suffix in (".yml", ".json", ".YAML"))
    return [Problem(f"{FOLDER}/{name}", 0, 0, "only *.yaml is read here.", hint) for name in names]


def _normalisers() -> Mapping[str, Normaliser]:
    """The normalisers by name; imported when a declaration is read, so that nobody else waits for their tables."""
    from mdm.normalise import NORMALISERS

    return NORMALISERS
