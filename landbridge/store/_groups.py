"""Which records are one: the groups that the hub decides, and what follows from a change of them.

A record of a system is a subject of its own; `subject.merged_into` names the group. What refers to a record names the
record, so nothing that was received has to be rewritten when groups change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, TextClause

import landbridge.store.tables_groups  # noqa: F401 - its table is part of the schema that migrations are held to
from landbridge.store._identity import Key, Who
from landbridge.store._store import records, rows, sql
from landbridge.time import IdSource


def separate(connection: Connection, keys: Collection[Key], ids: IdSource, now: datetime) -> dict[Key, Who]:
    """Give records a subject of their own that stand under another record's, as what we delivered or adopted does.

    They stay in its group, so that nothing changes until the hub decides otherwise. Returns who they are now.
    """
    if not keys:
        return {}
    wanted = records({**key._asdict(), "new": str(ids())} for key in sorted(keys))
    found = rows(connection, _SEPARATE, rows=wanted, now=now)
    return {
        Key(r.system, r.entity, r.scope, r.id): Who(r.subject, r.chain, r.lines or {}, origin=r.origin) for r in found
    }


_SEPARATE = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json))
        as r (system text, entity text, scope text, id text, new uuid)
),
shared as materialized (
    select r.*, x.lines, s.entity as kind, s.version, s.chain, coalesce(s.merged_into, s.id) as root
    from r
    cross join lateral (
        select * from xref where system = r.system and entity = r.entity and scope = r.scope and id = r.id
            and linked_by not in ('source', 'reference') offset 0) x
    cross join lateral (select * from subject where id = x.subject offset 0) s
    where exists (
        select from xref y where y.subject = x.subject
            and (y.system, y.entity, y.scope, y.id) <> (x.system, x.entity, x.scope, x.id))
),
minted as (
    insert into subject (id, entity, version, chain, merged_into, minted_at)
    select new, kind, version, chain, root, :now from shared
),
moved as (
    update xref x set subject = s.new from shared s
    where x.system = s.system and x.entity = s.entity and x.scope = s.scope and x.id = s.id
)
select s.system, s.entity, s.scope, s.id, s.root as subject, s.chain, s.lines, s.new as origin from shared s""")


def regroup(connection: Connection, groups: Mapping[UUID, UUID], now: datetime) -> tuple[dict[UUID, UUID], set[UUID]]:
    """Put records into their groups, as record → the subject that stands for its group.

    Returns the lane of each group, and the records that were in another one before.

    Versions go on after the greatest of what came together or parts, so that nothing is taken for stale anywhere.
    What waits to leave for a record that joined goes in the lane of its group.
    """
    if not groups:
        return {}, set()
    wanted = records({"record": str(record), "golden": str(golden)} for record, golden in sorted(groups.items()))
    found = rows(connection, _REGROUP, rows=wanted)
    return {r.golden: r.chain for r in found}, {r.record for r in found if r.moved}


_REGROUP = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json)) as r (record uuid, golden uuid)
),
before as materialized (
    select r.record, r.golden, s.version, coalesce(s.merged_into, s.id) as root, o.version as root_version
    from r
    cross join lateral (select * from subject where id = r.record offset 0) s
    cross join lateral (select * from subject where id = coalesce(s.merged_into, s.id) offset 0) o
),
standing as materialized (  -- the greatest version of what is in a group now, by what stands for it
    select b.golden as id, max(greatest(b.version, b.root_version)) as version from before b group by 1
),
moved as (
    update subject s set merged_into = nullif(b.golden, b.record),
        version = greatest(s.version, b.root_version, g.version)
    from before b join standing g on g.id = b.golden
    where s.id = b.record
    returning s.id
),
followers as (  -- what was linked to a record before any hub saw it goes with it: groups have one level
    update subject s set merged_into = b.golden, version = greatest(s.version, g.version)
    from before b join standing g on g.id = b.golden
    where s.merged_into = b.record and b.golden <> b.record and s.id not in (select record from before)
    returning s.id
),
heads as (  -- what stands for a group and was not named itself
    update subject s set version = greatest(s.version, g.version)
    from standing g where s.id = g.id and s.id not in (select record from before)
    returning s.id
),
lanes as (
    update outbox o set lane = c.chain
    from before b
    cross join lateral (select chain from subject where id = b.golden offset 0) c
    where b.golden <> b.root and o.subject in (b.record, b.root) and o.done_at is null and o.lane <> c.chain
      and b.golden <> b.record
)
select b.record, b.golden, b.root <> b.golden as moved, c.chain
from before b cross join lateral (select chain from subject where id = b.golden offset 0) c""")


def again(connection: Connection, subjects: Collection[UUID], now: datetime) -> Counter[int]:
    """Have the newest state of each of these records processed once more, for every route; returns how many by feed.

    What is queued again is a message of its own without a body: processing reads the newest one that the key has then.
    """
    return _sent(connection, _AGAIN, subjects, now)


def _sent(connection: Connection, statement: TextClause, subjects: Collection[UUID], now: datetime) -> Counter[int]:
    if not subjects:
        return Counter()
    found = rows(connection, statement, subjects=[str(subject) for subject in sorted(subjects)], now=now)
    return Counter(row.feed_id for row in found)


_INSERT_AGAIN = """
insert into inbox (id, received_at, feed_id, scope, source_key, action, fingerprint, trace, again)
select nextval('landbridge_id'), :now, l.feed_id, l.scope, l.source_key, 'upsert', l.fingerprint, gen_random_uuid(), true
from (select * from last order by id offset 0) l
where l.action = 'upsert'
  and (  -- what was erased has nothing to be sent again
    exists (select from body where owner = l.id and kind = 'native' and at = l.received_at)
    or not exists (
        select from xref x join history h on h.subject = x.subject and h.event = 'erased'
        join feed f on f.system = x.system and f.entity = x.entity
        where f.id = l.feed_id and x.scope = l.scope and x.id = l.source_key))
  and not exists (  -- what waits to be processed brings it anyway
    select from inbox where feed_id = l.feed_id and source_key = l.source_key and scope = l.scope and not processed)
