"""The demonstration from beginning to end: start everything, let Airflow run the flows, show, check, stay, clear up."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from landbridge.demo._check import check
from landbridge.demo._closing import Way, close_orders
from landbridge.demo._company import Company, company
from landbridge.demo._ledger import Standing, attention, counts_since, standing
from landbridge.demo._one_customer import FEEDS, OneCustomer, one_customer
from landbridge.demo._project import compose, write_variables
from landbridge.demo._screen import bars, counts_table, listed, way_table
from landbridge.demo._steward import Steward, steward
from landbridge.errors import LandbridgeError
from landbridge.installation import Installation, open_installation
from landbridge.up import Airflow, Up

ENVIRONMENT = "demo"
STAGES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Customers go to the ERP, products to the CRM", ("customers_to_erp", "products_to_crm"), ""),
    ("Prices follow their products", ("prices_to_crm",), "place_orders"),
    ("Orders go to the ERP", ("orders_to_erp",), "ship"),
    ("Status, shipments and stock come back", ("order_status_to_crm", "shipments_to_crm", "inventory_to_crm"), ""),
)
"""What runs after what: a title, the flows that may run at once, and what the company's people do afterwards."""

FLOWS = tuple(flow for _, flows, _ in STAGES for flow in flows)
_HANDS = 300.0
"""Seconds for which a stage waits for what is still in a worker's hands when its runs have ended."""
_FRESH = (
    "airflow", "postgres", "systems", "project", "environment", "company.json", "company.log", "steward.json",
    "steward.log", "steward.token",
)  # fmt: skip


