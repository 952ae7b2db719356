"""What operators ask of the store: the state of flows, what needs a person, one record's rows, the cross-reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.store._identity import Key
from landbridge.store._inbox import Received
from landbridge.store._outbox import CLAIMED, HEAD_OF_LANE, Claimed
from landbridge.store._store import fragment, records, rows, sql

# -- messages and rows by name ------------------------------------------------------------------------------------------


def waiting(connection: Connection, feed_id: int, limit: int, traces: Sequence[UUID] | None = None) -> list[Received]:
    """Messages that wait to be processed, oldest first, without the feed's lock: for previews; only these traces."""
    wanted = None if traces is None else list(traces)
    return [Received(*tuple(row)) for row in rows(connection, _WAITING, feed=feed_id, limit=limit, traces=wanted)]


_WAITING = sql("""
select i.id, i.received_at, i.scope, i.source_key, i.action, i.stamp, i.source_version, i.into_key, i.trace, b.content,
       i.subject, i.version, i.routes, i.told_at
from (select * from inbox where feed_id = :feed and not processed
        and (cast(:traces as uuid[]) is null or trace = any(:traces)) order by id limit :limit) i
left join lateral (
    select content from body where owner = i.id and kind = 'native' and at = i.received_at offset 0) b on true
order by i.id""")


def message(connection: Connection, feed_id: int, key: str, trace: UUID | None = None) -> Any | None:
    """The latest message of a source key, or the one with this trace."""
    found = rows(connection, _MESSAGE, feed=feed_id, key=key, trace=trace)
    return found[0] if found else None


_MESSAGE = sql("""
select id, received_at, action, stamp, trace, processed, subject, version from inbox
where feed_id = :feed and source_key = :key and (cast(:trace as uuid) is null or trace = :trace)
order by id desc limit 1""")


def outgoing(connection: Connection, message_ids: Sequence[int]) -> list[Any]:
    """The outbox rows of messages, with their routes."""
    return rows(connection, _OUTGOING, ids=list(message_ids))


_OUTGOING = sql("""
select o.id, o.message_id, o.route_id, r.flow, r.name as route, r.system, r.entity, o.subject, o.version, o.action,
       o.state, o.code, o.reason, o.findings, o.attempts, o.due, o.waits_for, o.target_id, o.done_at,
       (select source_key from inbox where id = o.message_id and received_at = o.received_at) as source_key,
       (select e.id from outbox e join route p on p.id = e.route_id
        where e.lane = o.lane and p.system = r.system and e.done_at is null and e.id < o.id order by e.id limit 1) as behind
from outbox o join route r on r.id = o.route_id where o.message_id = any(:ids) order by o.id""")


def planned(connection: Connection, route_ids: Sequence[int], message_ids: Sequence[int]) -> list[Claimed]:
    """Open rows of these messages as a claim would give them, without claiming: for previews."""
    found = rows(connection, _PLANNED, routes=list(route_ids), ids=list(message_ids))
    return [Claimed(*tuple(row)) for row in found]


_PLANNED = sql("""
select o.id, o.message_id, o.route_id, o.subject, o.version, o.action, o.state, o.attempts, o.fence, o.since, o.stage,
       o.handle, o.target_id, o.received_at, i.trace, i.source_key, b.content
from outbox o
cross join lateral (
    select trace, source_key from inbox where id = o.message_id and received_at = o.received_at offset 0) i
left join lateral (
    select content from body where owner = o.message_id and kind = 'canonical' and at = o.received_at offset 0) b on true
where o.message_id = any(:ids) and o.route_id = any(:routes) and o.done_at is null and o.subject is not null
order by o.id""")


def claim(
    connection: Connection,
    ids: Sequence[int],
    route_ids: Sequence[int],
    peers: Sequence[int],
    now: datetime,
    lease: timedelta,
) -> list[Claimed]:
    """Claim these rows now, due or not, if each is the head of its lane; a settle time that runs is waited out."""
    parameters = {"ids": list(ids), "routes": list(route_ids), "peers": list(peers), "now": now, "until": now + lease}
    parameters["holder"] = None  # a person's claim ends with its lease
    return [Claimed(*tuple(row)) for row in rows(connection, _CLAIM, **parameters)]


_CLAIM = sql(f"""
with head as materialized (
    select o.id, o.state as was from outbox o
    where o.id = any(:ids) and o.route_id = any(cast(:routes as smallint[])) and o.done_at is null
      and (o.state = 'ready' or (o.state = 'unknown' and o.due <= :now))
      and {HEAD_OF_LANE}
    order by o.id for update of o skip locked
),
{CLAIMED}""")  # noqa: S608 - constant text put together from constants

