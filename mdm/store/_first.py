"""What a first load is made of: sightings in a table of its transaction alone, and who belongs where afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._sql import records, rows, run, sql


def begin(connection: Connection) -> None:
    """An empty table of this transaction alone, whatever the number of records: memory stays constant."""
    for statement in _BEGIN:
        connection.execute(statement)


_BEGIN = (
    sql("drop table if exists pg_temp.hub_told"),
    sql("drop table if exists pg_temp.hub_first"),
    sql("drop table if exists pg_temp.hub_early"),
    sql("""
create temp table hub_told (
    record uuid, subject uuid, system text, scope text, key text, action text, stamp timestamptz, sequence bigint,
    digest text, merged uuid, body json
) on commit drop"""),
)


def tell(connection: Connection, told: Iterable[Mapping[str, Any]]) -> None:
    """Note what sources say of records."""
    run(connection, _TELL, rows=records(told))


_TELL = sql("""
insert into hub_told select * from json_to_recordset(cast(:rows as json)) as r (
    record uuid, subject uuid, system text, scope text, key text, action text, stamp timestamptz, sequence bigint,
    digest text, merged uuid, body json)""")


class Counts(NamedTuple):
    """What one system brings."""

    system: str
    records: int
    ended: int
    """Records that their system deleted or merged since."""
    early: int
    """Records that the cross-reference holds under another one that no feed of the hub has brought."""


def settle(connection: Connection) -> list[Counts]:
    """All is told: of each record the newest version counts, by the order at its source; what there is by system."""
    for statement in _SETTLE:
        connection.execute(statement)
    return [Counts(*row) for row in rows(connection, _COUNT)]


_SETTLE = (
    sql("set local enable_seqscan = on"),
    sql("set local enable_mergejoin = on"),
    sql("analyze hub_told"),
    sql("""
create temp table hub_first on commit drop as
select distinct on (record) record, subject, system, scope, key, stamp, sequence, digest, body
from hub_told where action = 'upsert'
order by record, stamp desc, sequence desc, digest desc"""),
    sql("create unique index on hub_first (record)"),
    sql("analyze hub_first"),
    sql("""
create temp table hub_early on commit drop as
select t.record, min(t.system) as system from hub_told t
where t.subject <> t.record and not exists (select from hub_first where record = t.subject) group by t.record"""),
    sql("delete from hub_first where record in (select record from hub_early)"),
    sql("delete from hub_told where action = 'upsert' or record in (select record from hub_early)"),
)

_COUNT = sql("""
select system, cast(sum(brought) as int) as records, cast(sum(ended) as int) as ended, cast(sum(early) as int) as early
from (
    select system, count(*) as brought, 0 as ended, 0 as early from hub_first group by system
    union all
    select system, 0, count(distinct record), 0 from hub_told group by system
    union all
    select system, 0, 0, count(*) from hub_early group by system) u
group by system order by system""")


class Told(NamedTuple):
    """A version of a record as its source told it."""

    record: UUID
    system: str
    scope: str
    key: str
    action: Literal["upsert", "delete", "merge"]
    stamp: datetime
    sequence: int
    into: UUID | None
    body: Any


def newest(connection: Connection, size: int = 2_000) -> Iterator[Told]:
    """The newest version of every record, the oldest record first."""
    for chunk in _read(connection, _NEWEST, {}, size):
        yield from (Told(*row) for row in chunk)


_NEWEST = """
select record, system, scope, key, 'upsert', stamp, sequence, null, body from hub_first order by record"""


def ends(connection: Connection, size: int) -> Iterator[list[Told]]:
    """Deletions and merges of records, so many at a time, the newest of each record."""
    for chunk in _read(connection, _ENDS, {}, size):
        yield [Told(*row) for row in chunk]


_ENDS = """
select distinct on (record) record, system, scope, key, action, stamp, sequence, merged, null
from hub_told order by record, stamp desc, sequence desc, digest desc"""


def linked(connection: Connection) -> list[tuple[UUID, UUID]]:
    """Records that the cross-reference holds together, as (the one that stands for both, record)."""
    return [(row.subject, row.record) for row in rows(connection, _LINKED)]


_LINKED = sql("select subject, record from hub_first where subject <> record order by record")


def decide(
    connection: Connection, entity: str, at: datetime, actor: str, reason: str, pairs: Sequence[tuple[UUID, UUID, UUID]]
) -> None:
    """Keep decisions that pairs of records are the same, as (decision, one, other)."""
    told = records({"id": str(id_), "one": str(one), "other": str(other)} for id_, one, other in pairs)
    run(connection, _DECIDE, rows=told, entity=entity, at=at, actor=actor, reason=reason)


_DECIDE = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json)) as r (id uuid, one uuid, other uuid)
),
made as (
    insert into hub_decision (id, entity, verdict, these, those, value, actor, reason, at)
    select id, :entity, 'same', array[one], array[other], cast('null' as json), :actor, :reason, :at from r
    on conflict do nothing
)
insert into hub_link (a, b, decision, kind)
select least(one, other), greatest(one, other), id, 'same' from r on conflict do nothing""")


class Home(NamedTuple):
    """A golden record with its records, as loaded."""

    golden: UUID
    members: Sequence[UUID]
    moved: bool
    """Whether the cross-reference has any of them elsewhere."""
    version: int
    state: str
    values: Any


def homes(connection: Connection, entity: str, size: int, *, all_: bool) -> Iterator[list[Home]]:
    """Golden records that differ from what the cross-reference has, or all of them, so many at a time."""
    for chunk in _read(connection, _HOMES, {"entity": entity, "all": all_}, size):
        yield [Home(*row) for row in chunk]


_HOMES = """
with grouped as (
    select r.golden, array_agg(r.id order by r.id) as members, bool_or(f.subject <> r.golden) as moved
    from hub_record r join hub_first f on f.record = r.id where r.entity = %(entity)s group by r.golden
)
select g.golden, g.members, g.moved, s.version, s.state, s.values from grouped g
cross join lateral (select * from hub_golden where id = g.golden order by version desc limit 1) s
where g.moved or %(all)s order by g.golden"""


class Found(NamedTuple):
    """What stands in the hub after a load."""

    golden: int
    merged: int
    """Golden records of more than one record."""
    doubts: int
    """Pairs of golden records that a steward is asked about."""
    hot: int
    unidentified: int


def found(connection: Connection, entity: str) -> Found:
    """Count what a load gave."""
    return Found(*rows(connection, _FOUND, entity=entity)[0])


_FOUND = sql("""
with groups as materialized (
    select golden, count(*) as members from hub_record where entity = :entity group by golden
)
select (select count(*) from groups) as golden, (select count(*) from groups where members > 1) as merged,
    (select count(*) from (
        select distinct least(a.golden, b.golden), greatest(a.golden, b.golden) from hub_edge e
        join hub_record a on a.id = e.a join hub_record b on b.id = e.b
        where a.entity = :entity and a.golden <> b.golden) d) as doubts,
    (select count(*) from hub_hot where entity = :entity) as hot,
    (select count(*) from hub_notice where entity = :entity and kind = 'unidentified') as unidentified""")


def _read(connection: Connection, statement: str, parameters: dict[str, Any], size: int) -> Iterator[list[Any]]:
    driver: Any = connection.connection.driver_connection
    with driver.cursor(name="hub_first_load") as cursor:
        cursor.itersize = size
        cursor.execute(statement, parameters)
        while chunk := cursor.fetchmany(size):
            yield chunk
