"""Components of linked records: reached from what changed, fetched with everything that grouping them needs."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._sql import fragment, records, rows, run, sql


@dataclass(slots=True)
class Found:
    """A record of a component, with the version that gives its content."""

    id: UUID
    golden: UUID
    system: str
    scope: str
    key: str
    stamp: datetime | None
    sequence: int
    digest: str
    deleted: bool
    parent: UUID | None
    crowded: bool
    features: Mapping[str, Any]
    body: Mapping[str, Any]


class Held(NamedTuple):
    """A pin that stands on a record."""

    record: UUID
    id: UUID
    attribute: str
    value: Any
    losing: str | None
    at: datetime
    by: str


class Latest(NamedTuple):
    """The newest version of a golden record."""

    version: int
    state: str
    hash: str
    lineage: str
    """SHA-256 of its lineage as it is written."""


@dataclass(slots=True)
class Component:
    """Records that hang together, possibly several components of them; complete unless `crowded`."""

    records: dict[UUID, Found] = field(default_factory=dict)
    numbers: dict[int, UUID] = field(default_factory=dict)
    edges: list[tuple[int, int, float]] = field(default_factory=list)
    """Between records by their numbers: a dense component has as many edges as it has pairs."""
    links: list[tuple[UUID, UUID, str]] = field(default_factory=list)
    pins: list[Held] = field(default_factory=list)
    golden: dict[UUID, Latest] = field(default_factory=dict)


def component(connection: Connection, seeds: Collection[UUID], auto: float, most: int) -> Component | None:
    """Everything that hangs together with these records; None where that is a crowd, or more than `most`."""
    found = rows(connection, _COMPONENT, seeds=list(seeds), auto=auto, most=most)
    return None if any(row.kind == "crowd" for row in found) else _read(found)


def gather(connection: Connection, ids: Collection[UUID], apart_from: Collection[UUID] = ()) -> Component:
    """These records with what lies between them; of `apart_from`, records of a crowd, without their edges."""
    return _read(rows(connection, _GATHER, ids=list(ids), crowd=list(apart_from)))


_BETWEEN = """
select 'record' as kind, r.id as a, r.golden as b, got.n, json_build_object('system', r.system, 'scope', r.scope,
    'key', r.key, 'stamp', r.stamp, 'sequence', r.sequence, 'digest', encode(r.digest, 'hex'), 'deleted', r.deleted,
    'parent', r.parent, 'crowded', r.crowded, 'features', r.features, 'body', v.body) as doc,
    cast(null as bytea) as pairs
from got cross join lateral (select * from hub_record where id = got.id offset 0) r
left join lateral (select body from hub_version where record = r.id and stamp = r.stamp and sequence = r.sequence
    and digest = r.digest offset 0) v on true
union all
select 'edges', null, null, null, null, string_agg(int4send(got.n) || int4send(other.n) || float8send(e.weight), '')
from got cross join lateral (select b, weight from hub_edge where a = got.id offset 0) e
join got other on other.id = e.b
where got.whole and other.whole
union all
select 'link', l.a, l.b, null, json_build_object('kind', l.kind, 'id', d.id, 'attribute', d.attribute,
    'value', d.value, 'losing', d.losing, 'at', d.at, 'by', d.actor), null
from got cross join lateral (select * from hub_link where a = got.id offset 0) l
left join lateral (select * from hub_decision where id = l.decision and l.kind = 'pin' offset 0) d on true
where l.b in (select id from got)
union all
select 'golden', got.id, null, g.version, json_build_object('state', g.state, 'hash', g.hash,
    'lineage', encode(sha256(convert_to(cast(g.lineage as text), 'UTF8')), 'hex')), null