@dataclass
class Tour:
    """A running demonstration."""

    console: Console
    installation: Installation
    airflow: Airflow
    company: Company
    began: datetime
    endpoint: str  # where webhooks are taken
    failures: list[str] = field(default_factory=list)
    way: Way | None = None  # of an order that was closed while all was running
    customers: OneCustomer | None = None  # that several systems know, as they were left

    @property
    def flows(self) -> tuple[str, ...]:
        """Every flow that was run."""
        return FLOWS if self.customers is None else (*FLOWS, *self.customers.feeds)

    def stages(self) -> None:
        """Everything for the first time, with the people's work in between."""
        for title, flows, people in STAGES:
            self.console.rule(title, align="left")
            self.run(flows)
            if self.failures:
                return  # what comes after it can only fail too
            if people:
                told = self.company.ask(people)
                text = ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in told.items())
                self.console.print(f"  people at work ({people.replace('_', ' ')}): {text}")
        self.settle()

    def run(self, flows: Sequence[str]) -> None:
        """Have Airflow run these flows at once, show how they get on, and wait for their end."""
        runs = {flow: self.airflow.trigger(flow) for flow in flows}
        with bars(self.console) as progress:
            shown = {flow: progress.add_task(flow, total=None, state="queued") for flow in flows}
            left = dict(runs)
            while left:
                now = standing(self.installation)
                for flow, run in list(left.items()):
                    state = self.airflow.state(flow, run)
                    if state in ("success", "failed"):
                        del left[flow]
                    told = now.get(flow)
                    if told is not None and (told.received or flow not in left):
                        done = told.received - told.in_flight
                        progress.update(shown[flow], total=told.received, completed=done, state=state)
                    else:
                        progress.update(shown[flow], state=state)
                time.sleep(0.2 if left else 0)
            ended = {flow: self.airflow.state(flow, run) for flow, run in runs.items()}
            until = time.monotonic() + (0 if "failed" in ended.values() else _HANDS)
            while any(one.in_flight for one in self._moved_by_a_worker(flows)) and time.monotonic() < until:
                time.sleep(0.2)
            now = standing(self.installation)
            for flow, bar in shown.items():
                if flow in now:
                    progress.update(bar, total=now[flow].received, completed=now[flow].received - now[flow].in_flight)
        for flow, run in runs.items():
            if ended[flow] == "failed":
                self.failures.append(f"{flow}: the run failed: {self.airflow.failed_task_log(flow, run)}")

    def run_here(self, flow: str) -> int:
        """Run a flow in this process, as `landbridge run` does, say what it did; how many records it wrote."""
        try:
            result = self.installation.engine.run(flow)
        except LandbridgeError as error:
            self.failures.append(f"{flow}: {error}")
            return 0
        if result.refused:
            self.failures.append(f"{flow}: {result.refused}")
        told = ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in result.counts.items() if number)
        self.console.print(f"  landbridge run {flow}: {told or 'nothing new'}", highlight=False)
        return result.written

    def real_time(self) -> None:
        """Orders are closed while everything runs, and told by the CRM."""
        if not self.failures:
            self.way = close_orders(self, self.endpoint)

    def one_customer(self, desk: Steward | None) -> None:
        """A house is taken over whose customers stand in a third system, where the company does that."""
        if desk is not None and not self.failures:
            self.customers = one_customer(self, desk)

    def settle(self, within: float = 180.0) -> None:
        """Wait until no run is queued or running, those that assets woke included, and a worker has nothing to move."""
        until, quiet = time.monotonic() + within, 0
        while quiet < 3 and time.monotonic() < until:
            quiet = 0 if self.airflow.unfinished() or self._in_flight() else quiet + 1
            time.sleep(0.5)

    def _moved_by_a_worker(self, flows: Sequence[str]) -> list[Standing]:
        """Where those of these flows stand that a worker moves too: a run of theirs may end before it does."""
        known = self.installation.settings.flows
        return [one for flow, one in standing(self.installation).items() if flow in flows and known[flow].live]

    def _in_flight(self) -> int:
        return sum(one.in_flight for one in standing(self.installation).values())

    def show(self) -> None:
        """The table, what needs a person, and the way of an order that was closed meanwhile."""
        self.console.print()
        self.console.print(counts_table(counts_since(self.installation, self.began), self.flows))
        stuck = [f"{row.flow} {row.source_key}: {row.state}: {row.reason}" for row in attention(self.installation)]
        if stuck:
            listed(self.console, f"{len(stuck)} need a person:", stuck, style="yellow")
        if self.way is not None:
            self.console.print()
            self.console.print(way_table(self.way))


def run(root: Path, *, once: bool, folder: Path | None, erp: str | None = None, console: Console | None = None) -> int:
    """The whole demonstration; with `once` it ends by itself with 0, or 1 and what differed."""
    console = console or Console(width=None if sys.stdout.isatty() else 130)
    began = time.monotonic()
    state = root / ".landbridge" / "demo"
    theirs = _environment(state)
    with _interruptible() as interrupted, _fresh(state):
        console.print("Setting up a company with a CRM and an ERP …")
        if erp is not None:
            console.print("  the first time, its ERP is installed: that takes a minute", highlight=False)
        takeover = folder is None and erp is None  # of a company that is made up and has our sandbox for its ERP
        with company(state, folder, erp, takeover=takeover, env=theirs) as ours:
            console.print("  " + ", ".join(f"{number} {word}" for word, number in ours.facts.items()))
            os.environ.update(ours.environment)
            console.print("Starting PostgreSQL and Airflow …")
            project = compose(root, ours.project, state / "project")
            up = Up(project, ENVIRONMENT)
            with up.running() as airflow, open_installation(project, ENVIRONMENT) as installation:
                console.print(f"  Airflow: {airflow.url} (after {time.monotonic() - began:.0f} s)")
                _wait_for_dags(airflow, FLOWS + (tuple(FEEDS.values()) if takeover else ()))
                endpoint = f"http://127.0.0.1:{up.webhooks}"
                tour = Tour(console, installation, airflow, ours, installation.clock.now(), endpoint)
                with _elsewhere(state, project, ours), _desk(takeover, project, state) as desk:
                    tour.stages()
                    tour.real_time()
                    tour.one_customer(desk)
                    tour.show()
                    code = check(tour, thorough=once and not tour.failures)
                    console.print(f"  {time.monotonic() - began:.0f} s in all")
                    user, password = up.login
                    console.print(f"\nAirflow: {airflow.url}   login: {user} / {password}", highlight=False)
                    if once:
                        console.print("Stopping.")
                    else:
                        console.print("Everything goes on running by its schedule. Ctrl-C stops it all.")
                        with suppress(KeyboardInterrupt):  # here it is the natural end
                            interrupted.wait()
    console.print("Stopped; no process is left.")
    return code


