"""The engine and Bulk API 2.0: thousands of waiting rows are one job, asked about in one call, through every death."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from memory import Memory
from sqlalchemy import text
from workbench import balanced, engine, flow

from landbridge import seam
from landbridge.connector import Entity, Page, Registry, Row
from landbridge.engine import Engine
from landbridge.net import NetSettings, open_http
from landbridge.store import Store
from landbridge.time import ManualClock
from sandbox._base import Clock, serve
from sandbox.salesforce import SalesforceSandbox

SECRET = "s3cret-of-a-consumer"
REFERENCE = "Landbridge_Id__c"


class Shop(Memory):
    """A source with large pages."""

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        rows = self.rows.get(entity, [])
        for at in range(int(since or 0), len(rows), 1000):
            yield Page(rows[at : at + 1000], str(at + len(rows[at : at + 1000])))


class Crossing:
    """A shop whose customers go to an org; every claim of more than `above` rows is a job."""

    def __init__(self, store: Store, clock: ManualClock, folder: Path, above: int) -> None:
        self.clock = clock
        frozen = Clock(clock.now(), frozen=True)
        clock.watch(frozen.set)
        self.org = SalesforceSandbox(clock=frozen)
        self.org.register_client("key", SECRET)
        self.server = serve(self.org.app)
        (folder / "secret").write_text(SECRET, encoding="utf-8")
        found = Registry()["salesforce"]
        raw = {"url": self.server.url, "client_id": "key", "client_secret": f"file:{folder / 'secret'}"}
        config = found.config.model_validate({**raw, "bulk": {"read_above": 0, "write_above": above}})
        http = open_http("crm", config, NetSettings(connect=2, read=5), clock=clock)
        self.crm = found.connector("crm", config, http, clock)
        self.shop = Shop("shop", clock, customer=Entity("Customer", create="C"))
        self.store = store

    def engine(self) -> Engine:
        """A fresh worker."""
        systems: list[Any] = [self.shop, self.crm]
        self.crm.declared = {"customer": None}
        return engine(self.store, self.clock, systems, [flow("customers", "shop", "customer", "crm")])

    def put(self, n: int, **more: Any) -> None:
        """So many customers in the shop; every hundredth has a name that the org refuses."""
        for place in range(n):
            body = {
                "Name": "x" * 300 if place % 100 == 7 else f"Customer {place}",
                "Description": f'"{place}",\n茶',
                **more,
            }
            self.shop.rows.setdefault("customer", []).append(
                Row(f"C{place}", body, f"s{len(self.shop.rows.get('customer', []))}")
            )

    def receive(self, made: Engine) -> None:
        """Everything up to the outbox, so that one claim finds it all."""
        made.extract(made.parts.flows["customers"])
        made.process("shop", "customer")

    def settle(self, made: Engine, rounds: int = 30) -> None:
        """Deliver until nothing waits."""
        for _ in range(rounds):
            made.deliver()
            if not balanced(made)[0].in_flight:
                return
            self.clock.advance(30)
        raise AssertionError(balanced(made))

    def calls(self, part: str) -> list[dict[str, Any]]:
        return [each for each in self.org.app.log.last if part in each["path"]]

    def close(self) -> None:
        self.crm.close()
        self.server.stop()
        self.org.close()


@pytest.fixture
def crossing(store: Store, clock: ManualClock, tmp_path: Path) -> Iterator[Crossing]:
    made = Crossing(store, clock, tmp_path, above=100)
    yield made
    made.close()


def held(crossing: Crossing) -> Counter[str]:
    return Counter(each[REFERENCE] for each in crossing.org.records("Account"))


def test_five_thousand_waiting_rows_are_one_job_and_an_outcome_each(crossing):
    crossing.org.bulk.work = 100.0  # it is asked several times before it is through
    crossing.put(5000)
    made = crossing.engine()
    crossing.receive(made)
    crossing.org.app.log.clear()
    crossing.settle(made)
    [row] = balanced(made)
    assert (row.delivered, row.dead, row.in_flight) == (4950, 50, 0)
    assert crossing.org.count("Account") == 4950
    assert len(crossing.calls("/batches")) == 1
    assert len(crossing.org.app.log.last) < 30, "not one question per row"
    with crossing.store.reading() as connection:
        tried = dict(connection.execute(text("select outcome, count(*) from attempt group by outcome")).fetchall())
        refused = "select distinct status from attempt where outcome = 'rejected'"
        reasons = connection.execute(text(refused)).scalars().all()
    assert tried == {"accepted": 5000, "delivered": 4950, "rejected": 50}, "a question is no attempt"
    assert reasons == ["STRING_TOO_LONG"]


def test_fewer_rows_than_the_threshold_go_by_calls_of_two_hundred(crossing):
    crossing.put(100)
    made = crossing.engine()
    crossing.receive(made)
    crossing.settle(made)
    assert crossing.calls("/jobs/") == []
    assert balanced(made)[0].delivered == 99


def test_a_later_version_waits_for_the_job_that_holds_the_earlier(crossing):
    crossing.org.bulk.work = 500.0
    crossing.put(300)
    made = crossing.engine()
    crossing.receive(made)
    made.deliver()
    crossing.put(300, Description="the newest")
    crossing.receive(made)
    made.deliver()
    assert len(crossing.calls("/batches")) == 1
    crossing.settle(made, rounds=60)
    assert {each["Description"] for each in crossing.org.records("Account")} == {"the newest"}
    assert set(held(crossing).values()) == {1}


class Death(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("step", range(1, 16))
def test_a_worker_that_dies_anywhere_on_the_way_leaves_one_effect(crossing, step):
    crossing.put(300)
    made = crossing.engine()
    crossing.receive(made)
    left = step

    def die(kind: str, what: str) -> None:
        nonlocal left
        if kind in ("send", "receive", "commit") and left:
            left -= 1
            if not left:
                raise Death

    try:
        with seam.install(die):
            crossing.settle(made)
    except Death:
        pass
    crossing.clock.advance(1300)  # lease and settle time
    crossing.settle(crossing.engine())
    [row] = balanced(made)
    assert (row.delivered, row.dead, row.in_flight) == (297, 3, 0)
    assert len(held(crossing)) == 297
    assert set(held(crossing).values()) == {1}
