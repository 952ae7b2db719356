"""`landbridge up` as a user starts it: everything on loopback, restarted when killed, seen in the UI, gone after."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import Page, browser, program

from landbridge.demo._company import Company, company
from landbridge.supervise import Process, alive, process, processes
from landbridge.up import Airflow

pytest.importorskip("airflow", reason="needs the extra `airflow`")
pytestmark = pytest.mark.slow


class Running:
    """A `landbridge up` in a project of its own, and how to talk to its Airflow."""

    def __init__(self, project: Path, env: dict[str, str]) -> None:
        self.project, self.env = project, env
        self.output = project / "up.out"
        self.state = project / ".landbridge"
        self.popen: subprocess.Popen[bytes] | None = None
        self.airflow: Airflow | None = None

    def start(self) -> str:
        """Start it; what it said until it was ready."""
        with self.output.open("wb") as out:
            argv = [sys.executable, "-c", "from landbridge.cli import main; main()", "-C", str(self.project), "up"]
            self.popen = subprocess.Popen(argv, env=self.env, stdout=out, stderr=out, cwd=self.project)
        wait(lambda: "Ctrl-C stops" in self.said() or self.popen.poll() is not None, 180)
        said = self.said()
        assert "Airflow: http" in said, said
        return said

    def said(self) -> str:
        """Everything it printed so far."""
        return self.output.read_text(encoding="utf-8")

    def stop(self, number: signal.Signals) -> int:
        """Ask it to end; its exit code."""
        assert self.popen is not None
        self.popen.send_signal(number)
        return self.popen.wait(90)

    def descendants(self) -> list[Process]:
        """Every process of it."""
        assert self.popen is not None
        found, everyone = {self.popen.pid}, processes()
        grown = True
        while grown:
            more = {one.pid for one in everyone if one.parent in found} - found
            found |= more
            grown = bool(more)
        return [one for one in everyone if one.pid in found]

    def named(self, words: str) -> list[Process]:
        """Its processes whose command line holds these words."""
        return [one for one in self.descendants() if words in command(one.pid)]


def command(pid: int) -> str:
    """The command line of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def wait(condition: Callable[[], bool], within: float) -> None:
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company with both systems."""
    with company(tmp_path_factory.mktemp("company"), None) as found:
        yield found


@pytest.fixture(scope="module")
def up(root: Path, shop: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A copy of this project with `landbridge up` running in it."""
    project = tmp_path_factory.mktemp("project")
    for part in ("config", "mappings", "schemas", "dags"):
        shutil.copytree(root / part, project / part)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    env = kept | shop.environment | {"LANDBRIDGE_ENVIRONMENT": "demo", "PYTHONPATH": str(root)}
    running = Running(project, env)
    try:
        said = running.start()
        address = re.search(r"Airflow: (\S+)", said)
        login = re.search(r"Login: (\S+) / (\S+)", said)
        assert address and login, said
        running.airflow = Airflow(address[1], login[1], login[2])
        wait(lambda: "customers_to_erp" in running.airflow.dags(), 60)
        yield running
    finally:
        if running.popen is not None and running.popen.poll() is None:
            running.popen.kill()
            running.popen.wait()


def listening(pids: set[int]) -> set[str]:
    """The local addresses (hex, as /proc says) on which these processes listen by TCP."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                target = str(link.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].rpartition(":")[0])
    return found


def test_everything_listens_on_loopback_only(up: Running) -> None:
    addresses = listening({one.pid for one in up.descendants()})
    assert addresses == {"0100007F"}, addresses  # 127.0.0.1, and nothing else: no log server, no other interface


def test_what_is_secret_is_readable_by_its_owner_alone(up: Running) -> None:
    for name in ("credentials.json", "passwords.json", "airflow.cfg"):
        file = up.state / "airflow" / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, name
    assert stat.S_IMODE(up.state.stat().st_mode) == 0o700


def test_another_up_on_the_same_state_is_refused(up: Running) -> None:
    argv = [sys.executable, "-c", "from landbridge.cli import main; main()", "-C", str(up.project), "up"]
    done = subprocess.run(argv, env=up.env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "already runs" in done.stderr and "Stop that one first" in done.stderr


def test_each_system_has_a_pool(up: Running) -> None:
    assert up.airflow
    pools = {one["name"]: one["slots"] for one in up.airflow.get("pools")["pools"]}
    assert pools["sys_crm"] == pools["sys_erp"] == 4


def test_a_killed_scheduler_comes_back_and_runs_flows(up: Running) -> None:
    assert up.airflow
    killed = up.named("airflow scheduler")[0]
    os.kill(killed.pid, signal.SIGKILL)
    wait(lambda: "airflow-scheduler: waiting (killed by SIGKILL" in up.said(), 30)
    run = up.airflow.trigger("customers_to_erp")
    assert up.airflow.wait("customers_to_erp", run, within=120) == "success", up.airflow.failed_task_log(
        "customers_to_erp", run
    )
    assert not alive(killed)
    counts = up.airflow.get(f"dags/customers_to_erp/dagRuns/{run}/taskInstances/record/xcomEntries/return_value")[
        "value"
    ]
    assert (counts["read"], counts["created"]) == (60, 60)


def test_a_failed_run_says_why_and_what_to_do(up: Running) -> None:
    assert up.airflow
    run = up.airflow.trigger("orders_to_erp", {"since": "yesterday"})
    assert up.airflow.wait("orders_to_erp", run, within=120) == "failed"
    told = up.airflow.failed_task_log("orders_to_erp", run)
    assert told.startswith("extract: the cursor cannot be read")
    assert "hint: Give an instant such as" in told


@pytest.mark.skipif(program() is None, reason="needs Chromium (apt-get install chromium)")
def test_the_ui_shows_the_flows_and_a_green_run(up: Running, tmp_path: Path) -> None:
    assert up.airflow
    run = up.airflow.trigger("products_to_crm")
    assert up.airflow.wait("products_to_crm", run, within=120) == "success"
    with browser(tmp_path) as page:
        page.call("Network.setCookie", name="_token", value=up.airflow.token(), url=up.airflow.url)
        page.go(f"{up.airflow.url}/dags")
        shown = page.wait_for("customers_to_erp", "inventory_to_crm")
        assert "import error" not in shown.lower()
        keep(page, "dags.png")
        page.go(f"{up.airflow.url}/dags/products_to_crm/runs/{run}")
        page.wait_for("products_to_crm", "Success", "extract", "process", "deliver", "record")
        keep(page, "run.png")


def keep(page: Page, name: str) -> None:
    """Keep a picture for a person to look at, where somebody asked for them."""
    if folder := os.environ.get("LANDBRIDGE_PICTURES"):
        time.sleep(2)  # charts are drawn a little after the text
        page.picture(Path(folder) / name)


def test_it_ends_without_a_trace_and_starts_again_without_telling_the_password(up: Running) -> None:
    """The last test of this file: it stops what the others use."""
    everyone = up.descendants()
    assert len(everyone) > 5
    assert up.stop(signal.SIGTERM) == 0
    assert "no process is left" in up.said()
    assert [command(one.pid) for one in everyone if alive(one)] == []
    said = up.start()
    assert "with the password of the first start" in said
    assert up.airflow and up.airflow.url in said, "the port of the last time is kept"
    everyone = up.descendants()
    up.popen.kill()  # not even SIGKILL leaves anything
    up.popen.wait()
    wait(lambda: not any(alive(one) for one in everyone), 60)
    assert process(up.popen.pid) is None
