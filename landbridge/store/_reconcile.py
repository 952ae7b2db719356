"""What reconcile asks of the store: known keys by ranges, what was received, and the differences of a look.

Keys are compared byte by byte (`~>~`), as connectors sort them, whatever the database's collation is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

import landbridge.store.tables_reconcile  # noqa: F401 - its tables are part of the schema that migrations are held to
from landbridge.store._inbox import Incoming
from landbridge.store._store import fragment, records, rows, sql

RANGE = 1000
"""Keys that are looked at together."""


def feed_side(connection: Connection, feed_id: int, system: str, entity: str, low: str, high: str | None) -> list[Any]:
    """The records of a feed with keys above `low`, up to `high` (None: all), in order: `RANGE` of them, and ties.

    Each with its last message and with the hash it had when both sides agreed.
    """
    return rows(connection, _FEED_SIDE, feed=feed_id, system=system, entity=entity, low=low, high=high, limit=RANGE)


_FEED_SIDE = sql("""
select x.id as key, x.scope, x.subject, x.linked_by, m.id as message, m.action, m.stamp, m.into_key, m.fingerprint,
       m.processed, m.routes, r.hash, r.message as agreed
from (
    select id, scope, subject, linked_by from xref
    where system = :system and entity = :entity and id ~>~ :low
      and (cast(:high as text) is null or id ~<=~ cast(:high as text))
    order by id using ~<~ fetch first :limit rows with ties) x
left join lateral (
    select id, action, stamp, into_key, fingerprint, processed, routes from inbox
    where feed_id = :feed and source_key = x.id and scope = x.scope order by id desc limit 1) m on true
left join reconciled r on r.side = 'source' and r.system = :system and r.entity = :entity and r.id = x.id
order by x.id using ~<~""")


def target_side(connection: Connection, system: str, entity: str, low: str, high: str | None) -> list[Any]:
    """The records of a target that we hold under a link of our own making, in the same way."""
    return rows(connection, _TARGET_SIDE, system=system, entity=entity, low=low, high=high, limit=RANGE)


_TARGET_SIDE = sql("""
select x.id as key, x.scope, x.subject, x.linked_by, x.delivered_version, x.target_version, x.lines,
       coalesce(s.content ->> 'gone', 'false') = 'true' as gone, r.hash, r.version as agreed, r.mine
from (
    select id, scope, subject, linked_by, delivered_version, target_version, lines from xref
    where system = :system and entity = :entity and id ~>~ :low
      and (cast(:high as text) is null or id ~<=~ cast(:high as text))
    order by id using ~<~ fetch first :limit rows with ties) x
left join shadow s on s.system = :system and s.entity = :entity and s.scope = x.scope and s.id = x.id
left join reconciled r on r.side = 'target' and r.system = :system and r.entity = :entity and r.id = x.id
order by x.id using ~<~""")


def received(connection: Connection, feed_id: int, incoming: Sequence[Incoming]) -> set[str]:
    """The keys of those that were received in this very state."""
    if not incoming:
        return set()
    asked = records(
        {
            "scope": row.scope,
            "source_key": row.key,
            "stamped": row.stamp is not None or row.action == "merge",
            "fingerprint": row.fingerprint.hex(),
            "digest": row.digest.hex(),
        }
        for row in incoming
    )
    return {row.source_key for row in rows(connection, _RECEIVED, feed=feed_id, rows=asked)}


_RECEIVED = sql("""
select r.source_key
from json_to_recordset(cast(:rows as json)) as r (
    scope text, source_key text, stamped boolean, fingerprint text, digest text)
