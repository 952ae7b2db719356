"""Files through the whole engine: drops in, memory and files out; twice, broken, cut off by a crash at any step."""

from __future__ import annotations

import csv
import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crashing import Crash, CrashAt
from memory import Memory
from workbench import Plain, balanced, engine, flow

from connectors.files import Files, FilesConfig
from landbridge import seam
from landbridge.connector import Entity
from landbridge.engine import Engine, preview
from landbridge.errors import Rejected
from landbridge.net import open_http
from landbridge.store import Store
from landbridge.time import ManualClock

CUSTOMER = Entity("Customer", create="C", update="B", batch=50, settle=timedelta(minutes=10))
STEP = timedelta(minutes=30)


class Exchange:
    """A folder that a warehouse drops customers into, and one that a web shop picks them up from."""

    def __init__(self, root: Path, store: Store, clock: ManualClock) -> None:
        self.root, self.store, self.clock = root, store, clock
        for name in ("in", "shop"):
            (root / name).mkdir()
        self.erp = Memory("erp", clock, customer=CUSTOMER)
        self.drops = 0

    def system(self, name: str, **entity: Any) -> Files:
        """A fresh connector, as a new process has it."""
        values = {"folder": str(self.root), "entities": {"customer": entity}, "page_size": 10, "batch": 15}
        config = FilesConfig.model_validate(values)
        made = Files(name, config, open_http(name, config, clock=self.clock), self.clock)
        made.declared = config.entities  # type: ignore[assignment,method-assign]  # what the workbench asks its systems for
        return made

    def engine(self, **entity: Any) -> Engine:
        """A new process on the same store and the same folders."""
        warehouse = self.system("warehouse", folder="in", pattern="*.csv", key="id", afterwards="move", **entity)
        to = {"folder": "shop", "reference": "ref", "version": "version"}
        shop = self.system("shop", columns=["id", "name"], write=to)
        mappings = {("shop", "customer"): Plain(None, lambda body, _: {"id": body["id"], "name": body["name"]})}
        systems: list[Any] = [warehouse, shop, self.erp]
        to_erp = {"to": "erp", "on_delete": "block"}
        flows = [flow("customers", "warehouse", "customer", to_erp, "shop")]
        return engine(self.store, self.clock, systems, flows, mappings)

    def drop(self, name: str, content: str) -> None:
        """One whole file."""
        path = self.root / "in" / name
        path.write_text(content, encoding="utf-8")
        self.drops += 1
        at = (self.clock.now() + timedelta(seconds=self.drops)).timestamp()
        os.utime(path, (at, at))

    def picked_up(self) -> list[dict[str, str]]:
        """What the shop finds."""
        found: list[dict[str, str]] = []
        for path in sorted((self.root / "shop").glob("*.csv"), key=lambda each: each.stat().st_mtime_ns):
            with path.open(encoding="utf-8", newline="") as file:
                found += csv.DictReader(file)
        return found

    def names(self, folder: str) -> list[str]:
        """The files of a folder below `in`."""
        path = self.root / "in" / folder
        return sorted(each.name for each in path.iterdir() if each.is_file()) if path.is_dir() else []

    def run(self, **entity: Any) -> Engine:
        """One scheduled run by a new process."""
        self.clock.advance(STEP)
        made = self.engine(**entity)
        made.run("customers")
        return made


def table(start: int, n: int, name: str = "Kunde") -> str:
    return "id,name\n" + "".join(f"K{i},{name} {i}\n" for i in range(start, start + n))


@pytest.fixture
def exchange(tmp_path: Path, store: Store, clock: ManualClock) -> Exchange:
    return Exchange(tmp_path, store, clock)


def test_a_drop_reaches_both_targets_once_however_often_it_is_dropped(exchange: Exchange) -> None:
    exchange.drop("a.csv", table(0, 35))
    made = exchange.run()
    assert len(exchange.erp.effects("customer")) == 35
    assert len(exchange.picked_up()) == 35
    balanced(made)
    written = exchange.erp.written()
    exchange.run()
    assert exchange.names("done") == ["a.csv"]
    exchange.drop("a.csv", table(0, 35))
    exchange.drop("a again.csv", table(0, 35))
    exchange.run()
    balanced(exchange.run())
    assert (exchange.erp.written(), len(exchange.picked_up())) == (written, 35)
    assert exchange.names("") == []


def test_a_change_comes_as_a_row_of_the_next_version(exchange: Exchange) -> None:
    exchange.drop("a.csv", table(0, 3))
    exchange.run()
    exchange.drop("b.csv", table(1, 1, "Neu"))
    exchange.run()
    last = {row["id"]: row for row in exchange.picked_up()}
    assert [last[f"K{i}"]["name"] for i in range(3)] == ["Kunde 0", "Neu 1", "Kunde 2"]
    assert len(exchange.picked_up()) == 4
    references = Counter(row["ref"] for row in exchange.picked_up())
    assert sorted(references.values()) == [1, 1, 2]


