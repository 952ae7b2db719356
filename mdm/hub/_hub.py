"""The hub: records of many systems become golden records, and stay right when they come late, change or are undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection

from landbridge.errors import ConfigError, Problem
from landbridge.time import Clock
from mdm.hub._asof import AsOf, as_of
from mdm.hub._change import Change, Decision, Follow, Matching, Regrouped
from mdm.hub._decide import decide, revoke
from mdm.hub._erase import erase
from mdm.hub._take import take
from mdm.store import records

if TYPE_CHECKING:
    import pyarrow as pa

    from mdm.hub._load import Loaded, Weighed

_FOLLOWED = 10_000
"""Regroupings of a first load that are told of at a time."""


class Hub:
    """Every entity that is matched, by name. All it does happens in the transaction of its caller.

    One transaction at a time works on an entity: `turn`, and whatever calls it, waits for the others. Who locks rows
    of the kernel's that another such transaction may want calls `turn` first, so that nobody waits in a circle.
    `follow` is told of every regrouping in the same transaction: the kernel's cross-reference follows the hub.
    """

    def __init__(self, entities: Mapping[str, Matching], clock: Clock, *, follow: Follow | None = None) -> None:
        self.entities = dict(entities)
        self._clock = clock
        self._follow = follow

    def turn(self, connection: Connection, entity: str) -> datetime:
        """Wait until no other transaction works on the entity; returns the recorded time of this one."""
        matching = self._matching(entity)
        model = matching.scorer.model_id
        ticked = records.tick(connection, entity, self._clock.now(), model)
        if ticked.model != model:
            told = f"{entity} is grouped by model {ticked.model}, and this process reads model {model}."
            hint = f"Adopt the new model (landbridge mdm adopt-model {entity}), or restart with the one in use."
            raise ConfigError([Problem(f"config/mdm/{entity}.yaml", 0, 0, told, hint)])
        return ticked.at

    def take(self, connection: Connection, entity: str, changes: Sequence[Change]) -> list[Regrouped]:
        """Take versions of records, in any order, any number of times; who belongs elsewhere now."""
        if not changes:
            return []
        at = self.turn(connection, entity)
        return self._told(connection, take(connection, entity, self._matching(entity), at, changes))

    def first_load(
        self,
        connection: Connection,
        entity: str,
        changes: Iterable[Change],
        table: pa.Table,
        edges: Iterable[Weighed],
        same: Iterable[tuple[UUID, UUID]] = (),
    ) -> Loaded:
        """Load an entity that the hub does not hold yet, matched in bulk: row n of `table` is the n-th change's.

        Pairs of `same` are decided to be one; who calls keeps these decisions.
        """
        from mdm.hub._load import first_load

        at = self.turn(connection, entity)
        loaded = first_load(connection, entity, self._matching(entity), at, changes, table, edges, same)
        if self._follow is not None:
            moved = iter(loaded.moved.items())
            while part := dict(islice(moved, _FOLLOWED)):
                self._follow(connection, part)
        return loaded

    def adopt(self, connection: Connection, entity: str, table: pa.Table, edges: Iterable[Weighed]) -> list[Regrouped]:
        """Group an entity by the model of this hub instead of the one it was grouped by; who belongs elsewhere now.

        Row n of `table` holds the features of the n-th record of `mdm.store.bulk.contents`. Wait for `records.tick`
        (the turn) before these are read, so that nothing comes between; decisions hold, and golden ids stay.
        """
        from mdm.hub._adopt import adopt

        matching = self._matching(entity)
        ticked = records.tick(connection, entity, self._clock.now(), matching.scorer.model_id)
        return self._told(connection, adopt(connection, entity, matching, ticked.at, table, edges))

    def decide(self, connection: Connection, entity: str, decision: Decision) -> list[Regrouped]:
        """Keep a steward's decision and do what follows from it; see `Decision`."""
        at = self.turn(connection, entity)
        return self._told(connection, decide(connection, entity, self._matching(entity), at, decision))

    def revoke(self, connection: Connection, entity: str, decision: UUID, by: str) -> list[Regrouped]:
        """Undo a decision: everything is as if it had never been made."""
        at = self.turn(connection, entity)
        return self._told(connection, revoke(connection, entity, self._matching(entity), at, decision, by))

    def erase(self, connection: Connection, entity: str, ids: Collection[UUID]) -> list[Regrouped]:
        """Erase what these records said, in versions, golden records, decisions and models; see `erase`."""
        at = self.turn(connection, entity)
        return self._told(connection, erase(connection, entity, self._matching(entity), at, ids))

    def as_of(
        self,
        connection: Connection,
        entity: str,
        golden: UUID,
        *,
        valid: datetime | None = None,
        recorded: datetime | None = None,
    ) -> AsOf | None:
        """A golden record as it was known at `recorded`, of what its sources said at `valid`; see `as_of`."""
        return as_of(connection, self._matching(entity), golden, valid=valid, recorded=recorded)

    def _told(self, connection: Connection, regrouped: list[Regrouped]) -> list[Regrouped]:
        if regrouped and self._follow is not None:
            self._follow(connection, {one.record: one.golden for one in regrouped})
        return regrouped

    def _matching(self, entity: str) -> Matching:
        try:
            return self.entities[entity]
        except KeyError:
            raise ConfigError([Problem("config/mdm", 0, 0, f"there is no declaration of {entity}.")]) from None
