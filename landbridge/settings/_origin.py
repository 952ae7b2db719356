"""Nodes of several files as one: an environment's words over the systems', each still knowing where it stands."""

from __future__ import annotations

import os
from collections.abc import Mapping

from landbridge.errors import Problem
from landbridge.strict import Node

UNSET = "https://unset.invalid"
"""Stands for an address that is not set, where only the shape of the configuration is checked."""


def merged(base: Node | None, over: Node | None) -> Node | None:
    """Mappings key by key, anything else whole; None only if both are."""
    if base is None or over is None or not (base.is_mapping and over.is_mapping):
        return over if over is not None else base
    content = {key: node for key, _, node in base.items()}
    for key, _, node in over.items():
        content[key] = merged(content.get(key), node) or node
    return _like(base, content)


def opened(node: Node, secret: frozenset[str], *, offline: bool, problems: list[Problem]) -> Node:
    """The mapping with `env:NAME` replaced by the variable's value, except in the fields that hold secrets."""
    content = {}
    for key, _, child in node.items():
        content[key] = child if key in secret else _opened(key, child, offline=offline, problems=problems)
    return _like(node, content)


def _opened(key: str, node: Node, *, offline: bool, problems: list[Problem]) -> Node:
    if node.is_mapping:
        return _like(node, {k: _opened(k, n, offline=offline, problems=problems) for k, _, n in node.items()})
    value = node.value
    if not (isinstance(value, str) and value.startswith("env:")):
        return node
    name = value.removeprefix("env:")
    found = os.environ.get(name)
    if not found and not offline:
        hint = f"Looked in: environment variable {name}. Set it, or write the value here."
        problems.append(node.problem(f"{key}: env:{name} is not set.", hint))
    return _like(node, found or UNSET)


def _like(node: Node, content: Mapping[str, Node] | str) -> Node:
    twin = Node(content, node.file, node.line, node.column)
    twin.key_line, twin.key_column = node.key_line, node.key_column
    return twin
