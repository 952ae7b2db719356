"""Labels: what people said of pairs without seeing a weight, to judge the matching by; they decide nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from mdm.store._sql import rows, sql


class Row(NamedTuple):
    """One person's word on one pair."""

    a: UUID
    b: UUID
    actor: str
    entity: str
    verdict: str
    at: datetime


def keep(connection: Connection, row: Row) -> None:
    """Keep a label; the same person's later word on a pair replaces the earlier."""
    connection.execute(_KEEP, row._asdict())


_KEEP = sql("""
insert into hub_label (a, b, actor, entity, verdict, at) values (:a, :b, :actor, :entity, :verdict, :at)
on conflict (a, b, actor) do update set verdict = excluded.verdict, at = excluded.at""")


def kept(connection: Connection, entity: str) -> list[Row]:
    """Every label of an entity, by pair."""
    return [Row(*row) for row in rows(connection, _KEPT, entity=entity)]


_KEPT = sql("select a, b, actor, entity, verdict, at from hub_label where entity = :entity order by a, b, actor")


def unlabelled(connection: Connection, entity: str, actor: str, bounds: Sequence[float], most: int) -> list[Row]:
    """Pairs that this person did not label, as many from every band of weights, in an order that tells nothing."""
    found = rows(connection, _NEXT, entity=entity, actor=actor, bounds=list(bounds), most=most)
    return [Row(row.a, row.b, actor, entity, "", row.at) for row in found]


_NEXT = sql("""
select a, b, at from (
    select e.a, e.b, now() as at, md5(cast(e.a as text) || cast(e.b as text)) as dice,
           row_number() over (partition by width_bucket(e.weight, cast(:bounds as double precision[]))
                              order by md5(cast(e.a as text) || cast(e.b as text))) as n
    from hub_edge e join hub_record r on r.id = e.a
    where r.entity = :entity and not exists (
        select from hub_label where a = e.a and b = e.b and actor = :actor)) p
order by n, dice limit :most""")