def test_a_broken_file_is_quarantined_and_the_next_one_goes_through(exchange: Exchange) -> None:
    exchange.drop("a.csv", table(0, 12))
    exchange.drop("b.csv", table(100, 12) + 'K9,"never closed\n')
    exchange.drop("c.csv", table(50, 3))
    with pytest.raises(Rejected, match=r"b\.csv:14: a quote"):
        exchange.run()
    assert exchange.names("failed") == ["b.csv", "b.csv.error.txt"]
    exchange.drop("d.csv", table(200, 2))
    balanced(exchange.run())
    assert len(exchange.erp.effects("customer")) == 12 + 3 + 2
    assert len(exchange.picked_up()) == 12 + 3 + 2
    exchange.drop("b.csv", table(100, 12))
    exchange.run()
    assert len(exchange.picked_up()) == 12 + 3 + 2 + 12


def test_a_column_renamed_while_the_flow_runs_takes_nothing_of_its_file(exchange: Exchange) -> None:
    exchange.drop("a.csv", table(0, 2))
    exchange.run(columns=["id", "name"])
    exchange.drop("b.csv", table(10, 2).replace("name", "full_name"))
    with pytest.raises(Rejected, match=r"b\.csv:1:name: the column is missing"):
        exchange.run(columns=["id", "name"])
    assert len(exchange.picked_up()) == 2


def test_a_snapshot_deletes_what_is_absent_and_nothing_when_no_file_is_there(exchange: Exchange) -> None:
    exchange.drop("a.csv", table(0, 20))
    exchange.run(snapshot=True)
    exchange.drop("b.csv", table(1, 19))
    exchange.run(snapshot=True)
    balanced(exchange.run(snapshot=True))  # a deletion waits a while, for what may still come instead
    gone = [record.header["id"] for record in exchange.erp.effects("customer") if "blocked" in record.header]
    assert len(exchange.erp.effects("customer")) == 20
    assert gone == ["K0"]
    exchange.drop("c.csv", table(0, 3))
    made = exchange.engine(snapshot=True)
    result = made.run("customers")
    assert "refused whole" in result.refused, "a snapshot that shrank to a sixth is no snapshot"
    assert result.counts["new"] == 0


class CrashOn(CrashAt):
    """Raises at the first step that says so, and at every later one."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(10**9)
        self.where = (kind, what)

    def __call__(self, kind: str, what: str) -> None:
        if kind == self.where[0] and self.where[1] in what:
            self.n = 0
        super().__call__(kind, what)


NAMED = [("commit", "extract"), ("committed", "extract"), ("send", "shop: rename"), ("receive", "shop: rename")]


def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing(exchange: Exchange) -> None:
    expected: set[str] = set()
    fired: list[str] = []
    crashes = [*(CrashOn(*where) for where in NAMED), *map(CrashAt, range(2, 200, 3))]
    for round_, crash in enumerate(crashes):
        exchange.drop(f"{round_:03}.csv", table(round_ * 100, 25))
        expected |= {f"K{i}" for i in range(round_ * 100, round_ * 100 + 25)}
        exchange.clock.advance(STEP)
        made = exchange.engine()
        try:
            with seam.install(crash):
                made.run("customers")
        except Crash:
            fired.append(crash.fired)
        else:
            break
        for _ in range(3):
            exchange.run()
    else:
        raise AssertionError("a run has no end")
    exchange.run()
    balanced(exchange.run())
    assert len(fired) > len(NAMED) + 4, fired
    assert Counter(record.header["id"] for record in exchange.erp.effects("customer")) == Counter(expected)
    assert Counter(row["id"] for row in exchange.picked_up()) == Counter(expected)
    assert exchange.names("") == []


def test_a_dry_run_moves_nothing(exchange: Exchange) -> None:
    exchange.drop("a.csv", table(0, 12))
    exchange.run()
    exchange.drop("b.csv", 'id,name\nK9,"never closed\n')
    exchange.clock.advance(STEP)
    with pytest.raises(Rejected, match=r"b\.csv:2: a quote.*a run sets it aside"):
        preview(exchange.engine(), "customers")
    assert exchange.names("") == ["a.csv", "b.csv"]
    assert exchange.names("failed") == exchange.names("done") == []
    with pytest.raises(Rejected):
        exchange.run()
    assert exchange.names("done") == ["a.csv"]
    assert exchange.names("failed") == ["b.csv", "b.csv.error.txt"]
