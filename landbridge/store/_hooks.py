"""Webhooks: ids of deliveries, each taken once, and keys that wait to be fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

import landbridge.store.tables_webhook  # noqa: F401 - its tables are part of the schema that migrations are held to
from landbridge.store._store import records, rows, sql

CHANNEL = "landbridge"
"""What is notified when an inbox has news: the feeds' ids, between commas; `?` behind one whose keys are to be read."""


@dataclass(frozen=True, slots=True)
class Told:
    """A record that a webhook named by its key alone; `times` tells a later naming from an earlier one."""

    scope: str
    key: str
    trace: UUID
    times: int
    at: datetime


def remember(connection: Connection, deliveries: Iterable[tuple[str, str]], now: datetime) -> set[tuple[str, str]]:
    """Keep (system, id) of deliveries; those that were never seen."""
    named = records({"system": system, "id": id_} for system, id_ in sorted(set(deliveries)))
    return {(row.system, row.id) for row in rows(connection, _REMEMBER, rows=named, now=now)}


_REMEMBER = sql("""
insert into hook (system, id, at)
select r.system, r.id, :now from json_to_recordset(cast(:rows as json)) as r (system text, id text)
on conflict do nothing
returning system, id
""")


def tell(connection: Connection, feed_id: int, keys: Iterable[tuple[str, str, UUID, datetime]]) -> None:
    """Keep (scope, key, trace, when) of records that are to be fetched; told twice before that, one is fetched once."""
    last = {(scope, key): (trace, at) for scope, key, trace, at in keys}
    told = [(*name, *last[name]) for name in sorted(last)]
    named = records({"scope": s, "source_key": k, "trace": str(trace), "at": at} for s, k, trace, at in told)
    connection.execute(_TELL, {"feed": feed_id, "rows": named})


_TELL = sql("""
insert into told (feed_id, scope, source_key, trace, at)
select :feed, r.scope, r.source_key, r.trace, r.at
from json_to_recordset(cast(:rows as json)) as r (scope text, source_key text, trace uuid, at timestamptz)
on conflict (feed_id, scope, source_key) do update set times = told.times + 1
""")


def waiting(connection: Connection, feed_id: int, limit: int) -> list[Told]:
    """The keys that were told first."""
    found = rows(connection, _WAITING, feed=feed_id, limit=limit)
    return [Told(row.scope, row.source_key, row.trace, row.times, row.at) for row in found]


_WAITING = sql("""
select scope, source_key, trace, times, at from told where feed_id = :feed order by at, scope, source_key limit :limit
""")


def feeds_told(connection: Connection) -> list[int]:
    """The feeds of which a key waits to be fetched."""
    return [row.feed_id for row in rows(connection, _FEEDS_TOLD)]


_FEEDS_TOLD = sql("select distinct feed_id from told")


def fetched(connection: Connection, feed_id: int, keys: Sequence[Told]) -> None:
    """Forget keys that were fetched; one that was told again meanwhile stays, since what was read may be older."""
    named = records({"scope": one.scope, "source_key": one.key, "times": one.times} for one in keys)
    connection.execute(_FETCHED, {"feed": feed_id, "rows": named})


_FETCHED = sql("""
delete from told t using json_to_recordset(cast(:rows as json)) as r (scope text, source_key text, times int)
where t.feed_id = :feed and t.scope = r.scope and t.source_key = r.source_key and t.times = r.times
""")


def refuses(error: Exception) -> bool:
    """True where the store is well and a row is what it will not take; False where the store itself is out of order."""
    return isinstance(error, (DataError, IntegrityError)) or not isinstance(error, (DBAPIError, OSError))


def notify(connection: Connection, feeds: Iterable[int], told: Iterable[int] = ()) -> None:
    """Wake whoever listens, at the commit of this transaction; `told` are feeds of which keys wait to be fetched."""
    news = [str(one) for one in sorted(set(feeds))] + [f"{one}?" for one in sorted(set(told))]
    connection.execute(_NOTIFY, {"channel": CHANNEL, "feeds": ",".join(news)})


_NOTIFY = sql("select pg_notify(:channel, :feeds)")


def forget_older(connection: Connection, before: datetime) -> int:
    """Forget ids of deliveries that came before; returns how many."""
    return connection.execute(_FORGET, {"before": before}).rowcount


_FORGET = sql("delete from hook where at < :before")
