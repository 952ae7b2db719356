"""Rate budgets that every thread and process shares: a token bucket per system, leased in chunks."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Protocol

from landbridge.store._store import Store, sql


class _Usage(Protocol):
    @property
    def wait(self) -> float | None: ...
    @property
    def remaining(self) -> int | None: ...


class StoreBudget:
    """The budget of one system as a row: a process leases a chunk of tokens and spends it without asking again.

    `capacity` requests may be made at once, and `capacity` more in every `per` seconds. A lease that is not spent
    when its process dies is lost, never doubled: the system sees fewer calls than allowed, not more.
    """

    def __init__(self, store: Store, system: str, capacity: int, per: float, *, chunk: int | None = None) -> None:
        self._store = store
        self._system = system
        self._capacity = capacity
        self._rate = capacity / per
        self._chunk = chunk or max(1, min(50, capacity // 20))
        self._leased = 0
        self._lock = threading.Lock()

    def acquire(self, n: int = 1) -> None:
        """Return when `n` requests may be sent; waits on the store's clock."""
        with self._lock:
            while self._leased < n:
                wait = self._lease(max(n, self._chunk))
                if wait > 0:
                    self._store.clock.sleep(wait)
            self._leased -= n

    def learn(self, usage: _Usage) -> None:
        """Take note of what the system said: how long to leave it alone, or that nothing is left."""
        if usage.wait:
            until = self._store.clock.now() + timedelta(seconds=usage.wait)
            with self._store.transaction("budget") as connection:
                connection.execute(_BLOCK, {"system": self._system, "until": until})
            with self._lock:
                self._leased = 0

    def _lease(self, n: int) -> float:
        """Lease `n` tokens, or return the seconds until they are there."""
        now = self._store.clock.now()
        with self._store.transaction("budget") as connection:
            connection.execute(
                _OPEN, {"system": self._system, "capacity": self._capacity, "rate": self._rate, "now": now}
            )
            row = connection.execute(_SEE, {"system": self._system}).one()
            if row.blocked_until and row.blocked_until > now:
                return _seconds(row.blocked_until - now)
            refilled = min(float(self._capacity), float(row.tokens) + _seconds(now - row.refilled_at) * self._rate)
            taken = n if refilled >= n else 0
            connection.execute(
                _SPEND, {"system": self._system, "tokens": refilled - taken, "now": max(now, row.refilled_at)}
            )
        if taken:
            self._leased += taken
            return 0.0
        return max(0.0, min(n, self._capacity) - refilled) / self._rate + 1e-6


def _seconds(delta: timedelta) -> float:
    return max(0.0, delta.total_seconds())


_OPEN = sql("""
insert into budget (system, capacity, per_second, tokens, refilled_at) values (:system, :capacity, :rate, :capacity, :now)
on conflict (system) do update set capacity = excluded.capacity, per_second = excluded.per_second
where budget.capacity <> excluded.capacity or budget.per_second <> excluded.per_second""")
_SEE = sql("select tokens, refilled_at, blocked_until from budget where system = :system for update")
_SPEND = sql("update budget set tokens = :tokens, refilled_at = :now where system = :system")
_BLOCK = sql("""
update budget set blocked_until = greatest(coalesce(blocked_until, cast(:until as timestamptz)), :until)
where system = :system""")


def blocked_until(store: Store, system: str) -> datetime | None:
    """Until when a system asked to be left alone."""
    with store.reading() as connection:
        found: datetime | None = connection.execute(
            sql("select blocked_until from budget where system = :system"), {"system": system}
        ).scalar_one_or_none()
    return found