returning feed_id"""

_AGAIN = sql(f"""
with last as materialized (
    select i.* from unnest(cast(:subjects as uuid[])) as w (subject)
    cross join lateral (select * from xref where subject = w.subject and linked_by <> 'reference' offset 0) x
    join feed f on f.system = x.system and f.entity = x.entity
    cross join lateral (
        select * from inbox where feed_id = f.id and source_key = x.id and scope = x.scope and not again
        order by id desc limit 1) i
)
{_INSERT_AGAIN}""")  # noqa: S608 - constant text put together from constants


def cancel_deletes(connection: Connection, subjects: Collection[UUID], now: datetime) -> int:
    """What is alive in its group is not deleted: deletions that did not leave yet are suppressed; how many."""
    if not subjects:
        return 0
    return connection.execute(_CANCEL, {"subjects": [str(subject) for subject in subjects], "now": now}).rowcount


_CANCEL = sql("""
update outbox set state = 'suppressed', code = 'merged', done_at = :now
where lane in (select chain from subject where id = any(cast(:subjects as uuid[])))
  and subject = any(cast(:subjects as uuid[])) and action = 'delete' and done_at is null
  and state in ('ready', 'waiting')""")


def keep_references(connection: Connection, rows_: Collection[tuple[int, datetime, UUID]]) -> None:
    """Keep which records a message refers to: (message, received at, record)."""
    if rows_:
        new = records({"message": m, "at": at, "subject": str(s)} for m, at, s in rows_)
        connection.execute(_REFER, {"rows": new})


_REFER = sql("""
insert into referred (subject, message_id, received_at)
select subject, message, at from json_to_recordset(cast(:rows as json)) as r (message bigint, at timestamptz, subject uuid)
on conflict do nothing""")


def again_referring(connection: Connection, subjects: Collection[UUID], now: datetime) -> Counter[int]:
    """Have the newest state of every document that refers to these records processed once more; how many by feed.

    What its targets hold already is not written again.
    """
    return _sent(connection, _AGAIN_REFERRING, subjects, now)


_AGAIN_REFERRING = sql(f"""
with named as materialized (
    select distinct n.feed_id, n.scope, n.source_key
    from unnest(cast(:subjects as uuid[])) as w (subject)
    cross join lateral (select * from referred where subject = w.subject offset 0) f
    cross join lateral (select * from inbox where id = f.message_id and received_at = f.received_at offset 0) n
),
last as materialized (
    select i.* from named n cross join lateral (
        select * from inbox where feed_id = n.feed_id and source_key = n.source_key and scope = n.scope and not again
        order by id desc limit 1) i
)
{_INSERT_AGAIN}""")  # noqa: S608 - constant text put together from constants


def forget_references(connection: Connection, before: datetime) -> int:
    """Forget what messages referred to that are gone by now."""
    return connection.execute(_FORGET, {"before": before}).rowcount


_FORGET = sql("delete from referred where received_at < :before")


def uses(connection: Connection, subjects: Collection[UUID]) -> dict[UUID, int]:
    """How many messages refer to each of these records: what hangs off it."""
    found = rows(connection, _USES, subjects=[str(subject) for subject in subjects])
    return {row.subject: row.uses for row in found}


_USES = sql("""
select subject, count(*) as uses from referred where subject = any(cast(:subjects as uuid[])) group by subject""")