# -- the state of flows -------------------------------------------------------------------------------------------------


def standing(connection: Connection) -> list[Any]:
    """Per flow: whether it is paused and why, its oldest open message, and its last run."""
    return rows(connection, _STANDING)


_STANDING = sql("""
select names.flow, coalesce(f.paused, false) as paused, f.reason as pause_reason,
       (select min(o.received_at) from route r cross join lateral (
            select received_at from outbox where route_id = r.id and done_at is null order by id limit 1) o
        where r.flow = names.flow) as oldest_queued,
       (select min(i.received_at) from route r cross join lateral (
            select received_at from inbox where feed_id = r.feed_id and not processed order by id limit 1) i
        where r.flow = names.flow) as oldest_received,
       last.state as run_state, last.started_at as run_started, last.ended_at as run_ended, last.counts as run_counts,
       last.error as run_error, look.state as reconciled_state, look.started_at as reconciled_at,
       look.counts as reconciled_counts, look.error as reconciled_error
from (select distinct flow from route) names
left join flow f on f.name = names.flow
left join lateral (
    select * from run where flow = names.flow and trigger <> 'reconcile'
    order by started_at desc, id desc limit 1) last on true
left join lateral (
    select * from run where flow = names.flow and trigger = 'reconcile'
    order by started_at desc, id desc limit 1) look on true
order by names.flow""")


def in_flight(connection: Connection, flow: str) -> dict[str, int]:
    """The open rows of one flow by their state."""
    return {r.state: r.n for r in rows(connection, _IN_FLIGHT, flow=flow)}


_IN_FLIGHT = sql("""
select o.state, count(*) as n from outbox o join route r on r.id = o.route_id
where r.flow = :flow and o.done_at is null group by o.state""")


def lost(connection: Connection, limit: int = 20) -> list[Any]:
    """Messages that were queued for a route and no longer stand there, and rows that no message asked for."""
    return rows(connection, _LOST, limit=limit)


_LOST = sql("""
select r.flow, r.name as route, f.system, f.entity, i.source_key, i.id as message_id, i.received_at, true as missing
from inbox i cross join lateral unnest(i.routes) as n (route_id)
join route r on r.id = n.route_id join feed f on f.id = i.feed_id
where not exists (select from outbox o where o.message_id = i.id and o.route_id = n.route_id)
union all
select r.flow, r.name, f.system, f.entity, null, o.message_id, o.received_at, false
from outbox o join route r on r.id = o.route_id join feed f on f.id = r.feed_id
where not exists (select from inbox i where i.id = o.message_id and o.route_id = any(i.routes))
order by message_id limit :limit""")

# -- what needs a person ------------------------------------------------------------------------------------------------


def attention(
    connection: Connection,
    states: Sequence[str],
    *,
    flow: str | None = None,
    code: str | None = None,
    limit: int | None = 200,
) -> list[Any]:
    """Rows that need a person, newest first, of one flow or all, with one code or any."""
    return rows(connection, _ATTENTION, states=list(states), flow=flow, code=code, limit=limit)


_ATTENTION = sql("""
select o.id, r.flow, r.name as route, r.system, r.entity, o.state, o.code, o.reason, o.findings, o.attempts,
       o.subject, o.version, o.received_at, o.done_at, i.source_key, o.message_id, f.system as source
from outbox o join route r on r.id = o.route_id join feed f on f.id = r.feed_id
left join inbox i on i.id = o.message_id and i.received_at = o.received_at
where o.done_at is not null and o.reason is not null and o.state = any(:states)
  and (cast(:flow as text) is null or r.flow = :flow) and (cast(:code as text) is null or o.code = :code)
order by o.done_at desc, o.id desc limit :limit""")


def row(connection: Connection, outbox_id: int) -> Any | None:
    """One outbox row with its message's envelope and bodies."""
    found = rows(connection, _ROW, id=outbox_id)
    return found[0] if found else None


_ROW = sql("""
select o.id, o.message_id, r.flow, r.name as route, r.system, r.entity, f.system as source, f.entity as source_entity,
       o.subject, o.version, o.action, o.state, o.code, o.reason, o.findings, o.attempts, o.target_id, o.received_at,
       o.done_at, o.due, i.source_key, i.scope, i.stamp, i.trace,
       (select content from body where owner = o.message_id and kind = 'native' and at = o.received_at) as native,
       (select content from body where owner = o.message_id and kind = 'canonical' and at = o.received_at) as canonical
from outbox o join route r on r.id = o.route_id join feed f on f.id = r.feed_id
left join inbox i on i.id = o.message_id and i.received_at = o.received_at where o.id = :id""")


