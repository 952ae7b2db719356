"""What a flow may already say, though this version does not act on it: told, never silently ignored.

Whoever makes the engine act on one of these takes its line off here.
"""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.errors import Problem
from landbridge.strict import Node

KEPT: dict[tuple[str, ...], str] = {
    ("extract", "start"): "the first run reads everything.",
    ("extract", "scope"): "the whole feed is read.",
}
"""Keys that may wait: a flow without them does more, or later, and nothing wrong."""

REFUSED: dict[tuple[str, ...], str] = {("derive",): "the source's own document would be delivered instead."}
"""Keys without which a flow would do something else than it says."""


def kept(node: Node) -> Iterator[Problem]:
    """A warning for each key of a flow that is kept for later."""
    yield from _told(node, KEPT, "Leave it for the version that does.")


def refused(node: Node) -> Iterator[Problem]:
    """A problem for each key of a flow that cannot be kept for later."""
    yield from _told(node, REFUSED, "Take it off until a version that does.")


def _told(node: Node, keys: dict[tuple[str, ...], str], hint: str) -> Iterator[Problem]:
    for path, meanwhile in keys.items():
        found, walked = node.find(path)
        if walked == path and found.value not in (None, False):
            yield found.problem(f"{'.'.join(path)}: this version does not act on it; {meanwhile}", hint, key=True)
