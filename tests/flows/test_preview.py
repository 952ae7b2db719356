"""A preview tells what a run would do, and leaves no trace in the store or in any system."""

from __future__ import annotations

import gc
import json
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from memory import Memory
from workbench import Plain, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity, Page, Row
from landbridge.engine import Engine, preview
from landbridge.errors import Denied, Finding, Invalid, LandbridgeError
from landbridge.settings import Ownership
from landbridge.store import Store
from landbridge.store._store import sql
from landbridge.translator import Tables, Translator

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))
ORDER = Entity("Order", create="C", update="C", batch=5, settle=timedelta(minutes=5), lines="lines")
STOCK = Entity("Stock", create="B", update="B", batch=50, snapshot=True)


def trace_of(store: Store) -> dict[str, Any]:
    """Everything that is kept, so that two of them can be compared: every table's rows, and every cursor."""
    tables = ("binding", "feed", "snapshot", "seen", "staged", "receipt", "inbox", "body", "subject", "xref", "shadow")
    with store.reading() as connection:
        return {
            name: connection.execute(sql(f"select coalesce(json_agg(t)::text, '') from {name} t")).scalar_one()
            for name in (*tables, "outbox", "attempt", "history", "run", "flow", "route")
        }


@pytest.fixture
def two(store: Store, clock: Any) -> tuple[Memory, Memory, Engine]:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)

    def read(native: Any, _: Any) -> dict[str, Any]:
        if "bad" in native:
            raise Invalid([Finding("name", "type", "is no name.")])
        return dict(native)

    mappings = {("crm", "customer"): Plain(read)}
    return crm, erp, engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], mappings)


def test_a_preview_counts_what_the_run_then_does_and_leaves_no_trace(two: Any, store: Store) -> None:
    crm, erp, made = two
    for n in range(4):
        crm.put("customer", f"C{n}", {"name": f"Name {n}", "city": "A"})
    made.run("customers")
    crm.put("customer", "C0", {"name": "Name 0", "city": "B"})
    crm.put("customer", "C1", {"name": "Name 1", "city": "A"})
    crm.put("customer", "C7", {"name": "Name 7", "city": "A"})
    crm.put("customer", "C8", {"bad": True})
    before, writes = trace_of(store), erp.written()
    seen = preview(made, "customers")
    assert trace_of(store) == before and erp.written() == writes
    counts = {word: seen.counts[word] for word in ("read", "new", "created", "updated", "unchanged", "quarantined")}
    assert counts == {"read": 4, "new": 4, "created": 1, "updated": 1, "unchanged": 1, "quarantined": 1}
    updated = next(one for one in seen.examples if one.what == "updated")
    assert [(d.field, d.before, d.after) for d in updated.differences] == [("city", "A", "B")]
    assert (updated.key, updated.target_id, updated.route) == ("C0", "4711", "customers/erp")
    refused = next(one for one in seen.examples if one.what == "quarantined")
    assert refused.key == "C8" and "is no name" in refused.reason
    assert preview(made, "customers").counts == seen.counts, "a preview can be repeated"
    ran = made.run("customers").counts
    assert {word: ran[word] for word in counts} == counts


def test_a_preview_of_a_store_that_was_never_used_binds_nothing(two: Any, store: Store) -> None:
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    before = trace_of(store)
    assert preview(made, "customers").counts["created"] == 1
    assert trace_of(store) == before and '"org-crm"' not in before["binding"]
    made.run("customers")
    erp.organisation = "other"
    with pytest.raises(Denied, match="answers as other"):
        preview(engine(store, made.parts.clock, [crm, erp], list(made.parts.flows.values())), "customers")


def test_a_preview_says_which_parent_a_child_would_wait_for(store: Store, clock: Any) -> None:
    crm = Memory("crm", clock, customer=CUSTOMER, sales_order=ORDER)
    erp = Memory("erp", clock, customer=CUSTOMER, sales_order=ORDER)

    def order_in(native: Any, _: Any) -> dict[str, Any]:
        buyer = {"system": "crm", "entity": "customer", "scope": "", "id": native["buyer"]}
        return {"number": native["number"], "customer": buyer, "lines": [{"line_key": "a", "qty": native["qty"]}]}

    def order_out(canonical: Any, context: Any) -> dict[str, Any]:
        sold_to = context.target_id("customer", canonical["customer"]["subject"])
        lines = [{"@line": one["line_key"], "qty": one["qty"]} for one in canonical["lines"]]
        return {"number": canonical["number"], "sold_to": sold_to, "lines": lines}

    flows = [
        flow("customers", "crm", "customer", "erp"),
        flow("orders", "crm", "sales_order", {"to": "erp", "after": ["customer"]}),
    ]
    mappings = {("crm", "sales_order"): Plain(order_in), ("erp", "sales_order"): Plain(None, order_out)}
    made = engine(store, clock, [crm, erp], flows, mappings)
    crm.put("sales_order", "O1", {"number": "SO-1", "buyer": "C1", "qty": "3"})
    seen = preview(made, "orders")
    assert seen.counts["waiting"] == 1 and seen.examples[0].reason == "waits until crm customer C1 is in erp"
    crm.put("customer", "C1", {"name": "A"})
    made.run("customers")
    made.run("orders")
    crm.put("sales_order", "O1", {"number": "SO-1", "buyer": "C1", "qty": "5"})
    [one] = preview(made, "orders").examples
    assert [(d.field, d.before, d.after) for d in one.differences] == [("line a: qty", "3", "5")]


