"""A flow that delivers to no system brings its records to the hub: run, accounted for, checked and shown like any."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "flows"))
from desk import Desk as Terminal
from memory import Book, Memory
from test_in_the_engine import ACME, ACME_AGAIN, ACME_MAYBE, CUSTOMER
from workbench import balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.errors import Finding
from landbridge.reconcile import reconcile
from landbridge.settings import Flow
from landbridge.store import control
from landbridge.strict import plain, yaml
from landbridge.worker import Worker
from mdm.declare import load
from mdm.publish import EngineHub
from mdm.store import migrate


def examples(root: Path, *keys: str) -> list[dict[str, Any]]:
    """The examples of docs/hub.md that say all of these keys."""
    page = (root / "docs/hub.md").read_text(encoding="utf-8")
    found = [yaml.load(one, file="docs/hub.md") for one in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    return [plain(one) for one in found if set(keys) <= set(one.keys())]


class Pair:
    """A CRM that delivers to the ERP, and a plant whose customers only the hub hears of."""

    def __init__(self, root: Path, store: Any, clock: Any, plant: type[Memory] = Memory, **alone: Any) -> None:
        migrate(store.engine)
        self.clock = clock
        declared = load(root, Canonical.load(root / "schemas" / "canonical"))
        self.crm, self.erp = (Memory(name, clock, customer=CUSTOMER) for name in ("crm", "erp"))
        self.plant: Any = plant("plant", clock, customer=CUSTOMER)
        flows = [flow("crm_customers", "crm", "customer", "erp"), flow("plant_customers", "plant", "customer", **alone)]
        hub = EngineHub({"customer": declared["customer"]}, clock)
        self.made = engine(store, clock, [self.crm, self.plant, self.erp], flows, hub=hub)

    def run(self, *flows: str) -> Any:
        ran = None
        for name in flows or ("crm_customers", "plant_customers", "crm_customers"):
            ran = self.made.run(name)
            self.clock.advance(timedelta(minutes=2))
        return ran

    def row(self) -> Any:
        [found] = [one for one in balanced(self.made) if one.flow == "plant_customers"]
        return found


@pytest.fixture
def pair(root, store, clock):
    return Pair(root, store, clock)


def phones(pair: Pair) -> set[str]:
    [held] = pair.erp.effects("customer")
    return {one["number"] for one in held.header["phones"]}


def test_the_example_on_the_page_is_a_flow(root):
    [told] = examples(root, "flow", "extract")
    read = Flow.model_validate(told)
    assert (read.deliver, list(read.taken)) == ((), ["plant_suppliers/hub"])
    assert f"`{next(iter(read.taken))}`" in (root / "docs/hub.md").read_text(encoding="utf-8")


def test_what_only_the_hub_hears_of_changes_what_others_deliver(pair):
    pair.crm.put("customer", "1", ACME)
    pair.plant.put("customer", "7", ACME_AGAIN)
    pair.run()
    assert phones(pair) == {"+49 711 123456", "0711/98765"}, "the plant's number reaches the ERP by the CRM's flow"
    assert pair.plant.written() == 0
    row = pair.row()
    assert (row.route, row.system, row.received, row.delivered, row.in_flight) == (
        "plant_customers/hub",
        "hub",
        1,
        1,
        0,
    )
    pair.plant.put("customer", "7", {**ACME_AGAIN, "phones": [{"number": "0711/999"}]})
    pair.run()
    assert phones(pair) == {"+49 711 123456", "0711/999"}
    assert pair.row().delivered == 2
    pair.run()
    assert pair.row().delivered == 2


def test_a_bad_record_is_set_aside_and_counted(root, store, clock):
    pair = Pair(root, store, clock, check={"quality": "customer"})
    pair.made.parts.check = lambda _, body: (
        [Finding("name", "capitals", "in capitals")] if body["name"].isupper() else []
    )
    pair.crm.put("customer", "1", ACME)
    pair.plant.put("customer", "7", {**ACME_AGAIN, "name": "ACME MASCHINENBAU"})
    pair.run()
    assert phones(pair) == {"+49 711 123456"}
    row = pair.row()
    assert (row.quarantined, row.delivered, row.in_flight) == (1, 0, 0)
    pair.made.parts.check = lambda _, body: []  # the rule was wrong
    with store.transaction("replay") as connection:
        [dead] = control.attention(connection, ["quarantined"])
        control.unprocess(connection, [dead.id])
    pair.run()
    assert phones(pair) == {"+49 711 123456", "0711/98765"}, "what is replayed reaches the hub"
    row = pair.row()
    assert (row.quarantined, row.delivered, row.in_flight) == (0, 1, 0)


def test_the_command_line_shows_it_and_runs_it(pair, root, tmp_path, monkeypatch, capsys):
    landbridge = Terminal(pair.made, tmp_path, monkeypatch, capsys, Canonical.load(root / "schemas" / "canonical"))
    landbridge.installation.__dict__["hub"] = pair.made.parts.hub
    monkeypatch.setenv("COLUMNS", "300")
    pair.plant.put("customer", "7", ACME_MAYBE)
    tried = landbridge("run", "plant_customers", "--dry-run")
    assert tried.code == 0, tried
    assert pair.row().received == 0
    ran = landbridge("run", "plant_customers")
    assert ran.code == 0, ran
    shown = landbridge("status")
    assert re.search(r"plant_customers +active +1 +1 ", shown.out), shown
    refused = landbridge("adopt", "plant_customers", "--match", "name")
    assert refused.code == 1 and "no system" in refused.err


def test_a_resident_worker_drains_it(root, store, clock):
    pair = Pair(root, store, clock, extract={"from": "plant", "entity": "customer", "fastest": "1s"})
    pair.plant.put("customer", "7", ACME)
    worker = Worker(pair.made)
    worker.run(until=lambda: pair.row().delivered == 1)
    assert pair.row().delivered == 1


def test_what_its_feed_never_told_is_found_by_reconciling(root, store, clock):
    pair = Pair(root, store, clock, Book)
    pair.crm.put("customer", "1", ACME)
    pair.plant.save("customer", "7", ACME_AGAIN, "s1", told=False)
    pair.run()
    assert pair.row().received == 0
    report = reconcile(pair.made, "plant_customers", apply=True)
    assert report.counts["late"] + report.counts["missing"] == 1, report
    pair.run()
    assert phones(pair) == {"+49 711 123456", "0711/98765"}
    assert (pair.row().delivered, pair.row().in_flight) == (1, 0)
