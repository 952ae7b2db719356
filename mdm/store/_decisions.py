"""Decisions of stewards: appended, revoked, and what the standing ones mean for pairs of records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._sql import fragment, records, rows, sql


class Row(NamedTuple):
    """A decision as it is kept."""

    id: UUID
    entity: str
    verdict: str
    these: Sequence[UUID]
    those: Sequence[UUID]
    attribute: str | None
    value: Any
    losing: str | None
    based_on: Any
    actor: str
    reason: str
    at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None


def append(connection: Connection, row: Row, written: bytes, links: Iterable[tuple[UUID, UUID, str]]) -> bool:
    """Keep a decision with its links; `written` is its value as JSON. False if it is there already."""
    found = {
        "id": str(row.id),
        "entity": row.entity,
        "verdict": row.verdict,
        "these": [str(one) for one in row.these],
        "those": [str(one) for one in row.those],
        "attribute": row.attribute,
        "value": fragment(written),
        "losing": row.losing,
        "based_on": row.based_on,
        "actor": row.actor,
        "reason": row.reason,
        "at": row.at,
    }
    pairs = records({"a": str(a), "b": str(b), "kind": kind} for a, b, kind in links)
    return bool(connection.execute(_APPEND, {"row": records([found]), "links": pairs}).scalar_one())


# Since when the hub asked about two golden records: since a pair of theirs weighed enough to be asked about or, where
# they were decided before, since what they are compared by changed last.
_ASKED = """
    select e.since, c.changed, exists (
        select from hub_link l where l.a = e.a and l.b = e.b and l.kind in ('different', 'unsure', 'parent', 'child')
    ) as decided
    from unnest(r.these) as t (id)
    cross join lateral (select golden from hub_record where id = t.id offset 0) one
    cross join lateral (select id from hub_record where golden = one.golden offset 0) a
    cross join lateral (
        select a, b, b as other, since from hub_edge where a = a.id
        union all select a, b, a, since from hub_edge where b = a.id) e
    cross join lateral (select golden from hub_record where id = e.other offset 0) two
    cross join lateral (
        select max(v.recorded_at) as changed from hub_record h join hub_version v on v.record = h.id
            and v.stamp = h.stamp and v.sequence = h.sequence and v.digest = h.digest
        where h.id in (e.a, e.b)) c
    where two.golden <> one.golden and r.verdict <> 'pin'
        and two.golden in (select golden from hub_record where id = any(r.those))"""
_APPEND = sql(
    """
with made as (
    insert into hub_decision (id, entity, verdict, these, those, attribute, value, losing, based_on, actor, reason, at,
        asked_at)
    select id, entity, verdict, these, those, attribute, value, losing, based_on, actor, reason, at, (
        select case when bool_or(o.decided) then max(o.changed) else min(o.since) end from (<asked>) o)
    from json_to_recordset(cast(:row as json)) as r (id uuid, entity text, verdict text, these uuid[], those uuid[],
        attribute text, value json, losing text, based_on json, actor text, reason text, at timestamptz)
    on conflict do nothing returning id
),
linked as (
    insert into hub_link (a, b, decision, kind)
    select l.a, l.b, made.id, l.kind from made, json_to_recordset(cast(:links as json)) as l (a uuid, b uuid, kind text)
    on conflict do nothing
)
select count(*) from made""",
    asked=_ASKED,
)


def revoke(connection: Connection, decision: UUID, at: datetime, by: str) -> Row | None:
    """Take a decision back: its links go, the row stays; None if it is not there or was revoked already."""
    found = rows(connection, _REVOKE, id=decision, at=at, by=by)
    return Row(*found[0]) if found else None


_COLUMNS = """id, entity, verdict, these, those, attribute, value, losing, based_on, actor, reason, at, revoked_at,
    revoked_by"""
_REVOKE = sql(
    """
with gone as (delete from hub_link where decision = :id and kind <> 'told')
update hub_decision set revoked_at = :at, revoked_by = :by where id = :id and revoked_at is null
returning <columns>""",
    columns=_COLUMNS,
)


def find(connection: Connection, decision: UUID) -> Row | None:
    """A decision by its id."""
    found = rows(connection, _FIND, id=decision)
    return Row(*found[0]) if found else None


_FIND = sql("select <columns> from hub_decision where id = :id", columns=_COLUMNS)


def about(connection: Connection, ids: Collection[UUID]) -> list[Row]:
    """Every decision that names one of these records, revoked ones too, the newest first."""
    return [Row(*row) for row in rows(connection, _ABOUT, ids=list(ids))]


_ABOUT = sql(
    """
select <columns> from hub_decision
where these && cast(:ids as uuid[]) or those && cast(:ids as uuid[]) order by at desc, id desc""",
    columns=_COLUMNS,
)


class Must(NamedTuple):
    """What stewards' standing decisions say around some records."""

    joined: Mapping[UUID, UUID]
    """Record → any one record that stands for all that it is joined with."""
    different: list[tuple[UUID, UUID, UUID, str]]
    """(a, b, decision, kind) of records that may not meet."""


def standing(connection: Connection, ids: Collection[UUID]) -> Must:
    """The closure of must-links around these records, and who may not meet one of it."""
    found = rows(connection, _STANDING, ids=list(ids))
    return Must(
        {row.a: row.b for row in found if row.kind == "joined"},
        [(row.a, row.b, row.decision, row.kind) for row in found if row.kind != "joined"],
    )


_STANDING = sql("""
with recursive reach (first, id) as (
    select s, s from unnest(cast(:ids as uuid[])) as s
    union
    select r.first, n.id from reach r cross join lateral (
        select b as id from hub_link where a = r.id and kind = 'same'
        union all select a from hub_link where b = r.id and kind = 'same') n
),
closed as materialized (select id, cast(min(cast(first as text)) as uuid) as first from reach group by id)
select 'joined' as kind, id as a, first as b, cast(null as uuid) as decision from closed
union all
select distinct l.kind, l.a, l.b, l.decision from closed cross join lateral (
    select * from hub_link where a = closed.id and kind in ('different', 'parent', 'child')
    union all select * from hub_link where b = closed.id and kind in ('different', 'parent', 'child')) l""")


def newest(connection: Connection, entity: str, most: int) -> list[Row]:
    """The decisions about an entity, the newest first."""
    return [Row(*row) for row in rows(connection, _NEWEST, entity=entity, most=most)]


_NEWEST = sql(
    "select <columns> from hub_decision where entity = :entity order by at desc, id desc limit :most", columns=_COLUMNS
)
