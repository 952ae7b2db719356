"""The canonical entities: their schemas, compiled once, asked for every message."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from landbridge.canonical._explain import explain
from landbridge.canonical._fields import FieldInfo, fields_of, normal_path
from landbridge.canonical._mask import MaskTree, mask_tree, masked
from landbridge.errors import ConfigError, Finding, Invalid, Problem
from landbridge.strict import did_you_mean, dotted, json

SHARED = "_shared.json"


class Canonical:
    """Every canonical entity of a folder; safe to share between threads."""

    def __init__(self, schemas: Mapping[str, dict[str, Any]]) -> None:
        self._schemas = dict(schemas)
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._fields: dict[str, Mapping[str, FieldInfo]] = {}
        self._trees: dict[str, MaskTree] = {}

    @classmethod
    def load(cls, folder: Path) -> Canonical:
        """The schemas of a folder, each with the shared definitions inside; raises ConfigError with every problem."""
        problems: list[Problem] = []
        documents: dict[str, Any] = {}
        for path in sorted(folder.glob("*.json")):
            try:
                documents[path.name] = json.loads(path.read_bytes())
            except Invalid as error:
                problems.append(Problem(path.name, 0, 0, error.message, error.hint))
        if not documents and not problems:
            problems.append(Problem(folder.name, 0, 0, "holds no schema.", "The canonical schemas are `*.json` files."))
        if problems:
            raise ConfigError(problems)
        shared = documents.get(SHARED, {}).get("$defs", {})
        canonical = cls(
            {
                name.removesuffix(".json"): bundled(document, shared)
                for name, document in documents.items()
                if not name.startswith("_")
            }
        )
        for entity in canonical.entities:
            try:
                canonical._validator(entity)
            except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
                problems.append(
                    Problem(f"{entity}.json", 0, 0, f"is no JSON Schema: {error}", "See docs/canonical.md.")
                )
        if problems:
            raise ConfigError(problems)
        return canonical

    @property
    def entities(self) -> tuple[str, ...]:
        """The names of the entities, sorted."""
        return tuple(sorted(self._schemas))

    def __contains__(self, entity: str) -> bool:
        return entity in self._schemas

    def schema(self, entity: str) -> dict[str, Any]:
        """The JSON Schema of an entity, complete in itself; to be read and not changed."""
        found = self._schemas.get(entity)
        if found is None:
            hint = did_you_mean(entity, self._schemas) or f"Known: {', '.join(self.entities)}."
            raise ConfigError([Problem("schemas/canonical", 0, 0, f"there is no canonical entity '{entity}'.", hint)])
        return found

    def is_valid(self, entity: str, body: Any) -> bool:
        """Whether the body is one of the entity."""
        validator = self._validators.get(entity) or self._validator(entity)
        try:
            return bool(validator.is_valid(body))
        except (ValueError, TypeError):
            return False  # a value that JSON does not have, such as a Decimal or a date

    def check(self, entity: str, body: Any) -> None:
        """Nothing if the body is one of the entity; else raises Invalid with every finding."""
        if not self.is_valid(entity, body):
            raise Invalid(self.findings(entity, body))

    def findings(self, entity: str, body: Any) -> list[Finding]:
        """What is wrong with the body, each with its path and what to do; empty if it is valid."""
        if self.is_valid(entity, body):
            return []
        return explain(self.schema(entity), body) or [self._unexplained(entity, body)]

    def fields(self, entity: str) -> Mapping[str, FieldInfo]:
        """Every field by its path, such as `lines[].quantities.ordered.value`, in the order of the schema."""
        found = self._fields.get(entity)
        if found is None:
            found = self._fields[entity] = fields_of(self.schema(entity))
        return found

    def is_personal(self, entity: str, path: str) -> bool:
        """Whether the field, or any below it, may tell about a person; a path nobody knows counts as personal."""
        path = normal_path(path)
        fields = self.fields(entity)
        if path in fields:
            below = (f"{path}.", f"{path}[]")
            return any(info.personal for name, info in fields.items() if name == path or name.startswith(below))
        return True

    def mask(self, entity: str, body: Any) -> Any:
        """A copy of the body for logs and errors: each personal value, and each one nobody knows, is masked."""
        tree = self._trees.get(entity)
        if tree is None:
            tree = self._trees[entity] = mask_tree(self.fields(entity))
        return masked(body, tree)

    def _unexplained(self, entity: str, body: Any) -> Finding:
        """What only the quick validator complains about."""
        try:
            error = next(iter(self._validator(entity).iter_errors(body)))
        except (ValueError, TypeError, StopIteration):
            hint = "Write numbers as texts and dates as ISO text."
            return Finding("", "json", "the body holds a value that JSON does not have", hint)
        return Finding(
            dotted(tuple(error.instance_path)), "schema", "does not fit the schema", "See docs/canonical.md."
        )

    def _validator(self, entity: str) -> jsonschema_rs.Draft202012Validator:
        validator = jsonschema_rs.Draft202012Validator(self.schema(entity), validate_formats=True)
        self._validators[entity] = validator
        return validator


def bundled(schema: dict[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with every shared definition in place of its reference, so that it needs no other file."""
    return {key: _inlined(value, shared, ()) for key, value in schema.items()}


def _inlined(value: Any, shared: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_inlined(inner, shared, inside) for inner in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("#/$defs/")[2]
        if name not in shared or name in inside:
            state = "refers to itself" if name in inside else "is not in _shared.json"
            raise ConfigError([Problem(SHARED, 0, 0, f"definition '{name}' {state}.", "Name a shared definition.")])
        beside = {key: inner for key, inner in value.items() if key != "$ref"}
        if "description" in beside and "description" in shared[name]:
            beside["x-form"] = shared[name]["description"]  # how it is written, beside what it means here
        return _inlined({**shared[name], **beside}, shared, (*inside, name))
    value = {key: _inlined(inner, shared, inside) for key, inner in value.items()}
    return _or_null(value)


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf: [X, null]` as X that may be null: the same meaning, quicker, and clearer to explain."""
    options = schema.get("anyOf")
    if not isinstance(options, list) or len(options) != 2 or options[1] != {"type": "null"}:
        return schema
    beside = {key: inner for key, inner in schema.items() if key != "anyOf"}
    only = options[0]
    if not isinstance(only.get("type"), str) or "const" in only or "if" in only:
        return schema
    merged = {**only, **beside, "type": [only["type"], "null"]}
    if "description" in beside and "description" in only:
        merged["x-form"] = only.get("x-form", only["description"])
    if "enum" in only:
        merged["enum"] = [*only["enum"], None]
    return schema if "anyOf" in only else merged
