"""Snapshots: a scope without a change field is read whole, and taken whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from landbridge.store._inbox import Incoming, stored
from landbridge.store._store import records, rows, sql


def clear(connection: Connection, feed_id: int, scope: str) -> None:
    """Forget what an earlier, unfinished reading of the scope staged."""
    connection.execute(_CLEAR, {"feed": feed_id, "scope": scope})


_CLEAR = sql("delete from staged where feed_id = :feed and scope = :scope")


def stage(connection: Connection, feed_id: int, scope: str, incoming: Sequence[Incoming]) -> None:
    """Set rows of one page aside until the scope is complete."""
    connection.execute(
        _STAGE,
        {
            "feed": feed_id,
            "scope": scope,
            "rows": records(
                {"source_key": r.key, "digest": r.digest.hex(), "version": r.version, "body": stored(r.body or {})}
                for r in incoming
            ),
        },
    )


_STAGE = sql("""
insert into staged (feed_id, scope, source_key, digest, version, content)
select :feed, :scope, source_key, decode(digest, 'hex'), version, body
from json_to_recordset(cast(:rows as json)) as r (source_key text, digest text, version text, body json)
on conflict (feed_id, scope, source_key) do update
set digest = excluded.digest, version = excluded.version, content = excluded.content""")


def counts(connection: Connection, feed_id: int, scope: str) -> tuple[int, int | None]:
    """Rows staged now, and rows of the last complete snapshot (None: there was none)."""
    row = connection.execute(_COUNTS, {"feed": feed_id, "scope": scope}).one()
    return row.staged, row.last


_COUNTS = sql("""
select (select count(*) from staged where feed_id = :feed and scope = :scope) as staged,
       (select rows from snapshot where feed_id = :feed and scope = :scope and completed_at is not null) as last""")


def changed(connection: Connection, feed_id: int, scope: str, after: str, limit: int) -> list[tuple[str, bytes, Any]]:
    """Staged rows that differ from the last state seen, by key, a page at a time."""
    return [tuple(r) for r in rows(connection, _CHANGED, feed=feed_id, scope=scope, after=after, limit=limit)]


_CHANGED = sql("""
select s.source_key, s.digest, s.content from staged s
left join seen k on k.feed_id = s.feed_id and k.scope = s.scope and k.source_key = s.source_key
where s.feed_id = :feed and s.scope = :scope and s.source_key > :after
  and (k.digest is null or k.digest <> s.digest)
order by s.source_key limit :limit""")


def absent(connection: Connection, feed_id: int, scope: str, after: str, limit: int) -> list[tuple[str, bytes, Any]]:
    """Keys seen before that the complete snapshot no longer holds, with their last state."""
    return [tuple(r) for r in rows(connection, _ABSENT, feed=feed_id, scope=scope, after=after, limit=limit)]


_ABSENT = sql("""
select k.source_key, k.digest, k.content from seen k
left join staged s on s.feed_id = k.feed_id and s.scope = k.scope and s.source_key = k.source_key
where k.feed_id = :feed and k.scope = :scope and s.source_key is null and k.source_key > :after
order by k.source_key limit :limit""")


def settle(connection: Connection, feed_id: int, scope: str, now: Any) -> None:
    """Make the staged rows the last state seen, and the snapshot complete."""
    for statement in (_KEEP, _FORGET, _COMPLETE, _CLEAR):
        connection.execute(statement, {"feed": feed_id, "scope": scope, "now": now})


_KEEP = sql("""
insert into seen (feed_id, scope, source_key, digest, content)
select feed_id, scope, source_key, digest, content from staged where feed_id = :feed and scope = :scope
on conflict (feed_id, scope, source_key) do update set digest = excluded.digest, content = excluded.content
where seen.digest <> excluded.digest""")
_FORGET = sql("""
delete from seen k where feed_id = :feed and scope = :scope and not exists (
    select from staged s where s.feed_id = k.feed_id and s.scope = k.scope and s.source_key = k.source_key)""")
_COMPLETE = sql("""
insert into snapshot (feed_id, scope, rows, completed_at)
select :feed, :scope, count(*), :now from staged where feed_id = :feed and scope = :scope
on conflict (feed_id, scope) do update set rows = excluded.rows, completed_at = excluded.completed_at, refused = null""")


def refuse(connection: Connection, feed_id: int, scope: str, reason: str) -> None:
    """Keep why the reading of a scope was refused; nothing of it is taken."""
    connection.execute(_REFUSE, {"feed": feed_id, "scope": scope, "reason": reason})
    clear(connection, feed_id, scope)


_REFUSE = sql("""
insert into snapshot (feed_id, scope, refused) values (:feed, :scope, :reason)
on conflict (feed_id, scope) do update set refused = excluded.refused""")