def attempts(connection: Connection, outbox_id: int) -> list[Any]:
    """The attempts of a row, first to last, with what was sent."""
    return rows(connection, _ATTEMPTS, id=outbox_id)


_ATTEMPTS = sql("""
select a.number, a.at, a.outcome, a.status, a.message, a.target_id, a.milliseconds, b.content as sent
from attempt a left join body b on b.owner = a.id and b.kind = 'target' and b.at = a.at
where a.outbox_id = :id order by a.id""")


def note_rows(
    connection: Connection, event: str, actor: str, ids: Sequence[int], now: datetime, detail: dict[str, Any]
) -> None:
    """Keep what a person decided about outbox rows: a line of history each."""
    connection.execute(
        _NOTE_ROWS,
        {
            "event": event,
            "actor": actor,
            "now": now,
            "ids": list(ids),
            "detail": records([{"detail": fragment(detail)}]),
        },
    )


_NOTE_ROWS = sql("""
insert into history (id, at, event, actor, flow, system, outbox_id, subject, detail)
select nextval('landbridge_id'), :now, :event, :actor, r.flow, r.system, o.id, o.subject, d.detail
from outbox o join route r on r.id = o.route_id
cross join json_to_recordset(cast(:detail as json)) as d (detail json) where o.id = any(:ids)""")


def history(connection: Connection, *, subject: UUID | None = None, outbox_id: int | None = None) -> list[Any]:
    """What people and the engine decided about a subject or a row."""
    if outbox_id is not None:
        return rows(connection, _HISTORY_ROW, id=outbox_id)
    return rows(connection, _HISTORY_SUBJECT, subject=subject)


_HISTORY_SUBJECT = sql(
    "select at, event, actor, flow, system, detail from history where subject = :subject order by at, id"
)
_HISTORY_ROW = sql("select at, event, actor, flow, system, detail from history where outbox_id = :id order by at, id")

# -- one record -----------------------------------------------------------------------------------------------------------


def hold(connection: Connection, flow: str, subject: UUID, now: datetime) -> int:
    """Hold what waits to leave for a subject on one flow's routes; what is being delivered right now goes on."""
    return connection.execute(_HOLD, {"flow": flow, "subject": subject, "now": now}).rowcount


_HOLD = sql("""
update outbox o set state = 'held', waits_for = null from route r
where r.id = o.route_id and r.flow = :flow and o.subject = :subject and o.done_at is null
  and o.state in ('ready', 'waiting')""")


def release(connection: Connection, flow: str, subject: UUID, now: datetime) -> int:
    """Let go what is held for a subject on one flow's routes."""
    return connection.execute(_RELEASE, {"flow": flow, "subject": subject, "now": now}).rowcount


_RELEASE = sql("""
update outbox o set state = 'ready', due = :now from route r
where r.id = o.route_id and r.flow = :flow and o.subject = :subject and o.done_at is null and o.state = 'held'""")


def subjects_of(connection: Connection, key: str) -> list[UUID]:
    """The subjects that people may mean by a key: an id in any system, or a document's own number."""
    return [r.subject for r in rows(connection, _BY_ID, key=key)] or [
        r.subject for r in rows(connection, _BY_NUMBER, key=key, most=SEARCHED)
    ]


SEARCHED = 200_000
"""Bodies, newest first, that are searched for a document's number: nothing indexes what stands inside."""


_BY_ID = sql("""
select distinct coalesce(s.merged_into, s.id) as subject from xref x join subject s on s.id = x.subject
where x.id = :key limit 20""")
_BY_NUMBER = sql("""
select distinct i.subject from (
    select owner, at, content from body where kind = 'canonical' order by owner desc limit :most) b
join inbox i on i.id = b.owner and i.received_at = b.at
where b.content ->> 'number' = :key and i.subject is not null limit 20""")


def bodies(connection: Connection, message_ids: Sequence[int]) -> dict[tuple[int, str], Any]:
    """The native and canonical bodies of messages, where they are still kept, by (message, kind)."""
    return {(row.owner, row.kind): row.content for row in rows(connection, _BODIES, ids=list(message_ids))}


_BODIES = sql("""
select owner, kind, content from body where owner = any(:ids) and kind in ('native', 'canonical')""")


def sent(connection: Connection, outbox_ids: Sequence[int]) -> list[Any]:
    """What the attempts of rows sent, first to last."""
    return rows(connection, _SENT, ids=list(outbox_ids))


_SENT = sql("""
select a.outbox_id, a.number, a.at, b.content from attempt a
join body b on b.owner = a.id and b.kind = 'target' and b.at = a.at
where a.outbox_id = any(:ids) order by a.id""")

# -- cross-reference ------------------------------------------------------------------------------------------------------