where case when r.stamped
    then exists (select from receipt c where c.feed_id = :feed and c.fingerprint = decode(r.fingerprint, 'hex'))
    else exists (select from seen s where s.feed_id = :feed and s.scope = r.scope and s.source_key = r.source_key
                 and s.digest = decode(r.digest, 'hex')) end""")


def sources_of(connection: Connection, system: str, entity: str, subjects: Sequence[UUID]) -> dict[UUID, str]:
    """The keys of subjects in a feed that brought them."""
    found = rows(connection, _SOURCES, system=system, entity=entity, subjects=list(subjects))
    return {row.subject: row.id for row in found}


_SOURCES = sql("""
select subject, id from xref
where subject = any(:subjects) and system = :system and entity = :entity and linked_by <> 'reference' order by id""")


def linked(connection: Connection, system: str, subjects: Sequence[UUID]) -> set[UUID]:
    """The subjects that have an id in a system."""
    return {row.subject for row in rows(connection, _LINKED, system=system, subjects=list(subjects))}


_LINKED = sql("select subject from xref where subject = any(:subjects) and system = :system")


def in_flight(connection: Connection, routes: Sequence[int], subjects: Sequence[UUID]) -> set[UUID]:
    """The subjects that something is on its way for, or waits for a person: nothing is sent beside it."""
    found = rows(connection, _IN_FLIGHT, routes=list(routes), subjects=list(subjects))
    return {row.subject for row in found}


_IN_FLIGHT = sql("""
select distinct o.subject from outbox o
where o.route_id = any(cast(:routes as smallint[])) and o.subject = any(:subjects)
  and (o.done_at is null or o.state = 'conflict')""")


def last_canonical(connection: Connection, feed_id: int, keys: Sequence[str]) -> dict[str, Any]:
    """The canonical body of the last message of each key, where it is still kept."""
    return {row.key: row.content for row in rows(connection, _CANONICAL, feed=feed_id, keys=list(keys))}


_CANONICAL = sql("""
select k.key, b.content from unnest(cast(:keys as text[])) as k (key)
cross join lateral (
    select id, received_at from inbox where feed_id = :feed and source_key = k.key and action = 'upsert'
    order by id desc limit 1) m
join body b on b.owner = m.id and b.kind = 'canonical' and b.at = m.received_at""")


def agree(
    connection: Connection, side: str, system: str, entity: str, found: Iterable[tuple[str, bytes, Any, bytes | None]]
) -> None:
    """Keep (key, hash, message or version, digest of our fields) of records on which both sides agree."""
    kept = records(
        {"id": key, "hash": hash_.hex(), "at": at, "mine": None if mine is None else mine.hex()}
        for key, hash_, at, mine in found
    )
    connection.execute(_AGREE, {"side": side, "system": system, "entity": entity, "rows": kept})


_AGREE = sql("""
insert into reconciled (side, system, entity, id, hash, message, version, mine)
select :side, :system, :entity, id, decode(hash, 'hex'), case when :side = 'source' then at end,
       case when :side = 'target' then at end, decode(mine, 'hex')
from json_to_recordset(cast(:rows as json)) as r (id text, hash text, at bigint, mine text)
on conflict (side, system, entity, id) do update
set hash = excluded.hash, message = excluded.message, version = excluded.version, mine = excluded.mine""")


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that differs: what kind, its key at the source, and where it differs."""

    kind: str
    source_key: str
    system: str
    entity: str
    scope: str
    id: str
    detail: dict[str, Any] | None = None
    n: int = 0


def begin(connection: Connection, flow: str) -> None:
    """A look begins: what the one before found of this flow is over."""
    connection.execute(_BEGIN, {"flow": flow})


_BEGIN = sql("delete from difference where flow = :flow")


def keep(connection: Connection, run: UUID, flow: str, first: int, found: Sequence[Difference]) -> None:
    """Keep differences, numbered from `first`."""
    kept = records(
        {
            "n": first + n,
            "kind": one.kind,
            "source_key": one.source_key,
            "system": one.system,
            "entity": one.entity,
            "scope": one.scope,
            "id": one.id,
            "detail": fragment(one.detail),
        }
        for n, one in enumerate(found)
    )
    connection.execute(_KEEP, {"run": run, "flow": flow, "rows": kept})


_KEEP = sql("""
insert into difference (run, n, flow, kind, source_key, system, entity, scope, id, detail)
select :run, n, :flow, kind, source_key, system, entity, scope, id, detail
from json_to_recordset(cast(:rows as json)) as r (
    n bigint, kind text, source_key text, system text, entity text, scope text, id text, detail json)""")


def kept(connection: Connection, run: UUID, after: int, limit: int, kinds: Sequence[str]) -> list[Difference]:
    """Differences of these kinds in the order they were found, after a number."""
    found = rows(connection, _KEPT, run=run, after=after, limit=limit, kinds=list(kinds))
    return [Difference(*tuple(row)) for row in found]


_KEPT = sql("""
select kind, source_key, system, entity, scope, id, detail, n from difference
where run = :run and n > :after and kind = any(:kinds) order by n limit :limit""")


def set_shadow(connection: Connection, one: Difference, content: dict[str, Any], digest: bytes) -> None:
    """What a target record holds now in place of what we delivered: the next delivery writes what differs."""
    connection.execute(
        _SHADOW,
        {
            "system": one.system,
            "entity": one.entity,
            "scope": one.scope,
            "id": one.id,
            "content": records([content])[1:-1],
            "digest": digest,
        },
    )


_SHADOW = sql("""
update shadow set content = cast(:content as json), digest = :digest, returned = null
where system = :system and entity = :entity and scope = :scope and id = :id""")
