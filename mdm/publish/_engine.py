"""The hub as the engine asks for it: a batch of records in, golden records and regroupings out, one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from sqlalchemy import Connection

from landbridge.engine import Erased, Golden, Grouped, Sighting
from landbridge.errors import ConfigError
from mdm.declaration import Declaration
from mdm.hub import Change, Decision, Hub, Matching, Regrouped
from mdm.normalise import features
from mdm.publish._models import model_of
from mdm.publish._published import Publisher
from mdm.scoring import match, scorer
from mdm.store import bulk, erasing, models, reading, records

if TYPE_CHECKING:
    import pyarrow as pa

    from landbridge.time import Clock
    from mdm.score import Model

BY_LINK = "the cross-reference"
"""Who decided that two records are one where a delivery, `adopt` or a person linked them before the hub saw them."""

WHY_LINK = "linked before"


class EngineHub(Publisher):
    """Golden records of the declared entities. A model is read when an entity is first asked for."""

    def __init__(self, declarations: Mapping[str, Declaration], clock: Clock) -> None:
        self.declarations = dict(declarations)
        self._clock = clock
        self._hubs: dict[str, Hub] = {}

    @property
    def entities(self) -> Collection[str]:
        """The entities that config/mdm declares."""
        return self.declarations.keys()

    def hub(self, connection: Connection, entity: str) -> Hub:
        """The hub of one entity with the model in use."""
        if entity not in self._hubs:
            declaration = self.declarations[entity]
            matching = Matching(declaration, scorer(declaration, model_of(connection, declaration)), features)
            self._hubs[entity] = Hub({entity: matching}, self._clock)
        return self._hubs[entity]

    def forget(self, entity: str) -> None:
        """Whoever asks for an entity next reads anew which model holds."""
        self._hubs.pop(entity, None)

    def current(self, connection: Connection, entity: str) -> Hub:
        """As `hub`; another model that was adopted since is taken up."""
        held = self._hubs.get(entity)
        used = models.of(connection, entity)
        if held is not None and used not in (None, held.entities[entity].scorer.model_id):
            del self._hubs[entity]
        return self.hub(connection, entity)

    def _in_turn(self, connection: Connection, entity: str) -> Hub:
        """The hub, once no other transaction works on the entity; with the model that was adopted meanwhile."""
        hub = self.hub(connection, entity)
        try:
            hub.turn(connection, entity)
        except ConfigError:
            hub = self.current(connection, entity)
            hub.turn(connection, entity)
        return hub

    def take(self, connection: Connection, entity: str, sightings: Sequence[Sighting], now: datetime) -> Grouped:
        """Keep these records and decide who is who; see `landbridge.engine.Hub`."""
        hub = self._in_turn(connection, entity)
        linked, early = _linked_before(connection, sightings)
        told = [one for one in sightings if one.record not in early]

        def act() -> list[Regrouped]:
            changes = [change_of(one) for one in told if one.action != "merge" or one.into]
            regrouped = hub.take(connection, entity, changes)
            for one in linked:
                regrouped += hub.decide(connection, entity, one)
            return regrouped

        return self.watched(connection, entity, act, {one.record for one in told})

    def decide(self, connection: Connection, entity: str, decision: Decision) -> Grouped:
        """Keep a steward's decision; hand what comes back to `landbridge.engine.regroup` in the same transaction."""
        hub = self._in_turn(connection, entity)
        return self.watched(connection, entity, lambda: hub.decide(connection, entity, decision))

    def revoke(self, connection: Connection, entity: str, decision: UUID, by: str) -> Grouped:
        """Undo a decision; as `decide`."""
        hub = self._in_turn(connection, entity)
        return self.watched(connection, entity, lambda: hub.revoke(connection, entity, decision, by))

    def erase(self, connection: Connection, entity: str, erased: Collection[UUID]) -> Erased:
        """Erase what these records said; as `decide`."""
        hub = self._in_turn(connection, entity)
        grouped = self.watched(connection, entity, lambda: hub.erase(connection, entity, erased))
        self.forget(entity)  # a model may have been left for one that no longer counts what they said
        return Erased(grouped, erasing.homes(connection, erased))

    def retire(self, connection: Connection, entity: str, before: datetime) -> int:
        """Forget the content of versions that others had superseded before a time; how many there were."""
        self._in_turn(connection, entity)
        return erasing.superseded(connection, entity, before, self._clock.now())

    def table(self, connection: Connection, entity: str) -> pa.Table:
        """The records that the hub holds as they are compared: what a model is trained and matched on."""
        from mdm.bulk import table_of

        declaration = self.declarations[entity]
        held = bulk.contents(connection, entity)
        return table_of(declaration, (features(declaration, one.body or {}) for one in held))

    def adopt(self, connection: Connection, entity: str, model: Model) -> Grouped:
        """Group an entity by another model from now on, all of it; as `decide`. ConfigError if it does not fit."""
        declaration = self.declarations[entity]
        hub = Hub({entity: Matching(declaration, scorer(declaration, model), features)}, self._clock)
        bulk.patient(connection)
        records.tick(connection, entity, self._clock.now(), model.model_id)
        table = self.table(connection, entity)
        self.forget(entity)  # this transaction may not be kept
        edges = match(declaration, model, table)
        return self.watched(connection, entity, lambda: hub.adopt(connection, entity, table, edges))

    def watched(
        self, connection: Connection, entity: str, act: Callable[[], Iterable[Regrouped]], told: Collection[UUID] = ()
    ) -> Grouped:
        """What an act on the hub, in its turn, changed: who moved, and every golden record that is not as before."""
        last = reading.last_change(connection, entity)
        regrouped = list(act())
        home = reading.home(connection, {*told, *(one.record for one in regrouped)})
        changes = reading.changes(connection, entity, last, MOST)
        stored = reading.stored(connection, {*home.values(), *(one.golden for one in changes)})
        golden = {id_: golden_of(id_, one.version, one.state, one.values) for id_, one in stored.items()}
        newest = {one.golden: one for one in changes}  # of several versions in one transaction the last is published
        changed = [
            Golden(one.golden, one.version, None, one.successor) if one.successor else golden[one.golden]
            for one in sorted(newest.values(), key=lambda one: one.seq)
        ]
        return Grouped(home, golden, changed)


