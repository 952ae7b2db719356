"""Circuit breakers: what every process knows of the systems that fail, and which one of them may try again.

No library fits: pybreaker and purgatory share a state through a store of their own (Redis; their interfaces have no
lock, so that two processes that count at once lose one), circuitbreaker shares none. All of them rest for a fixed
time, let everybody through when it is over, read the machine's clock, and wrap a call; what is to stop here is the
claim of rows, so that waiting costs a row none of its attempts. What is left of a breaker is this one table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

import landbridge.store.tables_breaker  # noqa: F401 - its table is part of the schema that migrations are held to
from landbridge.store._store import rows, sql

REMEMBERED = 500
"""Rows that a breaker remembers to have failed on, the latest."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a system's breaker stands: closed without `open_until`, open before it, then half open."""

    system: str
    failures: int
    failed: tuple[int, ...]
    opened: int
    open_until: datetime | None
    probe_until: datetime | None
    reason: str
    since: datetime

    def state(self, now: datetime) -> str:
        """`closed`, `open` or `half open`."""
        if self.open_until is None:
            return "closed"
        return "open" if self.open_until > now else "half open"


@dataclass(frozen=True, slots=True)
class Stops:
    """What keeps deliveries from beginning: paused flows and routes with their reasons, and breakers by system."""

    flows: dict[str, str]
    routes: dict[str, dict[str, str]]
    breakers: dict[str, Standing]


def stops(connection: Connection) -> Stops:
    """All that keeps deliveries from beginning, in one statement: it is asked before every delivery."""
    found = Stops({}, {}, {})
    for kind, name, cause, reason, *standing in map(tuple, rows(connection, _STOPS)):
        if kind == "flow":
            found.flows[name] = reason
        elif kind == "route":
            found.routes.setdefault(name, {})[cause] = reason
        else:
            found.breakers[name] = _standing(name, reason, *standing)
    return found


def standing(connection: Connection) -> dict[str, Standing]:
    """The breakers of systems whose last call failed."""
    return {row.system: Standing(**{**row._mapping, "failed": tuple(row.failed)}) for row in rows(connection, _ALL)}


def _standing(
    system: str,
    reason: str,
    failures: int,
    failed: list[int],
    opened: int,
    open_until: datetime | None,
    probe_until: datetime | None,
    since: datetime,
) -> Standing:
    return Standing(system, failures, tuple(failed), opened, open_until, probe_until, reason, since)


_STOPS = sql("""
select 'system' as kind, system as name, null as cause, reason, failures, failed, opened, open_until, probe_until, since
from breaker
union all
select 'flow', name, null, coalesce(reason, ''), null, null, null, null, null, null from flow where paused
union all
(select 'route', route, cause, reason, null, null, null, null, null, null from route_pause order by route, cause desc)""")
_ALL = sql("""
select system, failures, failed, opened, open_until, probe_until, reason, since from breaker order by system""")


def fail(
    connection: Connection,
    system: str,
    failed: Collection[int],
    now: datetime,
    *,
    after: int,
    rest: Callable[[int], timedelta],
    reason: str,
    alike: bool,
    probe: bool,
) -> Standing:
    """A call for these outbox rows failed; returns how the breaker stands after it.

    It opens at the `after`-th failure in a row, and again when a probe fails, for `rest(how often by now)`. A failure
    that may be a record's own (not `alike` for every record) counts once per record, so that one poison record does
    not close a system to all others. What was under way when it opened changes nothing.
    """
    connection.execute(_BEGIN, {"system": system, "now": now})
    before = Standing(**{**rows(connection, _SEE, system=system)[0]._mapping})
    if before.open_until is not None and not probe:
        return before
    new = [row for row in failed if row not in before.failed]
    failures = before.failures + (1 if alike or probe or new else 0)
    opens = probe or failures >= after > 0
    after_it = Standing(
        system,
        failures,
        (*before.failed, *new)[-REMEMBERED:],
        before.opened + opens,
        now + rest(before.opened + 1) if opens else None,
        None,
        reason.replace("\x00", "\ufffd"),
        before.since,
    )
    values = {name: getattr(after_it, name) for name in ("system", "failures", "opened", "open_until", "reason")}
    connection.execute(_FAIL, {**values, "failed": list(after_it.failed)})
    return after_it


_BEGIN = sql("insert into breaker (system, since) values (:system, :now) on conflict do nothing")
_SEE = sql("""
select system, failures, failed, opened, open_until, probe_until, reason, since from breaker
where system = :system for update""")
_FAIL = sql("""
update breaker set failures = :failures, failed = cast(:failed as bigint[]), opened = :opened, open_until = :open_until,
    probe_until = null, reason = :reason where system = :system""")


def probe(connection: Connection, system: str, now: datetime, until: datetime) -> bool:
    """Whether we may let one row through: the rest is over, and nobody else does; until then it is ours to do."""
    return bool(connection.execute(_PROBE, {"system": system, "now": now, "until": until}).rowcount)


_PROBE = sql("""
update breaker set probe_until = :until
where system = :system and open_until <= :now and (probe_until is null or probe_until <= :now)""")


def leave(connection: Connection, system: str) -> None:
    """There was no row to let through: the next one who has one may."""
    connection.execute(_LEAVE, {"system": system})


_LEAVE = sql("update breaker set probe_until = null where system = :system")


def close(connection: Connection, system: str) -> bool:
    """The system answered: nothing is held against it. Whether its breaker was open."""
    return any(row.open_until is not None for row in rows(connection, _CLOSE, system=system))


_CLOSE = sql("delete from breaker where system = :system returning open_until")
