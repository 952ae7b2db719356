"""The seam of the master-data hub: what the engine tells it of a batch, and what it hears back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Sighting:
    """One record of one system as a message tells it, with its references resolved."""

    record: UUID
    """Our own id of this very record, whatever group it is in."""
    system: str
    scope: str
    key: str
    action: Literal["upsert", "delete", "merge"]
    stamp: str | None
    """When it changed in its system, as the feed says; None where it does not."""
    received_at: datetime
    """When it came: stands in for a stamp where there is none."""
    sequence: int
    """The message's number: orders what has no stamp."""
    body: Mapping[str, Any] | None
    """The canonical body; None unless `action` is upsert."""
    together: UUID | None = None
    """Whose group the cross-reference holds it in, by a delivery, `adopt` or a person; counts at first sight only."""
    into: UUID | None = None
    """The record that its system merged it into: evidence, not a command."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A golden record as it stands: its values, or that none of its records lives any more."""

    id: UUID
    version: int
    body: Mapping[str, Any] | None
    into: UUID | None = None
    """The golden record that took its place, where it was retired."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """What became of a batch in the hub."""

    groups: Mapping[UUID, UUID] = field(default_factory=dict)
    """Record → golden id: of every record that was told, and of every other one whose group changed."""
    golden: Mapping[UUID, Golden] = field(default_factory=dict)
    """The golden records of those groups, by id."""
    changed: Sequence[Golden] = ()
    """The golden records that are new, other than before, or retired: what the hub's own feeds say, in order."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of records whose content was erased."""

    grouped: Grouped
    golden: Collection[UUID]
    """Every golden record that ever held one of them: what was sent for it may hold what they said."""


class Hub(Protocol):
    """The master-data hub, handed in at the composition root; what it does is part of the caller's transaction."""

    @property
    def entities(self) -> Collection[str]:
        """The entities it keeps golden records of."""

    def take(self, connection: Connection, entity: str, sightings: Sequence[Sighting], now: datetime) -> Grouped:
        """Keep these records, decide who is who, and say what changed; the same batch twice is the same as once."""

    def erase(self, connection: Connection, entity: str, erased: Collection[UUID]) -> Erased:
        """Erase what these records said, in golden records too; nothing of it comes back by being told once more."""

    def retire(self, connection: Connection, entity: str, before: datetime) -> int:
        """Forget what records and golden records said that said something else before a time; how many versions."""
