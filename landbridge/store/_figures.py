"""Figures for metrics and `status`, each by an index: what is open, what needs a person, and the last hour.

Nothing here reads what was settled long ago: totals over all time are the accounting's, and that is a command.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from landbridge.store._store import rows, sql

RECENT = timedelta(minutes=5)
HOUR = timedelta(hours=1)

WRITTEN = ("created", "updated", "deleted")
FAILED = ("dead", "conflict", "unavailable", "outcome_unknown", "denied")
"""Words of a run's counts that are successes and failures of attempts."""
KINDS = ("missing", "late", "deleted", "unlinked", "lost", "changed", "theirs")
"""What a reconcile counts."""


MOST = 20_000
"""So many rows of a route or a feed are counted at most: a scrape costs the same however long the queue is."""


def open_rows(connection: Connection) -> list[Any]:
    """Per flow, route and state: the rows that are in flight, the oldest `MOST` of them, or need a person, as many."""
    return rows(connection, _OPEN)


_OPEN = sql(f"""
select r.flow, r.name as route, c.state, c.n from route r cross join lateral (
    select o.state, count(*) as n from (
        select state from outbox where route_id = r.id and done_at is null order by id limit {MOST}) o group by o.state
    union all
    select o.state, count(*) from (
        select state from outbox where route_id = r.id and done_at is not null and reason is not null
            and state in ('dead', 'quarantined', 'conflict', 'steward') limit {MOST}) o group by o.state) c
where not r.retired or c.n > 0 order by 1, 2, 3""")  # noqa: S608 - a number of ours


def feeds(connection: Connection) -> list[Any]:
    """Per feed: when it was last read, how many messages wait to be processed, and since when the oldest does."""
    return rows(connection, _FEEDS)


_FEEDS = sql(f"""
select f.system, f.entity, f.read_at,
       (select i.received_at from inbox i where i.feed_id = f.id and not i.processed order by i.id limit 1) as oldest,
       (select count(*) from (
           select from inbox where feed_id = f.id and not processed order by id limit {MOST}) i) as waiting,
       array(select distinct flow from route where feed_id = f.id and not retired) as flows
from feed f order by 1, 2""")  # noqa: S608 - a number of ours


def oldest_open(connection: Connection) -> dict[str, datetime]:
    """Per flow: when the oldest message that is on its way out was received."""
    return {row.flow: row.oldest for row in rows(connection, _OLDEST)}


_OLDEST = sql("""
select r.flow, min(o.received_at) as oldest from route r cross join lateral (
    select received_at from outbox where route_id = r.id and done_at is null order by id limit 1) o
group by r.flow""")


def last_hour(connection: Connection, now: datetime) -> dict[str, dict[str, int]]:
    """Per flow: what its runs of the last hour counted, the worker's windows included."""
    found: dict[str, dict[str, int]] = {}
    for row in rows(connection, _HOUR, since=now - HOUR):
        found.setdefault(row.flow, {})[row.word] = int(row.n)
    return found


_HOUR = sql("""
select names.flow, c.key as word, sum(cast(c.value as bigint)) as n
from (select distinct flow from route) names
join run on run.flow = names.flow and run.started_at >= :since and run.trigger <> 'reconcile'
cross join lateral json_each_text(run.counts) c where run.counts is not null group by 1, 2""")


def recent_attempts(connection: Connection, now: datetime) -> dict[str, int]:
    """How many attempts of the last minutes had each outcome."""
    return {row.outcome: row.n for row in rows(connection, _ATTEMPTS, since=now - RECENT)}


_ATTEMPTS = sql("select outcome, count(*) as n from attempt where at >= :since group by outcome order by outcome")


def budgets(connection: Connection, now: datetime) -> list[Any]:
    """Per system with a rate budget: requests that are left now, and how long it is blocked."""
    return rows(connection, _BUDGETS, now=now)


_BUDGETS = sql("""
select system, capacity,
       least(capacity, tokens + per_second * greatest(0, extract(epoch from (:now - refilled_at)))) as tokens,
       greatest(0, extract(epoch from (blocked_until - :now))) as blocked
from budget order by system""")


def reconciles(connection: Connection) -> list[Any]:
    """Per flow: the last reconcile."""
    return rows(connection, _RECONCILES)


_RECONCILES = sql("""
select names.flow, r.state, r.started_at, r.counts from (select distinct flow from route) names
cross join lateral (
    select * from run where flow = names.flow and trigger = 'reconcile'
    order by started_at desc, id desc limit 1) r
order by 1""")


def in_flight(connection: Connection, flow: str | None, system: str | None) -> dict[str, int]:
    """What a flow, or the routes to a system, still have on their way; `received` is what waits in the inbox."""
    found = {row.state: row.n for row in rows(connection, _IN_FLIGHT, flow=flow, system=system)}
    return {state: n for state, n in found.items() if n}


_IN_FLIGHT = sql("""
with routes as (
    select id, feed_id from route
    where not retired and (cast(:flow as text) is null or flow = :flow)
      and (cast(:system as text) is null or system = :system)
)
select o.state, count(*) as n from routes r join outbox o on o.route_id = r.id and o.done_at is null group by o.state
union all
select 'received', count(*) from inbox i where i.feed_id in (select feed_id from routes) and not i.processed""")
