"""Metrics of installed packages, found by entry points: the kernel imports none of them.

`landbridge.metrics`: a function that is given the installation and gives a `Source`, or None if it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from landbridge.installation import Installation

SOURCES = "landbridge.metrics"

Sample = tuple[str, tuple[str, ...], float]
"""A metric's name, the values of its labels, and its value."""


class Source(Protocol):
    """More metrics than the kernel's own."""

    @property
    def metrics(self) -> Mapping[str, tuple[str, tuple[str, ...]]]:
        """Every metric by name: what it says, and its labels."""

    def samples(self, connection: Connection, now: datetime) -> Iterable[Sample]:
        """As things stand now; it is asked at every scrape."""


def sources(installation: Installation) -> list[Source]:
    """What the packages that are installed say of this installation, by the names of their entry points."""
    found = sorted(entry_points(group=SOURCES), key=lambda one: one.name)
    return [source for point in found if (source := point.load()(installation)) is not None]