def test_a_preview_shows_the_conflict_that_a_change_would_be(store: Store, clock: Any) -> None:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    rules = Ownership.model_validate(
        {"customer": {"changes": [{"field": "limit", "at_least": "used", "else": "conflict"}]}}
    )
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], ownership=rules)
    crm.put("customer", "C1", {"limit": "10"})
    made.run("customers")
    erp.effects("customer")[0].header["used"] = "6"
    crm.put("customer", "C1", {"limit": "4"})
    seen = preview(made, "customers")
    assert seen.counts["conflict"] == 1 and "6 or more" in seen.examples[0].reason


def test_a_preview_of_a_snapshot_stages_nothing(store: Store, clock: Any) -> None:
    erp = Memory("erp", clock, inventory_level=STOCK)
    crm = Memory("crm", clock, inventory_level=Entity("Stock", create="B", update="B", batch=50))
    made = engine(store, clock, [erp, crm], [flow("stock", "erp", "inventory_level", "crm")])
    stock = [Row(f"P{n}", {"product": f"P{n}", "available": "5"}) for n in range(10)]
    erp.pages["inventory_level"] = [Page(stock, None, complete=True, total=10)]
    before = trace_of(store)
    assert preview(made, "stock").counts["created"] == 10
    assert trace_of(store) == before
    made.run("stock")
    erp.pages["inventory_level"] = [Page(stock[:2], None, complete=True, total=2)]
    assert "2 records came" in preview(made, "stock").refused
    assert "refused" not in str(made.run("stock").counts)


def test_a_preview_needs_no_more_memory_for_more_records(two: Any) -> None:
    crm, _, made = two

    def pages(number: int) -> Any:
        def read(entity: str, since: Any, *, limit: Any = None) -> Any:
            for at in range(0, number, 100):
                gc.collect()
                yield Page(
                    [Row(f"C{n}", {"name": "x" * 500, "n": str(n)}, stamp="1") for n in range(at, at + 100)], str(at)
                )

        return read

    peaks = []
    for number in (300, 3000):
        crm.read = pages(number)
        preview(made, "customers", limit=100)
        tracemalloc.start()
        assert preview(made, "customers").counts["created"] == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3, peaks


def test_an_unknown_or_disabled_flow_is_refused(store: Store, clock: Any) -> None:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("off", "crm", "customer", "erp", enabled=False)])
    with pytest.raises(LandbridgeError, match="off is not enabled"):
        preview(made, "off")


def test_run_dry_run_masks_personal_values_and_shows_the_others(
    store: Store, clock: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    schema = Canonical(
        {
            "customer": {
                "type": "object",
                "properties": {"name": {"type": "string", "x-personal": True}, "group": {"type": "string"}},
            }
        }
    )
    folder = tmp_path / "mappings" / "crm"
    folder.mkdir(parents=True)
    (folder / "customer.yaml").write_text(
        "entity: customer\nnative: Account\nin: {name: Name, group: Type}\nout: {Name: name, Type: group}\n"
    )
    mapping = Translator(tmp_path / "mappings", Tables(tmp_path / "config", under=tmp_path), schema).load_file(
        folder / "customer.yaml"
    )
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    mappings = {("crm", "customer"): mapping, ("erp", "customer"): mapping}
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], mappings, schema=schema)
    landbridge = Desk(made, tmp_path, monkeypatch, capsys, schema)
    crm.put("customer", "C1", {"Name": "Secret Name", "Type": "A"})
    made.run("customers")
    crm.put("customer", "C1", {"Name": "Other Name", "Type": "B"})
    ran = landbridge("run", "customers", "--dry-run")
    assert ran.code == 0 and "nothing was kept or written" in ran.out
    assert "Type: A → B" in ran.out and "Name: *** → ***" in ran.out and "Secret" not in ran.out
    assert "Name: Secret Name → Other Name" in landbridge("run", "customers", "--dry-run", "--show-personal").out
    seen = json.loads(landbridge("run", "customers", "--dry-run", "--json").out)
    assert seen["counts"]["updated"] == 1 and seen["examples"][0]["differences"][0]["before"] == "***"
    crm.put("customer", "C2", {"Name": 7, "Type": "B"})
    assert landbridge("run", "customers", "--dry-run").code == 1
    crm.fetch = lambda entity, ids: [crm.rows[entity][1]]  # type: ignore[method-assign]  # a system made for this test
    peeked = json.loads(landbridge("peek", "crm", "customer", "C1", "--json").out)
    assert peeked["native"] == {"Name": "***", "Type": "B"} and peeked["canonical"] == {"name": "***", "group": "B"}
