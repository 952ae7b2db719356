"""What systems said of their fields, and what changed: kept per (system, entity), open changes until they are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

import landbridge.store.tables_drift  # noqa: F401 - its tables are part of the schema that migrations are held to
from landbridge.store._store import fragment, records, rows, sql


@dataclass(frozen=True, slots=True)
class Description:
    """What a system said of one entity, and who it was that said it."""

    system: str
    entity: str
    organisation: str
    native: str
    fields: Mapping[str, Any]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Drift:
    """A change that stops routes: which field, which mapping lines, which routes, since when."""

    system: str
    entity: str
    field: str
    kind: str
    message: str
    hint: str
    lines: list[str]
    routes: list[str]
    form: str
    reading: bool
    renamed: str
    since: datetime
    found_at: datetime
    accepted: list[str]  # the routes that a person lets run although it stands

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same change the next time."""
        return self.system, self.entity, self.field, self.kind


def alone(connection: Connection) -> None:
    """One comparison at a time: the second waits until the first has committed."""
    connection.execute(_ALONE)


_ALONE = sql("select pg_advisory_xact_lock(4711003)")


def descriptions(connection: Connection) -> dict[tuple[str, str], Description]:
    """Every description that is kept."""
    return {(row.system, row.entity): Description(*tuple(row)) for row in rows(connection, _DESCRIPTIONS)}


_DESCRIPTIONS = sql("select system, entity, organisation, native, fields, asked_at from description")


def describe(connection: Connection, found: Sequence[Description]) -> None:
    """Keep descriptions in place of what was kept of the same entities."""
    if found:
        told = records(asdict(one) | {"fields": fragment(dict(one.fields))} for one in found)
        connection.execute(_DESCRIBE, {"rows": told})


_DESCRIBE = sql("""
insert into description (system, entity, organisation, native, fields, asked_at)
select * from json_to_recordset(cast(:rows as json))
    as r (system text, entity text, organisation text, native text, fields json, asked_at timestamptz)
on conflict (system, entity) do update set organisation = excluded.organisation, native = excluded.native,
    fields = excluded.fields, asked_at = excluded.asked_at""")


def drifts(connection: Connection) -> list[Drift]:
    """Every change that stands, oldest first."""
    return [Drift(*tuple(row)) for row in rows(connection, _DRIFTS)]


_DRIFTS = sql("""
select system, entity, field, kind, message, hint, lines, routes, form, reading, renamed, since, found_at, accepted
from drift order by found_at, system, entity, field, kind""")


def put(connection: Connection, found: Sequence[Drift]) -> None:
    """Keep changes that stand; what was known of the same ones is replaced."""
    if found:
        connection.execute(_PUT, {"rows": records(map(asdict, found))})


_PUT = sql("""
insert into drift (system, entity, field, kind, message, hint, lines, routes, form, reading, renamed, since, found_at,
                   accepted)
select r.system, r.entity, r.field, r.kind, r.message, r.hint,
       array(select json_array_elements_text(r.lines)), array(select json_array_elements_text(r.routes)),
       r.form, r.reading, r.renamed, r.since, r.found_at, array(select json_array_elements_text(r.accepted))
from json_to_recordset(cast(:rows as json)) as r (
    system text, entity text, field text, kind text, message text, hint text, lines json, routes json, form text,
    reading boolean, renamed text, since timestamptz, found_at timestamptz, accepted json)
on conflict (system, entity, field, kind) do update set message = excluded.message, hint = excluded.hint,
    lines = excluded.lines, routes = excluded.routes, form = excluded.form, reading = excluded.reading,
    renamed = excluded.renamed, accepted = excluded.accepted""")


def close(connection: Connection, gone: Sequence[Drift]) -> None:
    """Forget changes that do not stand any more."""
    if gone:
        keys = [{"system": o.system, "entity": o.entity, "field": o.field, "kind": o.kind} for o in gone]
        connection.execute(_CLOSE, {"rows": records(keys)})


_CLOSE = sql("""
delete from drift d
using json_to_recordset(cast(:rows as json)) as r (system text, entity text, field text, kind text)
where d.system = r.system and d.entity = r.entity and d.field = r.field and d.kind = r.kind""")


def accept(connection: Connection, route: str) -> list[Drift]:
    """A person lets a route run although fields that it needs changed; returns what is accepted so."""
    taken = [one for one in drifts(connection) if route in one.routes and route not in one.accepted]
    put(connection, [replace(one, accepted=[*one.accepted, route]) for one in taken])
    return taken


def canonicalise_again(connection: Connection, routes: Sequence[str], since: datetime, field: str) -> int:
    """Send what routes received without a field since an instant and did not deliver through canonicalise again.

    Its bodies were made while the field of the source was missing. What has the field, and what was tried, held or
    delivered, stays as it is; what was quarantined since is looked at anew. Returns how many messages.
    """
    if not routes or not field:
        return 0
    path = "$" + "".join("." + orjson.dumps(name).decode() for name in field.split("."))  # lax: through every list
    return connection.execute(_AGAIN, {"routes": list(routes), "since": since, "path": path}).rowcount


_AGAIN = sql("""
with gone as (
    delete from outbox o using route r
    where r.id = o.route_id and r.name = any(:routes) and o.received_at >= :since and o.attempts = 0
      and exists (
          select from body b where b.owner = o.message_id and b.kind = 'native' and b.at = o.received_at
            and not jsonb_path_exists(cast(b.content as jsonb), cast(:path as jsonpath)))
      and ((o.done_at is null and o.state in ('ready', 'waiting') and o.stage is null)
           or (o.state = 'quarantined' and o.subject is null))
    returning o.message_id, o.received_at, o.route_id
),
messages as (select message_id, received_at, array_agg(route_id) as routes from gone group by 1, 2)
update inbox i set processed = false, routes = array(select unnest(i.routes) except select unnest(g.routes))
from messages g where i.id = g.message_id and i.received_at = g.received_at""")


def told(connection: Connection, limit: int = 50) -> list[Any]:
    """What the comparisons found and did, newest first."""
    return rows(connection, _TOLD, limit=limit)


_TOLD = sql("""
select at, event, actor, flow, system, detail from history where event in ('drift', 'drift_gone', 'drift_accepted')
order by at desc, id desc limit :limit""")