def _linked_before(connection: Connection, sightings: Sequence[Sighting]) -> tuple[list[Decision], set[UUID]]:
    """Links that the cross-reference held when the hub saw a record first: from then on they are decisions.

    And the records that come too early: what they are linked to was never told, as the hub was switched on later. They
    stay in the group that the cross-reference has them in, and are taken when they come after it.
    """
    linked = {one.record: one.together for one in sightings if one.together is not None}
    if not linked:
        return [], set()
    known = records.known(connection, {*linked, *linked.values()}).keys()
    new = {record: other for record, other in linked.items() if other is not None and record not in known}
    here = {one.record for one in sightings if one.body is not None} | known
    early = {record for record, other in new.items() if other not in here}
    bodies = {one.record for one in sightings if one.body is not None}
    decisions = [
        Decision(uuid5(record, str(other)), "same", (other,), (record,), actor=BY_LINK, reason=WHY_LINK)
        for record, other in new.items()
        if record in bodies and record not in early and other not in early
    ]
    return decisions, early


MOST = 1_000_000
"""Changes of one transaction that are read at most; a batch makes a few per record."""


def golden_of(id_: UUID, version: int, state: str, values: Mapping[str, Any]) -> Golden:
    """A golden version as the engine hears of it; one of which no record lives has no body."""
    return Golden(id_, version, dict(values) if state == "active" else None)


def change_of(one: Sighting) -> Change:
    """A sighting as the hub takes it."""
    return Change(
        record=one.record,
        system=one.system,
        scope=one.scope,
        key=one.key,
        action=one.action,
        stamp=_stamp(one),
        sequence=one.sequence,
        body=one.body,
        into=one.into,
    )


def _stamp(one: Sighting) -> datetime:
    """When it became so: as the record says, or its feed, or when it came."""
    told = (one.body or {}).get("changed_at") or one.stamp
    if isinstance(told, str):
        try:
            found = datetime.fromisoformat(told)
        except ValueError:
            return one.received_at
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return one.received_at