from got cross join lateral (select * from hub_golden where id = got.id order by version desc limit 1) g"""

_NEXT = """
    select e.b as id, false as joined from hub_edge e where e.a = <from> and e.weight >= :auto
        and not exists (select from hub_link d where d.a = e.a and d.b = e.b and d.kind in <parted>)
    union all
    select e.a, false from hub_edge e where e.b = <from> and e.weight >= :auto
        and not exists (select from hub_link d where d.a = e.a and d.b = e.b and d.kind in <parted>)
    union all
    select l.b, l.kind = 'same' from hub_link l where l.a = <from> and (l.kind = 'same' or l.kind = 'told'
        and not exists (select from hub_link d where d.a = l.a and d.b = l.b and d.kind in <parted>))
    union all
    select l.a, l.kind = 'same' from hub_link l where l.b = <from> and (l.kind = 'same' or l.kind = 'told'
        and not exists (select from hub_link d where d.a = l.a and d.b = l.b and d.kind in <parted>))"""
_PARTED = "('different', 'parent', 'child')"
# What stewards parted is reached too: the partition knows better, and asking per edge costs more than reading more.
_NEAR = """
    select e.b as id from hub_edge e where e.a = r.id and e.weight >= :auto
    union all
    select e.a from hub_edge e where e.b = r.id and e.weight >= :auto
    union all
    select l.b from hub_link l where l.a = r.id and l.kind in ('same', 'told')
    union all
    select l.a from hub_link l where l.b = r.id and l.kind in ('same', 'told')"""

_COMPONENT = sql(
    """
with recursive reach (id) as (
    select unnest(cast(:seeds as uuid[]))
    union
    select n.id from reach r
    cross join lateral (select 1 from hub_record where id = r.id and not crowded offset 0) calm
    cross join lateral (<near>) n
),
reached as materialized (select id from reach limit :most),
crowd as materialized (
    select (select count(*) from reached) >= :most or exists (
        select from reached cross join lateral (
            select crowded from hub_record where id = reached.id offset 0) r where r.crowded) as it_is
),
got as materialized (
    select id, true as whole, cast(row_number() over () as int) as n from reached where not (select it_is from crowd)
)
select 'crowd' as kind, cast(null as uuid) as a, cast(null as uuid) as b, cast(null as int) as n,
       cast(null as json) as doc, cast(null as bytea) as pairs from crowd where it_is
union all
<between>""",
    between=_BETWEEN,
    near=_NEAR,
)
_GATHER = sql(
    """
with got as materialized (
    select id, not (id = any(cast(:crowd as uuid[]))) as whole, cast(n as int) as n
    from unnest(cast(:ids as uuid[])) with ordinality as g (id, n)
)
<between>""",
    between=_BETWEEN,
)


class Step(NamedTuple):
    """One link found on the way: from a record to a neighbour."""

    of: UUID
    id: UUID
    crowded: bool
    joined: bool
    """By a steward: such links are always followed."""


def neighbours(connection: Connection, frontier: Collection[UUID], auto: float) -> list[Step]:
    """Every neighbour of these records by an automatic edge or a link."""
    return [Step(*row) for row in rows(connection, _NEIGHBOURS, ids=list(frontier), auto=auto)]


_NEIGHBOURS = sql(
    """
select f.id as of, n.id, r.crowded, n.joined from unnest(cast(:ids as uuid[])) as f (id)
cross join lateral (select m.id, bool_or(m.joined) as joined from (<next>) m group by m.id) n
cross join lateral (select crowded from hub_record where id = n.id offset 0) r""",
    next=_NEXT,
    **{"from": "f.id", "parted": _PARTED},
)


def crowded(connection: Connection, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Which of these records the hub knows, and whether they stand in a crowd."""
    return {row.id: row.crowded for row in rows(connection, _CROWDED, ids=list(ids))}


_CROWDED = sql("select id, crowded from hub_record where id = any(cast(:ids as uuid[]))")


_EDGES = struct.Struct(">iid")


def _read(found: Iterable[Any]) -> Component:
    made = Component()
    for kind, a, b, n, doc, pairs in map(tuple, found):
        if kind == "record":
            made.records[a] = _record(a, b, doc)
            made.numbers[n] = a
        elif kind == "edges":
            made.edges = list(_EDGES.iter_unpack(pairs or b""))
        elif kind == "link" and doc["kind"] == "pin":
            at = datetime.fromisoformat(doc["at"])
            made.pins.append(Held(a, UUID(doc["id"]), doc["attribute"], doc["value"], doc["losing"], at, doc["by"]))
        elif kind == "link":
            made.links.append((a, b, doc["kind"]))
        else:
            made.golden[a] = Latest(n, doc["state"], doc["hash"], doc["lineage"])
    return made


