"""Small readings of a table's file: its keys, elements, pairs and days, with a problem at the place of each fault."""

from __future__ import annotations

from datetime import date
from typing import Any

from landbridge.errors import Problem
from landbridge.strict import Node, did_you_mean


def keys_of(node: Node, known: set[str], needed: set[str] | frozenset[str] = frozenset()) -> list[Problem]:
    """Keys that are not known, and keys that are missing."""
    if not node.is_mapping:
        return [node.problem(f"a mapping is needed here, this is {node.kind}.")]
    found = [
        value.problem(
            f"{key} is not known here.", did_you_mean(key, known) or f"Known: {', '.join(sorted(known))}.", key=True
        )
        for key, _, value in node.items()
        if key not in known
    ]
    return found + [node.problem(f"{key} is missing.") for key in sorted(needed) if key not in node]


def elements(node: Node, key: str) -> list[Node]:
    """The elements under a key; none where it is not there."""
    return list(node[key].elements()) if key in node else []


def scalars(node: Node, problems: list[Problem]) -> list[tuple[str, Any]]:
    """The pairs of a mapping."""
    if not node.is_mapping:
        problems.append(node.problem(f"a mapping is needed here, this is {node.kind}."))
    return [(key, value.value) for key, _, value in node.items()]


def day_of(node: Node, key: str, default: date, problems: list[Problem]) -> date:
    """The day under a key, or the default."""
    if key not in node:
        return default
    try:
        return date.fromisoformat(str(node[key].value))
    except ValueError:
        problems.append(node[key].problem("a date such as 2026-11-21 is needed here."))
        return default
