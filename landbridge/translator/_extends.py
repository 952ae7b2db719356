"""Builds an instance's mapping on the product's: what the instance writes replaces or adds, `~` removes."""

from __future__ import annotations

from landbridge.strict import Node

KEPT = frozenset({"extends", "tests", "description"})  # an extending file has its own


def merged(base: Node, change: Node) -> Node:
    """The base with the change laid over it; every value keeps the file and line where it was written."""
    if not (base.is_mapping and change.is_mapping) or not (_is_record(base) and _is_record(change)):
        return change
    fields: dict[str, Node] = {key: inner for key, _, inner in base.items()}
    for key, _, inner in change.items():
        if removes(inner):
            fields.pop(key, None)
        else:
            fields[key] = merged(fields[key], inner) if key in fields else inner
    node = Node(fields, change.file, change.line, change.column)
    node.key_line, node.key_column = change.key_line, change.key_column
    return node


def removes(node: Node) -> bool:
    """Whether this takes a field of the base away."""
    return node.value is None or node.value == {"drop": True}


def _is_record(node: Node) -> bool:
    """Forms are replaced whole: half of a new `choose` on half of an old `from` is nobody's intention."""
    from landbridge.translator._forms import HEADS

    return not any(head in node for head in HEADS if head != "ref")


def over(base: Node, change: Node) -> Node:
    """A whole mapping file laid over the one it extends."""
    fields = {key: inner for key, _, inner in base.items() if key not in KEPT}
    for key, _, inner in change.items():
        if key in ("in", "out") and key in fields:
            fields[key] = merged(fields[key], inner)
        elif removes(inner):
            fields.pop(key, None)
        else:
            fields[key] = inner
    return Node(fields, change.file, change.line, change.column)
