"""`landbridge serve` as a process of its own: killed, stopped, twofold, behind a proxy, refused without a secret."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from sqlalchemy import text
from test_webhook_live import SYSTEMS

from landbridge.store import Store, control
from landbridge.time import SystemClock
from sandbox.salesforce import long_id

KILLS = int(os.environ.get("KILLS", "1"))
TOKEN = "c4n4ry-token-in-the-address"
ORG = long_id("00D5g00000LNDBR")
ORDER = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D5g00000LNDBR</OrganizationId>'
    "<Notification><Id>04l{n:012d}</Id>"
    '<sObject xsi:type="sf:Order" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>801{n:012d}</sf:Id>'
    "</sObject></Notification></notifications></s:Body></s:Envelope>"
)


class Serving:
    """A project on disk with the test's own store, and the processes that serve it."""

    def __init__(self, folder: Path, root: Path, url: str) -> None:
        self.folder, self.url = folder, ""
        for part in ("config", "mappings", "schemas"):
            shutil.copytree(root / part, folder / part)
        for name, (old, new) in SYSTEMS.items():
            file = folder / name
            file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        (folder / "config/landbridge.yaml").write_text("store: {url: env:HOOK_STORE}\n", encoding="utf-8")
        self.environ = {
            **os.environ, "HOOK_STORE": url.replace("postgresql+psycopg://", "postgresql://"),
            "CRM_HOOK_TOKEN": TOKEN, "ERP_HOOK_KEY": "Bearer c4n4ry-authorization",
            "CRM_TEST_URL": "http://127.0.0.1:9", "CRM_TEST_CLIENT_ID": "k", "CRM_TEST_CLIENT_SECRET": "c4n4ry-secret",
            "ERP_TEST_URL": "http://127.0.0.1:9", "ERP_TEST_CLIENT": "100", "ERP_TEST_USER": "U",
            "ERP_TEST_PASSWORD": "c4n4ry-password", "LANDBRIDGE_STATE": str(folder / "state"),
        }  # fmt: skip
        self.store = Store(url, SystemClock())
        with self.store.transaction("test") as connection:
            control.bind(connection, "crm", ORG, SystemClock().now())

    def begin(self, *options: str, port: int = 0) -> subprocess.Popen[bytes]:
        """A process; it listens when this returns."""
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        process = self.run("--port", str(port), "--ready-file", str(ready), *options)
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < deadline, "it does not come up"
            time.sleep(0.01)
        told = json.loads(ready.read_text(encoding="utf-8"))
        assert told["pid"] == process.pid
        self.url = told["url"]
        return process

    def run(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from landbridge.cli import main; main()", "--environment", "test", "serve"]
        return subprocess.Popen(
            [*command, *options], cwd=self.folder, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def send(self, n: int, session: requests.Session | None = None, **headers: str) -> requests.Response:
        return (session or requests.Session()).post(
            f"{self.url}/hooks/crm?key={TOKEN}", data=ORDER.format(n=n).encode(),
            headers={"Content-Type": "text/xml", **headers}, timeout=20,
        )  # fmt: skip

    def kept(self) -> set[int]:
        """The numbers of the orders whose keys wait to be fetched."""
        with self.store.reading() as connection:
            return {int(row.source_key[3:15]) for row in connection.execute(text("select source_key from told"))}


@pytest.fixture
def serving(tmp_path: Path, root: Path, database_url: str) -> Iterator[Serving]:
    found = Serving(tmp_path, root, database_url)
    yield found
    found.store.close()


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The process is gone afterwards, whatever happened."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_what_was_answered_is_kept_though_the_process_is_killed(serving: Serving):
    """W1 in small: the real command, killed again and again while senders count their 2xx."""
    process = serving.begin()
    port = int(serving.url.rsplit(":", 1)[1])
    answered: set[int] = set()
    stop, numbers, lock = threading.Event(), iter(range(1, 10_000_000)), threading.Lock()

    def sender() -> None:
        session = requests.Session()
        while not stop.is_set():
            with lock:
                n = next(numbers)
            try:
                if serving.send(n, session).status_code == 200:
                    answered.add(n)
            except requests.RequestException:
                session = requests.Session()
                time.sleep(0.01)

    senders = [threading.Thread(target=sender) for _ in range(6)]
    for one in senders:
        one.start()
    try:
        for _ in range(KILLS):
            before = len(answered)
            until = time.monotonic() + 30
            while len(answered) < before + 60:
                assert time.monotonic() < until, "nothing is taken"
                time.sleep(0.01)
            process.kill()
            process.communicate()
            process = serving.begin(port=port)
    finally:
        stop.set()
        for one in senders:
            one.join()
        process.kill()
        process.communicate()
    print(f"killed {KILLS} times, {len(answered)} answered 2xx, 0 of them missing")  # noqa: T201 - the figure
    assert len(answered) >= 60 * KILLS
    assert answered <= serving.kept()


def test_what_is_under_way_is_finished_when_it_is_told_to_stop(serving: Serving):
    with ended(serving.begin()) as process:
        host, port = serving.url.removeprefix("http://").split(":")
        body = ORDER.format(n=7).encode()
        with socket.create_connection((host, int(port)), 20) as line:
            head = f"POST /hooks/crm?key={TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            line.sendall(head.encode() + body[:50])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((host, int(port)), 5).close()
            line.sendall(body[50:])
            assert b"HTTP/1.1 200 OK" in line.recv(1000)
        assert process.wait(20) in (0, -signal.SIGTERM)
    assert serving.kept() == {7}


@pytest.mark.slow
def test_two_processes_share_one_address_and_stop_together(serving: Serving):
    with ended(serving.begin("--workers", "2")) as process:
        assert requests.get(f"{serving.url}/health", timeout=20).json() == {"status": "ok"}
        deadline = time.monotonic() + 30
        while len(children := _children(process.pid)) < 2:  # one of them said that it is ready; the other comes
            assert time.monotonic() < deadline
            time.sleep(0.05)
        replies: list[int] = []
        senders = [
            threading.Thread(target=lambda n=n: replies.append(serving.send(n).status_code)) for n in range(1, 41)
        ]
        for one in senders:
            one.start()
        for one in senders:
            one.join()
        assert replies == [200] * 40
        assert serving.send(1).status_code == 200, "a repetition that the other process may get"
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert not [one for one in children if Path(f"/proc/{one}").exists() and _alive(one)]
    assert serving.kept() == set(range(1, 41))
    with serving.store.reading() as connection:
        assert connection.execute(text("select count(*) from hook")).scalar_one() == 40
        assert connection.execute(text("select max(times) from told")).scalar_one() == 1


def _children(pid: int) -> list[int]:
    """The processes that serve: not the one that watches over shared memory."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [
        int(one) for one in found
        if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]  # fmt: skip


def _alive(pid: int) -> bool:
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")


def test_a_missing_and_a_weak_secret_are_told_before_anything_listens(serving: Serving):
    del serving.environ["CRM_HOOK_TOKEN"]
    serving.environ["ERP_HOOK_KEY"] = "short"
    ready = serving.folder / "ready.json"
    process = serving.run("--port", "0", "--ready-file", str(ready))
    out, error = process.communicate(timeout=60)
    told = out.decode() + error.decode()
    assert process.returncode != 0
    assert "CRM_HOOK_TOKEN is not set" in told
    assert "ERP_HOOK_KEY has 5 bytes" in told
    assert not ready.exists()
    assert "short" not in told.replace("a secret of less", "")


def test_the_senders_address_is_believed_from_the_proxies_that_are_named(serving: Serving):
    file = serving.folder / "config/systems.yaml"
    text_ = file.read_text(encoding="utf-8")
    file.write_text(text_.replace("webhook: {token: {query", 'webhook: {addresses: ["198.51.100.0/24"], token: {query'))
    with ended(serving.begin("--behind", "127.0.0.0/8")):
        sent = [
            serving.send(1).status_code,
            serving.send(2, **{"X-Forwarded-For": "198.51.100.7"}).status_code,
            serving.send(3, **{"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}).status_code,
            serving.send(4, **{"X-Forwarded-For": "203.0.113.9, 198.51.100.8"}).status_code,
        ]
    assert sent == [401, 200, 401, 200]
    assert serving.kept() == {2, 4}