def scopes(connection: Connection, system: str, entity: str, id_: str) -> list[Any]:
    """Every scope in which an id of a system is linked, with its subject and how."""
    return rows(connection, _SCOPES, system=system, entity=entity, id=id_)


_SCOPES = sql("""
select scope, subject, linked_by, linked_at, delivered_version from xref
where system = :system and entity = :entity and id = :id order by scope""")


def unlink(connection: Connection, key: Key) -> UUID | None:
    """Take a record out of the cross-reference, with what we remember of its content; returns whose it was."""
    parameters = key._asdict()
    connection.execute(_FORGET_SHADOW, parameters)
    found: UUID | None = connection.execute(_UNLINK, parameters).scalar_one_or_none()
    return found


_UNLINK = sql("""
delete from xref where system = :system and entity = :entity and scope = :scope and id = :id returning subject""")
_FORGET_SHADOW = sql("delete from shadow where system = :system and entity = :entity and scope = :scope and id = :id")


def wake(connection: Connection, system: str, subjects: Sequence[UUID], now: datetime) -> int:
    """Let go what waits for these subjects to have an id in a system."""
    return connection.execute(_WAKE, {"system": system, "subjects": list(subjects), "now": now}).rowcount


_WAKE = sql("""
update outbox o set state = 'ready', due = :now, waits_for = null from route r
where r.id = o.route_id and r.system = :system and o.done_at is null
  and (o.waits_for = any(:subjects) or o.waits_for in (select id from subject where merged_into = any(:subjects)))""")

# -- bindings, cursors, snapshots ------------------------------------------------------------------------------------------


def bound(connection: Connection, system: str) -> str | None:
    """The organisation a system is bound to; None before first contact."""
    found: str | None = connection.execute(_BOUND, {"system": system}).scalar_one_or_none()
    return found


_BOUND = sql("select organisation from binding where system = :system")


def refused_snapshots(connection: Connection, system: str, entity: str) -> list[Any]:
    """The scopes of a feed whose last reading was refused, with the reason."""
    return rows(connection, _REFUSED, system=system, entity=entity)


_REFUSED = sql("""
select s.feed_id, s.scope, s.rows, s.refused from snapshot s join feed f on f.id = s.feed_id
where f.system = :system and f.entity = :entity and s.refused is not null order by s.scope""")


def accept_snapshot(connection: Connection, feed_id: int, scope: str) -> None:
    """Let the next complete reading of a scope count however small it is: there is nothing it is compared with."""
    connection.execute(_ACCEPT, {"feed": feed_id, "scope": scope})


_ACCEPT = sql("update snapshot set rows = 0, refused = null where feed_id = :feed and scope = :scope")

# -- retention -------------------------------------------------------------------------------------------------------------


def partitions(connection: Connection, table: str) -> list[str]:
    """The monthly partitions of a table, oldest first."""
    return [r.relname for r in rows(connection, _PARTITIONS, table=table)]


_PARTITIONS = sql(r"""
select c.relname from pg_inherits h join pg_class c on c.oid = h.inhrelid join pg_class p on p.oid = h.inhparent
where p.relname = :table and c.relname ~ '_\d{4}_\d{2}$' order by 1""")


def needed(connection: Connection, table: str, low: datetime, high: datetime) -> bool:
    """Whether a span of a table belongs to messages that are in flight or need a person."""
    statement = _ATTEMPTS_NEEDED if table == "attempt" else _NEEDED
    return bool(connection.execute(statement, {"low": low, "high": high}).scalar_one())


_NEEDED = sql("""
select exists (
    select from outbox where received_at >= :low and received_at < :high
        and (done_at is null or state in ('dead', 'quarantined', 'conflict', 'steward')))
    or exists (select from inbox where not processed and received_at >= :low and received_at < :high)""")
_ATTEMPTS_NEEDED = sql("""
select exists (
    select from attempt a join outbox o on o.id = a.outbox_id where a.at >= :low and a.at < :high
        and (o.done_at is null or o.state in ('dead', 'quarantined', 'conflict', 'steward')))""")


def drop_partition(connection: Connection, name: str) -> None:
    """Drop one partition, by a name that `partitions` gave."""
    quoted = connection.dialect.identifier_preparer.quote(name)
    connection.execute(sql(f"drop table {quoted}"))


def drop_rows(connection: Connection, low: datetime, high: datetime) -> int:
    """Remove the settled outbox rows of messages that were received in a span and whose envelopes are gone."""
    return connection.execute(_DROP_ROWS, {"low": low, "high": high}).rowcount


_DROP_ROWS = sql("delete from outbox where done_at is not null and received_at >= :low and received_at < :high")
