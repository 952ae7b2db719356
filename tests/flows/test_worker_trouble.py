"""A worker's log while something is wrong: a line when it begins, a line when it is over, and no page in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from memory import Memory
from sqlalchemy import make_url, text
from test_worker import CUSTOMER, at_work, until
from workbench import engine, flow

from landbridge.errors import Unavailable
from landbridge.store import away
from landbridge.worker import Worker
from landbridge.worker._trouble import LONGEST, Trouble


@contextmanager
def nobody_lets_us_in(url: str) -> Iterator[None]:
    """The database ends every connection and takes no new one until the block ends."""
    whole = make_url(url).set(drivername="postgresql")
    admin = whole.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'alter database "{whole.database}" with allow_connections false')
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [whole.database]
        )
        try:
            yield
        finally:
            connection.execute(f'alter database "{whole.database}" with allow_connections true')


@pytest.fixture
def made(store: Any, clock: Any) -> Any:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    feed = {"from": "crm", "entity": "customer", "fastest": "1s", "every": "1s"}
    return engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp", extract=feed)])


def test_a_store_that_is_away_is_two_lines_and_then_the_work_goes_on(made, clock, database_url, caplog):
    def stands(name: str) -> bool:
        clock.advance(1)
        return any(one.header["name"] == name for one in made.parts.systems["erp"].effects("customer"))

    made.parts.systems["crm"].put("customer", "C1", {"name": "before"})
    with caplog.at_level(logging.INFO, logger="landbridge"), at_work(Worker(made)):
        until(lambda: stands("before"))
        with nobody_lets_us_in(database_url):
            until(lambda: any("is away" in record.getMessage() for record in caplog.records))
            made.parts.systems["crm"].put("customer", "C2", {"name": "meanwhile"})
            for _ in range(20):
                clock.advance(1)
                time.sleep(0.1)
        until(lambda: stands("meanwhile"))
        until(lambda: any(record.getMessage() == "the store is back" for record in caplog.records))
    lines = [record for record in caplog.records if record.name.startswith("landbridge.worker")]
    said = [record.getMessage() for record in lines]
    assert [one for one in said if "is away" in one or "is back" in one] == [
        "the store is away; what waits is kept, and goes on when it is back", "the store is back",
    ], said  # fmt: skip
    assert not [record for record in lines if record.exc_info], "a traceback says nothing that the line does not"
    assert len(said) <= 4, said
    assert next(record for record in lines if "is away" in record.getMessage()).why


def test_whether_the_store_is_away_is_told_from_a_statement_that_it_refuses(store):
    with pytest.raises(Exception) as refused, store.reading() as connection:
        connection.execute(text("select 1 / 0"))
    assert away(refused.value) is None
    assert away(ValueError("x")) is None
    with pytest.raises(psycopg.OperationalError) as gone:
        psycopg.connect("host=127.0.0.1 port=1 connect_timeout=1 user=u password=c4n4ry")
    told = away(gone.value)
    assert told is not None and "\n" not in told and "c4n4ry" not in told


def test_the_same_failure_is_told_at_powers_of_two_and_once_when_it_is_over(caplog):
    trouble = Trouble()
    with caplog.at_level(logging.INFO):
        rests = [trouble.met("read crm customer", Unavailable("crm: 503"), system="crm") for _ in range(20)]
        trouble.met("read erp customer", Unavailable("erp: 503"), system="erp")
        trouble.over("read crm customer")
        trouble.over("read crm customer")
        trouble.met("read crm customer", Unavailable("crm: 502"), system="crm")
    said = [(record.getMessage(), getattr(record, "times", 1)) for record in caplog.records]
    assert said == [
        *(("crm: 503", times) for times in (1, 2, 4, 8, 16)), ("erp: 503", 1), ("it works again", 20), ("crm: 502", 1),
    ]  # fmt: skip
    assert rests == sorted(rests) and rests[-1] == LONGEST
    assert {record.system for record in caplog.records if hasattr(record, "system")} == {"crm", "erp"}


def test_a_fault_of_ours_is_one_traceback_and_not_one_per_try(caplog):
    trouble = Trouble()
    with caplog.at_level(logging.INFO):
        for _ in range(9):
            trouble.met("worker-process", KeyError("a fault"))
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False, False]
