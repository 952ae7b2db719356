"""The JSON Schema of mapping files, for editors: completion and a first check while typing; lint says the rest."""

from __future__ import annotations

from typing import Any

from landbridge.canonical import Canonical
from landbridge.translator._forms import ALWAYS, HEADS, NULL, ON
from landbridge.translator._registry import Functions

WORDS = {
    "from": "The path that the value is read from, as a short form: path | function.",
    "const": "A fixed value.",
    "first": "The first of several that is neither missing, nor null, nor empty.",
    "join": "Texts joined; those missing, null or empty are passed over.",
    "concat": "Texts one after the other; null if one of them is.",
    "format": "A text with values in braces: '{number}/{seller}'.",
    "compute": "An exact decimal: round(quantity * price, 2), sum(lines, quantity * price).",
    "lookup": "What a decision table of config/determine says.",
    "flatten": "A list of lists as one list.",
    "choose": "With from: what each value becomes. Without: a list of {when, then}.",
    "ref": "A reference to a record of the system the message came from: {customer: AccountId}.",
    "code": "The code list of config/codes that translates the value.",
    "else": "What every other value becomes.",
    "then": "Functions for the result: number | pad(6).",
    "with": "The text between the parts; for lookup, a value for each input.",
    "take": "The output of the decision table; beside each, the value of one element.",
    "scope": "The organisation that numbers the record.",
    "default": "What stands in where the value is null or missing.",
    "if_null": "keep: the field is left out; clear: null is written; drop: the record that holds it is left out.",
    "when": "The condition under which the field is there: {status: [confirmed]}.",
    "on": "When the field is written to the target.",
    "each": "The list of which every element makes one value; paths start at the element.",
    "where": "Which elements count.",
    "group_by": "The path by which elements are grouped as {key, rows}.",
}
_CONDITION = {"$ref": "#/$defs/condition"}
_VALUE = {"$ref": "#/$defs/value"}


def schema(canonical: Canonical | None = None, functions: Functions | None = None) -> dict[str, Any]:
    """The schema of a mapping file; with the canonical model its entities and fields are completed, too."""
    names = (functions or Functions.standard()).names()
    record = {"$ref": "#/$defs/record"}
    entities = {"enum": list(canonical.entities)} if canonical is not None else {}
    made: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Landbridge mapping",
        "type": "object",
        "required": ["entity"],
        "additionalProperties": False,
        "properties": {
            "entity": {"type": "string", "description": "The canonical entity.", **entities},
            "native": {"type": "string", "description": "The system's own name of it."},
            "description": {"type": "string", "description": "What a reader should know."},
            "extends": {"type": "string", "description": "The mapping this one builds on: product/entity."},
            "in": {**record, "description": "Native to canonical."},
            "out": {**record, "description": "Canonical to native."},
            "tests": {"type": "array", "items": {"$ref": "#/$defs/test"}, "description": "Given this, expect that."},
        },
        "$defs": {**_values(names), **_tests()},
    }
    if canonical is not None:
        made["allOf"] = [_entity(canonical, one) for one in canonical.entities]
    return made


def _entity(canonical: Canonical, entity: str) -> dict[str, Any]:
    fields = {
        path: {"allOf": [_VALUE], "description": info.description}
        for path, info in canonical.fields(entity).items()
        if "." not in path and "[" not in path
    }
    return {"if": {"properties": {"entity": {"const": entity}}}, "then": {"properties": {"in": {"properties": fields}}}}


def _values(names: list[str]) -> dict[str, Any]:
    words = {key: {"description": text} for key, text in WORDS.items()}
    shared: dict[str, Any] = {
        key: words[key] for key in (*ALWAYS, *(one for keys in HEADS.values() for one in keys), *HEADS)
    }
    shared["on"] = {**words["on"], "enum": list(ON)}
    shared["if_null"] = {**words["if_null"], "enum": list(NULL)}
    shared["when"] = {**words["when"], "allOf": [_CONDITION]}
    shared["code"] = {**words["code"], "type": "string"}
    shared["then"] = {**words["then"], "type": "string"}
    heads = [head for head in HEADS if head not in ("ref", "choose")]
    forms = [
        {
            "type": "object",
            "required": [head],
            "properties": {key: shared[key] for key in (head, *sorted(HEADS[head] | ALWAYS))},
            "additionalProperties": False,
        }
        for head in heads
    ]
    return {
        "value": {"anyOf": [{"$ref": "#/$defs/short"}, {"type": ["number", "boolean"]}, {"$ref": "#/$defs/list"},
                            *forms, {"$ref": "#/$defs/record"}]},
        "short": {"type": "string", "description": f"path | function(argument). Functions: {', '.join(names)}."},
        "list": {"type": "array", "items": _VALUE},
        "record": {
            "type": "object",
            "not": {"anyOf": [{"required": [head]} for head in heads]},
            "properties": {
                "when": shared["when"],
                "on": {"anyOf": [shared["on"], _VALUE]},
                "where": {**words["where"], "allOf": [_CONDITION]},
                "each": {**words["each"], "allOf": [_VALUE]},
                "group_by": {**words["group_by"], "type": "string"},
                "choose": words["choose"],
                "ref": words["ref"],
                "if_null": shared["if_null"],
            },
            "additionalProperties": _VALUE,
        },
        "condition": {"type": "object", "description": words["when"]["description"]},
    }  # fmt: skip


def _tests() -> dict[str, Any]:
    case = {
        "type": "object",
        "required": ["given"],
        "additionalProperties": False,
        "properties": {
            "given": {"type": "object", "description": "The message."},
            "expect": {"type": "object", "description": "The whole result."},
            "contains": {"type": "object", "description": "A part of the result."},
            "error": {"type": ["string", "array"], "description": "What the refusal says."},
            "creating": {"type": "boolean", "description": "Whether the target creates (true) or updates."},
            "context": {"type": "object", "description": "system, scope, now, target_ids, line_ids, rates."},
        },
    }
    return {
        "test": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"name": {"type": "string", "description": "What it shows."}, "in": case, "out": case},
        }
    }
