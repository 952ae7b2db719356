"""JSON Schemas of the files under `config/`, made from the models, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landbridge.quality import VOCABULARY, QualityFile
from landbridge.settings._flow import Flow
from landbridge.settings._installation import Installation
from landbridge.settings._ownership import Ownership
from landbridge.settings._system import Override, SystemEntry
from landbridge.settings._systems import varying

if TYPE_CHECKING:
    from pydantic import BaseModel

    from landbridge.connector import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def flow() -> dict[str, Any]:
    """Of config/flows/*.yaml."""
    return _schema(Flow)


def quality() -> dict[str, Any]:
    """Of config/quality/*.yaml: each rule is checked against the model of its type."""
    found = _part(QualityFile)
    definitions = found.setdefault("$defs", {})
    options = [{"$ref": f"#/$defs/{name}"} for name in VOCABULARY]
    for name, model in VOCABULARY.items():
        definitions[name] = _placed(model, name, definitions)
        definitions[name]["properties"]["type"] = {"const": name, "description": (model.__doc__ or "").strip()}
    found["properties"]["expectations"]["items"] = {"oneOf": options}
    return {"$schema": DIALECT, **found}


def ownership() -> dict[str, Any]:
    """Of config/ownership.yaml."""
    return _schema(Ownership)


def installation() -> dict[str, Any]:
    """Of config/landbridge.yaml."""
    return _schema(Installation)


def systems(registry: Registry) -> dict[str, Any]:
    """Of config/systems.yaml: `config` is checked against the model of the entry's connector."""
    from landbridge.net import NetSettings

    entry = _part(SystemEntry)
    definitions = entry.pop("$defs", {})
    entry["properties"]["net"] = _placed(NetSettings, "net", definitions)
    entry["properties"]["connector"] = {**entry["properties"]["connector"], "enum": registry.names()}
    entry["allOf"] = [
        {
            "if": {"properties": {"connector": {"const": one.name}}, "required": ["connector"]},
            "then": {"properties": {"config": _loose(_placed(one.config, one.name, definitions))}},
        }
        for one in registry
    ]
    return {
        "$schema": DIALECT,
        "title": "systems",
        "type": "object",
        "additionalProperties": entry,
        "$defs": definitions,
    }


def environment(registry: Registry) -> dict[str, Any]:
    """Of config/environments/*.yaml: addresses and secrets of any connector."""
    entry = _part(Override)
    names = sorted({name for one in registry for name in varying(one.config)})
    entry["properties"]["config"] = {"type": "object", "propertyNames": {"enum": names}}
    return {"$schema": DIALECT, "title": "environment", "type": "object", "additionalProperties": entry}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": DIALECT, **_part(model)}


def _part(model: type[BaseModel], template: str = "#/$defs/{model}") -> dict[str, Any]:
    return model.model_json_schema(by_alias=True, ref_template=template)


def _placed(model: type[BaseModel], name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The model's schema with its definitions moved to the document's, under a prefix of their own."""
    found = _part(model, f"#/$defs/{name}.{{model}}")
    for inner, content in found.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = content
    return found


def _loose(schema: dict[str, Any]) -> dict[str, Any]:
    """Without `required`, since an environment may say the rest; and `env:` fits anywhere."""
    properties = {
        name: {
            "anyOf": [content, {"type": "string", "pattern": "^env:"}],
            "description": content.get("description", ""),
        }
        for name, content in schema.get("properties", {}).items()
    }
    return {key: value for key, value in {**schema, "properties": properties}.items() if key != "required"}
