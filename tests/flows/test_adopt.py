"""Cut-over: what exists on both sides is linked, and nothing is written."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from memory import Memory, Record
from workbench import Plain, balanced, engine, flow

from landbridge.connector import Entity, Page, Row
from landbridge.engine import Engine, adopt
from landbridge.engine._match import Match
from landbridge.errors import LandbridgeError
from landbridge.store import Store, control
from landbridge.store._store import sql
from landbridge.translator import Tables, Translator

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))
ORDER = Entity("Order", create="C", update="C", batch=5, settle=timedelta(minutes=5), lines="lines")


class Matching(Memory):
    """A memory system that can be asked which records hold a value."""

    def matches(self, entity: str, values: Sequence[str], *, field: str) -> Mapping[str, list[str]]:
        self.calls.append(("matches", (field, list(values))))
        found: dict[str, list[str]] = {}
        for record in self.records.get(entity, {}).values():
            if record.header.get(field) in values:
                found.setdefault(record.header[field], []).append(record.id)
        return found

    def stands(self, id_: str, **header: Any) -> Record:
        """A record that was there before us."""
        record = Record(id_, header, {}, "")
        self.records.setdefault("customer", {})[id_] = record
        return record


@pytest.fixture
def house(store: Store, clock: Any) -> tuple[Matching, Matching, Engine]:
    crm, erp = Matching("crm", clock, customer=CUSTOMER), Matching("erp", clock, customer=CUSTOMER)
    return crm, erp, engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])


def put(crm: Memory, key: str, tax: str | None, **more: Any) -> None:
    crm.put("customer", key, {"name": f"Name {key}", "tax": tax} | more)


def test_adoption_links_and_writes_nothing_and_a_later_change_is_an_update(house: Any) -> None:
    crm, erp, made = house
    for n in range(5):
        put(crm, f"C{n}", f"T{n}")
        erp.stands(f"9{n}", name=f"ERP {n}", tax=f"T{n}")
    [done] = adopt(made, "customers", "tax")
    assert (done.target_field, dict(done.counts)["linked"]) == ("tax", 5)
    assert erp.written() == 0
    assert made.run("customers").written == 0 and erp.written() == 0
    assert balanced(made)[0].suppressed == 5
    put(crm, "C3", "T3")
    assert made.run("customers").counts["unchanged"] == 1 and erp.written() == 0, "touched, not changed"
    put(crm, "C3", "T3", city="Kiel")
    assert made.run("customers").counts["updated"] == 1
    [writes] = [batch for kind, batch in erp.calls if kind == "write"]
    assert [(w.action, w.target_id, w.changed) for w in writes] == [("update", "93", {"city": "Kiel"})]
    assert erp.records["customer"]["93"].header["name"] == "ERP 3", "what we did not change stays theirs"
    assert len(erp.records["customer"]) == 5


def test_adoption_again_changes_nothing(house: Any) -> None:
    crm, erp, made = house
    put(crm, "C1", "T1")
    erp.stands("91", tax="T1")
    adopt(made, "customers", "tax")
    [again] = adopt(made, "customers", "tax")
    assert sum(again.counts.values()) == 0 and erp.written() == 0
    with made.parts.store.reading() as connection:
        assert control.paused(connection) == {}, "the pause ends with the adoption"


def test_what_has_several_candidates_is_a_conflict_that_a_person_settles(
    house: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    crm, erp, made = house
    landbridge = Desk(made, tmp_path, monkeypatch, capsys, None)
    put(crm, "C1", "T1")
    erp.stands("91", tax="T1")
    erp.stands("92", tax="T1")
    put(crm, "C2", "T2")
    put(crm, "C3", "T2")
    erp.stands("93", tax="T2")
    ran = landbridge("adopt", "customers", "--match", "tax")
    assert ran.code == 1
    assert (
        "crm customer C1 has 2 candidates in erp: erp 91, erp 92. hint: landbridge xref link crm customer C1" in ran.err
    )
    assert "crm customer C2 is not the only one with this value: erp 93." in ran.err and "C3" in ran.err
    assert landbridge("run", "customers").code == 0 and erp.written() == 0
    found = {one["source_key"]: one["id"] for one in json.loads(landbridge("dead", "list", "--json").out)}
    assert set(found) == {"C1", "C2", "C3"}
    landbridge("xref", "link", "crm", "customer", "C1", "--to", "erp", "--id", "92")
    landbridge("dead", "replay", found["C1"])
    landbridge("run", "customers")
    assert (
        erp.records["customer"]["92"].header["name"] == "Name C1" and "name" not in erp.records["customer"]["91"].header
    )
    assert len(erp.records["customer"]) == 3
    balanced(made)


def test_two_sources_with_one_value_are_told_apart_over_any_number_of_pages(store: Store, clock: Any) -> None:
    crm, erp = Matching("crm", clock, customer=CUSTOMER), Matching("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], batch=2)
    for n in range(6):
        put(crm, f"C{n}", "T0" if n == 5 else f"T{n}")
        erp.stands(f"9{n}", tax=f"T{n}")
    [done] = adopt(made, "customers", "tax")
    assert (done.counts["linked"], done.counts["ambiguous"]) == (4, 2)
    assert {key for key, _ in done.ambiguous} == {"C0", "C5"}


def test_what_has_no_candidate_stays_open_or_is_held(house: Any, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    crm, erp, made = house
    landbridge = Desk(made, tmp_path, monkeypatch, capsys, None)
    put(crm, "C1", "T1")
    put(crm, "C2", None)
    ran = landbridge("adopt", "customers", "--match", "tax", "--hold")
    assert ran.code == 0 and "not found: C1, C2 (held)" in ran.out
    landbridge("run", "customers")
    assert erp.written() == 0
    landbridge("hold", "customers", "C1", "--release")
    landbridge("run", "customers")
    assert [r.header["name"] for r in erp.effects("customer")] == ["Name C1"]
    put(crm, "C3", "T3")
    ran = landbridge("adopt", "customers", "--match", "tax")
    assert "(the next run creates them)" in ran.out
    landbridge("run", "customers")
    assert len(erp.effects("customer")) == 2


def test_a_dry_run_reports_the_same_and_keeps_nothing(
    house: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    crm, erp, made = house
    landbridge = Desk(made, tmp_path, monkeypatch, capsys, None)
    put(crm, "C1", "T1")
    put(crm, "C2", "T2")
    erp.stands("91", tax="T1")

    def kept() -> list[int]:
        tables = ("inbox", "outbox", "subject", "xref", "history", "flow", "shadow", "receipt")
        with made.parts.store.reading() as connection:
            return [connection.execute(sql(f"select count(*) from {name}")).scalar_one() for name in tables]

    before = kept()
    ran = landbridge("adopt", "customers", "--match", "tax", "--dry-run", "--json")
    [seen] = json.loads(ran.out)
    assert seen["counts"] == {"linked": 1, "ambiguous": 0, "no candidate": 1, "no value": 0} and seen["missing"] == [
        "C2"
    ]
    assert kept() == before and erp.written() == 0
    [real] = json.loads(landbridge("adopt", "customers", "--match", "tax", "--json").out)
    assert real == seen


def test_a_record_of_the_target_that_only_the_target_knew_is_joined(store: Store, clock: Any) -> None:
    crm, erp = Matching("crm", clock, customer=CUSTOMER), Matching("erp", clock, customer=CUSTOMER)
    flows = [
        flow("back", "erp", "customer", {"to": "crm", "create": False}),
        flow("customers", "crm", "customer", "erp"),
    ]
    made = engine(store, clock, [crm, erp], flows)
    erp.stands("91", tax="T1")
    erp.put("customer", "91", {"tax": "T1", "name": "E"})
    made.run("back")
    put(crm, "C1", "T1")
    [done] = adopt(made, "customers", "tax")
    assert done.counts["linked"] == 1
    assert made.run("customers").written == 0
    put(crm, "C1", "T1", city="Kiel")
    made.run("customers")
    assert [(w.action, w.target_id) for kind, b in erp.calls if kind == "write" for w in b] == [("update", "91")]
    assert len(erp.effects("customer")) == 1


def test_orders_that_wait_for_an_adopted_customer_go_on(store: Store, clock: Any) -> None:
    crm = Matching("crm", clock, customer=CUSTOMER, sales_order=ORDER)
    erp = Matching("erp", clock, customer=CUSTOMER, sales_order=ORDER)

    def order_in(native: Any, _: Any) -> dict[str, Any]:
        buyer = {"system": "crm", "entity": "customer", "scope": "", "id": native["buyer"]}
        return {"number": native["number"], "customer": buyer, "lines": []}

    def order_out(canonical: Any, context: Any) -> dict[str, Any]:
        return {"sold_to": context.target_id("customer", canonical["customer"]["subject"]), "lines": []}

    flows = [
        flow("customers", "crm", "customer", "erp"),
        flow("orders", "crm", "sales_order", {"to": "erp", "after": ["customer"]}),
    ]
    mappings = {("crm", "sales_order"): Plain(order_in), ("erp", "sales_order"): Plain(None, order_out)}
    made = engine(store, clock, [crm, erp], flows, mappings)
    erp.stands("91", tax="T1")
    crm.put("sales_order", "O1", {"number": "SO-1", "buyer": "C1"})
    made.run("orders")
    assert not erp.effects("sales_order")
    put(crm, "C1", "T1")
    adopt(made, "customers", "tax")
    made.run("orders")
    assert erp.effects("sales_order")[0].header["sold_to"] == "91"
    with pytest.raises(LandbridgeError, match="sales_order of erp has lines"):
        adopt(made, "orders", "number")


def test_a_system_that_cannot_look_up_says_so(
    store: Store, clock: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    landbridge = Desk(made, tmp_path, monkeypatch, capsys, None)
    put(crm, "C1", "T1")
    ran = landbridge("adopt", "customers", "--match", "tax")
    assert ran.code == 1 and "erp cannot look customer up by tax. hint: Adopt by another field" in ran.err
    assert landbridge("run", "customers").code == 0, "a failed adoption leaves the flow running"
    assert (
        "customers has no route to shop. hint: It delivers to erp."
        in landbridge("adopt", "customers", "--match", "tax", "--to", "shop").err
    )
    assert "is no path" in landbridge("adopt", "customers", "--match", "a[").err


def test_a_match_is_a_field_a_path_or_a_scheme_of_identifiers() -> None:
    fields = {"number": 1, "identifiers": 1, "identifiers[].value": 1}
    body = {"number": "7", "identifiers": [{"scheme": "vat", "value": " DE1 "}, {"scheme": "tax_id", "value": None}]}
    assert Match.parse("number", fields).values(body) == ["7"]
    assert Match.parse("vat", fields).values(body) == ["DE1"]
    assert Match.parse("identifiers[scheme=vat].value", fields).values(body) == ["DE1"]
    assert Match.parse("identifiers[*].value", fields).values(body) == ["DE1"]
    assert Match.parse("tax_id", fields).values(body) == []
    assert Match.parse("number", fields).values({"number": {"a": 1}}) == []
    with pytest.raises(LandbridgeError, match="no field 'vat' and no identifiers"):
        Match.parse("vat", {"number": 1})
    with pytest.raises(LandbridgeError, match="no path of a record"):
        Match.parse("a | b", fields)


def test_the_targets_field_comes_from_its_mapping(tmp_path: Path) -> None:
    (tmp_path / "m" / "crm").mkdir(parents=True)
    file = tmp_path / "m" / "crm" / "customer.yaml"
    file.write_text(
        "entity: customer\nnative: A\nin: {name: Name}\nout:\n"
        '  Tax: "identifiers[scheme=tax_id].value | trim"\n'
        "  Nr: {from: number, default: x}\n  Both: name\n  Again: name\n"
    )
    mapping = Translator(tmp_path / "m", Tables(tmp_path, under=tmp_path)).load_file(file)
    fields = {"number": 1, "name": 1, "identifiers": 1}
    assert Match.parse("tax_id", fields).field(mapping) == "Tax"
    assert Match.parse("number", fields).field(mapping) == "Nr"
    assert Match.parse("name", fields).field(mapping) == "name", "two fields carry it: the connector is asked"
    assert Match.parse("vat", fields).field(mapping) == "vat"


def test_adoption_needs_no_more_memory_and_no_more_questions_per_record_for_more_records(
    store: Store, clock: Any
) -> None:
    class Endless(Matching):
        number = 0

        def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
            for at in range(int(since or 0), self.number, 100):
                gc.collect()
                rows = [Row(f"C{n}", {"tax": f"T{n}", "name": "x" * 400}, stamp="1") for n in range(at, at + 100)]
                yield Page(rows, str(at + 100))

        def matches(self, entity: str, values: Sequence[str], *, field: str) -> Mapping[str, list[str]]:
            gc.collect()
            self.calls.append(("matches", None))
            return {value: [f"9{value}"] for value in values}

    crm, erp = Endless("crm", clock, customer=CUSTOMER), Endless("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], batch=100)
    peaks = []
    for number in (200, 600, 3000):  # the first one warms up
        before, crm.number = crm.number, number
        erp.calls.clear()
        tracemalloc.start()
        [done] = adopt(made, "customers", "tax")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert done.counts["linked"] == number - before
        assert len(erp.calls) == (number - before) // 100
    assert peaks[2] < peaks[1] * 1.3, peaks
