"""What installed packages add to the command line, found by entry points, so that the kernel imports none of them.

`landbridge.commands`: a function that is given the application and registers commands. `landbridge.checks`: a function
of (folder, canonical model, names of the systems or None) that gives problems and warnings for `landbridge check`.
`landbridge.schemas`: a function that gives the JSON Schema of a kind of file; its name is the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any

COMMANDS = "landbridge.commands"
CHECKS = "landbridge.checks"
SCHEMAS = "landbridge.schemas"


def names(group: str) -> list[str]:
    """The names in a group, sorted; loads nothing."""
    return sorted(point.name for point in entry_points(group=group))


def plugged(group: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each function of a group with its name, in the order of the names."""
    for point in sorted(entry_points(group=group), key=lambda one: one.name):
        yield point.name, point.load()
