"""The outbox: what leaves, one row per (message, route), claimed by lane with a lease and a fencing number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.store import _astray as astray
from landbridge.store._presence import LIVING, LIVING_NUMBERS
from landbridge.store._shadows import Shadow as Shadow
from landbridge.store._shadows import shadows as shadows
from landbridge.store._store import fragment, records, rows, sql


@dataclass(slots=True)
class Outgoing:
    """A row on its way into the outbox, in the state that processing decided."""

    message_id: int
    route_id: int
    subject: UUID | None
    version: int | None
    lane: UUID | None
    action: str
    received_at: datetime
    state: str = "ready"
    code: str | None = None
    reason: str | None = None
    findings: list[dict[str, str]] | None = None
    due: datetime | None = None


def put(connection: Connection, outgoing: Sequence[Outgoing], now: datetime, supersede: Collection[int]) -> int:
    """Queue rows in their order; on `supersede` routes an older version that did not leave yet is suppressed.

    A row that stands already (same route, subject, version) is left as it is: processing again changes nothing.
    """
    if not outgoing:
        return 0
    new = records(
        {
            "n": n,
            "message_id": o.message_id,
            "route_id": o.route_id,
            "subject": None if o.subject is None else str(o.subject),
            "version": o.version,
            "lane": None if o.lane is None else str(o.lane),
            "action": o.action,
            "state": o.state,
            "code": o.code,
            "reason": o.reason,
            "findings": o.findings,
            "received_at": o.received_at,
            "due": o.due or now,
        }
        for n, o in enumerate(outgoing)
    )
    queued = connection.execute(_PUT, {"rows": new, "now": now}).rowcount
    if supersede and any(o.version and o.version > 1 and o.route_id in supersede for o in outgoing):
        connection.execute(_SUPERSEDE, {"rows": new, "now": now, "routes": list(supersede)})
    return queued


_OUTGOING = """
select * from json_to_recordset(cast(:rows as json)) as r (
    n int, message_id bigint, route_id smallint, subject uuid, version int, lane uuid, action text, state text,
    code text, reason text, findings json, received_at timestamptz, due timestamptz)"""

_PUT = sql(f"""
insert into outbox (id, message_id, route_id, subject, version, lane, action, state, due, code, reason, findings,
                    received_at, done_at)
select nextval('landbridge_id'), message_id, route_id, subject, version, lane, action, state, due, code, reason,
       findings, received_at, case when state in ('ready', 'held') then null else cast(:now as timestamptz) end
from ({_OUTGOING}) r order by n
on conflict do nothing""")  # noqa: S608 - constant text put together from constants

_SUPERSEDE = sql(f"""
update outbox o set state = 'suppressed', code = 'superseded', done_at = :now, waits_for = null
from (select route_id, subject, lane, max(version) as version from ({_OUTGOING}) n
      where state = 'ready' and action = 'upsert' group by route_id, subject, lane) r
where o.lane = r.lane and o.route_id + 0 = r.route_id and o.subject = r.subject and o.version < r.version
  and o.done_at is null and o.state in ('ready', 'waiting') and o.stage is null and o.action = 'upsert'
  and o.route_id + 0 = any(cast(:routes as int[]))
  and o.lane = any(array(select lane from json_to_recordset(cast(:rows as json)) as k (lane uuid)))""")  # noqa: S608 - the same


@dataclass(slots=True)
class Claimed:
    """A row that this worker holds until the lease ends; `was` is the state it was taken from."""

    id: int
    message_id: int
    route_id: int
    subject: UUID
    version: int
    action: str
    was: str
    attempts: int
    fence: int
    since: datetime | None
    stage: str | None
    handle: str | None
    target_id: str | None
    received_at: datetime
    trace: UUID
    source_key: str
    body: Any
    quiet_until: datetime | None = None


def claim(
    connection: Connection,
    route_ids: Sequence[int],
    peers: Sequence[int],
    limit: int,
    now: datetime,
    lease: timedelta,
    holder: int | None = None,
    rather_not: Sequence[int] = (),
) -> list[Claimed]:
    """Take the heads of lanes that are due, oldest first; `peers` are all routes that share these lanes.

    Only the first open row of a lane can be claimed, so order inside a lane holds over any number of workers.
    Rows that we would `rather_not` have are taken only where there is no other.
    """
    if not route_ids:
        return []
    bounds = {"limit": limit, "now": now, "until": now + lease, "holder": holder}
    asked = {"routes": list(route_ids), "peers": list(peers), **bounds}
    found = rows(connection, _CLAIM_OTHERS, rather_not=list(rather_not), **asked) if rather_not else []
    return [Claimed(*tuple(row)) for row in found or rows(connection, _CLAIM, **asked)]


# `route_id + 0` keeps the planner from looking a lane up in the index of routes.
HEAD_OF_LANE = """o.id = (
              select min(e.id) from outbox e
              where e.lane = o.lane and e.route_id + 0 = any(cast(:peers as int[])) and e.done_at is null)"""

CLAIMED = """claimed as (
    update outbox o set state = 'claimed', fence = o.fence + 1, lease_until = :until, holder = cast(:holder as int)
    from head where o.id = head.id
    returning o.id, o.message_id, o.route_id, o.subject, o.version, o.action, head.was, o.attempts, o.fence, o.since,
              o.stage, o.handle, o.target_id, o.received_at, o.quiet_until
)
select c.id, c.message_id, c.route_id, c.subject, c.version, c.action, c.was, c.attempts, c.fence, c.since, c.stage,
       c.handle, c.target_id, c.received_at, i.trace, i.source_key, b.content, c.quiet_until
