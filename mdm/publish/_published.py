"""What is published to whom, as the declaration says it: the engine asks for every system it delivers to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Connection

from mdm.declaration import Declaration, Publication
from mdm.store import reading


class Publisher:
    """Answers what systems are told of golden records; see `landbridge.engine`."""

    declarations: dict[str, Declaration]

    def published(self, entity: str, system: str) -> Publication:
        """What a system is told."""
        return self.declarations[entity].published(system)

    def qualities(self, connection: Connection, entity: str, golden: Collection[UUID]) -> Mapping[UUID, float]:
        """How good golden records are now, from 0 to 1."""
        found = reading.stored(connection, golden)
        return {id_: float(one.quality.get("score", 1)) for id_, one in found.items() if one.entity == entity}
