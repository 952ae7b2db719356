"""Who is who: subjects, their versions, and the cross-reference between systems."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from landbridge.store._store import records, rows, sql
from landbridge.time import IdSource


class Key(NamedTuple):
    """A record of a system: the scoped key of the cross-reference."""

    system: str
    entity: str
    scope: str
    id: str


@dataclass(frozen=True, slots=True)
class Who:
    """The subject behind a key, and the document chain (lane) it belongs to."""

    subject: UUID
    """The record's group: the subject it was merged into, or its own."""
    chain: UUID
    lines: dict[str, str]
    """Our line keys → that system's line numbers, of a document that we delivered there; empty otherwise."""
    mentioned: bool = False
    """True where no feed and no delivery has brought the record itself yet: others only refer to it."""
    origin: UUID | None = None
    """The subject minted for this very record: what groups it may change, what refers to it says this one."""

    @property
    def record(self) -> UUID:
        """The record itself, whatever group it is in."""
        return self.origin or self.subject


@dataclass(slots=True)
class Link:
    """What a system holds of a subject: its id there, our lines' numbers, and what was delivered last."""

    subject: UUID
    scope: str
    id: str
    lines: dict[str, str]
    delivered_version: int | None
    target_version: str | None
    linked_by: str

    @property
    def origin(self) -> bool:
        """True where the record was first seen in that system: its line numbers there are our line keys."""
        return self.linked_by in ("source", "reference") and not self.lines


def lookup(connection: Connection, keys: Collection[Key]) -> dict[Key, Who]:
    """The subjects of keys that are known, merged ones followed to their survivor."""
    if not keys:
        return {}
    found = rows(connection, _LOOKUP, rows=_keys(keys))
    return {
        Key(system, entity, scope, id_): Who(subject, chain, lines or {}, mentioned, origin)
        for system, entity, scope, id_, lines, mentioned, subject, chain, origin in map(tuple, found)
    }


_LOOKUP = sql("""
select x.system, x.entity, x.scope, x.id, x.lines, x.linked_by = 'reference' as mentioned,
       coalesce(m.id, s.id) as subject, coalesce(m.chain, s.chain) as chain, s.id as origin
from json_to_recordset(cast(:rows as json)) as r (system text, entity text, scope text, id text)
cross join lateral (
    select * from xref where system = r.system and entity = r.entity and scope = r.scope and id = r.id offset 0) x
cross join lateral (select * from subject where id = x.subject offset 0) s
left join lateral (select * from subject where id = s.merged_into offset 0) m on true""")


def _keys(keys: Collection[Key]) -> str:
    return records(key._asdict() for key in keys)


def mint(
    connection: Connection,
    keys: Collection[Key],
    chains: Mapping[Key, UUID],
    ids: IdSource,
    now: datetime,
    linked_by: str,
) -> dict[Key, Who]:
    """Subjects for keys seen for the first time; a key that another worker minted meanwhile keeps that subject."""
    if not keys:
        return {}
    minted = {}
    for key in sorted(keys):  # in one order, so that two workers never wait for each other
        subject = ids()
        minted[key] = Who(subject, chains.get(key, subject), {}, linked_by == "reference", subject)
    new = records(
        {**key._asdict(), "subject": str(who.subject), "chain": str(who.chain)} for key, who in minted.items()
    )
    linked = connection.execute(_MINT, {"rows": new, "now": now, "by": linked_by}).rowcount
    return minted if linked == len(minted) else lookup(connection, keys)


_MINT = sql("""
with r as materialized (
    select * from json_to_recordset(cast(:rows as json))
        as r (system text, entity text, scope text, id text, subject uuid, chain uuid)
),
linked as (
    insert into xref (system, entity, scope, id, subject, linked_by, linked_at)
    select system, entity, scope, id, subject, :by, :now from r
    on conflict do nothing returning subject
)
insert into subject (id, entity, chain, minted_at)
select r.subject, r.entity, r.chain, :now from r join linked on linked.subject = r.subject""")


def appear(connection: Connection, keys: Collection[Key]) -> None:
    """Records that others only referred to until now came themselves."""
    if keys:
        connection.execute(_APPEAR, {"rows": _keys(keys)})


_APPEAR = sql("""
update xref x set linked_by = 'source'
from json_to_recordset(cast(:rows as json)) as r (system text, entity text, scope text, id text)
where x.system = r.system and x.entity = r.entity and x.scope = r.scope and x.id = r.id
    and x.linked_by = 'reference'""")