@contextmanager
def _elsewhere(state: Path, project: Path, ours: Company) -> Iterator[None]:
    """Inside the block another terminal finds everything by the variables in `environment`."""
    file = state / "environment"
    write_variables(file, {**ours.environment, **own_variables(), "LANDBRIDGE_ROOT": str(project)})
    try:
        yield
    finally:
        file.unlink(missing_ok=True)  # it holds passwords of what is gone


def own_variables() -> dict[str, str]:
    """What other terminals need to know of this process: where its state is, and which environment it runs."""
    names = ("LANDBRIDGE_STATE", "LANDBRIDGE_SERVER_HOME")
    found = {name: os.environ[name] for name in names if name in os.environ}
    return found | {"LANDBRIDGE_ENVIRONMENT": ENVIRONMENT}


def _desk(wanted: bool, project: Path, state: Path) -> AbstractContextManager[Steward | None]:
    return steward(project, ENVIRONMENT, state) if wanted else nullcontext()


def _wait_for_dags(airflow: Airflow, flows: Sequence[str], within: float = 60.0) -> None:
    until = time.monotonic() + within
    while not set(flows) <= airflow.dags().keys():
        if time.monotonic() > until:
            missing = ", ".join(sorted(set(flows) - airflow.dags().keys()))
            hint = "; ".join(airflow.import_errors()) or "look at the DAG processor's log."
            raise LandbridgeError(f"Airflow does not know {missing} after {within:g} s.", hint=hint)
        time.sleep(0.2)


def _environment(state: Path) -> dict[str, str]:
    """Make this the environment of a demonstration: nothing of the user's Airflow or Landbridge may reach it.

    Returns what it was: the company's program is neither, and may be told where its own installations are kept.
    """
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("AIRFLOW_", "LANDBRIDGE_")):
            del os.environ[name]
    os.environ["LANDBRIDGE_STATE"] = str(state)
    return before


@contextmanager
def _fresh(state: Path) -> Iterator[None]:
    """An empty state folder that no other demonstration uses."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LandbridgeError("a demonstration of this project already runs.", hint="Stop it first.") from None
        for name in _FRESH:
            path = state / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        with _database_home(state):
            yield
    finally:
        os.close(lock)


@contextmanager
def _database_home(state: Path) -> Iterator[None]:
    """As root the database runs as another account, which cannot enter the project's folder: a place for it."""
    if os.geteuid() != 0:
        yield
        return
    noted = state / "database-home"
    if noted.is_file():  # a demonstration that was killed could not clear up
        shutil.rmtree(noted.read_text(), ignore_errors=True)
    home = tempfile.mkdtemp(prefix="landbridge-demo-")
    noted.write_text(home)
    Path(home).chmod(0o711)
    os.environ["LANDBRIDGE_SERVER_HOME"] = home
    try:
        yield
    finally:
        shutil.rmtree(home, ignore_errors=True)
        noted.unlink(missing_ok=True)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM unwind everything once; while it is being cleared up, further ones are not heard."""
    interrupted = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if not interrupted.is_set():
            interrupted.set()
            os.write(2, b"\nStopping; this takes some seconds.\n")  # not print: the signal may come within one
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield interrupted
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
