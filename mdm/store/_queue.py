"""What waits for a steward: pairs of golden records that may be one, and what was known when a pair was decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._sql import rows, sql


class Doubt(NamedTuple):
    """The pair of records that speaks most for two golden records being one."""

    a: UUID
    b: UUID
    weight: float
    golden_a: UUID
    golden_b: UUID
    pairs: int
    """Pairs of their records that the scorer gave the review threshold or more."""
    records: int
    """Records of both golden records together."""
    again: str | None
    """The verdict of a standing decision, where a compared field changed since it was made."""
    since: datetime
    """When the hub began to ask."""


def doubts(connection: Connection, entity: str, review: float, most: int, about: Collection[UUID] = ()) -> list[Doubt]:
    """Golden records that may be one and that nobody decided about, the least certain first.

    One that was decided comes back only if a compared field of the pair changed since; reads every edge once.
    """
    values = {"entity": entity, "review": review, "most": most, "about": list(about)}
    return [Doubt(*row) for row in rows(connection, _DOUBTS, **values)]


_DOUBTS = sql("""
with pair as materialized (
    select e.a, e.b, e.weight, e.since, least(ra.golden, rb.golden) as low, greatest(ra.golden, rb.golden) as high,
           ra.golden as golden_a, rb.golden as golden_b
    from hub_edge e join hub_record ra on ra.id = e.a join hub_record rb on rb.id = e.b
    where ra.entity = :entity and ra.golden <> rb.golden and e.weight >= :review
      and (cardinality(cast(:about as uuid[])) = 0 or ra.golden = any(:about) or rb.golden = any(:about))
),
decided as materialized (
    select least(ra.golden, rb.golden) as low, greatest(ra.golden, rb.golden) as high,
           bool_or(d.based_on is null or not (
               d.based_on ->> cast(l.a as text) is distinct from md5(cast(ra.features as text))
               or d.based_on ->> cast(l.b as text) is distinct from md5(cast(rb.features as text)))) as stands,
           min(d.verdict) as verdict
    from hub_link l
    join hub_decision d on d.id = l.decision
    join hub_record ra on ra.id = l.a join hub_record rb on rb.id = l.b
    where d.entity = :entity and l.kind in ('different', 'unsure', 'parent', 'child')
    group by 1, 2
),
best as (
    select distinct on (p.low, p.high) p.*, count(*) over (partition by p.low, p.high) as pairs,
           min(p.since) over (partition by p.low, p.high) as began, d.verdict as again
    from pair p left join decided d on d.low = p.low and d.high = p.high
    where d.low is null or not d.stands
    order by p.low, p.high, p.weight desc, p.a, p.b
)
select b.a, b.b, b.weight, b.golden_a, b.golden_b, b.pairs, n.records, b.again,
       case when b.again is null then b.began else c.changed end as since
from (select * from best order by weight, a, b limit :most) b
cross join lateral (select count(*) as records from hub_record where golden in (b.golden_a, b.golden_b)) n
left join lateral (
    select max(v.recorded_at) as changed from hub_record r join hub_version v on v.record = r.id
        and v.stamp = r.stamp and v.sequence = r.sequence and v.digest = r.digest
    where r.id in (b.a, b.b)) c on b.again is not null
order by b.weight, b.a, b.b""")


def seen(connection: Connection, ids: Collection[UUID]) -> dict[str, str]:
    """What records are compared by now, as a digest each: a decision that keeps it is asked for again if it changes."""
    return {str(row.id): row.digest for row in rows(connection, _SEEN, ids=list(ids))}


_SEEN = sql("""
select id, md5(cast(features as text)) as digest from hub_record where id = any(cast(:ids as uuid[]))""")


class Record(NamedTuple):
    """A record as a steward looks at it."""

    id: UUID
    system: str
    scope: str
    key: str
    stamp: datetime | None
    deleted: bool
    golden: UUID
    parent: UUID | None
    features: Mapping[str, Any]
    body: Mapping[str, Any] | None
    first_seen: datetime


def look(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Record]:
    """Records with their content as it stands, and when the hub saw them first."""
    return {row.id: Record(*row) for row in rows(connection, _LOOK, ids=list(ids))}


_LOOK = sql("""
select r.id, r.system, r.scope, r.key, r.stamp, r.deleted, r.golden, r.parent, r.features, v.body, f.first_seen
from unnest(cast(:ids as uuid[])) as i (id)
cross join lateral (select * from hub_record where id = i.id offset 0) r
left join lateral (
    select body from hub_version where record = r.id and stamp = r.stamp and sequence = r.sequence
        and digest = r.digest) v on true
cross join lateral (select min(recorded_at) as first_seen from hub_version where record = r.id) f""")


def called(connection: Connection, entity: str, system: str, key: str) -> list[UUID]:
    """The records that a person means by a system and a key."""
    return [row.id for row in rows(connection, _CALLED, entity=entity, system=system, key=key)]


_CALLED = sql("""
select x.subject as id from xref x where x.system = :system and x.id = :key and x.entity = :entity
    and exists (select from hub_record where id = x.subject)""")


def home_at(connection: Connection, record: UUID, recorded: datetime) -> UUID | None:
    """The golden record that held a record at a recorded time; None where the hub did not know it yet."""
    found = rows(connection, _HOME_AT, record=record, recorded=recorded)
    return found[0].golden if found else None


_HOME_AT = sql("""
select golden from hub_membership
where record = :record and since <= cast(:recorded as timestamptz)
    and (until is null or until > cast(:recorded as timestamptz))
order by since desc limit 1""")


def known_at(connection: Connection, ids: Collection[UUID], recorded: datetime) -> dict[UUID, Mapping[str, Any]]:
    """What records said last of what was known at a recorded time."""
    return {row.id: row.body for row in rows(connection, _KNOWN_AT, ids=list(ids), recorded=recorded)}


_KNOWN_AT = sql("""
select i.id, v.body from unnest(cast(:ids as uuid[])) as i (id)
cross join lateral (
    select body from hub_version
    where record = i.id and action = 'upsert' and recorded_at <= cast(:recorded as timestamptz)
    order by stamp desc, sequence desc, digest desc limit 1) v""")