from claimed c
cross join lateral (
    select trace, source_key from inbox where id = c.message_id and received_at = c.received_at offset 0) i
left join lateral (
    select content from body where owner = c.message_id and kind = 'canonical' and at = c.received_at offset 0) b on true
order by c.id"""

_HEADS = f"""
with head as materialized (
    select h.id, h.was from unnest(cast(:routes as smallint[])) as r (id)
    cross join lateral (
        select o.id, o.state as was from outbox o
        where o.route_id = r.id and o.done_at is null and o.state in ('ready', 'unknown') and o.due <= :now
          and {HEAD_OF_LANE}
        order by o.id limit :limit
        for update of o skip locked
    ) h
    order by h.id limit :limit
),
{CLAIMED}"""  # noqa: S608 - constant text put together from constants
_CLAIM = sql(_HEADS)
_CLAIM_OTHERS = sql(_HEADS.replace("o.due <= :now", "o.due <= :now and o.id <> all(cast(:rather_not as bigint[]))"))


def take_over(
    connection: Connection, route_ids: Sequence[int], now: datetime, settle: timedelta, *, at_once: bool = False
) -> int:
    """Turn what a dead worker left into unknown outcomes that wait the settle time.

    Dead is who holds it when the lease ends, and at once who had a `Presence` and has it no more. The settle time
    counts from then on: no write of a dead worker began later. `at_once` lets the rows themselves go, for a target
    where a repetition is the same effect, and only what comes after them in their lane waits. A row that somebody has
    locked, such as a process that was stopped in the middle of a transaction, is left for the next time.
    """
    values = {"routes": list(route_ids), "now": now, "settle": settle, "living": LIVING, "at_once": at_once}
    return connection.execute(_TAKE_OVER, values).rowcount


_TAKE_OVER = sql(f"""
with left_behind as materialized (
    select id from outbox
    where route_id = any(:routes) and done_at is null and state = 'claimed'
      and (lease_until < :now or holder is not null and holder <> all(array({LIVING_NUMBERS})))
    for update skip locked
)
update outbox o set state = 'unknown', lease_until = null, since = coalesce(since, cast(:now as timestamptz)),
    due = case when :at_once then cast(:now as timestamptz)
               else least(lease_until, cast(:now as timestamptz)) + cast(:settle as interval) end,
    quiet_until = case when :at_once then least(lease_until, cast(:now as timestamptz)) + cast(:settle as interval) end,
    code = 'outcome_unknown', reason = 'The worker that held it went away before it recorded an outcome.'
