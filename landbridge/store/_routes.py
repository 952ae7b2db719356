"""Routes: every (flow, target) that ever was; what is no longer configured is retired."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from landbridge.store._store import records, rows, sql


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route as the store knows it."""

    id: int
    flow: str
    name: str
    system: str
    entity: str
    paused: bool
    retired: bool


def known(connection: Connection) -> list[RouteRow]:
    """All routes that ever were, with their flow's pause."""
    return [RouteRow(*tuple(row)) for row in rows(connection, _ROUTES)]


_ROUTES = sql("""
select r.id, r.flow, r.name, r.system, r.entity, coalesce(f.paused, false), r.retired
from route r left join flow f on f.name = r.flow order by r.id""")


def add(connection: Connection, flow: str, name: str, feed_id: int, system: str, entity: str) -> None:
    """Make a route known; one that is known already stays."""
    connection.execute(_ADD_ROUTE, {"flow": flow, "name": name, "feed": feed_id, "system": system, "entity": entity})


_ADD_ROUTE = sql("""
insert into route (flow, name, feed_id, system, entity) values (:flow, :name, :feed, :system, :entity)
on conflict do nothing""")


def retire_others(connection: Connection, configured: Iterable[tuple[str, str]]) -> None:
    """Of all routes, these (flow, name) are configured; the others are retired until they are configured again."""
    named = records({"flow": flow, "name": name} for flow, name in configured)
    connection.execute(_RETIRE_ROUTES, {"rows": named})


_RETIRE_ROUTES = sql("""
update route t set retired = not t.retired
where t.retired = exists (
    select from json_to_recordset(cast(:rows as json)) as r (flow text, name text)
    where r.flow = t.flow and r.name = t.name)""")
