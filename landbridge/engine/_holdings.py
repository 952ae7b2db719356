"""What a target holds of the rows that are about to be delivered to it, looked up once per batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from landbridge.store import outbox
from landbridge.store._identity import Link


@dataclass(slots=True)
class Holdings:
    """What a batch refers to by row, and the links and shadows of all of it in the target."""

    refers: Mapping[int, list[tuple[str, UUID]]]
    links: dict[UUID, Link]
    own: dict[UUID, Link]  # of the rows themselves, as this entity: one subject may stand in a target as several
    shadows: dict[tuple[str, str], outbox.Shadow]
    poor: Collection[UUID] = ()
    """Golden records that are not good enough to be created there."""