from left_behind where o.id = left_behind.id""")  # noqa: S608 - constant text put together from constants


def expire_waiting(connection: Connection, route_ids: Sequence[int], now: datetime) -> list[tuple[int, UUID]]:
    """Rows that waited for a parent longer than their limit: back to ready, so that the next claim says why."""
    return [tuple(r) for r in rows(connection, _EXPIRE, routes=list(route_ids), now=now)]


_EXPIRE = sql("""
update outbox set state = 'ready', waits_for = null
where route_id = any(:routes) and done_at is null and state = 'waiting' and due <= :now
returning id, subject""")


def wake_arrived(connection: Connection, route_ids: Sequence[int], now: datetime) -> int:
    """Rows that wait for a parent which has its target id: back to ready.

    A delivery wakes its children itself; this finds those that began to wait while it was being recorded.
    """
    return connection.execute(_WAKE_ARRIVED, {"routes": list(route_ids), "now": now}).rowcount


_WAKE_ARRIVED = sql("""
update outbox o set state = 'ready', due = :now, waits_for = null, since = null
from route r
where r.id = o.route_id and o.route_id = any(:routes) and o.done_at is null and o.state = 'waiting'
  and o.waits_for is not null
  and exists (
    select from (
        select o.waits_for as id
        union all select id from subject where merged_into = o.waits_for
        union all select merged_into from subject where id = o.waits_for and merged_into is not null
        union all select m.id from subject s join subject m on m.merged_into = s.merged_into where s.id = o.waits_for
    ) g join xref x on x.subject = g.id where x.system = r.system)""")


@dataclass(slots=True)
class Recorded:
    """What became of a claimed row: its new state, the attempt, and what the target now holds."""

    id: int
    fence: int
    state: str
    outcome: str
    number: int
    due: datetime
    done: bool
    since: datetime | None = None
    code: str | None = None
    reason: str | None = None
    findings: list[dict[str, Any]] | None = None
    waits_for: UUID | None = None
    stage: str | None = None
    handle: str | None = None
    target_id: str | None = None
    status: str | None = None
    milliseconds: int | None = None
    attempted: bool = True
    target: dict[str, Any] | None = None
    ledger: Ledger | None = None


@dataclass(slots=True)
class Ledger:
    """What a target record holds after a delivery; without version and content, that it exists and no more."""

    system: str
    entity: str
    scope: str
    target_id: str
    subject: UUID
    version: int | None
    target_version: str | None
    lines: dict[str, str]
    digest: bytes | None
    content: dict[str, Any] | None
    returned: bytes | None = None
    begun: datetime | None = None  # when its first attempt can have begun: what was read before is not ours


def record(
    connection: Connection, done: Sequence[Recorded], peers: Sequence[int], now: datetime
) -> tuple[int, list[int]]:
    """Record a write call's outcomes in one statement: rows, attempts, bodies, cross-reference, shadows, wake-ups.

    A row whose fencing number has moved on belongs to another worker: nothing of it is recorded.
    Returns how many rows were ours, and which ended on a record that stands for another subject: conflicts now.
    """
    if not done:
        return 0, []
    [(ours, strays)] = connection.execute(
        _RECORD, {"rows": records(map(_row, done)), "peers": list(peers), "now": now}
    ).all()
    return int(ours), astray.settle(connection, strays, now) if strays else []


def _row(r: Recorded) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": r.id,
        "fence": r.fence,
        "state": r.state,
        "outcome": r.outcome,
        "number": r.number,
        "due": r.due,
        "done": r.done,
        "since": r.since,
        "code": r.code,
        "reason": r.reason,
        "findings": r.findings,
        "waits_for": None if r.waits_for is None else str(r.waits_for),
        "stage": r.stage,
        "handle": r.handle,
        "target_id": r.target_id,
        "status": r.status,
        "ms": r.milliseconds,
        "attempted": r.attempted,
        "target": None if r.target is None else fragment(r.target),
    }
    if (ledger := r.ledger) is not None:
        row |= {
            "system": ledger.system,
            "entity": ledger.entity,
            "scope": ledger.scope,
            "target_id": ledger.target_id,
            "subject": str(ledger.subject),
            "version": ledger.version,
            "target_version": ledger.target_version,
            "lines": ledger.lines,
            "digest": None if ledger.digest is None else ledger.digest.hex(),
            "content": None if ledger.content is None else fragment(ledger.content),
            "begun": ledger.begun,
            "returned": None if ledger.returned is None else ledger.returned.hex(),
        }
    return row


_RECORD = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json)) as r (
        id bigint, fence bigint, state text, outcome text, number smallint, due timestamptz, done boolean,
        since timestamptz, code text, reason text, findings json, waits_for uuid, stage text, handle text,
        target_id text, status text, ms int, attempted boolean, target json,
        system text, entity text, scope text, subject uuid, version int, target_version text, lines jsonb,
        digest text, content json, begun timestamptz, returned text)
),
ours as (
    update outbox o set state = r.state, due = r.due, done_at = case when r.done then cast(:now as timestamptz) end,
        since = r.since, code = r.code, reason = r.reason, waits_for = r.waits_for,
        findings = coalesce(r.findings, case when o.findings->0->>'severity' is not null then o.findings end), -- quality's
        stage = r.stage, handle = r.handle, target_id = coalesce(r.target_id, o.target_id),
        attempts = o.attempts + case when r.attempted then 1 else 0 end, lease_until = null
    from r where o.id = r.id and o.fence = r.fence and o.state = 'claimed' and o.id = any(array(select id from r))
    returning o.id
),
tried as materialized (
    select nextval('landbridge_id') as attempt_id, r.* from r join ours on ours.id = r.id where r.attempted
),
attempts as (
    insert into attempt (id, at, outbox_id, number, outcome, status, message, target_id, milliseconds)
    select attempt_id, :now, id, number, outcome, status, reason, target_id, ms from tried
),
bodies as (
    insert into body (owner, kind, at, content) select attempt_id, 'target', :now, coalesce(target, content) from tried
    where coalesce(target, content) is not null
),
held as materialized (  -- a target record once, though two rows of a call ended on it: the newest of them
    select distinct on (r.system, r.entity, r.scope, r.target_id) r.* from r join ours on ours.id = r.id
    where r.system is not null order by r.system, r.entity, r.scope, r.target_id, r.done desc, r.version desc nulls last
),
linked as (
    insert into xref as x (system, entity, scope, id, subject, linked_by, linked_at, lines, delivered_version,
                           target_version)
    select system, entity, scope, target_id, subject, 'delivery', :now, lines, version, target_version from held
    on conflict (system, entity, scope, id) do update
    set lines = coalesce(x.lines, '{}') || coalesce(excluded.lines, '{}'),
        delivered_version = greatest(x.delivered_version, excluded.delivered_version),
        target_version = coalesce(excluded.target_version, x.target_version)
    where x.subject = excluded.subject  -- or another record of its group: the hub delivers one body for all of them
        or (select coalesce(merged_into, id) from subject where id = x.subject)
            = (select coalesce(merged_into, id) from subject where id = excluded.subject)
    returning x.subject
),
astray as materialized (
    select r.* from r join ours on ours.id = r.id
    where r.system is not null and r.target_id <> ''
        and (select coalesce(merged_into, id) from subject where id = r.subject) not in (
            select coalesce(s.merged_into, s.id) from linked l join subject s on s.id = l.subject)
),
shadows as (
    insert into shadow (system, entity, scope, id, digest, content, returned, at)
    select system, entity, scope, target_id, decode(digest, 'hex'), content, decode(returned, 'hex'), :now from held
    where content is not null and subject not in (select subject from astray)
    on conflict (system, entity, scope, id) do update
    set digest = excluded.digest, content = excluded.content, returned = excluded.returned, at = excluded.at
),
woken as (
    update outbox o set state = 'ready', due = :now, waits_for = null, since = null  -- waiting was no trying
    where o.waits_for = any(array(
            with arrived as (
                select r.subject as id from r join ours on ours.id = r.id where r.system is not null and r.done)
            select id from arrived
            union select s.id from arrived a join subject s on s.merged_into = a.id
            union select s.merged_into from arrived a join subject s on s.id = a.id where s.merged_into is not null))
        and o.route_id + 0 = any(cast(:peers as int[])) and o.done_at is null
)
select count(*) as ours, (select json_agg(astray) from astray) as strays from ours""")


def settle_conflicts(connection: Connection, ids: Sequence[int]) -> int:
    """What was just settled (these rows) answers the older conflicts of its record: a person sees one, or none."""
    return connection.execute(_SETTLE_CONFLICTS, {"ids": list(ids)}).rowcount


_SETTLE_CONFLICTS = sql("""
update outbox o set state = 'suppressed', code = 'superseded'
from outbox r
where r.id = any(:ids) and (r.state in ('delivered', 'conflict') or r.code = 'unchanged')
  and o.route_id = r.route_id and o.subject = r.subject and o.version < r.version and o.state = 'conflict'""")


def next_due(connection: Connection, route_ids: Sequence[int]) -> datetime | None:
    """When the next open row that is not due yet becomes due; None if nothing waits for time."""
    value: datetime | None = connection.execute(_NEXT_DUE, {"routes": list(route_ids)}).scalar_one()
    return value


_NEXT_DUE = sql("""
select min(case when state = 'claimed' then lease_until else due end) from outbox
where route_id = any(:routes) and done_at is null and state in ('ready', 'unknown', 'waiting', 'claimed')""")
