"""The first load of an entity: all feeds received, one model, matched in bulk, and written in one transaction.

Bodies stream: through a table of the transaction, where the newest version of each record is found, and a file without
a name on the way into the hub. Before the transaction commits the hub is empty; so a crash leaves nothing half done.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID, uuid5

from landbridge.engine import Engine, Grouped, Sighting, hold_feeds, hub_feeds, receive_feed, regroup, sighted
from landbridge.errors import ConfigError, Conflict, Problem
from landbridge.strict import json
from mdm.hub import Change, Hub, Matching
from mdm.hub._arrive import arrived
from mdm.normalise import features
from mdm.publish._engine import BY_LINK, WHY_LINK, change_of, golden_of
from mdm.publish._models import untrained
from mdm.publish._training import UNTRAINED, kept_model
from mdm.scoring import match, scorer, train
from mdm.store import _first as first
from mdm.store import bulk, fragment, models, records

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

    from landbridge.settings import Flow
    from mdm.declaration import Declaration
    from mdm.publish._engine import EngineHub
    from mdm.score import Model

FEWEST = 1_000
"""A model is trained on this many records or more; fewer teach it too little, and the cautious one is used."""

AT_ONCE = 500

Progress = Callable[[str, int], None]
"""Told the step's word and how many records it moved, as it moves them."""


@dataclass(frozen=True, slots=True)
class FirstLoad:
    """What a first load found."""

    model: str
    trained: bool
    """Whether the model learned from these records."""
    records: int
    systems: Sequence[first.Counts]
    untold: dict[str, int]
    """By system: messages that the hub was not told of, as invalid or set aside by every flow's check."""
    crowds: int
    found: first.Found


def first_load(
    engine: Engine, hub: EngineHub, entity: str, *, model: str | None = None, progress: Progress
) -> FirstLoad:
    """Load an entity of which the hub holds nothing with everything that the flows' feeds say of it.

    `model` is the id of a kept one or `untrained`; without, one is trained on what is loaded. Conflict where the hub
    holds records already.
    """
    flows = hub_feeds(engine, entity)
    with engine.parts.store.transaction("first load") as connection:
        bulk.patient(connection)
        hold_feeds(connection, engine.parts.clock, flows)  # first: a worker would begin with what is being received
        _check(connection, entity, flows)
        for flow in flows:
            receive_feed(engine, flow, lambda moved: progress("extract", moved))
        untold = _tell(connection, engine, flows, progress)
        counts = first.settle(connection)
        hub.forget(entity)  # who asks next reads which model holds: this transaction may not be kept
        return _Load(connection, engine, hub, entity, progress).run(model, counts, untold)


def _check(connection: Connection, entity: str, flows: Sequence[Flow]) -> None:
    if not flows:
        what = f"no flow that is enabled brings {entity} records to the hub."
        hint = f"A flow that reads {entity} does so unless it says `resolve: {{{entity}: none}}`."
        raise ConfigError([Problem("config/flows", 0, 0, what, hint)])
    if not bulk.is_empty(connection, entity):
        raise Conflict(
            f"The hub holds {entity} records already.",
            hint=f"Flows bring what is new; for another model: landbridge mdm train {entity}, then adopt-model.",
        )


def _tell(connection: Connection, engine: Engine, flows: Sequence[Flow], progress: Progress) -> dict[str, int]:
    first.begin(connection)
    untold: dict[str, int] = {}
    for flow in flows:
        for batch in sighted(engine, flow):
            if batch.sightings:
                first.tell(connection, map(_row, batch.sightings))
            system = flow.extract.source
            untold[system] = untold.get(system, 0) + batch.untold
            progress("canonicalise", len(batch.sightings))
    return untold


def _row(one: Sighting) -> dict[str, Any]:
    told = arrived(change_of(one))
    stamp, sequence, digest = told.order
    return {
        "record": str(one.record), "subject": str(one.together or one.record), "system": one.system,
        "scope": one.scope, "key": one.key, "action": one.action, "stamp": stamp, "sequence": sequence,
        "digest": digest, "merged": one.into and str(one.into), "body": fragment(told.written),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Load:
    connection: Connection
    engine: Engine
    hub: EngineHub
    entity: str
    progress: Progress

    def run(self, named: str | None, counts: Sequence[first.Counts], untold: dict[str, int]) -> FirstLoad:
        declaration = self.hub.declarations[self.entity]
        with tempfile.TemporaryFile("w+b") as spool:  # no name and no rights for others: it holds records
            table = self._table(declaration, spool)
            model = self._model(declaration, table, named)
            hub = Hub(
                {self.entity: Matching(declaration, scorer(declaration, model), features)}, self.engine.parts.clock
            )
            at = records.tick(self.connection, self.entity, self.engine.parts.clock.now(), model.model_id).at
            bulk.clear(self.connection, self.entity, model.model_id)  # what is empty may have been of another model
            self.progress("match", table.num_rows)
            pairs = first.linked(self.connection)
            loaded = hub.first_load(
                self.connection, self.entity, self._changes(spool), table, match(declaration, model, table), pairs
            )
        for start in range(0, len(pairs), AT_ONCE):
            told = [(uuid5(record, str(other)), other, record) for other, record in pairs[start : start + AT_ONCE]]
            first.decide(self.connection, self.entity, at, BY_LINK, WHY_LINK, told)
        for some in first.ends(self.connection, AT_ONCE):
            hub.take(self.connection, self.entity, [Change(*one[:7], into=one.into) for one in some])
        self._follow()
        trained = named is None and model.records > 0
        found = first.found(self.connection, self.entity)
        return FirstLoad(model.model_id, trained, loaded.records, counts, untold, loaded.crowds, found)

    def _table(self, declaration: Declaration, spool: IO[bytes]) -> pa.Table:
        from mdm.bulk import table_of

        def compared() -> Iterator[Any]:
            for one in first.newest(self.connection):
                spool.write(json.dumps([*map(str, one[:4]), one.stamp.isoformat(), one.sequence, one.body]) + b"\n")
                yield features(declaration, one.body)

        return table_of(declaration, compared())

    def _changes(self, spool: IO[bytes]) -> Iterator[Change]:
        spool.seek(0)
        for line in spool:
            self.progress("store", 1)
            record, system, scope, key, stamp, sequence, body = json.loads(line)
            yield Change(UUID(record), system, scope, key, "upsert", datetime.fromisoformat(stamp), sequence, body)

    def _model(self, declaration: Declaration, table: pa.Table, named: str | None) -> Model:
        if named == UNTRAINED or (named is None and table.num_rows < FEWEST):
            return untrained(declaration)
        if named is not None:
            return kept_model(self.connection, self.hub, self.entity, named)
        self.progress("train", table.num_rows)
        model = train(declaration, table)
        kept = models.Kept(model.model_id, self.entity, model.dumps().decode(), None, self.engine.parts.clock.now())
        models.keep(self.connection, kept)
        return model

    def _follow(self) -> None:
        """Let the cross-reference follow, send again what that concerns, and publish, some golden records at a time."""
        parts = self.engine.parts
        published = parts.hub_system is not None and parts.subscribed(parts.hub_system, self.entity)
        for some in first.homes(self.connection, self.entity, AT_ONCE, all_=published):
            golden = {one.golden: golden_of(one.golden, one.version, one.state, one.values) for one in some}
            groups = {record: one.golden for one in some if one.moved for record in one.members}
            changed = list(golden.values()) if published else [golden[one.golden] for one in some if one.moved]
            regroup(self.connection, parts, self.entity, Grouped(groups, golden, changed))
            self.progress("follow", sum(len(one.members) for one in some))
