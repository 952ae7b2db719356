"""The control bus's rows: bindings, pauses, runs, accounting, dead letters, history, retention."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.store._presence import LIVING, LIVING_NUMBERS
from landbridge.store._store import fragment, records, rows, sql

# -- bindings: a store belongs to its systems -----------------------------------------------------------------------


def bind(connection: Connection, system: str, organisation: str, now: datetime) -> str:
    """Bind a system to who answers at first contact; returns the organisation it is bound to."""
    connection.execute(_BIND, {"system": system, "organisation": organisation, "now": now})
    return str(connection.execute(_BOUND, {"system": system}).scalar_one())


_BIND = sql("""
insert into binding (system, organisation, bound_at) values (:system, :organisation, :now) on conflict do nothing""")
_BOUND = sql("select organisation from binding where system = :system")


def rebind(connection: Connection, system: str, organisation: str, now: datetime) -> None:
    """Bind a system to another organisation; a person decided."""
    connection.execute(_REBIND, {"system": system, "organisation": organisation, "now": now})


_REBIND = sql("""
insert into binding (system, organisation, bound_at) values (:system, :organisation, :now)
on conflict (system) do update set organisation = excluded.organisation, bound_at = excluded.bound_at""")

# -- flows ------------------------------------------------------------------------------------------------------------


def pause(connection: Connection, flow: str, reason: str, now: datetime) -> bool:
    """Pause a flow; True if it was running until now."""
    said = reason.replace("\x00", "\ufffd")
    changed = connection.execute(_PAUSE, {"flow": flow, "reason": said, "now": now}).rowcount
    return bool(changed)


_PAUSE = sql("""
insert into flow (name, paused, reason, changed_at) values (:flow, true, :reason, :now)
on conflict (name) do update set paused = true, reason = excluded.reason, changed_at = excluded.changed_at
where not flow.paused""")


def resume(connection: Connection, flow: str, now: datetime) -> None:
    """Let a flow run again."""
    connection.execute(_RESUME, {"flow": flow, "now": now})


_RESUME = sql("update flow set paused = false, reason = null, changed_at = :now where name = :flow")


def paused(connection: Connection) -> dict[str, str]:
    """The paused flows with their reasons."""
    return {r.name: r.reason or "" for r in rows(connection, _PAUSED)}


_PAUSED = sql("select name, reason from flow where paused")

# -- routes, one by one -------------------------------------------------------------------------------------------------


def pause_route(connection: Connection, route: str, cause: str, reason: str, now: datetime) -> bool:
    """Pause one route for a cause of its own (`person`, `drift`); True if it was not paused for that cause.

    It runs again when no cause is left.
    """
    said = reason.replace("\x00", "\ufffd")
    values = {"route": route, "cause": cause, "reason": said, "now": now}
    return bool(connection.execute(_PAUSE_ROUTE, values).scalar_one())


_PAUSE_ROUTE = sql("""
insert into route_pause (route, cause, reason, at) values (:route, :cause, :reason, :now)
on conflict (route, cause) do update set reason = excluded.reason returning xmax = 0""")


def resume_route(connection: Connection, route: str, cause: str) -> bool:
    """Take one cause off a route; True if it was there."""
    return bool(connection.execute(_RESUME_ROUTE, {"route": route, "cause": cause}).rowcount)


_RESUME_ROUTE = sql("delete from route_pause where route = :route and cause = :cause")


def paused_routes(connection: Connection) -> dict[str, dict[str, str]]:
    """The routes that are paused one by one, with the reason of each cause."""
    found: dict[str, dict[str, str]] = {}
    for row in rows(connection, _PAUSED_ROUTES):
        found.setdefault(row.route, {})[row.cause] = row.reason
    return found


_PAUSED_ROUTES = sql("select route, cause, reason from route_pause order by route, cause desc")

# -- runs -------------------------------------------------------------------------------------------------------------


def begin_run(
    connection: Connection,
    run: UUID,
    flow: str,
    trigger: str,
    parameters: dict[str, Any],
    now: datetime,
    holder: int | None = None,
) -> None:
    """A run of a flow begins; `holder` is the number of its process, where that has a `Presence`."""
    values = {"run": run, "flow": flow, "trigger": trigger, "parameters": records([parameters])[1:-1], "now": now}
    connection.execute(_BEGIN, {**values, "holder": holder})


_BEGIN = sql("""
insert into run (id, flow, trigger, parameters, state, started_at, holder)
values (:run, :flow, :trigger, cast(:parameters as json), 'running', :now, :holder)""")


def end_run(
    connection: Connection, run: UUID, state: str, counts: dict[str, int], error: str | None, now: datetime
) -> None:
    """A run ended: succeeded or failed, with its counts."""
    connection.execute(
        _END, {"run": run, "state": state, "counts": records([counts])[1:-1], "error": error, "now": now}
    )


_END = sql("""
update run set state = :state, counts = cast(:counts as json), error = :error, ended_at = :now where id = :run""")


LONGEST_RUN = timedelta(hours=24)
"""A run that is `running` for longer died with its process, if nothing else says whether that lives."""


def interrupt_runs(connection: Connection, now: datetime, longest: timedelta = LONGEST_RUN) -> int:
    """Mark runs whose process is gone, or that began longer ago than any lasts. What they had received is not lost."""
    return connection.execute(_INTERRUPT, {"now": now, "before": now - longest, "living": LIVING}).rowcount


_INTERRUPT = sql(f"""
update run r set state = 'interrupted', ended_at = :now,
    error = 'its process ended before it did; what it had received is in the inbox'
