"""Erasing a person's data: bodies, shadows, and what was said about them; envelopes, ids and counts stay."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from landbridge.store._store import rows, sql

ERASED = "erased"
"""The event in the history, and what stands in the place of a reason that was erased."""


class Scope(NamedTuple):
    """What is erased: records, everything that was sent in their name, and what the hub published of them."""

    entity: str
    records: Collection[UUID]
    subjects: Collection[UUID]
    """The records, and every golden record that ever held one of them."""
    hub: str | None
    """The system that stands for the hub."""


def group(connection: Connection, record: UUID) -> list[UUID]:
    """Every record of the group that a record is in, the oldest first."""
    return [row.id for row in rows(connection, _GROUP, record=record)]


_GROUP = sql("""
with root as (select coalesce(merged_into, id) as id from subject where id = :record)
select s.id from root join subject s on s.id = root.id or s.merged_into = root.id order by s.id""")


def named(connection: Connection, records: Collection[UUID]) -> list[str]:
    """What systems call these records, as `system:id`; those we delivered to as well."""
    found = rows(connection, _NAMED, ids=list(records))
    return [f"{row.system}:{row.id}" for row in found]


_NAMED = sql("""
select system, id from xref where subject = any(cast(:ids as uuid[])) and linked_by <> 'reference' order by 1, 2""")

# Messages of the records themselves, of the hub's feed about their golden records, and of others in their name. What the
# hub's feed says last stays: it is from after the erasure, or the erased records gave nothing to it.
_MESSAGES = """
    select i.id, i.received_at, i.processed, 'own' as of from xref x
    join feed f on f.system = x.system and f.entity = x.entity
    cross join lateral (
        select * from inbox where feed_id = f.id and source_key = x.id and scope = x.scope offset 0) i
    where x.subject = any(cast(:records as uuid[])) and x.linked_by <> 'reference'
    union all
    select i.id, i.received_at, i.processed, 'hub' from feed f
    cross join lateral (
        select * from inbox where feed_id = f.id
            and source_key in (select cast(s as text) from unnest(cast(:subjects as uuid[])) s) offset 0) i
    where f.system = :hub and f.entity = :entity and exists (
        select from inbox n where n.feed_id = f.id and n.source_key = i.source_key and n.id > i.id and not n.again)
    union all
    select id, received_at, processed, 'group' from inbox where subject = any(cast(:subjects as uuid[]))
        and feed_id not in (select id from feed where system = :hub and entity = :entity)"""


class Moving(NamedTuple):
    """What of the records is on its way, so that it cannot be erased yet."""

    waiting: int
    """Messages that are not processed."""
    leaving: int
    """Deliveries that a worker holds, or whose outcome is not known."""


def moving(connection: Connection, scope: Scope) -> Moving:
    """What has to be finished first."""
    found = rows(connection, _MOVING, **_parameters(scope))[0]
    return Moving(found.waiting, found.leaving)


_MOVING = sql(f"""
with m as materialized ({_MESSAGES})
select (select count(*) from m where not processed) as waiting,
       (select count(*) from outbox where done_at is null and state in ('claimed', 'unknown')
            and message_id in (select id from m)) as leaving""")  # noqa: S608 - constant text


class Counts(NamedTuple):
    """How much was erased."""

    bodies: int
    shadows: int
    suppressed: int
    """Deliveries that had not left and never will."""


def erase(connection: Connection, scope: Scope, now: datetime) -> Counts:
    """Erase what the store keeps of these records; of other records of their groups, what was sent with their values."""
    given = _parameters(scope)
    suppressed = connection.execute(_SUPPRESS, {**given, "now": now}).rowcount
    bodies = connection.execute(_BODIES, given).rowcount
    for statement in _WORDS:
        connection.execute(statement, given)
    shadows = connection.execute(_SHADOWS, given).rowcount
    return Counts(bodies, shadows, suppressed)


def _parameters(scope: Scope) -> dict[str, object]:
    return {
        "entity": scope.entity,
        "records": [str(one) for one in scope.records],
        "subjects": [str(one) for one in scope.subjects],
        "hub": scope.hub,
    }


_SUPPRESS = sql(f"""
with m as materialized ({_MESSAGES})
update outbox set state = 'suppressed', code = '{ERASED}', waits_for = null, done_at = :now
where done_at is null and state not in ('claimed', 'unknown') and message_id in (select id from m where processed)""")  # noqa: S608 - constant text

# What was made for others of the group held golden values; what they themselves said is theirs.
_BODIES = sql(f"""
with m as materialized ({_MESSAGES}),
gone as materialized (
    select m.id as owner, m.received_at as at, k.kind from m
    cross join (values ('native'), ('canonical'), ('returned')) as k (kind)
    where m.processed and (m.of <> 'group' or k.kind <> 'native')
    union
    select a.id, a.at, k.kind from m join outbox o on o.message_id = m.id join attempt a on a.outbox_id = o.id
    cross join (values ('target'), ('returned')) as k (kind)
)
delete from body b using gone where b.owner = gone.owner and b.at = gone.at and b.kind = gone.kind""")  # noqa: S608 - constant text

_WORDS = (
    sql(f"""
with m as materialized ({_MESSAGES})
update outbox set findings = null, handle = null, reason = case when reason is null then null else '{ERASED}' end,
    state = case when state in ('dead', 'conflict', 'quarantined', 'steward') then 'discarded' else state end
where message_id in (select id from m where processed)
    and (findings is not null or reason is not null or handle is not null)"""),  # noqa: S608 - constant text
    sql(f"""
with m as materialized ({_MESSAGES})
update attempt set message = '{ERASED}'
where message is not null and outbox_id in (select id from outbox where message_id in (select id from m))"""),  # noqa: S608 - constant text
    sql(f"""
with m as materialized ({_MESSAGES})
delete from quality_finding where message_id in (select id from m)"""),  # noqa: S608 - constant text
    sql("""
update difference d set detail = null where exists (
    select from xref x where x.subject = any(cast(:subjects as uuid[])) and x.entity = d.entity
        and (x.id = d.source_key or x.system = d.system and x.id = d.id))"""),
    sql("""
update history set detail = '{}' where subject = any(cast(:subjects as uuid[]))"""),
    sql("""
delete from seen s using xref x, feed f where f.id = s.feed_id and f.system = x.system and f.entity = x.entity
    and x.scope = s.scope and x.id = s.source_key and x.subject = any(cast(:records as uuid[]))"""),
)

_SHADOWS = sql("""
delete from shadow s using xref x where x.system = s.system and x.entity = s.entity and x.scope = s.scope
    and x.id = s.id and x.subject = any(cast(:subjects as uuid[]))""")
