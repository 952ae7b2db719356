"""Edits of code lists and decision tables: a log in order of commitment, of which the last word on each row counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

import landbridge.store.tables_codes  # noqa: F401 - its table is part of the schema that migrations are held to
from landbridge.errors import Conflict
from landbridge.store._store import fragment, records, rows, sql


@dataclass(frozen=True, slots=True)
class CodeEdit:
    """What one person said of one row: `set` it, `remove` it, or `reset` it to what the file says."""

    id: int
    at: datetime
    actor: str
    reason: str
    folder: str
    name: str
    key: str
    action: str
    row: dict[str, Any] | None
    was: dict[str, Any] | None


_ALL = "id, at, actor, reason, folder, name, key, action, row, was"


def revision(connection: Connection) -> int:
    """The newest edit: one number that says whether anything changed."""
    return int(connection.execute(_REVISION).scalar_one())


_REVISION = sql("select coalesce(max(id), 0) from code_edit")


def standing(connection: Connection) -> list[CodeEdit]:
    """The edits that count, oldest first."""
    return [CodeEdit(*tuple(row)) for row in rows(connection, _STANDING)]


_STANDING = sql(f"""
select * from (select distinct on (folder, name, key) {_ALL} from code_edit order by folder, name, key, id desc) last
where action <> 'reset' order by id""")  # noqa: S608 - constant text put together from constants


def version(connection: Connection, folder: str, name: str) -> int:
    """The newest edit of one table; 0 if it is as its file says since ever."""
    return int(connection.execute(_VERSION, {"folder": folder, "name": name}).scalar_one())


_VERSION = sql("select coalesce(max(id), 0) from code_edit where folder = :folder and name = :name")


def alone(connection: Connection) -> None:
    """One edit at a time, so that the newest number never hides an older edit that commits later."""
    connection.execute(_ALONE)


_ALONE = sql("select pg_advisory_xact_lock(4711004)")


def expect(connection: Connection, folder: str, name: str, expected: int) -> None:
    """Conflict if the table was edited since the version that a person looked at; call it under `alone`."""
    newest = next(iter(history(connection, folder, name, limit=1)), None)
    if newest is None or newest.id <= expected:
        return
    raise Conflict(
        f"{folder}/{name} was edited by {newest.actor} at {newest.at:%Y-%m-%d %H:%M:%S} ({newest.reason}): "
        f"it is version {newest.id} now, you looked at {expected}.",
        ours=expected,
        theirs=newest.id,
        hint=f"Look again with `landbridge codes show {folder}/{name}`, then decide anew.",
    )


def add(
    connection: Connection,
    folder: str,
    name: str,
    key: str,
    action: str,
    *,
    row: dict[str, Any] | None,
    was: dict[str, Any] | None,
    actor: str,
    reason: str,
    now: datetime,
) -> int:
    """Keep an edit; returns the version of its table, which is the revision of all."""
    told = {"folder": folder, "name": name, "key": key, "action": action, "actor": actor, "reason": reason, "at": now}
    bodies = {"row": None if row is None else fragment(row), "was": None if was is None else fragment(was)}
    return int(connection.execute(_ADD, {"rows": records([told | bodies])}).scalar_one())


_ADD = sql("""
insert into code_edit (at, actor, reason, folder, name, key, action, row, was)
select at, actor, reason, folder, name, key, action, row, was from json_to_recordset(cast(:rows as json))
    as r (at timestamptz, actor text, reason text, folder text, name text, key text, action text, row json, was json)
returning id""")


def history(connection: Connection, folder: str, name: str, limit: int = 100) -> list[CodeEdit]:
    """Every edit of one table, newest first."""
    found = rows(connection, _HISTORY, folder=folder, name=name, limit=limit)
    return [CodeEdit(*tuple(row)) for row in found]


_HISTORY = sql(f"""
select {_ALL} from code_edit where folder = :folder and name = :name order by id desc limit :limit""")  # noqa: S608 - the same


def lacking(connection: Connection, said: str, limit: int) -> list[Any]:
    """Rows that need a person because of a table that says this, with what came; oldest first."""
    return rows(connection, _LACKING, said=said, limit=limit)


_LACKING = sql("""
select o.id, r.flow, o.subject, o.findings, f.system, f.entity, i.scope, b.content as native
from outbox o join route r on r.id = o.route_id join feed f on f.id = r.feed_id
join inbox i on i.id = o.message_id and i.received_at = o.received_at
left join body b on b.owner = o.message_id and b.kind = 'native' and b.at = o.received_at
where o.state in ('quarantined', 'dead') and o.done_at is not null and o.reason is not null
  and position(:said in o.reason) > 0
order by o.id limit :limit""")
