"""The real commands as processes: one trace over both of them, log lines that a program can read, and no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from collector import otlp
from house import House
from test_webhook_live import KEY, SYSTEMS, TOKEN, orders
from test_webhook_serve import ORDER

from landbridge.store import Store

TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Project:
    """A house's project on disk, and the commands that run on it."""

    def __init__(self, house: House, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.house, self.folder = house, folder
        house.change_project(folder, **SYSTEMS)
        (folder / "config/landbridge.yaml").write_text("store: {url: env:TRACED_STORE}\n", encoding="utf-8")
        monkeypatch.setenv("TRACED_STORE", url.replace("postgresql+psycopg://", "postgresql://"))
        monkeypatch.setenv("LANDBRIDGE_STATE", str(folder / "state"))
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, **environ: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-c", "from landbridge.cli import main; main()", "--environment", "test", *command]
        with (self.folder / f"log.{len(self.started)}").open("wb") as log:
            popen = subprocess.Popen(argv, cwd=self.folder, env={**os.environ, **environ}, stdout=log, stderr=log)
        self.started.append(popen)
        return popen

    def said(self, popen: subprocess.Popen[bytes]) -> str:
        return (self.folder / f"log.{self.started.index(popen)}").read_text(encoding="utf-8")

    def serve(self, *options: str, **environ: str) -> tuple[subprocess.Popen[bytes], str]:
        ready = self.folder / "ready.json"
        popen = self.start("serve", "--port", "0", "--ready-file", str(ready), *options, **environ)
        self.until(ready.exists)
        return popen, json.loads(ready.read_text(encoding="utf-8"))["url"]

    def until(self, what: Any, seconds: float = 60.0) -> None:
        began = time.monotonic()
        while not what():
            if time.monotonic() - began > seconds:
                raise AssertionError("it does not come:\n" + "\n".join(self.said(one)[-3000:] for one in self.started))
            time.sleep(0.02)

    def stop(self) -> None:
        for popen in self.started:
            if popen.poll() is None:
                popen.send_signal(signal.SIGTERM)
        for popen in self.started:
            try:
                popen.wait(30)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()


@pytest.fixture
def project(house: House, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A house with one customer and one product in both systems."""
    monkeypatch.setenv("CRM_HOOK_TOKEN", TOKEN)
    monkeypatch.setenv("ERP_HOOK_KEY", f"Bearer {KEY}")
    made = Project(house, tmp_path, database_url, monkeypatch)
    house.product()
    house.account()
    house.converge()
    yield made
    made.stop()


def send(house: House, url: str, order: str, **headers: str) -> None:
    """The CRM tells of an order, by its id alone."""
    body = ORDER.format(n=1).replace("801000000000001", order[:15])
    assert order[:15] in body
    reply = requests.post(f"{url}/hooks/crm?key={TOKEN}", data=body.encode(), timeout=30,
                          headers={"Content-Type": "text/xml", **headers})  # fmt: skip
    assert reply.status_code == 200, reply.text


@pytest.mark.slow
def test_one_order_is_one_trace_over_both_processes_down_to_the_target_s_requests(project, store: Store):
    house = project.house
    with otlp() as collector:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        serving, url = project.serve(**traced)
        worker = project.start("worker", **traced)
        project.until(lambda: "Working for" in project.said(worker))
        account = house.crm.records("Account")[0]["Id"]
        order = house.order(account, [("CHAI", 1, 18, 0)])
        send(house, url, order, traceparent=f"00-{TRACE}-{SENDER}-01")
        project.until(lambda: len(orders(house)) == 1)
        project.stop()  # what they still have is sent before they end
    spans = [span for span in collector.spans if span.trace == TRACE]
    named = {span.name: span for span in spans}
    receive, fetch, process = (named[f"{word} crm sales_order"] for word in ("receive", "fetch", "process"))
    translate, deliver = named["translate erp sales_order"], named["deliver erp sales_order"]
    assert receive.parent == SENDER
    assert fetch.parent == process.parent == receive.id
    assert translate.parent == deliver.parent == process.id
    assert receive.process["process.pid"] == serving.pid
    assert {one.process["process.pid"] for one in (fetch, process, translate, deliver)} == {worker.pid}
    assert {one.process["service.name"] for one in spans} == {"landbridge"}
    requests_ = [one for one in spans if one.name in ("GET", "POST")]
    ports = {one.attributes["server.port"]: one.parent for one in requests_}
    assert ports == {house.crm_server.port: fetch.id, house.erp_server.port: deliver.id}
    assert {one.attributes["http.response.status_code"] for one in requests_} >= {200, 201}
    [message] = house.rows("select trace, told_at, received_at from inbox where told_at is not null")
    assert message.trace.hex == TRACE
    assert receive.start <= fetch.start <= process.start <= translate.start <= deliver.start


def lines(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


@pytest.mark.slow
def test_every_line_of_serve_and_worker_is_json_and_names_message_and_trace(project):
    house = project.house
    environ = {"LANDBRIDGE_LOG_FORMAT": "json"}
    serving, url = project.serve("--log-level", "debug", **environ)
    worker = project.start("worker", "--log-level", "debug", **environ)
    project.until(lambda: "Working for" in project.said(worker))
    account = house.crm.records("Account")[0]["Id"]
    order = house.order(account, [("CHAI", 1, 18, 0)])
    guess = f"{url}/hooks/crm?key=guess%0Alevel=error"
    assert requests.post(guess, data=b"<a/>", headers={"Content-Type": "text/xml"}, timeout=30).status_code == 401
    send(house, url, order, traceparent=f"00-{TRACE}-{SENDER}-01")
    project.until(lambda: len(orders(house)) == 1)
    project.until(lambda: '"event":"delivered"' in project.said(worker))
    project.stop()
    served, worked = lines(project.said(serving)), lines(project.said(worker))
    assert all({"time", "level", "logger", "event"} <= line.keys() for line in served + worked)
    [kept] = [line for line in served if line["event"] == "received"]
    assert (kept["system"], kept["entity"], kept["trace"]) == ("crm", "sales_order", TRACE)
    [refused] = [line for line in served if line["level"] == "warning"]
    assert "refused" in refused["event"] and refused["system"] == "crm"
    [delivered] = [line for line in worked if line["event"] == "delivered" and line["trace"] == TRACE]
    assert (delivered["flow"], delivered["system"], delivered["attempt"]) == ("orders_to_erp", "erp", 1)
    [processed] = [line for line in worked if line["event"] == "processed" and line["trace"] == TRACE]
    assert processed["message_id"] == delivered["message_id"]
    assert TOKEN not in project.said(serving) + project.said(worker)
    assert not [line for line in served + worked if line["level"] in ("error", "critical")]
