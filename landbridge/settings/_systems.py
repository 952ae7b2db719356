"""Reads `config/systems.yaml` and one environment over it into systems whose configuration is typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from landbridge.connector import Config, Registry
from landbridge.errors import ConfigError, Problem
from landbridge.net import NetSettings, Url
from landbridge.secrets import Secret
from landbridge.settings._origin import merged, opened
from landbridge.settings._system import Override, System, SystemEntry
from landbridge.signatures import Webhook
from landbridge.strict import Node, did_you_mean, yaml

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_ADDRESS = Url.__metadata__[-1]  # type: ignore[attr-defined]  # Annotated carries it; the stubs say str
_NET = frozenset({"proxy", "proxy_login", "ca", "client_certificate"})
_NET_SECRETS = frozenset({"proxy_login"})
_IDENTITY = frozenset({"account", "audience", "client", "client_id", "login", "tenant", "user", "username"})
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def read_systems(
    systems: Node,
    environment: Node | None,
    registry: Registry,
    *,
    only: frozenset[str] | None,
    offline: bool,
    root: Path,
) -> tuple[dict[str, System], list[Problem]]:
    """The systems that could be read, and every problem of both files; `only` leaves the others unread.

    A connector's configuration sees `root` as `info.context["root"]`: where the paths begin that it names.
    """
    problems: list[Problem] = []
    found = {}
    if environment is not None:
        problems += _unknown_systems(environment, systems)
    for name, _, node in systems.items():
        if only is not None and name not in only:
            continue
        if not _NAME.fullmatch(name):
            hint = "Use small letters, digits and _, and begin with a letter."
            problems.append(node.problem(f"'{name}' cannot name a system.", hint, key=True))
        over = environment.get(name) if environment is not None else None
        try:
            found[name] = _system(name, node, over, registry, offline=offline, root=root)
        except ConfigError as error:
            problems += error.problems
    return found, problems


def _unknown_systems(environment: Node, systems: Node) -> Iterator[Problem]:
    for name, _, node in environment.items():
        if name not in systems:
            hint = did_you_mean(name, systems.keys()) or f"Known: {', '.join(systems.keys()) or 'none'}."
            yield node.problem(f"system '{name}' is not in systems.yaml.", hint, key=True)


def _system(name: str, node: Node, over: Node | None, registry: Registry, *, offline: bool, root: Path) -> System:
    entry = yaml.validate(node, SystemEntry)
    if entry.connector not in registry:
        hint = registry.suggestion(entry.connector)
        raise ConfigError([node["connector"].problem(f"connector '{entry.connector}' is not known.", hint)])
    problems: list[Problem] = []
    try:
        model = registry[entry.connector].config
    except (ImportError, AttributeError) as error:
        hint = "Install the package that brings it, or what that package needs."
        text = f"connector '{entry.connector}' cannot be loaded: {error}."
        raise ConfigError([node["connector"].problem(text, hint)]) from error
    if over is not None:
        problems += _beyond(over, model)
    context = {"root": root}
    config = _typed(node, over, "config", model, secrets_of(model), offline=offline, problems=problems, context=context)
    net = _typed(node, over, "net", NetSettings, _NET_SECRETS, offline=offline, problems=problems)
    webhook = _webhook(node.get("webhook"), problems)
    if problems or config is None or net is None:
        raise ConfigError(problems)
    mapping = entry.mapping or entry.connector
    return System(
        name=name, connector=entry.connector, config=config, net=net, mapping=mapping, webhook=webhook,
        scopes=entry.scopes,
    )  # fmt: skip


def _webhook(node: Node | None, problems: list[Problem]) -> Webhook | None:
    if node is None or node.value is None:
        return None
    try:
        return yaml.validate(node, Webhook)
    except ConfigError as error:
        problems += error.problems
        return None


def _typed(
    node: Node,
    over: Node | None,
    part: str,
    model: type[Any],
    secret: frozenset[str],
    *,
    offline: bool,
    problems: list[Problem],
    context: dict[str, Any] | None = None,
) -> Any:
    """One block, validated against its model; None where it cannot be, with its problems told."""
    block = merged(node.get(part), over.get(part) if over is not None else None)
    if block is None:
        block = Node({}, node.file, node.line, node.column)
        block.key_line, block.key_column = node.key_line, node.key_column
    if not block.is_mapping:
        problems.append(block.problem(f"{part}: a mapping is needed here."))
        return None
    unset: list[tuple[str, Node]] = []
    filled = opened(block, secret, unset)
    if not offline:
        problems += [_unset(key, value) for key, value in unset]
        problems += _missing_secrets(filled, secret)
    try:
        return yaml.validate(filled, model, context=context)
    except ConfigError as error:
        silent = {(one.file, one.line, one.column) for _, one in unset}  # told as unset already, or not wanted offline
        wrong = [one for one in error.problems if (one.file, one.line, one.column) not in silent]
        problems += wrong
        return model.model_construct(**filled.value) if offline and not wrong else None


def _unset(key: str, node: Node) -> Problem:
    name = node.value.removeprefix("env:")
    hint = f"Looked in: environment variable {name}. Set it, or write the value here."
    return node.problem(f"{key}: env:{name} is not set.", hint)


def _missing_secrets(block: Node, secret: frozenset[str], path: str = "") -> Iterator[Problem]:
    for name, _, node in block.items():
        key = path + name
        if node.is_mapping and any(each.startswith(f"{key}.") for each in secret):
            yield from _missing_secrets(node, secret, f"{key}.")
        if key in secret and isinstance(node.value, str):
            try:
                why = Secret(node.value).missing()
            except ValueError:
                continue  # the model says it
            if why:
                yield node.problem(f"{key}: {why}", "Set one of them, or change the reference.")


def _beyond(over: Node, model: type[BaseModel]) -> list[Problem]:
    """What an environment says beyond addresses and secrets."""
    try:
        yaml.validate(over, Override)
    except ConfigError as error:
        return list(error.problems)
    problems = []
    for part, allowed in (("config", varying(model)), ("net", _NET)):
        block = over.get(part)
        for key, _, node in block.items() if block is not None else ():
            if key not in allowed and (part == "net" or key in model.model_fields):
                hint = "Say it in systems.yaml. Here: " + (", ".join(sorted(allowed)) or "nothing") + "."
                text = f"{part}.{key} is neither an address nor a secret, so it is the same in every environment."
                problems.append(node.problem(text, hint, key=True))
    return problems


def varying(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a connector's configuration that an environment may set: addresses, secrets, who we are there.

    A field that is neither by its type says so with `json_schema_extra={"environment": True}`.
    """
    found = {name for name, field in model.model_fields.items() if name in _IDENTITY or _is_address(field)}
    marked = {
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("environment")
    }
    return frozenset(found | marked | secrets_of(model))


def secrets_of(model: type[Config] | type[BaseModel]) -> frozenset[str]:
    """The fields that hold a secret by reference; those of a part of the configuration by path, `auth.password`."""
    found = set()
    for name, field in model.model_fields.items():
        parts = _parts(field.annotation)
        found |= {name} if Secret in parts else set()
        models = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
        found |= {f"{name}.{deep}" for part in models for deep in secrets_of(part)}
    return frozenset(found)


def _is_address(field: FieldInfo) -> bool:
    marks = [*field.metadata, *(m for part in _parts(field.annotation) for m in getattr(part, "__metadata__", ()))]
    return any(mark == _ADDRESS for mark in marks)


def _parts(annotation: Any) -> list[Any]:
    return [annotation, *(deep for part in getattr(annotation, "__args__", ()) for deep in _parts(part))]
