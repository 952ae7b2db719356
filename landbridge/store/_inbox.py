"""The inbox: what was received, once. Rows and the cursor that follows them are one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from landbridge import strict
from landbridge.store._store import clean, fragment, records, rows, sql


@dataclass(slots=True)
class Incoming:
    """A row on its way into the inbox; `fingerprint` tells this very change, `digest` this state."""

    key: str
    body: dict[str, Any] | None
    fingerprint: bytes
    digest: bytes
    trace: UUID
    action: str = "upsert"
    scope: str = ""
    stamp: str | None = None
    version: str | None = None
    into: str | None = None
    told_at: datetime | None = None  # when a webhook told of it


@dataclass(slots=True)
class Received:
    """A message that waits to be processed."""

    id: int
    received_at: datetime
    scope: str
    key: str
    action: str
    stamp: str | None
    version: str | None
    into: str | None
    trace: UUID
    body: Any
    was_subject: UUID | None = None  # who it was, and which version, when it was processed before
    was_version: int | None = None
    was_routes: list[int] | None = None  # the routes that took it then
    told_at: datetime | None = None  # when a webhook told of it; None: it was polled
    of: int = 0  # the message whose state it brings: itself, or the newest of its record where it is sent once more
    of_at: datetime | None = None  # when that one was received


def feed(connection: Connection, system: str, entity: str) -> tuple[int, str | None]:
    """The id and the cursor of a feed; it is made at first sight."""
    found = connection.execute(_FEED, {"system": system, "entity": entity}).one_or_none()
    if found is None:
        connection.execute(_NEW_FEED, {"system": system, "entity": entity})
        found = connection.execute(_FEED, {"system": system, "entity": entity}).one()
    return found.id, found.cursor


_FEED = sql("select id, cursor from feed where system = :system and entity = :entity")
_NEW_FEED = sql("insert into feed (system, entity) values (:system, :entity) on conflict do nothing")


def receive(connection: Connection, feed_id: int, incoming: Sequence[Incoming], now: datetime) -> int:
    """Put the changes that were never seen into the inbox, in their order; returns how many."""
    if not incoming:
        return 0
    return int(connection.execute(_RECEIVE, {"feed": feed_id, "now": now, "rows": _records(incoming)}).scalar_one())


def receive_states(connection: Connection, feed_id: int, incoming: Sequence[Incoming], now: datetime) -> int:
    """The same for records without a change stamp: new is what differs from the last state seen of its key."""
    if not incoming:
        return 0
    keys = records({"scope": scope, "source_key": key} for scope, key in {(row.scope, row.key) for row in incoming})
    last = {(row.scope, row.source_key): bytes(row.digest) for row in rows(connection, _LAST, feed=feed_id, rows=keys)}
    fresh = []
    for row in incoming:
        if last.get((row.scope, row.key)) != row.digest:
            last[row.scope, row.key] = row.digest
            fresh.append(row)
    final = {(row.scope, row.key): row for row in fresh}
    if final:
        connection.execute(_SEE, {"feed": feed_id, "rows": _records(list(final.values()))})
    insert(connection, feed_id, fresh, now)
    return len(fresh)


def insert(connection: Connection, feed_id: int, incoming: Sequence[Incoming], now: datetime) -> None:
    """Put changes into the inbox that the caller knows to be new."""
    if incoming:
        connection.execute(_INSERT, {"feed": feed_id, "now": now, "rows": _records(incoming)})


def _records(incoming: Sequence[Incoming]) -> str:
    return records(
        {
            "n": n,
            "scope": row.scope,
            "source_key": row.key,
            "action": row.action,
            "stamp": row.stamp,
            "version": row.version,
            "into_key": row.into,
            "fingerprint": row.fingerprint.hex(),
            "digest": row.digest.hex(),
            "trace": str(row.trace),
            "told_at": row.told_at,
            "body": None if row.body is None else stored(row.body),
        }
        for n, row in enumerate(incoming)
    )


UNSTORABLE = "@unstorable"
"""The key in a native body that says why it is not as it came: processing quarantines it."""


def stored(body: dict[str, Any]) -> Any:
    """A native body as it is stored; where that is not how it came, it says so."""
    written = strict.json.dumps(body)
    if b"\\u0000" not in written or clean(written) == written:
        return orjson.Fragment(written)
    said = "the record holds the character NUL (U+0000), which no text here can hold; it stands as U+FFFD"
    return fragment({**body, UNSTORABLE: said})


_INCOMING = """
incoming as materialized (
    select n, scope, source_key, action, stamp, version, into_key, trace, told_at, body,
           decode(fingerprint, 'hex') as fingerprint, decode(digest, 'hex') as digest
    from json_to_recordset(cast(:rows as json)) as r (
        n int, scope text, source_key text, action text, stamp text, version text, into_key text,
        fingerprint text, digest text, trace uuid, told_at timestamptz, body json)
)"""

_MESSAGE = """
arrived as materialized (
    select nextval('landbridge_id') as id, f.* from (select * from fresh order by n offset 0) f
),
message as (
    insert into inbox (id, received_at, feed_id, scope, source_key, action, stamp, source_version, into_key,
                       fingerprint, trace, told_at)
    select id, :now, :feed, scope, source_key, action, stamp, version, into_key, fingerprint, trace, told_at
    from arrived
),
bodies as (
    insert into body (owner, kind, at, content) select id, 'native', :now, body from arrived where body is not null
)
select count(*) from arrived"""

_RECEIVE = sql(f"""
with {_INCOMING},
receipts as (
    insert into receipt (feed_id, fingerprint, at) select :feed, fingerprint, :now from incoming
    on conflict do nothing returning fingerprint
),
fresh as materialized (
    select * from (  -- once, though it stands twice in the page
        select distinct on (incoming.fingerprint) incoming.* from incoming join receipts using (fingerprint)
        order by incoming.fingerprint, n) i order by n
),
seen_again as (  -- with a stamp, after a deletion without one: its next deletion is news
    delete from seen s using fresh
    where (select exists (select from seen where feed_id = :feed)) and fresh.action = 'upsert'
        and s.feed_id = :feed and s.scope = fresh.scope and s.source_key = fresh.source_key
),
{_MESSAGE}""")  # noqa: S608 - constant text put together from constants

_INSERT = sql(f"with {_INCOMING}, fresh as materialized (select * from incoming), {_MESSAGE}")  # noqa: S608 - the same

_LAST = sql("""
select s.scope, s.source_key, s.digest
from json_to_recordset(cast(:rows as json)) as r (scope text, source_key text)
cross join lateral (
    select * from seen where feed_id = :feed and scope = r.scope and source_key = r.source_key offset 0) s""")


_SEE = sql(f"""
with {_INCOMING}
insert into seen (feed_id, scope, source_key, digest)
select :feed, scope, source_key, digest from incoming
on conflict (feed_id, scope, source_key) do update set digest = excluded.digest""")  # noqa: S608 - the same


def move_cursor(connection: Connection, feed_id: int, cursor: str | None, now: datetime) -> None:
    """Set a feed's cursor wherever it stands; a person decided."""
    connection.execute(_SET, {"feed": feed_id, "cursor": cursor, "now": now})