def next_versions(connection: Connection, counts: Mapping[UUID, int]) -> dict[UUID, int]:
    """Advance the counters of subjects and return, per subject, the first of the new versions."""
    if not counts:
        return {}
    wanted = records({"id": str(subject), "n": n} for subject, n in sorted(counts.items()))
    return {r.id: r.version - r.n + 1 for r in rows(connection, _VERSIONS, rows=wanted)}


_VERSIONS = sql("""
update subject s set version = s.version + r.n
from json_to_recordset(cast(:rows as json)) as r (id uuid, n int) where s.id = r.id
    and s.id = any(array(select id from json_to_recordset(cast(:rows as json)) as k (id uuid)))
returning s.id, s.version, r.n""")


def links(
    connection: Connection, system: str, subjects: Collection[UUID], entity: str | None = None
) -> dict[UUID, Link]:
    """What one system holds of subjects, as one entity or as any; the longest-standing id where it holds several."""
    if not subjects:
        return {}
    found = rows(connection, _LINKS, system=system, subjects=list(subjects), entity=entity)
    return {
        r.wanted: Link(r.wanted, r.scope, r.id, r.lines or {}, r.delivered_version, r.target_version, r.linked_by)
        for r in found
    }


_LINKS = sql("""
with wanted as (select unnest(cast(:subjects as uuid[])) as wanted),
cluster as (
    select wanted, wanted as subject from wanted
    union all
    select w.wanted, s.id from wanted w
    cross join lateral (select id from subject where merged_into = w.wanted offset 0) s
    union all  -- a body that was resolved before the merge still names the one that went
    select w.wanted, s.merged_into from wanted w
    cross join lateral (select merged_into from subject where id = w.wanted offset 0) s
    where s.merged_into is not null
    union all  -- and what else was merged into the same one
    select w.wanted, m.id from wanted w
    cross join lateral (select merged_into from subject where id = w.wanted offset 0) s
    cross join lateral (select id from subject where merged_into = s.merged_into offset 0) m
    where s.merged_into is not null and m.id <> w.wanted
)
select distinct on (c.wanted) c.wanted, x.scope, x.id, x.lines, x.delivered_version, x.target_version,
       x.linked_by
from cluster c
cross join lateral (
    select * from xref where subject = c.subject and system = :system
        and (cast(:entity as text) is null or entity = :entity) offset 0) x
order by c.wanted, (x.delivered_version is null), (c.subject <> c.wanted), x.linked_at, x.id""")


def link(connection: Connection, found: Sequence[tuple[Key, UUID]], now: datetime, linked_by: str) -> int:
    """Link ids of a system to subjects that exist; returns how many were new."""
    if not found:
        return 0
    new = records({**key._asdict(), "subject": str(subject)} for key, subject in found)
    return connection.execute(_LINK, {"rows": new, "now": now, "by": linked_by}).rowcount


_LINK = sql("""
insert into xref (system, entity, scope, id, subject, linked_by, linked_at)
select system, entity, scope, id, subject, :by, :now
from json_to_recordset(cast(:rows as json)) as r (system text, entity text, scope text, id text, subject uuid)
on conflict do nothing""")


def merge(connection: Connection, loser: UUID, winner: UUID) -> None:
    """Regroup: the loser's records stand for the winner from now on; its ids stay in the cross-reference."""
    connection.execute(_MERGE, {"loser": loser, "winner": winner})


_MERGE = sql("""
with last as materialized (  -- the survivor may have been merged itself, earlier in the same batch
    select s.id, s.version from subject w join subject s on s.id = coalesce(w.merged_into, w.id) where w.id = :winner
),
counted as (  -- the survivor inherits the records, so its versions go on after theirs
    update subject s set version = greatest(s.version, l.version) from subject l, last
    where s.id = last.id and l.id = :loser and last.id <> l.id
)
update subject s set merged_into = last.id from last
where (s.id = :loser or s.merged_into = :loser) and s.id <> last.id""")


def forget(connection: Connection, system: str, entity: str, ids: Sequence[str]) -> int:
    """Unlink ids of a system, as after a restore from backup or a wrong link."""
    return connection.execute(_FORGET, {"system": system, "entity": entity, "ids": list(ids)}).rowcount


_FORGET = sql("delete from xref where system = :system and entity = :entity and id = any(:ids)")


def shown(connection: Connection, subject: UUID) -> list[Any]:
    """Every id of a subject in every system, for people."""
    return rows(connection, _SHOWN, subject=subject)


_SHOWN = sql("""
select x.system, x.entity, x.scope, x.id, x.subject, x.linked_by, x.linked_at, x.delivered_version, x.target_version,
       x.lines
from xref x join subject s on s.id = x.subject
where x.subject = :subject or s.merged_into = :subject order by x.linked_at, x.system, x.id""")
