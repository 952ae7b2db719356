"""Erasing: the statements by which what was said of records leaves the hub's tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._models import Kept
from mdm.store._sql import records, rows, run, sql


def pins(connection: Connection, ids: Collection[UUID], at: datetime, by: str) -> list[UUID]:
    """Every pin on these records; those that stand are taken back."""
    return [row.id for row in rows(connection, _PINS, ids=list(ids), at=at, by=by)]


_PINS = sql("""
with named as materialized (
    select id from hub_decision where verdict = 'pin' and these && cast(:ids as uuid[])
),
unlinked as (delete from hub_link l using named where l.decision = named.id and l.kind = 'pin'),
revoked as (
    update hub_decision d set revoked_at = cast(:at as timestamptz), revoked_by = :by
    from named where d.id = named.id and d.revoked_at is null
)
select id from named""")


def bodies(connection: Connection, ids: Collection[UUID], at: datetime) -> int:
    """Erase what every version of these records said; the versions stay. Returns how many there were."""
    return run(connection, _BODIES, ids=list(ids), at=at)


_BODIES = sql("""
update hub_version set body = null, erased_at = cast(:at as timestamptz)
where record = any(cast(:ids as uuid[])) and action = 'upsert' and erased_at is null""")


def words(connection: Connection, ids: Collection[UUID]) -> None:
    """Erase what people wrote about these records: reasons and values of decisions, labels, dismissals' reasons."""
    for statement in _WORDS:
        run(connection, statement, ids=list(ids))


_WORDS = (
    sql("""
update hub_decision set reason = '', value = cast('null' as json), losing = null, based_on = null
where these && cast(:ids as uuid[]) or those && cast(:ids as uuid[])"""),
    sql("delete from hub_label where a = any(cast(:ids as uuid[])) or b = any(cast(:ids as uuid[]))"),
    sql("""
update hub_dismissal set reason = '', detail = '{}'
where about in (select cast(i as text) from unnest(cast(:ids as uuid[])) i)
    or kind = 'pin_moved' and about in (
        select cast(id as text) from hub_decision where verdict = 'pin' and these && cast(:ids as uuid[]))"""),
)


class Version(NamedTuple):
    """A golden version that may hold something of an erased record."""

    id: UUID
    version: int
    values: Mapping[str, Any]
    lineage: Mapping[str, Any]


def homes(connection: Connection, ids: Collection[UUID]) -> list[UUID]:
    """Every golden record that ever held one of these records."""
    return [row.golden for row in rows(connection, _HOMES, ids=list(ids))]


_HOMES = sql("select distinct golden from hub_membership where record = any(cast(:ids as uuid[])) order by golden")


def versions(connection: Connection, ids: Collection[UUID], before: datetime) -> list[Version]:
    """The versions, from before a time, of every golden record that ever held one of these records."""
    return [Version(*row) for row in rows(connection, _VERSIONS, ids=homes(connection, ids), before=before)]


_VERSIONS = sql("""
select id, version, values, lineage from hub_golden g
where id = any(cast(:ids as uuid[])) and at < cast(:before as timestamptz)
    and exists (select from hub_golden n where n.id = g.id and n.version > g.version)""")  # the last says nothing of it


class Rewritten(NamedTuple):
    """A golden version without what an erased record gave to it."""

    id: UUID
    version: int
    values: Mapping[str, Any]
    lineage: Mapping[str, Any]


def rewrite(connection: Connection, found: Iterable[Rewritten], at: datetime) -> None:
    """Put golden versions as they are after an erasure; their hash, made of what is gone, goes with it."""
    given = records({**one._asdict(), "id": str(one.id)} for one in found)
    run(connection, _REWRITE, rows=given, at=at)


_REWRITE = sql("""
update hub_golden g set values = r.values, lineage = r.lineage, hash = '', erased_at = cast(:at as timestamptz)
from json_to_recordset(cast(:rows as json)) as r (id uuid, version int, values json, lineage json)
where g.id = r.id and g.version = r.version""")


def superseded(connection: Connection, entity: str, before: datetime, at: datetime) -> int:
    """Erase the content of every version that another had superseded before a time; how many, golden ones too."""
    given = {"entity": entity, "before": before, "at": at}
    return run(connection, _SUPERSEDED, **given) + run(connection, _SUPERSEDED_GOLDEN, **given)


# What holds, and whatever held at that time or since, stays: golden versions of then can be made anew.
_SUPERSEDED = sql("""
update hub_version v set body = null, erased_at = cast(:at as timestamptz) from hub_record r
where r.id = v.record and r.entity = :entity and v.action = 'upsert' and v.erased_at is null
    and v.recorded_at < cast(:before as timestamptz) and exists (
        select from hub_version n where n.record = v.record and n.action = 'upsert'
            and (n.stamp, n.sequence, n.digest) > (v.stamp, v.sequence, v.digest)
            and n.recorded_at < cast(:before as timestamptz))""")
_SUPERSEDED_GOLDEN = sql("""
update hub_golden g set values = '{}', lineage = '{"versions": [], "stories": []}', hash = '',
    erased_at = cast(:at as timestamptz)
where g.entity = :entity and g.erased_at is null and g.state <> 'retired' and exists (
    select from hub_golden n where n.id = g.id and n.version > g.version and n.at < cast(:before as timestamptz))""")


def counted(connection: Connection, entity: str, column: str, value: str) -> bool:
    """Whether a kept model holds how frequent this value is."""
    return bool(rows(connection, _COUNTED, entity=entity, path=["frequencies", column, "shares", value])[0].some)


_COUNTED = sql("""
select exists (
    select from hub_model
    where entity = :entity and cast(content as json) #> cast(:path as text[]) is not null) as some""")


def unheld(connection: Connection, entity: str, values: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of these values of columns, those that no record holds; reads every record once."""
    if not values:
        return []
    given = records({"name": name, "value": value} for name, value in values)
    return [(row.name, row.value) for row in rows(connection, _UNHELD, rows=given, entity=entity)]


_UNHELD = sql("""
select w.name, w.value from json_to_recordset(cast(:rows as json)) as w (name text, value text)
where not exists (select from hub_record where entity = :entity and features ->> w.name = w.value)
order by 1, 2""")


def models(connection: Connection, entity: str) -> list[Kept]:
    """Every model that is kept of an entity."""
    return [Kept(*row) for row in rows(connection, _MODELS, entity=entity)]


_MODELS = sql("""
select id, entity, content, frequencies, made_at from hub_model where entity = :entity order by made_at, id""")


def replace_model(connection: Connection, entity: str, old: str, new: str) -> None:
    """Drop a model for another that gives every pair the same weight."""
    run(connection, _USE, entity=entity, old=old, new=new)
    run(connection, _DROP, old=old)


_USE = sql("update hub_entity set model = :new where entity = :entity and model = :old")
_DROP = sql("delete from hub_model where id = :old")