where r.state = 'running' and (r.started_at < :before
    or r.holder is not null and r.holder <> all(array({LIVING_NUMBERS})))""")  # noqa: S608 - constant text put together from constants


def runs(connection: Connection, limit: int = 50) -> list[Any]:
    """The latest runs, newest first."""
    return rows(connection, _RUNS, limit=limit)


_RUNS = sql("""
select id, flow, trigger, parameters, state, counts, error, started_at, ended_at from run
order by started_at desc limit :limit""")

# -- accounting ---------------------------------------------------------------------------------------------------------


def accounting(connection: Connection) -> list[Any]:
    """Per route: messages in, and where each of them stands. `in` always equals the sum of the rest.

    A message that is not yet fanned out counts as one in flight on every route of its feed.
    """
    return rows(connection, _ACCOUNTING)


_ACCOUNTING = sql("""
with standing as (
    select route_id,
           count(*) filter (where state = 'delivered') as delivered,
           count(*) filter (where state = 'suppressed') as suppressed,
           count(*) filter (where state = 'dead') as dead,
           count(*) filter (where state = 'discarded') as discarded,
           count(*) filter (where state = 'quarantined') as quarantined,
           count(*) filter (where state = 'conflict') as conflict,
           count(*) filter (where state = 'steward') as steward,
           count(*) filter (where done_at is null) as in_flight
    from outbox group by route_id
),
fanned as (  -- counted in the inbox, never in the outbox: a row that is lost there shows
    select n.route_id, count(*) as fanned_out from inbox i cross join lateral unnest(i.routes) as n (route_id)
    group by n.route_id
),
received as (
    select r.id as route_id, coalesce(f.fanned_out, 0) as fanned_out,
           (select count(*) from inbox i where i.feed_id = r.feed_id and not i.processed
                and not r.id = any(coalesce(i.routes, '{}'))) as waiting
    from route r left join fanned f on f.route_id = r.id
)
select r.flow, r.name as route, r.system, r.entity,
       received.waiting + received.fanned_out as received,
       coalesce(s.delivered, 0) as delivered, coalesce(s.suppressed, 0) as suppressed, coalesce(s.dead, 0) as dead,
       coalesce(s.discarded, 0) as discarded, coalesce(s.quarantined, 0) as quarantined,
       coalesce(s.conflict, 0) as conflict, coalesce(s.steward, 0) as steward,
       coalesce(s.in_flight, 0) + received.waiting as in_flight
