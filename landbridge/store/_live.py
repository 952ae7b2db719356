"""What the resident worker asks of the store for those who watch it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from landbridge.store._store import rows, sql

FAILED = ("dead", "quarantined", "conflict")


def failed_since(connection: Connection, flow: str, since: datetime, limit: int = 200) -> list[int]:
    """The rows of a flow that came to need a person since then, oldest first."""
    return [row.id for row in rows(connection, _SINCE, flow=flow, since=since, states=list(FAILED), limit=limit)]


_SINCE = sql("""
select o.id from route r cross join lateral (
    select id from outbox where route_id = r.id and done_at is not null and reason is not null
        and done_at >= :since and state = any(:states) offset 0) o
where r.flow = :flow order by o.id limit :limit""")


def still_failed(connection: Connection, ids: Sequence[int]) -> list[Any]:
    """Those of these rows that still need a person, with their reason."""
    return rows(connection, _STILL, ids=list(ids), states=list(FAILED))


_STILL = sql("""
select o.id, r.name as route, o.state, o.reason,
       (select source_key from inbox where id = o.message_id and received_at = o.received_at) as source_key
from outbox o join route r on r.id = o.route_id
where o.id = any(:ids) and o.done_at is not null and o.state = any(:states) order by o.id""")


def done_since(connection: Connection, since: datetime) -> list[Any]:
    """(flow, state, code, rows): what became of the rows that came to their end since then, however they were moved."""
    return rows(connection, _DONE, since=since)


_DONE = sql("""
select r.flow, o.state, o.code, count(*) as rows from outbox o join route r on r.id = o.route_id
where o.done_at >= :since group by r.flow, o.state, o.code""")