def _record(id_: UUID, golden: UUID, doc: Mapping[str, Any]) -> Found:
    return Found(
        id_,
        golden,
        doc["system"],
        doc["scope"],
        doc["key"],
        None if doc["stamp"] is None else datetime.fromisoformat(doc["stamp"]),
        doc["sequence"] or 0,
        doc["digest"] or "",
        doc["deleted"],
        None if doc["parent"] is None else UUID(doc["parent"]),
        doc["crowded"],
        doc["features"],
        doc["body"] or {},
    )


@dataclass(frozen=True, slots=True)
class Version:
    """One more version of a golden record."""

    id: UUID
    version: int
    state: str
    values: bytes
    lineage: bytes
    quality: bytes
    hash: str


def sealed(lineage: bytes) -> str:
    """What `Latest.lineage` is of a lineage as it is written."""
    return hashlib.sha256(lineage).hexdigest()


class Changed(NamedTuple):
    """What publishing is told."""

    golden: UUID
    version: int
    kind: str
    successor: UUID | None = None


class Notice(NamedTuple):
    """What a steward is told; without detail, that it is no longer so."""

    kind: str
    about: UUID
    detail: Mapping[str, Any] | None


@dataclass(slots=True)
class Outcome:
    """Everything that one transaction writes after it has regrouped."""

    moved: dict[UUID, tuple[UUID, bool]] = field(default_factory=dict)
    """Record → its golden record, and whether it stands in a crowd; those where either changed."""
    joined: dict[UUID, UUID] = field(default_factory=dict)
    """Record → its golden record, where that changed or the record is new."""
    versions: list[Version] = field(default_factory=list)
    changes: list[Changed] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def settle(connection: Connection, entity: str, at: datetime, policy: str, outcome: Outcome) -> None:
    """Write grouping, membership, golden versions, changes and notices, in one statement."""
    moved = ({"record": str(r), "golden": str(g), "crowded": c} for r, (g, c) in outcome.moved.items())
    changes = (
        {
            "n": n,
            "golden": str(one.golden),
            "version": one.version,
            "kind": one.kind,
            "successor": one.successor and str(one.successor),
        }
        for n, one in enumerate(outcome.changes)
    )
    run(
        connection,
        _SETTLE,
        entity=entity,
        at=at,
        policy=policy,
        moved=records(moved),
        joined=records({"record": str(r), "golden": str(g)} for r, g in outcome.joined.items()),
        versions=records(_version(one) for one in outcome.versions),
        changes=records(changes),
        notices=records({"kind": n.kind, "about": str(n.about), "detail": n.detail} for n in outcome.notices),
    )


_SETTLE = sql("""
with moved as (
    update hub_record h set golden = r.golden, crowded = r.crowded
    from json_to_recordset(cast(:moved as json)) as r (record uuid, golden uuid, crowded bool) where h.id = r.record
),
joined as materialized (select * from json_to_recordset(cast(:joined as json)) as r (record uuid, golden uuid)),
ended as (
    update hub_membership m set until = :at from joined j
    where m.record = j.record and m.until is null
),
begun as (insert into hub_membership (record, since, golden) select record, :at, golden from joined),
versions as (
    insert into hub_golden (id, version, entity, at, state, values, lineage, quality, hash, policy)
    select id, version, :entity, :at, state, values, lineage, quality, hash, :policy
    from json_to_recordset(cast(:versions as json)) as r (id uuid, version int, state text, values json, lineage json,
        quality json, hash text)
),
noticed as materialized (
    select * from json_to_recordset(cast(:notices as json)) as r (kind text, about uuid, detail json)
),
over as (
    delete from hub_notice n using noticed where n.kind = noticed.kind and n.about = noticed.about
        and noticed.detail is null
),
noted as (
    insert into hub_notice (kind, about, entity, detail, since)
    select kind, about, :entity, detail, :at from noticed where detail is not null
    on conflict (kind, about) do update set detail = excluded.detail
)
insert into hub_change (entity, golden, version, kind, at, successor)
select :entity, golden, version, kind, :at, successor
from json_to_recordset(cast(:changes as json)) as r (n int, golden uuid, version int, kind text, successor uuid)
order by n""")


def _version(one: Version) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "version": one.version,
        "state": one.state,
        "values": fragment(one.values),
        "lineage": fragment(one.lineage),
        "quality": fragment(one.quality),
        "hash": one.hash,
    }
