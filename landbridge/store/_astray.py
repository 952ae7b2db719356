"""Deliveries that ended on a target record under which another subject stands: ours after all, or a conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.store import _identity as identity
from landbridge.store._store import fragment, records, rows, sql


def settle(connection: Connection, astray: Sequence[Mapping[str, Any]], now: datetime) -> list[int]:
    """Link what may be linked, and make a conflict of the rest; returns the rows that became one.

    The same record: the other subject was merged with ours, or it was made by reading, after we began, what we had
    just written. Anything else is somebody else's record, and stays as it is: a person decides.
    """
    conflicts = []
    for one in sorted(astray, key=lambda one: one["id"]):
        [stands] = rows(connection, _STANDS, **{name: one[name] for name in _KEY})
        ours, theirs = UUID(one["subject"]), stands.subject
        if not _same(connection, ours, theirs):
            begun = datetime.fromisoformat(one["begun"]) if one["begun"] else now
            if stands.linked_by not in ("source", "reference") or stands.linked_at < begun:
                _dispute(connection, one, theirs, now)
                conflicts.append(int(one["id"]))
                continue
            absorbed = {"winner": one["subject"], "loser": str(theirs), "system": one["system"]}
            connection.execute(_ABSORB, absorbed)
            identity.merge(connection, theirs, ours)
        connection.execute(_KEEP, {"rows": _again([one]), "now": now})
    return conflicts


_KEY = ("system", "entity", "scope", "target_id")


def _again(found: Sequence[Mapping[str, Any]]) -> str:
    return records({**one, "content": None if one["content"] is None else fragment(one["content"])} for one in found)


def _same(connection: Connection, ours: UUID, theirs: UUID) -> bool:
    if ours == theirs:
        return True
    roots = rows(connection, _ROOTS, subjects=[ours, theirs])
    return len({root.id for root in roots}) == 1


def _dispute(connection: Connection, one: Mapping[str, Any], theirs: UUID, now: datetime) -> None:
    what = f"{one['system']} {one['entity']} {one['target_id']}"
    here, there = (_named(connection, subject, one["system"]) for subject in (UUID(one["subject"]), theirs))
    message = f"{one['system']} answered {here} with {what}, which stands for {there} already."
    hint = (
        f"If they are one, merge them at the source; if the link is wrong: landbridge xref unlink {what}, then replay."
    )
    findings = [{"ours": here, "theirs": there, "message": message}]
    values = {"id": one["id"], "reason": f"{message} hint: {hint}", "findings": records(findings), "now": now}
    connection.execute(_DISPUTE, values)


def _named(connection: Connection, subject: UUID, system: str) -> str:
    """Its id elsewhere: the one in this system is what the dispute is about."""
    names = [f"{row.system} {row.entity} {row.id}" for row in rows(connection, _NAMES, subject=subject, system=system)]
    return " / ".join(names) or str(subject)


_STANDS = sql("""
select subject, linked_by, linked_at from xref
where system = :system and entity = :entity and scope = :scope and id = :target_id""")
_ROOTS = sql("select coalesce(merged_into, id) as id from subject where id = any(cast(:subjects as uuid[]))")
_NAMES = sql("""
select system, entity, id from xref where subject = :subject and system <> :system order by linked_at, system limit 3""")
_DISPUTE = sql("""
update outbox set state = 'conflict', code = 'conflict', reason = :reason, findings = cast(:findings as json),
    done_at = :now, due = :now, stage = null, handle = null where id = :id""")
_ABSORB = sql("""
with moved as (
    update xref set subject = cast(:winner as uuid), linked_by = 'delivery'
    where subject = cast(:loser as uuid) and system = :system
),
theirs as (
    select o.id from route r cross join lateral (
        select id from outbox where route_id = r.id and subject = cast(:loser as uuid)
            and state not in ('delivered', 'claimed', 'held', 'discarded') offset 0) o
    union
    select id from outbox where waits_for = cast(:loser as uuid) and state = 'waiting'
),
gone as (delete from outbox o using theirs where o.id = theirs.id returning o.message_id, o.received_at, o.route_id),
messages as (select message_id, received_at, array_agg(route_id) as routes from gone group by 1, 2)
update inbox i set processed = false, routes = array(select unnest(i.routes) except select unnest(g.routes))
from messages g where i.id = g.message_id and i.received_at = g.received_at""")
_KEEP = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json)) as r (
        system text, entity text, scope text, target_id text, version int, target_version text, lines jsonb,
        digest text, content json, returned text)
),
kept as (
    update xref x set lines = coalesce(x.lines, '{}') || coalesce(r.lines, '{}'),
        delivered_version = greatest(x.delivered_version, r.version),
        target_version = coalesce(r.target_version, x.target_version)
    from r where (x.system, x.entity, x.scope, x.id) = (r.system, r.entity, r.scope, r.target_id)
)
insert into shadow (system, entity, scope, id, digest, content, returned, at)
select system, entity, scope, target_id, decode(digest, 'hex'), content, decode(returned, 'hex'), :now from r
where content is not null
on conflict (system, entity, scope, id) do update
set digest = excluded.digest, content = excluded.content, returned = excluded.returned, at = excluded.at""")
