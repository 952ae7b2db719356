"""Checks a node against a pydantic model and says every problem with its place in the file."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

from landbridge.errors import ConfigError, Problem
from landbridge.strict._node import Node

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

Path = tuple[str | int, ...]


def validate(node: Node, model: type[Model], *, context: dict[str, Any] | None = None) -> Model:
    """The node as an instance of the model; raises ConfigError with every problem at once.

    `context` is what the model's validators see as `info.context`, such as the project's folder.
    """
    from pydantic import ValidationError  # here: whoever has a model has pydantic loaded already

    if not node.is_mapping:
        what = "is empty" if node.value is None else f"is {node.kind}"
        raise ConfigError([node.problem(f"a mapping is needed here, this {what}.", _keys_hint(model))])
    try:
        found = model.model_validate(node.value, context=context)
    except ValidationError as error:
        problems = (_problem(node, model, detail) for detail in error.errors(include_url=False, include_context=True))
        raise ConfigError(list(dict.fromkeys(problems))) from None  # its text repeats values, which may be secret
    if words := list(_words_for_booleans(node, found)):
        raise ConfigError(words)
    return found


def _words_for_booleans(node: Node, found: Any) -> Iterator[Problem]:
    """Texts such as `yes` and `NO` that pydantic took for a boolean; the file must say true or false."""
    from pydantic import BaseModel

    if isinstance(found, bool) and isinstance(node.value, str):
        yield node.problem("true or false is needed here, this is a text.", "Write true or false, without quotes.")
    elif isinstance(found, BaseModel):
        for name, field in type(found).model_fields.items():
            inner = node.get(_key(name, field)) or node.get(name)
            if inner is not None:
                yield from _words_for_booleans(inner, getattr(found, name, None))
    elif isinstance(found, dict) and node.is_mapping:
        for key, _, inner in node.items():
            yield from _words_for_booleans(inner, found.get(key))
    elif isinstance(found, (list, tuple)) and len(found) == len(node):
        for element, inner in zip(found, node.elements(), strict=False):
            yield from _words_for_booleans(inner, element)


def did_you_mean(word: str, known: Any) -> str:
    """The sentence "Did you mean 'x'?", or "" if nothing known is near."""
    near = difflib.get_close_matches(word, [str(name) for name in known], n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else ""


def _problem(node: Node, model: type[BaseModel], detail: Any) -> Problem:
    loc: Path = detail["loc"]
    kind = detail["type"]
    target, walked = node.find(loc)
    if kind == "extra_forbidden":
        known = _known(model, loc[:-1])
        hint = did_you_mean(str(loc[-1]), known) or _list_of(known)
        return target.problem(f"{dotted(walked)} is not known here.", hint, key=True)
    if kind == "missing":
        return target.problem(f"{dotted((*walked, loc[-1]))} is missing.", "", key=True)
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    hint = ""
    if kind in ("literal_error", "enum") and isinstance(detail.get("input"), str):
        expected = str(detail.get("ctx", {}).get("expected", ""))
        hint = did_you_mean(detail["input"], [part.strip("'\" ") for part in expected.replace(" or ", ",").split(",")])
    where = f"{dotted(walked)}: " if walked else ""
    return target.problem(f"{where}{message}{'' if message.endswith(('.', '?')) else '.'}", hint)


def dotted(path: Path) -> str:
    """A path as it is written in messages: `lines[0].price`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _list_of(known: list[str]) -> str:
    return f"Known: {', '.join(sorted(known))}." if known else ""


def _keys_hint(model: type[BaseModel]) -> str:
    return _list_of(_names(model))


def _names(model: type[BaseModel]) -> list[str]:
    return [_key(name, field) for name, field in model.model_fields.items()]


def _key(name: str, field: Any) -> str:
    """How a file writes the field."""
    alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
    return str(alias or name)


def _known(model: type[BaseModel], loc: Path) -> list[str]:
    """The keys that the models at this place of the file know."""
    models: list[type[BaseModel]] = [model]
    for step in loc:
        if isinstance(step, int):
            continue  # an element of a list has the models of its list
        inner = [found for parent in models for found in _field_models(parent, step)]
        if inner:
            models = inner
        else:
            named = [one for one in models if one.__name__ == step]
            models = named or models  # a step that names a branch of a union
    return list(dict.fromkeys(name for one in models for name in _names(one)))


def _field_models(model: type[BaseModel], key: str) -> list[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if key in (name, field.alias, field.validation_alias):
            return _models_in(field.annotation)
    return []


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    from pydantic import BaseModel

    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    if get_origin(annotation) in (Union, types.UnionType) or get_args(annotation):
        return [found for part in get_args(annotation) for found in _models_in(part)]
    return []
