"""Records and their versions, block keys and edges: what stands before a change and what is written after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._sql import records, rows, run, sql

Order = tuple[datetime, int, bytes]
"""What orders the versions of a record: source stamp, source sequence, digest; never when they arrived."""


@dataclass(slots=True)
class State:
    """A record as it stands: the version that gives its content, and the last that took it away."""

    id: UUID
    entity: str
    system: str
    scope: str
    key: str
    content: Order | None = None
    gone: Order | None = None
    merged_into: UUID | None = None
    parent: UUID | None = None
    features: Mapping[str, Any] | None = None
    keys: tuple[int, ...] = ()
    golden: UUID | None = None

    @property
    def deleted(self) -> bool:
        """Whether its last version is a deletion, or a merge into another record of its system."""
        return self.content is None or (self.gone is not None and self.gone > self.content)


class Ticked(NamedTuple):
    """One transaction of an entity."""

    at: datetime
    model: str
    """The model that the entity's keys and edges were made by; of the first transaction, the one it came with."""


def tick(connection: Connection, entity: str, now: datetime, model: str) -> Ticked:
    """Wait for our turn to regroup this entity, until the transaction ends; the recorded time of what we do.

    Recorded times of an entity strictly ascend in the order of commitment, whatever the clocks say.
    """
    found = rows(connection, _TICK, entity=entity, now=now, model=model)[0]
    return Ticked(found.at, found.model)


# Generic plans for the rest of the transaction: planning these statements costs more than running them. The recorded
# time is what defaults of columns go by.
_TICK = sql("""
insert into hub_entity (entity, at, model) values (:entity, :now, :model)
on conflict (entity) do update set at = greatest(hub_entity.at + interval '1 microsecond', excluded.at)
returning at, model, set_config('plan_cache_mode', 'force_generic_plan', true) as planned,
    set_config('landbridge.hub_at', cast(at as text), true) as told""")


def known(connection: Connection, ids: Collection[UUID]) -> dict[UUID, State]:
    """Records that the hub knows, as they stand."""
    return {one.id: _state(one) for one in rows(connection, _KNOWN, ids=list(ids))}


_KNOWN = sql("""
select id, entity, system, scope, key, stamp, sequence, digest, gone_stamp, gone_sequence, gone_digest, merged_into,
       parent, features, keys, golden
from hub_record where id = any(cast(:ids as uuid[]))""")


def _state(row: Any) -> State:
    return State(
        row.id,
        row.entity,
        row.system,
        row.scope,
        row.key,
        None if row.stamp is None else (row.stamp, row.sequence, row.digest),
        None if row.gone_stamp is None else (row.gone_stamp, row.gone_sequence, row.gone_digest),
        row.merged_into,
        row.parent,
        row.features,
        tuple(row.keys),
        row.golden,
    )


class Held(NamedTuple):
    """Who holds the keys asked for: per key its records, or how many there are of a hot one."""

    holders: dict[int, list[UUID]]
    hot: dict[int, int]
    features: dict[UUID, tuple[str, UUID | None, Mapping[str, Any]]]
    """Of every holder: its system, the record above it, its features."""


def held(connection: Connection, keys: Collection[int]) -> Held:
    """Everything that candidates of these keys need, in one statement; a hot key gives its count and nobody."""
    found = Held({}, {}, {})
    for key, hot, holders, id_, system, parent, features in map(tuple, rows(connection, _HELD, keys=list(keys))):
        if id_ is not None:
            found.features[id_] = (system, parent, features)
        elif hot is not None:
            found.hot[key] = hot
        else:
            found.holders[key] = holders or []
    return found


_HELD = sql("""
with held as materialized (
    select k.key, h.records as hot, x.record
    from unnest(cast(:keys as bigint[])) as k (key)
    left join lateral (select records from hub_hot where key = k.key offset 0) h on true
    left join lateral (select record from hub_key where key = k.key and h.records is null offset 0) x on true
)
select key, hot, array_agg(record) filter (where record is not null) as holders,
       cast(null as uuid) as id, cast(null as text) as system, cast(null as uuid) as parent,
       cast(null as json) as features
from held group by key, hot
union all
select null, null, null, r.id, r.system, r.parent, r.features
from (select distinct record from held where record is not null) d
cross join lateral (select * from hub_record where id = d.record offset 0) r""")


def write(
    connection: Connection,
    at: datetime,
    versions: Iterable[Mapping[str, Any]],
    states: Iterable[State],
    gained: Iterable[tuple[int, UUID]],
    lost: Iterable[tuple[int, UUID]],
    compared: Collection[UUID],
    edges: Iterable[tuple[UUID, UUID, float]],
    auto: float,
) -> set[UUID]:
    """Append versions (once each), put records as they stand, move their keys, and put all edges of the compared.

    Returns who was linked to one of these automatically until now.
    """
    found = rows(
        connection,
        _WRITE,
        at=at,
        versions=records(versions),
        states=records(_row(one) for one in states),
        gained=records({"key": key, "record": str(record)} for key, record in gained),
        lost=records({"key": key, "record": str(record)} for key, record in lost),
        compared=list(compared),
        edges=records({"a": str(a), "b": str(b), "weight": weight} for a, b, weight in edges),
        auto=auto,
    )
    return {id_ for row in found for id_ in (row.a, row.b)}