from route r join received on received.route_id = r.id left join standing s on s.route_id = r.id order by r.flow, r.name
""")

# -- dead letters and what else needs a person ----------------------------------------------------------------------------


def attention(connection: Connection, states: Sequence[str], limit: int = 200) -> list[Any]:
    """Rows that need a person, newest first, with their reason."""
    return rows(connection, _ATTENTION, states=list(states), limit=limit)


_ATTENTION = sql("""
select o.id, r.flow, r.name as route, r.system, r.entity, o.state, o.code, o.reason, o.findings, o.attempts,
       o.subject, o.version, o.received_at, o.done_at, i.source_key, o.message_id
from outbox o join route r on r.id = o.route_id
left join inbox i on i.id = o.message_id and i.received_at = o.received_at
where o.done_at is not null and o.reason is not null and o.state = any(:states)
order by o.done_at desc, o.id desc limit :limit""")


def replay(connection: Connection, ids: Sequence[int], now: datetime) -> int:
    """Put dead, quarantined or conflicting rows back into their lane; what was delivered meanwhile stays."""
    return connection.execute(_REPLAY, {"ids": list(ids), "now": now}).rowcount


_REPLAY = sql("""
update outbox o set state = case when exists (  -- what may have had its effect is asked for before it is written
        select from attempt a where a.outbox_id = o.id and a.outcome in ('outcome_unknown', 'unknown'))
        then 'unknown' else 'ready' end,
    due = :now, done_at = null, attempts = 0, since = null, waits_for = null
where id = any(:ids) and done_at is not null and state in ('dead', 'conflict', 'quarantined') and subject is not null""")


def unprocess(connection: Connection, ids: Sequence[int]) -> int:
    """Send quarantined messages through canonicalise again, for every route where they are quarantined.

    Their rows leave the outbox, their inbox rows wait; on routes that took them they stand as they are.
    """
    return connection.execute(_UNPROCESS, {"ids": list(ids)}).rowcount


_UNPROCESS = sql("""
with gone as (
    delete from outbox o where o.message_id = any(array(select message_id from outbox where id = any(:ids)))
        and o.state = 'quarantined' and o.subject is null
    returning message_id, received_at, route_id
),
messages as (select message_id, received_at, array_agg(route_id) as routes from gone group by 1, 2)
update inbox i set processed = false, routes = array(select unnest(i.routes) except select unnest(g.routes))
from messages g where i.id = g.message_id and i.received_at = g.received_at""")


def discard(connection: Connection, ids: Sequence[int], reason: str, now: datetime) -> int:
    """Discard rows that need a person, with the reason they gave."""
    return connection.execute(_DISCARD, {"ids": list(ids), "reason": reason, "now": now}).rowcount


_DISCARD = sql("""
update outbox set state = 'discarded', reason = :reason, done_at = :now
where id = any(:ids) and done_at is not null and state in ('dead', 'conflict', 'quarantined', 'steward')""")


def hold(connection: Connection, subject: UUID, held: bool, now: datetime) -> int:
    """Hold what waits to leave for one subject, or let it go."""
    return connection.execute(_HOLD if held else _RELEASE, {"subject": subject, "now": now}).rowcount


_HOLD = sql("""
update outbox set state = 'held', waits_for = null
where subject = :subject and done_at is null and state in ('ready', 'waiting')""")
_RELEASE = sql("update outbox set state = 'ready', due = :now where subject = :subject and state = 'held'")


def journey(connection: Connection, subject: UUID) -> list[Any]:
    """Every message of a subject with what became of it on each route, in order."""
    return rows(connection, _JOURNEY, subject=subject)


_JOURNEY = sql("""
select i.id as message_id, i.told_at, i.received_at, i.action, i.source_key, i.stamp, i.trace,
       i.version as message_version, f.system as source, f.entity,
       r.flow, r.name as route, r.system as target, o.id as outbox_id, o.version, o.state, o.code, o.reason, o.findings,
       o.target_id, o.done_at, a.at, a.number, a.outcome, a.status, a.message, a.milliseconds
