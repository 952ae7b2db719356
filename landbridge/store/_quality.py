"""Quality: what waits for the gate, what it found, and how the rules did over the runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

import landbridge.store.tables_quality  # noqa: F401 - its tables are part of the schema that migrations are held to
from landbridge.errors import Finding
from landbridge.store._store import records, rows, sql


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits to be processed, as the gate looks at it."""

    id: int
    scope: str
    key: str
    body: Any


@dataclass(frozen=True, slots=True)
class Result:
    """What one rule said of a batch; `sample` holds keys of records, never values."""

    rule: str
    type: str
    severity: str
    evaluated: int
    unexpected: int
    success: bool
    observed: str | None = None
    sample: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """Rows that did not satisfy it, in percent of those it looked at."""
        return 100 * self.unexpected / self.evaluated if self.evaluated else 0.0


@dataclass(frozen=True, slots=True)
class Looked:
    """One look of the gate at what waited for a flow."""

    run: UUID
    flow: str
    rules: str
    messages: int
    invalid: int
    outcome: str
    gated_to: int
    page: str | None
    milliseconds: int
    at: datetime


# -- what waits -------------------------------------------------------------------------------------------------------


def last_waiting(connection: Connection, feed_id: int) -> tuple[int, int]:
    """How many messages of a feed wait, and the id of the last of these; (0, 0) if none does."""
    found = connection.execute(_LAST_WAITING, {"feed": feed_id}).one()
    return found.number, found.last or 0


_LAST_WAITING = sql("""
select count(*) as number, max(id) as last from inbox where feed_id = :feed and not processed""")


def waiting(connection: Connection, feed_id: int, last: int, size: int) -> Iterator[list[Waiting]]:
    """The messages of a feed that wait and bring a body, in their order up to `last`, so many at a time."""
    after = 0
    while True:
        found = rows(connection, _WAITING, feed=feed_id, after=after, last=last, limit=size)
        if not found:
            return
        after = found[-1].id
        yield [Waiting(row.id, row.scope, row.source_key, row.content) for row in found if row.action == "upsert"]


_WAITING = sql("""
select i.id, i.scope, i.source_key, i.action, b.content
from (select * from inbox where feed_id = :feed and not processed and id > :after and id <= :last
      order by id limit :limit) i
left join lateral (
    select content from body where owner = i.id and kind = 'native' and at = i.received_at offset 0) b on true
order by i.id""")


# -- what was found ---------------------------------------------------------------------------------------------------


def forget_findings(connection: Connection, flow: str, feed_id: int, last: int) -> None:
    """Forget what an earlier look found wrong with messages up to `last` that still wait; what is put next replaces it."""
    connection.execute(_FORGET, {"flow": flow, "feed": feed_id, "last": last})


_FORGET = sql("""
delete from quality_finding where flow = :flow
    and message_id in (select id from inbox where feed_id = :feed and not processed and id <= :last)""")


def put_findings(connection: Connection, flow: str, found: Mapping[int, Sequence[Finding]], now: datetime) -> None:
    """Keep what is wrong with messages until they are processed; of one that was processed meanwhile nothing is kept."""
    if found:
        told = records(
            {"message_id": id_, "findings": [one.as_dict() for one in findings]} for id_, findings in found.items()
        )
        connection.execute(_PUT_FINDINGS, {"flow": flow, "now": now, "rows": told})


_PUT_FINDINGS = sql("""
insert into quality_finding (message_id, flow, findings, at)
select message_id, :flow, findings, :now from json_to_recordset(cast(:rows as json)) as r (message_id bigint, findings json)
where exists (select from inbox i where i.id = r.message_id and not i.processed)
on conflict (message_id, flow) do update set findings = excluded.findings, at = excluded.at""")


def take_findings(connection: Connection, ids: Sequence[int]) -> dict[tuple[str, int], list[Finding]]:
    """What the gate found wrong with these messages, by flow and message; it is taken: a replay is looked at anew."""
    found = rows(connection, _TAKE, ids=list(ids))
    return {(row.flow, row.message_id): [Finding(**one) for one in row.findings] for row in found}


_TAKE = sql("delete from quality_finding where message_id = any(:ids) returning flow, message_id, findings")


