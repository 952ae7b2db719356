"""The page docs/flows.md: every key of every file under config/."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from landbridge.cli._reference._examples import ENVIRONMENT, FLOW, OWNERSHIP, SYSTEMS
from landbridge.cli._reference._made import MADE
from landbridge.settings import format_duration, format_size

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo


def flows_page() -> str:
    """Every key of every file under config/, with description, default and example."""
    from landbridge.net import NetSettings
    from landbridge.settings import EntityOwnership, Flow, Installation, Override, SystemEntry

    parts = [
        "# Configuration reference\n",
        MADE,
        "Files are strict YAML 1.2: no duplicate keys, no aliases, no tags; `NO`, `on`, `01067` and dates are text.\n"
        "Durations are written with a unit: `250ms`, `2s`, `15m`, `1h30m`, `24h`, `7d`. Sizes too: `10MB`, `64MiB`.\n"
        "`landbridge check` reports every problem of every file at once;\n"
        "`landbridge schema --write FOLDER` writes JSON Schemas for an editor.\n",
    ]
    sections: list[tuple[str, type[BaseModel], str]] = [
        ("config/flows/NAME.yaml", Flow, FLOW),
        ("config/systems.yaml, per system", SystemEntry, SYSTEMS),
        ("net: of a system", NetSettings, ""),
        ("config/environments/NAME.yaml, per system", Override, ENVIRONMENT),
        ("config/ownership.yaml, per entity", EntityOwnership, OWNERSHIP),
        ("config/landbridge.yaml", Installation, ""),
    ]
    for title, model, example in sections:
        parts.append(f"## {title}\n\n{_summary(model)}\n")
        if example:
            parts.append(f"```yaml\n{example.strip()}\n```\n")
        parts.extend(_tables(model))
    return "\n".join(parts)


def _tables(model: type[BaseModel]) -> Iterator[str]:
    """The table of a model, then those of the models in its fields, each once, with the path that leads there."""
    seen: set[type[BaseModel]] = set()
    waiting: list[tuple[str, type[BaseModel]]] = [("", model)]
    while waiting:
        path, one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        if path:
            yield f"### `{path}`\n\n{_summary(one)}\n"
        yield _table(one)
        for name, field in one.model_fields.items():
            inner = f"{path}.{_key(name, field)}".lstrip(".")
            waiting += [(inner + marks, found) for found, marks in _models(field.annotation)]


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | kind | default | what it says | example |", "|---|---|---|---|---|"]
    properties = model.model_json_schema(by_alias=True).get("properties", {})
    for name, field in model.model_fields.items():
        key = _key(name, field)
        cells = (
            f"`{key}`",
            _kind(field, properties.get(key, {})),
            _default(field),
            _text(field.description or ""),
            ", ".join(f"`{_yaml(example)}`" for example in field.examples or ()),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _kind(field: FieldInfo, schema: dict[str, Any]) -> str:
    words = _words(field.annotation, field.metadata)
    if words:
        return words
    return str(schema.get("type", "value"))


_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


def _words(annotation: Any, metadata: Any = ()) -> str:
    """What a field takes, in words; the names of Python's types stay out of the page."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return ""
    if origin is Annotated:
        return _words(arguments[0], arguments[1:])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (tuple, list):
        return f"list of {_words(arguments[0]) or 'values'}"
    if origin is dict or str(origin).endswith("Mapping'>"):
        return f"mapping to {_words(arguments[1]) or 'values'}"
    if arguments:
        return " or ".join(dict.fromkeys(word for part in arguments if (word := _words(part))))
    name = getattr(annotation, "__name__", "")
    special = {"timedelta": "duration", "date": "date", "Secret": "secret by reference", "Any": "value"}
    return _unit(metadata) or special.get(name) or _PLAIN.get(annotation, "mapping")


def _unit(metadata: Any) -> str:
    """`duration` or `size` for a number that is written with a unit."""
    marks = repr(metadata)
    return "duration" if "_seconds" in marks else "size" if "parse_size" in marks else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None or value == () or value == {} or value == "":
        return ""
    if hasattr(type(value), "model_fields"):
        return "see below"
    unit = _unit(field.metadata)
    if unit == "duration":
        value = timedelta(seconds=value)
    return f"`{format_size(value) if unit == 'size' else _yaml(value)}`"


def _models(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    from pydantic import BaseModel

    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and origin is None and issubclass(annotation, BaseModel):
        yield annotation, ""
        return
    marks = "[]" if origin in (tuple, list) else ".*" if origin is dict else ""
    for part in arguments:
        for found, inner in _models(part):
            yield found, marks + inner


def _yaml(value: Any) -> str:
    """A value in YAML's flow style, as a person writes it."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_yaml(inner) for inner in value) + "]"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _summary(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "")


def _text(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
