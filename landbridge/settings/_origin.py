"""Nodes of several files as one: an environment's words over the systems', each still knowing where it stands."""

from __future__ import annotations

import os
from collections.abc import Mapping

from landbridge.strict import Node

UNSET = "https://unset.invalid"
"""Stands for a value that is not set, where only the shape of the configuration is checked."""


def merged(base: Node | None, over: Node | None) -> Node | None:
    """Mappings key by key, anything else whole, and a block of another `type` too; None only if both are."""
    if base is None or over is None or not (base.is_mapping and over.is_mapping):
        return over if over is not None else base
    if _another_type(base.get("type"), over.get("type")):
        return over  # another way to log in: what the first one needs means nothing to it, or something else
    content = {key: node for key, _, node in base.items()}
    for key, _, node in over.items():
        content[key] = merged(content.get(key), node) or node
    return _like(base, content)


def _another_type(base: Node | None, over: Node | None) -> bool:
    return base is not None and over is not None and not base.is_mapping and base.value != over.value


def opened(node: Node, secret: frozenset[str], unset: list[tuple[str, Node]]) -> Node:
    """The mapping with `env:NAME` replaced by the variable's value, except in the fields that hold secrets.

    A secret in a part of the configuration is named by its path, `auth.password`. What is not set becomes `UNSET` and
    stands in `unset` with its key.
    """
    return _opened("", node, secret, unset)


def _opened(path: str, node: Node, secret: frozenset[str], unset: list[tuple[str, Node]]) -> Node:
    if path in secret:
        return node
    if node.is_mapping:
        inner = {key: (f"{path}.{key}" if path else key, child) for key, _, child in node.items()}
        return _like(node, {key: _opened(at, child, secret, unset) for key, (at, child) in inner.items()})
    key, value = path.rpartition(".")[2], node.value
    if not (isinstance(value, str) and value.startswith("env:")):
        return node
    found = os.environ.get(value.removeprefix("env:"))
    if not found:
        unset.append((key, node))
    return _like(node, found or UNSET)


def _like(node: Node, content: Mapping[str, Node] | str) -> Node:
    twin = Node(content, node.file, node.line, node.column)
    twin.key_line, twin.key_column = node.key_line, node.key_column
    return twin