# -- results ----------------------------------------------------------------------------------------------------------


def put_run(connection: Connection, looked: Looked, results: Sequence[Result]) -> None:
    """Keep one look of the gate with the result of every rule; a repeated look of the same run replaces it."""
    one = {name: getattr(looked, name) for name in Looked.__slots__}
    connection.execute(_DROP_RESULTS, {"run": looked.run, "flow": looked.flow})
    connection.execute(_PUT_RUN, one)
    told = records(
        {
            "rule": result.rule,
            "type": result.type,
            "severity": result.severity,
            "evaluated": result.evaluated,
            "unexpected": result.unexpected,
            "success": result.success,
            "observed": result.observed,
            "sample": list(result.sample),
            "position": position,
        }
        for position, result in enumerate(results)
    )
    connection.execute(_PUT_RESULTS, {"run": looked.run, "flow": looked.flow, "rows": told})


_DROP_RESULTS = sql("delete from quality_result where run = :run and flow = :flow")
_PUT_RUN = sql("""
insert into quality_run (run, flow, rules, messages, invalid, outcome, gated_to, page, milliseconds, at)
values (:run, :flow, :rules, :messages, :invalid, :outcome, :gated_to, :page, :milliseconds, :at)
on conflict (run, flow) do update set messages = excluded.messages, invalid = excluded.invalid,
    outcome = excluded.outcome, gated_to = excluded.gated_to, page = excluded.page,
    milliseconds = excluded.milliseconds, at = excluded.at""")
_PUT_RESULTS = sql("""
insert into quality_result (run, flow, rule, type, severity, evaluated, unexpected, success, observed, sample, position)
select :run, :flow, rule, type, severity, evaluated, unexpected, success, observed, sample, position
from json_to_recordset(cast(:rows as json)) as r (
    rule text, type text, severity text, evaluated int, unexpected int, success boolean, observed text, sample json,
    position int)""")


def last_runs(connection: Connection, flow: str, number: int) -> list[Looked]:
    """The last looks of the gate at a flow, the newest first."""
    return [Looked(*tuple(row)) for row in rows(connection, _LAST_RUNS, flow=flow, number=number)]


_LAST_RUNS = sql("""
select run, flow, rules, messages, invalid, outcome, gated_to, page, milliseconds, at
from quality_run where flow = :flow order by at desc limit :number""")


def last_stop(connection: Connection, flow: str) -> int:
    """The last message that the gate had looked at when it last stopped a flow; 0 if it never did."""
    return int(connection.execute(_LAST_STOP, {"flow": flow}).scalar_one())


_LAST_STOP = sql("select coalesce(max(gated_to), 0) from quality_run where flow = :flow and outcome = 'stopped'")


def results(connection: Connection, flow: str, runs: Sequence[UUID]) -> dict[UUID, list[Result]]:
    """The results of these runs of a flow, in the order of its rules."""
    found: dict[UUID, list[Result]] = {run: [] for run in runs}
    for row in rows(connection, _RESULTS, flow=flow, runs=list(runs)):
        found[row.run].append(
            Result(
                row.rule, row.type, row.severity, row.evaluated, row.unexpected, row.success, row.observed,
                tuple(row.sample),
            )
        )  # fmt: skip
    return found


_RESULTS = sql("""
select run, rule, type, severity, evaluated, unexpected, success, observed, sample
from quality_result where flow = :flow and run = any(:runs) order by run, position""")


def drop_older(connection: Connection, before: datetime) -> list[str]:
    """Remove the results of runs before an instant; returns the pages that belonged to them."""
    pages = [row.page for row in rows(connection, _DROP_RUNS, before=before) if row.page]
    connection.execute(_DROP_FINDINGS, {"before": before})
    return pages


_DROP_RUNS = sql("""
with gone as (delete from quality_run where at < :before returning run, flow, page),
     told as (delete from quality_result r using gone g where r.run = g.run and r.flow = g.flow)
select page from gone""")
_DROP_FINDINGS = sql("""
delete from quality_finding f where f.at < :before
    and not exists (select from inbox i where i.id = f.message_id and not i.processed)""")