_WRITE = sql("""
with told as (
    insert into hub_version (record, stamp, sequence, digest, action, body, merged_into, recorded_at)
    select record, stamp, sequence, decode(digest, 'hex'), action, body, merged_into, :at
    from json_to_recordset(cast(:versions as json)) as r (record uuid, stamp timestamptz, sequence bigint, digest text,
        action text, body json, merged_into uuid)
    on conflict do nothing
),
put as (
    insert into hub_record (id, entity, system, scope, key, stamp, sequence, digest, gone_stamp, gone_sequence,
        gone_digest, merged_into, deleted, parent, features, keys, golden)
    select id, entity, system, scope, key, stamp, sequence, decode(digest, 'hex'), gone_stamp, gone_sequence,
        decode(gone_digest, 'hex'), merged_into, deleted, parent, features, keys, golden
    from json_to_recordset(cast(:states as json)) as r (id uuid, entity text, system text, scope text, key text,
        stamp timestamptz, sequence bigint, digest text, gone_stamp timestamptz, gone_sequence bigint,
        gone_digest text, merged_into uuid, deleted bool, parent uuid, features json, keys bigint[], golden uuid)
    on conflict (id) do update set stamp = excluded.stamp, sequence = excluded.sequence, digest = excluded.digest,
        gone_stamp = excluded.gone_stamp, gone_sequence = excluded.gone_sequence, gone_digest = excluded.gone_digest,
        merged_into = excluded.merged_into, deleted = excluded.deleted, parent = excluded.parent,
        features = excluded.features, keys = excluded.keys
),
dropped as (
    delete from hub_key k using json_to_recordset(cast(:lost as json)) as r (key bigint, record uuid)
    where k.key = r.key and k.record = r.record
),
added as (
    insert into hub_key (key, record)
    select key, record from json_to_recordset(cast(:gained as json)) as r (key bigint, record uuid)
    on conflict do nothing
),
old as materialized (
    select e.a, e.b, e.weight from unnest(cast(:compared as uuid[])) as m (id)
    cross join lateral (
        select a, b, weight from hub_edge where a = m.id
        union all select a, b, weight from hub_edge where b = m.id) e
),
new as materialized (
    select * from json_to_recordset(cast(:edges as json)) as r (a uuid, b uuid, weight double precision)
),
gone as (
    delete from hub_edge e using old where e.a = old.a and e.b = old.b
        and not exists (select from new where new.a = old.a and new.b = old.b)
),
made as (
    insert into hub_edge (a, b, weight) select a, b, weight from new
    on conflict (a, b) do update set weight = excluded.weight where hub_edge.weight <> excluded.weight
)
select distinct a, b from old where weight >= :auto""")


def _row(state: State) -> dict[str, Any]:
    stamp, sequence, digest = state.content or (None, None, None)
    gone_stamp, gone_sequence, gone_digest = state.gone or (None, None, None)
    return {
        "id": str(state.id),
        "entity": state.entity,
        "system": state.system,
        "scope": state.scope,
        "key": state.key,
        "stamp": stamp,
        "sequence": sequence,
        "digest": digest,
        "gone_stamp": gone_stamp,
        "gone_sequence": gone_sequence,
        "gone_digest": gone_digest,
        "merged_into": state.merged_into and str(state.merged_into),
        "deleted": state.deleted,
        "parent": state.parent and str(state.parent),
        "features": state.features or {},
        "keys": state.keys,
        "golden": str(state.golden or state.id),
    }


def heat(connection: Connection, entity: str, at: datetime, hot: Mapping[int, int]) -> None:
    """Say how many records hold keys that are hot now; 0 says that a key is hot no more."""
    found = records({"key": key, "records": count} for key, count in hot.items())
    run(connection, _HEAT, rows=found, entity=entity, at=at)


_HEAT = sql("""
with r as materialized (select * from json_to_recordset(cast(:rows as json)) as r (key bigint, records int)),
cooled as (delete from hub_hot h using r where h.key = r.key and r.records = 0)
insert into hub_hot (key, entity, records, since)
select key, :entity, records, :at from r where records > 0
on conflict (key) do update set records = excluded.records""")


def unblock(connection: Connection, holders: Sequence[UUID]) -> set[UUID]:
    """Drop edges between holders of a key that became hot, where no other key stands for them; who lost one."""
    return {id_ for row in rows(connection, _UNBLOCK, ids=list(holders)) for id_ in (row.a, row.b)}


_UNBLOCK = sql("""
with held as materialized (
    select id, array(select k from unnest(keys) k where not exists (select from hub_hot where key = k)) as keys
    from hub_record where id = any(cast(:ids as uuid[]))
)
delete from hub_edge e using held one, held other
where e.a = one.id and e.b = other.id and not one.keys && other.keys
returning e.a, e.b""")


def add_edges(connection: Connection, edges: Iterable[tuple[UUID, UUID, float]]) -> None:
    """Put more edges, as when a key that was hot is used again."""
    run(connection, _ADD, edges=records({"a": str(a), "b": str(b), "weight": w} for a, b, w in edges))


_ADD = sql("""
insert into hub_edge (a, b, weight)
select * from json_to_recordset(cast(:edges as json)) as r (a uuid, b uuid, weight double precision)
on conflict (a, b) do update set weight = excluded.weight""")


def say(connection: Connection, told: Mapping[UUID, UUID | None]) -> set[UUID]:
    """Put what systems say about merged records; returns who was meant before."""
    pairs = records(
        {"record": str(record), "a": str(min(record, into or record)), "b": str(max(record, into or record)),
         "stands": into is not None and into != record}
        for record, into in told.items()
    )  # fmt: skip
    return {id_ for row in rows(connection, _SAY, rows=pairs) for id_ in (row.a, row.b)}


_SAY = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json)) as r (record uuid, a uuid, b uuid, stands bool)
),
gone as (
    delete from hub_link l using r where l.decision = r.record and l.kind = 'told'
        and not (r.stands and l.a = r.a and l.b = r.b)
    returning l.a, l.b
),
made as (
    insert into hub_link (a, b, decision, kind) select a, b, record, 'told' from r where stands
    on conflict do nothing
)
select a, b from gone""")
