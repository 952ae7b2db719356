"""Notices that a steward has dismissed: appended, revoked, and held against what the notices say now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._sql import records, rows, run, sql


class Dismissal(NamedTuple):
    """A notice that a person has read and wants to see no more while it says the same."""

    id: UUID
    entity: str
    kind: str
    about: str
    detail: Mapping[str, Any]
    """What the notice said."""
    actor: str
    reason: str
    at: datetime


def dismiss(connection: Connection, one: Dismissal) -> None:
    """Keep a dismissal."""
    run(connection, _DISMISS, row=records([{**one._asdict(), "id": str(one.id)}]))


_DISMISS = sql("""
insert into hub_dismissal (id, entity, kind, about, detail, actor, reason, at)
select id, entity, kind, about, detail, actor, reason, at from json_to_recordset(cast(:row as json))
    as r (id uuid, entity text, kind text, about text, detail json, actor text, reason text, at timestamptz)""")


def restore(connection: Connection, entity: str, dismissal: UUID, at: datetime, by: str) -> bool:
    """Take a dismissal back, the row stays; False if there is none that stands."""
    return run(connection, _RESTORE, id=dismissal, entity=entity, at=at, by=by) == 1


_RESTORE = sql("""
update hub_dismissal set revoked_at = cast(:at as timestamptz), revoked_by = :by
where id = :id and entity = :entity and revoked_at is null""")


def exists(connection: Connection, entity: str, dismissal: UUID) -> bool:
    """Whether an id is that of a dismissal, a revoked one too."""
    return bool(rows(connection, _EXISTS, id=dismissal, entity=entity))


_EXISTS = sql("select id from hub_dismissal where id = :id and entity = :entity")


def dismissed(connection: Connection, entity: str) -> list[Dismissal]:
    """The dismissals that stand, the oldest first."""
    return [Dismissal(*row) for row in rows(connection, _DISMISSED, entity=entity)]


_DISMISSED = sql("""
select id, entity, kind, about, detail, actor, reason, at from hub_dismissal
where entity = :entity and revoked_at is null order by at, id""")


class Told(NamedTuple):
    """A kept notice that was dismissed, as it was then and as it is now."""

    kind: str
    about: str
    then: Mapping[str, Any]
    now: Mapping[str, Any]


def compared(connection: Connection, entity: str) -> list[Told]:
    """Every standing dismissal whose notice is still there; of crowds and circles, which are not kept, none."""
    return [Told(*row) for row in rows(connection, _COMPARED, entity=entity)]


_COMPARED = sql("""
with d as materialized (
    select kind, about, detail from hub_dismissal where entity = :entity and revoked_at is null
)
select d.kind, d.about, d.detail as then, n.detail as now from d
join hub_notice n on n.kind = d.kind and n.about = cast(d.about as uuid) and d.kind <> 'hot_key'
where d.kind in ('unidentified', 'reused', 'pin_moved')
union all
select d.kind, d.about, d.detail, json_build_object('records', h.records) from d
join hub_hot h on d.kind = 'hot_key' and h.entity = :entity and cast(h.key as text) = d.about""")


def kept(connection: Connection, entity: str) -> dict[str, int]:
    """How many notices there are by kind, dismissed ones too; of crowds and circles, which are not kept, none."""
    return {row.kind: row.n for row in rows(connection, _KEPT, entity=entity)}


_KEPT = sql("""
select kind, count(*) as n from hub_notice where entity = :entity group by kind
union all
select 'hot_key', count(*) from hub_hot where entity = :entity having count(*) > 0""")
