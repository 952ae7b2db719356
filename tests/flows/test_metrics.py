"""Metrics, status, pause of a system and drain: what monitoring and operators see is what the store holds."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from memory import Memory
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from workbench import engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.errors import Denied, Rejected, Unavailable
from landbridge.metrics import METRICS, exposition
from landbridge.store import control
from landbridge.strict import json
from landbridge.time import uuid7

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)


@pytest.fixture
def company(store: Any, clock: Any) -> Any:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    return engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])


@pytest.fixture
def desk(company: Any, tmp_path: Path, monkeypatch: Any, capsys: Any) -> Desk:
    return Desk(company, tmp_path, monkeypatch, capsys, Canonical({}))


def put(company: Any, *keys: str) -> None:
    for key in keys:
        company.parts.systems["crm"].put("customer", key, {"name": key})


def read(store: Any) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    families = text_string_to_metric_families(exposition(store).decode())
    samples = [one for family in families for one in family.samples]
    return {(one.name, *(one.labels[label] for label in METRICS[one.name][1])): one.value for one in samples}


def test_every_metric_says_what_the_store_holds(company: Any, store: Any, clock: Any) -> None:
    put(company, "C1", "C2", "C3")
    company.parts.systems["erp"].script = [None, Rejected("no group", hint="")]
    company.run("customers")
    clock.advance(90)
    put(company, "C4")
    company.extract(company.parts.flows["customers"])
    clock.advance(30)
    found = read(store)
    assert found["landbridge_messages", "customers", "customers/erp", "dead"] == 1
    assert found["landbridge_received_waiting", "crm", "customer"] == 1
    assert found["landbridge_lag_seconds", "customers"] == 30
    assert found["landbridge_feed_read_age_seconds", "crm", "customer"] == 30
    assert found["landbridge_delivered_last_hour", "customers"] == 2
    assert found["landbridge_failed_last_hour", "customers"] == 1
    assert found["landbridge_attempts_recent", "delivered"] == 2
    assert found["landbridge_flow_paused", "customers"] == 0
    assert ("landbridge_breaker_open", "erp") not in found
    company.process("crm", "customer")
    assert read(store)["landbridge_oldest_open_seconds", "customers"] == 30
    company.parts.systems["erp"].script = [Unavailable("down")] * 6
    for n in range(6):
        company.deliver()
        clock.advance(60)
        assert read(store)["landbridge_breaker_open", "erp"] == (n >= 4)
    clock.advance(7200)
    later = read(store)
    assert later["landbridge_delivered_last_hour", "customers"] == 0
    assert ("landbridge_attempts_recent", "delivered") not in later


def test_every_metric_is_documented_and_no_other(root: Path) -> None:
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(landbridge_\w+)`", page)) == set(METRICS)
    for name, (_, labels) in METRICS.items():
        [line] = [line for line in page.splitlines() if f"`{name}`" in line and line.startswith("|")]
        assert all(f"`{label}`" in line for label in labels), name


def test_a_scrape_reads_no_table_whole(company: Any, store: Any) -> None:
    """The plans of the statements that read history go by an index: nothing is as dear as what was ever delivered."""
    from landbridge.store import _figures

    with store.reading() as connection:
        for statement in (_figures._OPEN, _figures._OLDEST, _figures._HOUR, _figures._ATTEMPTS, _figures._FEEDS):
            bound = text(f"explain {statement.text}")
            given = {"since": store.clock.now()} if ":since" in statement.text else {}
            plan = "\n".join(connection.execute(bound, given).scalars())
            whole = re.findall(r"Seq Scan on (outbox|inbox\w*|attempt\w*|body\w*|run)\b", plan)
            assert not whole, plan


def test_status_tells_lag_pace_and_the_last_reconcile(company: Any, desk: Desk, clock: Any) -> None:
    put(company, "C1", "C2")
    company.parts.systems["erp"].script = [Rejected("no group", hint="")]
    company.run("customers")
    put(company, "C3")
    company.extract(company.parts.flows["customers"])
    clock.advance(600)
    [one] = json.loads(desk("status", "--json").out.encode())
    assert (one["lag_seconds"], one["delivered_last_hour"], one["failed_last_hour"]) == (600, 1, 1)
    assert float(one["error_rate"]) == 0.5
    assert one["last_reconcile"] is None
    assert one["oldest_open_seconds"] == 600, "what waits in the inbox counts"
    heading, line = desk("status").out.splitlines()
    columns = re.split(r" {2,}", heading)
    shown = {name: line[heading.index(name) :].partition("  ")[0] for name in columns}
    told = {name: shown[name] for name in ("lag", "oldest open", "delivered/h", "failed/h", "error rate")}
    assert told == {
        "lag": "10 min",
        "oldest open": "10 min",
        "delivered/h": "1",
        "failed/h": "1",
        "error rate": "50.0%",
    }
    clock.advance(3600)
    company.run("customers")
    [later] = json.loads(desk("status", "--json").out.encode())
    assert (later["lag_seconds"], later["oldest_open_seconds"], later["error_rate"]) == (None, None, 0.0)
    assert (later["delivered_last_hour"], later["failed_last_hour"]) == (1, 0), "the hour before is over"


def test_a_run_whose_process_is_gone_is_interrupted(company: Any, desk: Desk, store: Any, clock: Any) -> None:
    with store.transaction("test") as connection:
        control.begin_run(connection, uuid7(), "customers", "person", {}, clock.now())
    assert "running" in desk("status").out, "it may be at work"
    clock.advance(timedelta(hours=25))
    assert "interrupted" in desk("status").out


def test_a_run_that_was_killed_is_seen_at_once_and_one_that_lives_is_not(
    company: Any, desk: Desk, store: Any, clock: Any
) -> None:
    put(company, "C1")
    code = (
        "import sys\nfrom landbridge.store import Presence, Store, control\n"
        "from landbridge.time import SystemClock, uuid7\n"
        "store = Store(sys.argv[1], SystemClock())\npresence = Presence(store)\nnumber = presence.number()\n"
        "with store.transaction('run') as connection:\n"
        "    control.begin_run(connection, uuid7(), 'customers', 'person', {}, store.clock.now(), number)\n"
        "print('began', flush=True)\nsys.stdin.read()\n"
    )
    url = store.engine.url.render_as_string(hide_password=False)
    line = [sys.executable, "-c", code, url]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as popen:
        assert popen.stdout is not None and popen.stdout.readline() == b"began\n"
        assert "running" in desk("status").out, "it is at work"
        popen.kill()
        popen.wait()
    until = time.monotonic() + 5
    while "interrupted" not in desk("status").out:
        assert time.monotonic() < until, "it still counts as running"
    company.run("customers")
    desk("status")
    with store.reading() as connection:
        states = connection.execute(text("select state from run order by state")).scalars().all()
    assert states == ["interrupted", "succeeded"]


def test_a_scrape_costs_no_more_the_longer_the_queue_is(company: Any, store: Any, monkeypatch: Any) -> None:
    from landbridge.store import _figures

    put(company, *(f"C{n}" for n in range(12)))
    company.extract(company.parts.flows["customers"])
    few = {name: text(getattr(_figures, name).text.replace("20000", "5")) for name in ("_OPEN", "_FEEDS")}
    for name, statement in few.items():
        assert statement.text != getattr(_figures, name).text, "it counts without an end"
        monkeypatch.setattr(_figures, name, statement)
    assert read(store)["landbridge_received_waiting", "crm", "customer"] == 5
    company.process("crm", "customer")
    assert read(store)["landbridge_messages", "customers", "customers/erp", "ready"] == 5


def test_a_system_is_paused_and_resumed_as_a_whole(company: Any, desk: Desk) -> None:
    assert desk("pause", "erp", "--reason", "stocktaking").code == 0
    put(company, "C1")
    company.run("customers")
    assert company.parts.systems["erp"].effects("customer") == []
    assert "stocktaking" in desk("status").err
    assert 'landbridge_route_paused{cause="system",route="customers/erp"} 1.0' in desk("metrics").out
    drained = desk("drain", "erp")
    assert drained.code == 1
    assert "is paused and cannot drain" in drained.err
    assert desk("resume", "erp").code == 0
    company.deliver()
    assert len(company.parts.systems["erp"].effects("customer")) == 1
    assert "was not paused" in desk("resume", "erp").out


def test_drain_waits_until_nothing_is_in_flight(company: Any, desk: Desk) -> None:
    assert desk("drain", "customers").code == 0
    put(company, "C1", "C2")
    company.extract(company.parts.flows["customers"])
    still = desk("drain", "customers", "--timeout", "0")
    assert (still.code, "2 received" in still.err) == (1, True)

    def work() -> None:
        time.sleep(0.3)
        company.process("crm", "customer")
        company.deliver()

    worker = threading.Thread(target=work)
    worker.start()
    drained = desk("drain", "customers", "--timeout", "30")
    worker.join()
    assert drained.code == 0, drained
    assert len(company.parts.systems["erp"].effects("customer")) == 2


def test_what_a_person_holds_does_not_keep_a_flow_from_draining(company: Any, desk: Desk) -> None:
    put(company, "C1")
    company.parts.systems["erp"].script = [Denied("401", hint="")]
    company.run("customers")
    assert desk("resume", "customers").code == 0
    assert desk("hold", "customers", "C1").code == 0
    assert desk("drain", "customers", "--timeout", "0").code == 0


def test_the_endpoint_gives_the_same_at_metrics(company: Any, desk: Desk) -> None:
    from starlette.testclient import TestClient

    from landbridge.webhook import application

    put(company, "C1")
    company.run("customers")
    for system in desk.installation.settings.systems.values():
        system.__dict__["webhook"] = None  # the desk's systems have names only
    with TestClient(application(desk.installation)) as client:
        reply = client.get("/metrics")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'landbridge_delivered_last_hour{flow="customers"} 1.0' in reply.text