from inbox i join feed f on f.id = i.feed_id
left join outbox o on o.message_id = i.id left join route r on r.id = o.route_id
left join attempt a on a.outbox_id = o.id
where i.subject = :subject order by i.id, o.id, a.id""")

# -- history and retention --------------------------------------------------------------------------------------------


def note(
    connection: Connection,
    event: str,
    actor: str,
    now: datetime,
    *,
    flow: str | None = None,
    system: str | None = None,
    outbox_id: int | None = None,
    subject: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Keep that something was decided, by whom and why."""
    connection.execute(
        _NOTE,
        {
            "event": event,
            "actor": actor,
            "now": now,
            "flow": flow,
            "system": system,
            "outbox": outbox_id,
            "subject": subject,
            "detail": records([{"detail": fragment(detail or {})}]),
        },
    )


_NOTE = sql("""
insert into history (id, at, event, actor, flow, system, outbox_id, subject, detail)
select nextval('landbridge_id'), :now, :event, :actor, :flow, :system, :outbox, :subject, r.detail
from json_to_recordset(cast(:detail as json)) as r (detail json)""")


def parent_state(connection: Connection, subject: UUID, system: str) -> Any | None:
    """Why a parent has no target id yet: its latest row towards that system, if any flow carries it there."""
    found = rows(connection, _PARENT, subject=subject, system=system)
    return found[0] if found else None


_PARENT = sql("""
select r.flow, o.state, o.code, o.reason from outbox o join route r on r.id = o.route_id
where o.subject = any(array(
        select id from subject where id = :subject or merged_into = :subject
        union select merged_into from subject where id = :subject and merged_into is not null))
  and r.system = :system order by o.id desc limit 1""")


def names(connection: Connection, subject: UUID) -> list[Any]:
    """The ids of a subject, first the one it was first seen under."""
    return rows(connection, _NAMES, subject=subject)


_NAMES = sql("select system, entity, id from xref where subject = :subject order by linked_at, system limit 3")


def drop_older(connection: Connection, table: str, before: datetime) -> list[str]:
    """Drop the monthly partitions of a table that end before an instant; returns their names.

    Partitions with messages still in flight stay. `receipt` and `run` are trimmed by row, and so is the outbox
    with the inbox's messages: the accounting stays an equation.
    """
    if table in ("receipt", "run"):
        column = {"receipt": "at", "run": "started_at"}[table]
        connection.execute(sql(f"delete from {table} where {column} < :before"), {"before": before})  # noqa: S608 - two names of ours
        return []
    dropped = []
    for (name,) in connection.execute(_PARTITIONS, {"table": table}):
        year, month = int(name[-7:-3]), int(name[-2:])
        end = before.replace(
            year=year + month // 12, month=month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0
        )
        if end <= before and not connection.execute(_IN_FLIGHT, {"before": end}).scalar_one():
            connection.execute(sql(f"drop table {name}"))
            if table == "inbox":
                connection.execute(_TRIM, {"end": end})
            dropped.append(name)
    return dropped


_TRIM = sql("delete from outbox where received_at < :end and done_at is not null")
_PARTITIONS = sql(r"""
select c.relname from pg_inherits h join pg_class c on c.oid = h.inhrelid join pg_class p on p.oid = h.inhparent
where p.relname = :table and c.relname ~ '_\d{4}_\d{2}$' order by 1""")
_IN_FLIGHT = sql("""
select exists (select from outbox where done_at is null and received_at < :before)
    or exists (select from inbox where not processed and received_at < :before)""")
