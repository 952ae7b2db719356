"""Golden records as people and pages read them: now, and as of any time in both senses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._sql import rows, sql


class Stored(NamedTuple):
    """A version of a golden record as it was written."""

    id: UUID
    version: int
    entity: str
    at: datetime
    state: str
    values: Mapping[str, Any]
    lineage: Mapping[str, Any]
    quality: Mapping[str, Any]
    hash: str
    policy: str
    erased_at: datetime | None = None
    """When a record of it was erased: what that record gave is gone, and it cannot be made anew."""


def home(connection: Connection, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The golden record of records; of an id that was a golden record once, the one that holds its record now."""
    return {row.id: row.golden for row in rows(connection, _HOME, ids=list(ids))}


_HOME = sql("select id, golden from hub_record where id = any(cast(:ids as uuid[]))")


def members(connection: Connection, golden: UUID) -> list[UUID]:
    """The records of a golden record now, the oldest first."""
    return [row.id for row in rows(connection, _MEMBERS, golden=golden)]


_MEMBERS = sql("select id from hub_record where golden = :golden order by id")

_STORED = "g.id, g.version, g.entity, g.at, g.state, g.values, g.lineage, g.quality, g.hash, g.policy, g.erased_at"


def stored(connection: Connection, ids: Collection[UUID], recorded: datetime | None = None) -> dict[UUID, Stored]:
    """The golden versions that held at a recorded time, or that hold now."""
    found = rows(connection, _AT, ids=list(ids), recorded=recorded)
    return {row.id: Stored(*row) for row in found}


_AT = sql(
    """
select <stored> from unnest(cast(:ids as uuid[])) as i (id)
cross join lateral (
    select * from hub_golden where id = i.id
        and (cast(:recorded as timestamptz) is null or at <= cast(:recorded as timestamptz))
    order by version desc limit 1) g""",
    stored=_STORED,
)


def history(connection: Connection, golden: UUID) -> list[Stored]:
    """Every version of a golden record, the oldest first."""
    return [Stored(*row) for row in rows(connection, _HISTORY, id=golden)]


_HISTORY = sql("select <stored> from hub_golden g where g.id = :id order by g.version", stored=_STORED)


class Was(NamedTuple):
    """A record as it stood at a time: the version that gave its content, and the last that took it away."""

    id: UUID
    system: str
    scope: str
    key: str
    stamp: datetime | None
    sequence: int | None
    digest: bytes | None
    body: Mapping[str, Any] | None
    gone_stamp: datetime | None
    gone_sequence: int | None
    gone_digest: bytes | None


def was(
    connection: Connection, golden: UUID, valid: datetime | None = None, recorded: datetime | None = None
) -> list[Was]:
    """The records that a golden record held at a recorded time, as their sources had them at a valid time.

    Without `recorded` it is what is known now; without `valid` the latest that was known.
    """
    return [Was(*row) for row in rows(connection, _WAS, golden=golden, valid=valid, recorded=recorded)]


_WAS = sql("""
with held as materialized (
    select record from hub_membership
    where golden = :golden and since <= coalesce(cast(:recorded as timestamptz), 'infinity')
        and (until is null or until > coalesce(cast(:recorded as timestamptz), 'infinity'))
)
select r.id, r.system, r.scope, r.key, c.stamp, c.sequence, c.digest, c.body,
       g.stamp as gone_stamp, g.sequence as gone_sequence, g.digest as gone_digest
from held
cross join lateral (select * from hub_record where id = held.record offset 0) r
left join lateral (
    select * from hub_version where record = r.id and action = 'upsert'
        and stamp <= coalesce(cast(:valid as timestamptz), 'infinity')
        and recorded_at <= coalesce(cast(:recorded as timestamptz), 'infinity')
    order by stamp desc, sequence desc, digest desc limit 1) c on true
left join lateral (
    select * from hub_version where record = r.id and action <> 'upsert'
        and stamp <= coalesce(cast(:valid as timestamptz), 'infinity')
        and recorded_at <= coalesce(cast(:recorded as timestamptz), 'infinity')
    order by stamp desc, sequence desc, digest desc limit 1) g on true
order by r.id""")


class Pinned(NamedTuple):
    """A pin as it stood at a time."""

    id: UUID
    attribute: str
    value: Any
    losing: str | None
    at: datetime
    actor: str


def pinned(connection: Connection, ids: Collection[UUID], recorded: datetime | None = None) -> list[Pinned]:
    """The pins that stood on records at a recorded time."""
    return [Pinned(*row) for row in rows(connection, _PINNED, ids=list(ids), recorded=recorded)]


_PINNED = sql("""
select id, attribute, value, losing, at, actor from hub_decision
where verdict = 'pin' and these && cast(:ids as uuid[])
    and at <= coalesce(cast(:recorded as timestamptz), 'infinity')
    and (revoked_at is null or revoked_at > coalesce(cast(:recorded as timestamptz), 'infinity'))
order by at, id""")