_SET = sql("update feed set cursor = :cursor, read_at = :now where id = :feed")


def advance_cursor(connection: Connection, feed_id: int, before: str | None, cursor: str | None, now: datetime) -> bool:
    """Move the feed's cursor past a page; only ever in the transaction that holds the rows before it.

    False if it is not where this reader left it: another one is reading, and what this one holds may be older.
    """
    moved = connection.execute(_MOVE, {"feed": feed_id, "before": before, "cursor": cursor, "now": now})
    return bool(moved.rowcount)


_MOVE = sql("""
update feed set cursor = :cursor, read_at = :now
where id = :feed and cursor is not distinct from cast(:before as text)""")


def begin_processing(connection: Connection, system: str, entity: str, limit: int) -> list[Received] | None:
    """The oldest messages that wait in a feed, under its lock; None if another worker holds it."""
    found = connection.execute(_LOCK, {"system": system, "entity": entity}).one_or_none()
    if found is None:
        return []  # nothing ever came
    feed_id, locked = found
    if not locked:
        return None
    # By a statement of its own: one that began before the lock was ours does not see what its last holder did.
    return [Received(*tuple(row)) for row in rows(connection, _WAITING, feed=feed_id, limit=limit)]


_LOCK = sql("""
select id, pg_try_advisory_xact_lock(4711, id) from (
    select id from feed where system = :system and entity = :entity offset 0) f""")
_WAITING = sql("""
select i.id, i.received_at, i.scope, i.source_key, coalesce(n.action, i.action), coalesce(n.stamp, i.stamp),
       coalesce(n.source_version, i.source_version), coalesce(n.into_key, i.into_key), i.trace, b.content,
       i.subject, i.version, i.routes, i.told_at, coalesce(n.id, i.id), coalesce(n.received_at, i.received_at)
from (select * from inbox where feed_id = :feed and not processed order by id limit :limit) i
left join lateral (
    select * from inbox where i.again and feed_id = :feed and source_key = i.source_key and scope = i.scope and not again
    order by id desc limit 1) n on i.again
left join lateral (
    select content from body where owner = coalesce(n.id, i.id) and kind = 'native'
        and at = coalesce(n.received_at, i.received_at) offset 0) b on true
order by i.id""")


@dataclass(slots=True)
class Processed:
    """What processing left behind on a message."""

    id: int
    received_at: datetime
    subject: UUID | None
    version: int | None
    canonical: Any


def end_processing(connection: Connection, done: Sequence[Processed], mapping: str, routes: Sequence[int] = ()) -> None:
    """Mark messages as processed, keep their canonical bodies and the routes that got a row each."""
    if done:
        connection.execute(
            _PROCESSED,
            {
                "mapping": mapping,
                "routes": list(routes),
                "rows": records(
                    {
                        "id": row.id,
                        "received_at": row.received_at,
                        "subject": None if row.subject is None else str(row.subject),
                        "version": row.version,
                        "canonical": None if row.canonical is None else fragment(row.canonical),
                    }
                    for row in done
                ),
            },
        )


_PROCESSED = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json))
        as r (id bigint, received_at timestamptz, subject uuid, version int, canonical json)
),
bodies as (
    insert into body (owner, kind, at, content)
    select id, 'canonical', received_at, canonical from r where canonical is not null
    on conflict (owner, kind, at) do update set content = excluded.content
)
update inbox i set processed = true, subject = r.subject, version = r.version, mapping = :mapping,
    routes = case when i.routes is null then cast(:routes as smallint[])
             else array(select distinct unnest(i.routes || cast(:routes as smallint[]))) end
from r where i.id = r.id and i.received_at = r.received_at
    and i.id = any(array(select id from r)) and i.received_at = any(array(select distinct received_at from r))""")
