"""Figures of stewardship: what waits and since when, what was decided and how long it had waited, what is to be known.

`counted` reads every edge and every record once: whoever asks often keeps what it gave. The rest goes by indexes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from mdm.store._sql import records, rows, sql

MOST = 20_000
"""So many decisions of an entity are looked at, the newest."""

RECENT = timedelta(days=30)
"""How far back the waiting times of decisions are told."""


class Waiting(NamedTuple):
    """Golden records that may be one, of one kind."""

    entity: str
    kind: str
    """`review`: the weight asks; `kept_apart`: it would link and may not; `again`: decided, and changed since."""
    pairs: int
    since: datetime
    """Since when the oldest of them is asked."""


def waiting(connection: Connection, thresholds: Mapping[str, tuple[float, float]]) -> list[Waiting]:
    """What waits for a steward, by entity and kind; `thresholds` are review and auto by entity."""
    wanted = records({"entity": name, "review": low, "auto": high} for name, (low, high) in thresholds.items())
    return [Waiting(*row) for row in rows(connection, _WAITING, wanted=wanted)]


_WAITING = sql("""
with wanted as materialized (
    select * from json_to_recordset(cast(:wanted as json)) as r (entity text, review double precision,
        auto double precision)
),
home as materialized (select record, golden from hub_membership where until is null),
parted as materialized (
    select e.a, e.b, e.weight, e.since, ha.golden as golden_a, hb.golden as golden_b
    from hub_edge e join home ha on ha.record = e.a join home hb on hb.record = e.b
    where ha.golden <> hb.golden and e.weight >= (select min(review) from wanted)
),
pair as (
    select w.entity, least(p.golden_a, p.golden_b) as low, greatest(p.golden_a, p.golden_b) as high,
           max(p.weight) >= w.auto as certain, min(p.since) as since,
           (array_agg(p.a order by p.weight desc, p.a, p.b))[1] as a,
           (array_agg(p.b order by p.weight desc, p.a, p.b))[1] as b
    from parted p
    cross join lateral (select entity from hub_record where id = p.a offset 0) r
    join wanted w on w.entity = r.entity and p.weight >= w.review
    group by 1, 2, 3, w.auto
),
decided as materialized (
    select least(ra.golden, rb.golden) as low, greatest(ra.golden, rb.golden) as high,
           bool_or(d.based_on is null or not (
               d.based_on ->> cast(l.a as text) is distinct from md5(cast(ra.features as text))
               or d.based_on ->> cast(l.b as text) is distinct from md5(cast(rb.features as text)))) as stands
    from hub_link l
    cross join lateral (select based_on from hub_decision where id = l.decision offset 0) d
    cross join lateral (select * from hub_record where id = l.a offset 0) ra
    cross join lateral (select * from hub_record where id = l.b offset 0) rb
    where l.kind in ('different', 'unsure', 'parent', 'child') group by 1, 2
)
select p.entity, case when d.low is not null then 'again' when p.certain then 'kept_apart' else 'review' end as kind,
       count(*) as pairs, min(case when d.low is null then p.since else c.changed end) as since
from pair p left join decided d on d.low = p.low and d.high = p.high
left join lateral (
    select max(v.recorded_at) as changed from hub_record r join hub_version v on v.record = r.id
        and v.stamp = r.stamp and v.sequence = r.sequence and v.digest = r.digest
    where r.id in (p.a, p.b)) c on d.low is not null
where d.low is null or not d.stands
group by 1, 2 order by 1, 2""")


class Size(NamedTuple):
    """How much the hub keeps of an entity."""

    entity: str
    records: int
    golden: int


def sizes(connection: Connection) -> list[Size]:
    """Records and golden records by entity; a golden record is counted at the record that gave it its id."""
    return [Size(*row) for row in rows(connection, _SIZES)]


_SIZES = sql("""
select entity, count(*) as records, count(*) filter (where golden = id) as golden
from hub_record group by entity order by entity""")


def states(connection: Connection) -> dict[str, datetime]:
    """The recorded time of each entity: while it stays, nothing about the entity has changed."""
    return {row.entity: row.at for row in rows(connection, _STATES)}


_STATES = sql("select entity, at from hub_entity")


@dataclass(frozen=True, slots=True)
class Answered:
    """How long what was decided lately had waited, in seconds."""

    decisions: int
    half: float
    """Half of them had waited no longer."""
    most: float
    """95 of 100 had waited no longer."""


def answered(connection: Connection, entity: str, now: datetime) -> Answered | None:
    """The waiting times of what was asked and was decided within `RECENT`; None where nothing was."""
    found = rows(connection, _ANSWERED, entity=entity, since=now - RECENT, most=MOST)[0]
    return Answered(found.n, found.half, found.most) if found.n else None


_ANSWERED = sql("""
select count(*) as n, percentile_cont(0.5) within group (order by waited) as half,
       percentile_cont(0.95) within group (order by waited) as most
from (
    select greatest(0, extract(epoch from at - asked_at)) as waited from (
        select at, asked_at from hub_decision where entity = :entity and at >= cast(:since as timestamptz)
        order by at desc limit :most) d
    where asked_at is not null) w""")


def decided(connection: Connection, entity: str, since: datetime) -> dict[str, int]:
    """How many decisions were made since a time, by what they said."""
    found = rows(connection, _DECIDED, entity=entity, since=since, most=MOST)
    return {row.verdict: row.n for row in found}


_DECIDED = sql("""
select verdict, count(*) as n from (
    select verdict from hub_decision where entity = :entity and at >= cast(:since as timestamptz)
    order by at desc limit :most) d
group by verdict order by verdict""")


def crowded(connection: Connection, entity: str) -> int:
    """How many records stand in crowds."""
    return int(rows(connection, _CROWDED, entity=entity)[0].n)


_CROWDED = sql("select count(*) as n from hub_record where entity = :entity and crowded")