class Row(NamedTuple):
    """A change as publishing reads it."""

    seq: int
    golden: UUID
    version: int
    kind: str
    at: datetime
    successor: UUID | None


def changes(connection: Connection, entity: str, after: int, most: int) -> list[Row]:
    """What changed in golden records after a number, in the order of commitment."""
    return [Row(*row) for row in rows(connection, _CHANGES, entity=entity, after=after, most=most)]


_CHANGES = sql("""
select seq, golden, version, kind, at, successor from hub_change
where entity = :entity and seq > :after order by seq limit :most""")


class Hot(NamedTuple):
    """A block key of too many records."""

    key: int
    records: int
    since: datetime
    examples: Sequence[UUID]


def hot(connection: Connection, entity: str) -> list[Hot]:
    """Keys that are not used for candidates, the largest first, with some of their records."""
    return [Hot(*row) for row in rows(connection, _HOT, entity=entity)]


_HOT = sql("""
select h.key, h.records, h.since, array(select record from hub_key where key = h.key limit 5) as examples
from hub_hot h where h.entity = :entity order by h.records desc, h.key""")


class Noted(NamedTuple):
    """Something that a steward should know."""

    kind: str
    about: UUID
    detail: Mapping[str, Any]
    since: datetime


def notices(connection: Connection, entity: str) -> list[Noted]:
    """Everything that a steward should know now, the oldest first."""
    return [Noted(*row) for row in rows(connection, _NOTICES, entity=entity)]


_NOTICES = sql("""
select kind, about, detail, since from hub_notice where entity = :entity order by since, kind, about""")


class Crowded(NamedTuple):
    """A component beyond the guard: one of its records, and how many there are, up to a limit."""

    record: UUID
    records: int


def crowds(connection: Connection, entity: str, auto: float, most: int = 1000) -> list[Crowded]:
    """Components that were left to a person; a component of more than `most` records counts as so many."""
    left = {row.id for row in rows(connection, _CROWDED, entity=entity)}
    found = []
    while left:
        first = min(left)
        reached = {row.id for row in rows(connection, _CROWD, first=first, auto=auto, most=most)}
        found.append(Crowded(first, len(reached)))
        left -= reached | {first}
    return found


_CROWDED = sql("select id from hub_record where entity = :entity and crowded")
_CROWD = sql("""
with recursive reach (id) as (
    select cast(:first as uuid)
    union
    select n.id from reach r cross join lateral (
        select b as id from hub_edge where a = r.id and weight >= :auto
        union all select a from hub_edge where b = r.id and weight >= :auto
        union all select b from hub_link where a = r.id and kind in ('same', 'told')
        union all select a from hub_link where b = r.id and kind in ('same', 'told')) n
)
select id from reach limit :most""")


def circles(connection: Connection, entity: str) -> list[list[UUID]]:
    """Golden records that stand above each other in a circle, each circle once, from its least id on."""
    found = {tuple(sorted(row.way)): row.way for row in rows(connection, _CIRCLES, entity=entity)}
    return [found[key] for key in sorted(found)]


_ABOVE = """
    select r.golden as child, p.golden as above from hub_record r join hub_record p on p.id = r.parent
    where r.parent is not null and r.entity = :entity
    union
    select c.golden, p.golden from hub_link l
    join hub_record p on p.id = case l.kind when 'parent' then l.a else l.b end
    join hub_record c on c.id = case l.kind when 'parent' then l.b else l.a end
    where l.kind in ('parent', 'child') and c.entity = :entity"""
_CIRCLES = sql(
    """
with recursive above as materialized (<above>),
up (way, at) as (
    select array[child], above from above
    union all
    select up.way || up.at, above.above from up join above on above.child = up.at
    where not up.at = any(up.way) and array_length(up.way, 1) < 50
)
select way from up where at = way[1] and at = (select cast(min(cast(w as text)) as uuid) from unnest(way) w)""",
    above=_ABOVE,
)


def parents(connection: Connection, ids: Collection[UUID], most: int = 50) -> set[UUID]:
    """Every golden record above those of these records, on any way up."""
    found: set[UUID] = set()
    frontier = set(home(connection, ids).values())
    for _ in range(most):
        frontier = {row.golden for row in rows(connection, _PARENTS, ids=list(frontier))} - found
        if not frontier:
            break
        found |= frontier
    return found


_PARENTS = sql("""
select p.golden from hub_record r
cross join lateral (
    select r.parent as id where r.parent is not null
    union all select a from hub_link where b = r.id and kind = 'parent'
    union all select b from hub_link where a = r.id and kind = 'child') u
join hub_record p on p.id = u.id
where r.golden = any(cast(:ids as uuid[]))""")


def last_change(connection: Connection, entity: str) -> int:
    """The number of the newest change of an entity; 0 before the first."""
    found = connection.execute(_LAST_CHANGE, {"entity": entity}).scalar_one_or_none()
    return int(found or 0)


_LAST_CHANGE = sql("select seq from hub_change where entity = :entity order by seq desc limit 1")
