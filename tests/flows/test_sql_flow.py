"""A whole flow between two databases without an API: tables of a plant, through the engine, into a staging table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from workbench import Plain, balanced, engine, flow

from connectors.sql import Sql, SqlConfig
from landbridge import seam
from landbridge.engine import Engine
from landbridge.net import NetSettings, open_http
from landbridge.secrets import Secret
from landbridge.store import Store, control
from landbridge.time import ManualClock

PARTNERS = (
    "CREATE TABLE partners (id int PRIMARY KEY, name varchar(80) NOT NULL, credit numeric(12, 2), "
    "at timestamptz NOT NULL DEFAULT '2026-01-05 07:00Z')"
)
INBOX = (
    "CREATE TABLE inbox (id bigserial PRIMARY KEY, party text NOT NULL, credit numeric(12, 2) CHECK (credit >= 0), "
    "ref varchar(80), seq int, act varchar(10), done boolean DEFAULT false, UNIQUE (ref, seq))"
)


class Crossing:
    """A plant that is read by stamps, and a warehouse whose own program empties an interface table."""

    def __init__(self, store: Store, clock: ManualClock, new_database: Callable[..., str]) -> None:
        self.store, self.clock = store, clock
        self.urls = {name: new_database() for name in ("plant", "wms")}
        self.admin = {n: psycopg.connect(u.replace("+psycopg", ""), autocommit=True) for n, u in self.urls.items()}
        self.run("plant", PARTNERS)
        self.run("wms", INBOX)
        staging = {"sequence": "seq", "action": "act"}
        stamp = {"table": "partners", "key": "id", "changed": "at"}
        self.plant = self.sql("plant", {**stamp, "columns": ["id", "name", "credit", "at"]})
        self.wms = self.sql("wms", {"table": "inbox", "key": "id", "reference": "ref", "staging": staging})

    def sql(self, name: str, entity: dict[str, Any]) -> Sql:
        raw = {"url": Secret.plain(self.urls[name]), "entities": {"customer": entity}, "page_size": 20, "batch": 20}
        config = SqlConfig.model_validate(raw)
        made = Sql(name, config, open_http(name, config, NetSettings(read=5), clock=self.clock), self.clock)
        made.declared = {"customer": None}  # type: ignore[method-assign,assignment]  # the workbench asks for the names
        return made

    def run(self, where: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        found = self.admin[where].execute(statement, values or None)  # type: ignore[call-overload]  # a test's own text
        return list(found.fetchall()) if found.description else []

    def engine(self) -> Engine:
        """A fresh worker."""
        inward = Plain(read=lambda native, _: {"name": native["name"], "credit": str(native["credit"])})
        outward = Plain(write=lambda body, _: {"party": body["name"], "credit": body["credit"]})
        mappings = {("plant", "customer"): inward, ("wms", "customer"): outward}
        systems: list[Any] = [self.plant, self.wms]
        flows = [flow("partners", "plant", "customer", "wms")]
        return engine(self.store, self.clock, systems, flows, mappings)

    def staged(self) -> list[tuple[Any, ...]]:
        return self.run("wms", "SELECT party, credit, seq, act FROM inbox ORDER BY id")

    def close(self) -> None:
        for system in (self.plant, self.wms):
            system.close()
        for each in self.admin.values():
            each.close()


@pytest.fixture
def crossing(store: Store, clock: ManualClock, new_database: Callable[..., str]) -> Iterator[Crossing]:
    made = Crossing(store, clock, new_database)
    yield made
    made.close()


def fill(crossing: Crossing, n: int) -> None:
    crossing.run("plant", "INSERT INTO partners SELECT i, 'Partner ' || i, i / 4.0 FROM generate_series(1, %s) i", n)


def test_what_changes_in_the_plant_is_staged_once_per_version(crossing):
    fill(crossing, 90)
    made = crossing.engine()
    made.run("partners")
    assert len(crossing.staged()) == 90
    made.run("partners")
    assert len(crossing.staged()) == 90, "the overlap was staged again"
    crossing.run("plant", "UPDATE partners SET credit = 99.99, at = '2026-01-05 07:30Z' WHERE id = 7")
    crossing.run("plant", "UPDATE partners SET credit = -1, at = '2026-01-05 07:30Z' WHERE id = 8")
    crossing.clock.advance(3600)
    made.run("partners")
    assert [(p, str(c), s, a) for p, c, s, a in crossing.staged()[90:]] == [("Partner 7", "99.99", 2, "update")]
    [row] = balanced(made)
    assert (row.delivered, row.dead) == (91, 1), "the check constraint of the staging table"


@pytest.mark.parametrize("step", range(1, 31, 2))
def test_a_worker_that_dies_anywhere_stages_each_version_once(crossing, step):
    fill(crossing, 50)
    left = step

    class Death(BaseException):
        """The worker is gone."""

    def die(kind: str, what: str) -> None:
        nonlocal left
        left -= kind in ("send", "receive", "commit")
        if left == 0:
            left = -1
            raise Death

    try:
        with seam.install(die):
            crossing.engine().run("partners")
    except Death:
        pass
    crossing.clock.advance(1300)
    made = crossing.engine()
    made.run("partners")
    crossing.clock.advance(1300)
    made.run("partners")
    assert Counter(party for party, *_ in crossing.staged()) == {f"Partner {n}": 1 for n in range(1, 51)}
    assert balanced(made)[0].delivered == 50


def test_a_column_that_is_renamed_in_the_source_stops_the_run_and_nothing_is_half_read(crossing):
    fill(crossing, 50)
    made = crossing.engine()
    made.run("partners")
    crossing.run("plant", "ALTER TABLE partners RENAME COLUMN credit TO credit_limit")
    crossing.run("plant", "UPDATE partners SET name = name || '!', at = '2026-01-05 07:30Z'")
    with pytest.raises(Exception, match="credit") as told:
        made.run("partners")
    assert "check --live" in str(told.value) or "credit_limit" in str(told.value)
    assert len(crossing.staged()) == 50
    crossing.run("plant", "ALTER TABLE partners RENAME COLUMN credit_limit TO credit")
    crossing.clock.advance(60)
    made.run("partners")
    assert len(crossing.staged()) == 100, "every change that came meanwhile"
    assert balanced(made)[0].dead == 0


def test_a_column_that_is_renamed_in_the_target_pauses_the_flow_and_makes_no_dead_letter(crossing):
    fill(crossing, 5)
    made = crossing.engine()
    made.run("partners")
    crossing.run("wms", "ALTER TABLE inbox RENAME COLUMN party TO partner")
    crossing.run("plant", "UPDATE partners SET name = name || '!', at = '2026-01-05 07:30Z'")
    made.run("partners")
    [row] = balanced(made)
    assert (row.delivered, row.dead, row.in_flight) == (5, 0, 5)
    crossing.run("wms", "ALTER TABLE inbox RENAME COLUMN partner TO party")
    with crossing.store.transaction("resume") as connection:
        assert "partners" in control.paused(connection)
        control.resume(connection, "partners", crossing.clock.now())
    crossing.clock.advance(120)
    made.run("partners")
    assert len(crossing.staged()) == 10
