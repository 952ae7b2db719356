"""Adoption: open rows whose record may stand in the target already are looked through, linked and settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.store._identity import Key
from landbridge.store._outbox import Claimed
from landbridge.store._store import fragment, records, rows, sql


def begin(connection: Connection) -> None:
    """A table of this connection alone for the values of one adoption: memory stays constant over any number."""
    connection.execute(sql("drop table if exists pg_temp.adopt_value"))
    connection.execute(sql("create temp table adopt_value (value text not null, subject uuid not null)"))


def add_values(connection: Connection, found: Sequence[tuple[str, UUID]]) -> None:
    """Note which subjects hold which values."""
    if found:
        new = records({"value": value, "subject": str(subject)} for value, subject in found)
        connection.execute(_ADD, {"rows": new})


_ADD = sql("""
insert into adopt_value (value, subject)
select value, subject from json_to_recordset(cast(:rows as json)) as r (value text, subject uuid)""")


def index_values(connection: Connection) -> None:
    """All values are noted: make them quick to find."""
    connection.execute(sql("create index on adopt_value (value)"))
    connection.execute(sql("analyze adopt_value"))


def shared_values(connection: Connection, values: Collection[str]) -> set[str]:
    """The values that more than one subject holds."""
    return {r.value for r in rows(connection, _SHARED, values=list(values))}


_SHARED = sql("""
select value from adopt_value where value = any(:values) group by value having count(distinct subject) > 1""")


def candidates(connection: Connection, route_id: int, system: str, after: int, limit: int) -> list[Claimed]:
    """Open rows of a route, a page at a time by id, whose subject has no id in the target yet; the latest version each.

    What is being delivered, or may have been, is left alone.
    """
    found = rows(connection, _CANDIDATES, route=route_id, system=system, after=after, limit=limit)
    return [Claimed(*tuple(row)) for row in found]


_CANDIDATES = sql("""
select o.id, o.message_id, o.route_id, o.subject, o.version, o.action, o.state, o.attempts, o.fence, o.since, o.stage,
       o.handle, o.target_id, o.received_at, i.trace, i.source_key, b.content
from outbox o
cross join lateral (
    select trace, source_key from inbox where id = o.message_id and received_at = o.received_at offset 0) i
left join lateral (
    select content from body where owner = o.message_id and kind = 'canonical' and at = o.received_at offset 0) b on true
where o.route_id = :route and o.done_at is null and o.id > :after and o.action = 'upsert'
  and o.state in ('ready', 'waiting', 'held') and o.stage is null and o.target_id is null
  and (select x.id from xref x where x.subject = o.subject and x.system = :system limit 1) is null
  and (select x.id from subject s cross join lateral (
          select id from xref where subject = s.id and system = :system offset 0) x
       where s.merged_into = o.subject limit 1) is null
  and o.version = (
      select max(n.version) from outbox n
      where n.lane = o.lane and n.subject = o.subject and n.route_id + 0 = o.route_id and n.done_at is null)
order by o.id limit :limit""")


def elsewhere(connection: Connection, subjects: Collection[UUID], system: str) -> set[UUID]:
    """Of these subjects, those that any other system knows: they are records of their own, not only of the target."""
    return {r.subject for r in rows(connection, _ELSEWHERE, subjects=list(subjects), system=system)}


_ELSEWHERE = sql("""
select distinct w.subject from unnest(cast(:subjects as uuid[])) as w (subject)
cross join lateral (
    select w.subject as id union all (select id from subject where merged_into = w.subject offset 0)) s
cross join lateral (select 1 from xref where subject = s.id and system <> :system offset 0) x""")


def absorb(connection: Connection, found: Sequence[tuple[UUID, UUID]]) -> None:
    """Regroup subjects that only the target knew under those that were matched with them."""
    if found:
        new = records({"loser": str(loser), "winner": str(winner)} for loser, winner in found)
        connection.execute(_ABSORB, {"rows": new})


_ABSORB = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json)) as r (loser uuid, winner uuid)
)
update subject s set merged_into = r.winner from r
where coalesce(s.merged_into, s.id) = r.loser
  and (s.id = any(array(select loser from r)) or s.merged_into = any(array(select loser from r)))""")


def settle(connection: Connection, route_id: int, subjects: Collection[UUID], now: datetime) -> int:
    """Suppress what is open for adopted subjects on one route: the target has it, nothing is written."""
    return connection.execute(_SETTLE, {"route": route_id, "subjects": list(subjects), "now": now}).rowcount


_SETTLE = sql("""
update outbox set state = 'suppressed', code = 'adopted', done_at = :now, waits_for = null
where route_id = :route and subject = any(:subjects) and done_at is null and state in ('ready', 'waiting', 'held')
  and stage is null and action = 'upsert'""")


def dispute(connection: Connection, found: Mapping[int, tuple[str, Sequence[Mapping[str, Any]]]], now: datetime) -> int:
    """Turn open rows into conflicts for a person, each with its reason and the candidates."""
    if not found:
        return 0
    new = records({"id": id_, "reason": reason, "findings": list(f)} for id_, (reason, f) in found.items())
    return connection.execute(_DISPUTE, {"rows": new, "now": now}).rowcount


_DISPUTE = sql("""
update outbox o set state = 'conflict', code = 'ambiguous', reason = r.reason, findings = r.findings, done_at = :now,
    waits_for = null
from json_to_recordset(cast(:rows as json)) as r (id bigint, reason text, findings json)
where o.id = r.id and o.id = any(array(
        select id from json_to_recordset(cast(:rows as json)) as k (id bigint))) and o.done_at is null and o.state in ('ready', 'waiting', 'held')""")


def hold(connection: Connection, ids: Collection[int]) -> int:
    """Hold open rows until a person releases them."""
    return connection.execute(_HOLD, {"ids": list(ids)}).rowcount


_HOLD = sql("""
update outbox set state = 'held', waits_for = null
where id = any(:ids) and done_at is null and state in ('ready', 'waiting')""")


def remember(connection: Connection, found: Sequence[tuple[Key, bytes, dict[str, Any]]], now: datetime) -> None:
    """Take what we would have written for what the target holds: only what changes from now on is sent."""
    if found:
        new = records(
            {**key._asdict(), "digest": digest.hex(), "content": fragment(content)} for key, digest, content in found
        )
        connection.execute(_REMEMBER, {"rows": new, "now": now})


_REMEMBER = sql("""
insert into shadow (system, entity, scope, id, digest, content, at)
select system, entity, scope, id, decode(digest, 'hex'), content, :now
from json_to_recordset(cast(:rows as json)) as r (system text, entity text, scope text, id text, digest text, content json)
on conflict do nothing""")
