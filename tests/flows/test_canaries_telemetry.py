"""The same canaries, searched for in what goes to a collector of traces and in the lines of a program's log."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from canaries import Search
from collector import Collector, otlp
from house import House
from test_canaries import PERSONAL, SECRETS, Forgetful, go, knock, people, planted, secrets_of, told_by
from test_webhook_live import Endpoint
from test_worker import at_work, until

from landbridge import telemetry
from landbridge.telemetry import LogFormat, LogLevel, Span, begin_logs
from landbridge.telemetry._otlp import Otlp
from landbridge.time import uuid7
from landbridge.worker import Worker

pytest.importorskip("great_expectations", reason="needs the extra `quality`")
__all__ = ["planted"]

COLLECTOR_KEY = "c4n4ry-collect0r-key-66z"


@contextmanager
def listening(monkeypatch: pytest.MonkeyPatch, form: LogFormat) -> Iterator[tuple[Collector, io.StringIO]]:
    """A collector of traces, and the log as `serve` and `worker` write it, at DEBUG."""
    root, quiet = logging.getLogger(), ("alembic", "asyncio", "opentelemetry", "urllib3", "uvicorn.error")
    before, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in quiet}
    log = io.StringIO()
    with otlp() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"x-key={COLLECTOR_KEY}")
        begin_logs(form, LogLevel.debug, stream=log)
        for name in quiet:  # they may say what they like, too
            logging.getLogger(name).setLevel(logging.DEBUG)
        try:
            with telemetry.watched(Otlp()):
                yield collector, log
                telemetry.flush()
        finally:
            root.handlers[:] = before
            root.setLevel(level)
            for name, was in levels.items():
                logging.getLogger(name).setLevel(was)


def live(house: House, endpoint: Endpoint, search: Search) -> None:
    """Customers and orders go by polling and by webhook, while targets fail and repeat to us what we sent."""
    account = people(house)
    for status in (400, 401, 500):
        for system, path in (("erp", "A_BusinessPartner"), ("crm", "/query")):
            faults = house.crm.faults if system == "crm" else house.erp.faults
            faults.add({"path_regex": path, "times": 1}, "reply", status=status, **told_by(house, system, status))
        house.crm.update("Account", account, {"Description": f"{PERSONAL['Description']} {status}"})
        go(house, search, "customers_to_erp", "products_to_crm")
        house.crm.faults.clear()
        house.erp.faults.clear()
        house.tick(120)
    knock(house, endpoint, search)
    go(house, search, "customers_to_erp", "products_to_crm")
    key = quote(SECRETS["webhook token"], safe="")
    house.crm.send_outbound("Order", f"{endpoint.server.url}/hooks/crm?key={key}", fields=["Status"])
    with at_work(Worker(house.engine)):
        house.order(account, [("CHAI", 1, 18, 0)])
        until(lambda: (house.tick(1), house.erp.records("A_SalesOrder"))[1], 60)


@pytest.mark.slow
@pytest.mark.parametrize("form", LogFormat)
def test_no_canary_is_in_a_span_or_in_a_line_of_the_log(
    planted: tuple[House, Endpoint], database_url: str, monkeypatch: pytest.MonkeyPatch, form: LogFormat
) -> None:
    house, endpoint = planted
    search = Search()
    with listening(monkeypatch, form) as (collector, log):
        live(house, endpoint, search)
    search.add("spans", *collector.bodies, repr(collector.spans))
    search.add("log", log.getvalue())
    search.store(house.store)
    secrets = {*secrets_of(house, database_url), COLLECTOR_KEY}
    names = {span.name for span in collector.spans}
    assert {"receive crm sales_order", "fetch crm sales_order", "deliver erp customer", "POST"} <= names, names
    assert any(span.failed for span in collector.spans)
    lines = log.getvalue().splitlines()
    assert len(lines) > 40 and any("refused" in line for line in lines)
    assert {one.get("x-key") for one in collector.headers} == {COLLECTOR_KEY}
    assert search.hits(secrets) == []
    told = [hit for hit in search.hits(PERSONAL.values()) if hit[0] in ("spans", "log")]
    assert told == []


def test_a_leak_into_a_span_and_one_into_a_line_are_caught(
    planted: tuple[House, Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landbridge.secrets._opened", Forgetful())
    search = Search()
    with listening(monkeypatch, LogFormat.json) as (collector, log):
        leak: dict[str, Any] = {"landbridge.system": SECRETS["password"]}
        telemetry.keep(Span("deliver", uuid7(), 7, None, 1, 2, attributes=leak, failed=PERSONAL["Name"]))
        logging.getLogger("landbridge").warning(
            "it said %s", SECRETS["client secret"], extra={"why": PERSONAL["Phone"]}
        )
    search.add("spans", *collector.bodies)
    search.add("log", log.getvalue())
    found = {(place, canary) for place, canary, _ in search.hits([*SECRETS.values(), *PERSONAL.values()])}
    assert found == {
        ("spans", SECRETS["password"]), ("spans", PERSONAL["Name"]),
        ("log", SECRETS["client secret"]), ("log", PERSONAL["Phone"]),
    }  # fmt: skip
