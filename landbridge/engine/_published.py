"""What the hub publishes to whom: a system is told some fields of golden records, and not of poor ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection

from landbridge.settings import Flow


class Subscribed(Protocol):
    """A flow's route, as far as it matters here."""

    @property
    def id(self) -> int:
        """The route's id, as the outbox knows it."""

    @property
    def flow(self) -> Flow:
        """Its flow."""


class Published(Protocol):
    """What one system is told of the golden records of an entity."""

    @property
    def attributes(self) -> Collection[str] | None:
        """Top-level fields that it is told; None: all of them."""

    @property
    def quality(self) -> float:
        """Golden records of less are not created there."""


class Publishing(Protocol):
    """A hub that declares what it publishes to whom; one that does not tells everybody everything."""

    def published(self, entity: str, system: str) -> Published:
        """What a system is told."""

    def qualities(self, connection: Connection, entity: str, golden: Collection[UUID]) -> Mapping[UUID, float]:
        """How good golden records are now, from 0 to 1."""


def published(hub: Any, hub_system: str | None, flow: Flow, target: str) -> Published | None:
    """What the hub publishes of a flow's records to a target; None where it has no say in them."""
    entity = flow.extract.entity
    if hub is None or entity not in hub.entities or not hasattr(hub, "published"):
        return None
    if flow.extract.source != hub_system and flow.policy(entity) != "match":
        return None
    found: Published = hub.published(entity, target)
    return found


def poor(
    connection: Connection,
    hub: Any,
    hub_system: str | None,
    target: str,
    subscriptions: Sequence[Subscribed],
    rows: Sequence[Any],
) -> set[UUID]:
    """The golden records among these rows that are not good enough to be created in a target."""
    found: set[UUID] = set()
    for one in subscriptions:
        told = published(hub, hub_system, one.flow, target)
        ids = {row.subject for row in rows if row.route_id == one.id} if told is not None and told.quality else set()
        if told is not None and ids:
            qualities = hub.qualities(connection, one.flow.extract.entity, ids)
            found |= {id_ for id_ in ids if qualities.get(id_, 1.0) < told.quality}
    return found
