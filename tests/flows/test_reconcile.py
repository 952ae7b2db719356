"""Reconcile finds what feeds do not tell, sends it by the same way, and takes nothing for a difference that is none."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from memory import Book
from sqlalchemy import text
from workbench import Plain, balanced, engine, flow

from landbridge.connector import Entity, KeyHash, Row
from landbridge.errors import Rejected
from landbridge.reconcile import reconcile
from landbridge.settings import Ownership
from landbridge.store import operate

CUSTOMER = Entity("Customer", create="B", update="B", delete="B", batch=50)
ORDER = Entity("Order", create="C", update="C", batch=10, lines="lines")


@pytest.fixture(params=[False, True], ids=["digests", "own hashes"])
def pair(request, store, clock) -> tuple[Any, Book, Book]:
    """Customers from the crm to the erp; ten of them arrived. Both kinds of hashes that connectors give."""
    crm = Book("crm", clock, own_hashes=request.param, customer=CUSTOMER)
    erp = Book("erp", clock, own_hashes=request.param, customer=CUSTOMER)
    flows = [flow("customers", "crm", "customer", {"to": "erp", "on_delete": "block"})]
    made = engine(store, clock, [crm, erp], flows)
    for n in range(10):
        crm.save("customer", f"C{n}", {"name": f"Name {n}", "city": "Berlin"}, f"t{n}")
    made.run("customers")
    assert len(erp.effects("customer")) == 10
    return made, crm, erp


def at(erp: Book, name: str) -> Any:
    [found] = [one for one in erp.effects("customer") if one.header["name"] == name]
    return found


def settled(made: Any, clock: Any) -> None:
    """Let what waits go out, and hold the accounting to its equation."""
    clock.advance(3600)
    made.deliver()
    balanced(made)


def test_where_nothing_differs_nothing_is_found_and_nothing_is_sent(pair):
    made, _, erp = pair
    written = erp.written()
    for _ in range(2):
        report = reconcile(made, "customers", apply=True)
        assert (report.differences, report.counts["sent"]) == (0, 0)
        assert (report.counts["known"], report.counts["linked"]) == (10, 10)
    assert erp.written() == written


def test_a_second_look_reads_nothing_where_nothing_changed(pair):
    made, crm, erp = pair
    reconcile(made, "customers")
    crm.fetched = erp.fetched = 0
    assert reconcile(made, "customers").differences == 0
    assert (crm.fetched, erp.fetched) == (0, 0)


def test_a_record_that_the_feed_never_told_is_found_and_sent(pair, clock):
    made, crm, erp = pair
    crm.save("customer", "C55", {"name": "Untold", "city": "Rom"}, "t0", told=False)
    report = reconcile(made, "customers")
    assert dict(report.counts)["missing"] == report.differences == 1
    assert report.samples["missing"][0].source_key == "C55"
    made.run("customers")
    assert len(erp.effects("customer")) == 10, "a report sends nothing"
    assert reconcile(made, "customers", apply=True).counts["sent"] == 1
    assert at(erp, "Untold").header["city"] == "Rom"
    assert reconcile(made, "customers").differences == 0
    settled(made, clock)


def test_a_change_that_the_cursor_skipped_is_found_and_sent(pair, clock):
    made, crm, erp = pair
    crm.save("customer", "C3", {"name": "Name 3", "city": "Wien"}, "t3-late", told=False)
    report = reconcile(made, "customers", apply=True)
    assert (report.differences, report.counts["late"], report.counts["sent"]) == (1, 1, 1)
    assert at(erp, "Name 3").header["city"] == "Wien"
    assert reconcile(made, "customers").differences == 0
    settled(made, clock)


def test_what_the_feed_tells_only_now_is_no_finding(pair):
    made, crm, erp = pair
    crm.save("customer", "C3", {"name": "Name 3", "city": "Wien"}, "t30")
    report = reconcile(made, "customers", apply=True)
    assert report.differences == 0, "the feed is read first"
    made.deliver()
    assert at(erp, "Name 3").header["city"] == "Wien"


def test_a_deletion_that_nobody_told_becomes_a_deletion(pair, clock):
    made, crm, erp = pair
    crm.remove("customer", "C4")
    assert reconcile(made, "customers").counts["deleted"] == 1
    report = reconcile(made, "customers", apply=True)
    assert (report.counts["deleted"], report.counts["sent"]) == (1, 1)
    settled(made, clock)
    assert at(erp, "Name 4").header["blocked"] == "block"
    assert reconcile(made, "customers", apply=True).differences == 0, "it is told once"
    crm.save("customer", "C4", {"name": "Name 4", "city": "Berlin"}, "t40")
    made.run("customers")
    crm.remove("customer", "C4")
    assert reconcile(made, "customers", apply=True).counts["deleted"] == 1, "gone, there again, and gone again"
    settled(made, clock)


def test_a_deletion_is_still_known_when_its_message_is_no_longer_kept(pair, store, clock):
    made, crm, _ = pair
    crm.remove("customer", "C4")
    reconcile(made, "customers", apply=True)
    settled(made, clock)
    reconcile(made, "customers")
    with store.transaction("test") as connection:
        connection.execute(text("delete from outbox"))
        connection.execute(text("delete from inbox"))
    assert reconcile(made, "customers").counts["deleted"] == 0


def test_what_the_list_of_keys_leaves_out_but_can_be_read_is_not_deleted(pair, monkeypatch):
    made, crm, _ = pair
    whole = list(crm.keys("customer"))
    monkeypatch.setattr(crm, "keys", lambda *_, **__: iter(whole[:3]))
    report = reconcile(made, "customers", apply=True)
    assert (report.differences, report.counts["outside"]) == (0, 7)


def test_more_than_a_part_gone_is_refused_until_a_person_accepts(pair, clock, store):
    made, crm, erp = pair
    for n in range(6):
        crm.remove("customer", f"C{n}")
    report = reconcile(made, "customers", apply=True)
    assert "6 of 10 records are gone" in report.refused
    assert not report.applied
    settled(made, clock)
    assert not [one for one in erp.effects("customer") if "blocked" in one.header]
    with store.reading() as connection:
        [row] = [one for one in operate.standing(connection) if one.flow == "customers"]
    assert row.reconciled_state == "failed"
    assert row.run_state == "succeeded", "a reconcile is not the flow's last run"
    assert reconcile(made, "customers", apply=True, most=60).applied
    settled(made, clock)
    assert len([one for one in erp.effects("customer") if "blocked" in one.header]) == 6


def test_a_record_that_the_target_lost_is_written_again(pair, clock):
    made, _, erp = pair
    erp.remove("customer", at(erp, "Name 7").id)
    report = reconcile(made, "customers")
    assert (report.counts["lost"], report.samples["lost"][0].source_key) == (1, "C7")
    kept = reconcile(made, "customers", apply=True, targets=False)
    assert (kept.counts["lost"], kept.counts["sent"]) == (1, 0), "by night what differs in targets is only told"
    assert reconcile(made, "customers", apply=True).counts["created"] == 1
    assert at(erp, "Name 7").header["city"] == "Berlin"
    assert reconcile(made, "customers").differences == 0
    settled(made, clock)


def test_a_record_changed_behind_our_back_is_set_right_field_by_field(pair, clock):
    made, _, erp = pair
    record = at(erp, "Name 2")
    record.header |= {"city": "Paris", "phone": "4711"}
    record.version += 1
    report = reconcile(made, "customers")
    assert report.counts["changed"] == report.differences == 1
    assert report.samples["changed"][0].detail == {"fields": ["city"]}, "names of our fields, no values"
    assert reconcile(made, "customers", apply=True).counts["updated"] == 1
    assert (record.header["city"], record.header["phone"]) == ("Berlin", "4711")
    [write] = erp.calls[-1][1] if erp.calls[-1][0] == "write" else [c for c in erp.calls if c[0] == "write"][-1][1]
    assert write.changed == {"city": "Berlin"}
    assert reconcile(made, "customers").differences == 0
    settled(made, clock)


def test_a_field_that_is_not_ours_may_change_as_it_likes(pair):
    made, _, erp = pair
    at(erp, "Name 2").header["phone"] = "4711"
    at(erp, "Name 2").version += 1
    assert reconcile(made, "customers", apply=True).differences == 0


def test_a_field_that_the_target_owns_is_told_and_left_alone(store, clock):
    crm, erp = Book("crm", clock, customer=CUSTOMER), Book("erp", clock, customer=CUSTOMER)
    rules = {"customer": {"fields": {"city": {"owner": "erp", "when": "has_target_id"}}}}
    made = engine(
        store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")],
        ownership=Ownership.model_validate(rules),
    )  # fmt: skip
    crm.save("customer", "C1", {"name": "Name 1", "city": "Berlin"}, "t1")
    made.run("customers")
    at(erp, "Name 1").header["city"] = "Paris"
    at(erp, "Name 1").version += 1
    report = reconcile(made, "customers", apply=True)
    assert (report.counts["theirs"], report.counts["changed"], report.counts["sent"]) == (1, 0, 0)
    assert at(erp, "Name 1").header["city"] == "Paris"


def test_a_changed_line_of_a_document_is_found_and_set_right(store, clock):
    def read(native: Any, _: Any) -> dict[str, Any]:
        return {
            "number": native["number"],
            "lines": [{"line_key": one["k"], "qty": one["qty"]} for one in native["lines"]],
        }

    def write(canonical: Any, _: Any) -> dict[str, Any]:
        lines = [{"@line": line["line_key"], "qty": line["qty"]} for line in canonical["lines"]]
        return {"number": canonical["number"], "lines": lines}

    crm, erp = Book("crm", clock, sales_order=ORDER), Book("erp", clock, sales_order=ORDER)
    mappings = {("crm", "sales_order"): Plain(read=read), ("erp", "sales_order"): Plain(write=write)}
    made = engine(store, clock, [crm, erp], [flow("orders", "crm", "sales_order", "erp")], mappings)
    lines = [{"k": "a", "qty": "3"}, {"k": "b", "qty": "5"}]
    crm.save("sales_order", "O1", {"number": "O1", "lines": lines}, "t1")
    made.run("orders")
    assert reconcile(made, "orders").differences == 0
    [order] = erp.effects("sales_order")
    order.lines["20"]["qty"] = "50"
    order.version += 1
    report = reconcile(made, "orders", apply=True)
    assert report.samples["changed"][0].detail == {"fields": ["lines[b].qty"]}
    assert [line["qty"] for line in order.lines.values()] == ["3", "5"]
    assert reconcile(made, "orders").differences == 0


def test_a_route_that_came_later_gets_what_was_received_before_it(pair, store, clock):
    _, crm, erp = pair
    wms = Book("wms", clock, customer=CUSTOMER)
    both = flow("customers", "crm", "customer", {"to": "erp", "on_delete": "block"}, "wms")
    wider = engine(store, clock, [crm, erp, wms], [both])
    written = erp.written()
    report = reconcile(wider, "customers", apply=True)
    assert (report.counts["unlinked"], report.differences) == (10, 10)
    assert len(wms.effects("customer")) == 10
    assert erp.written() == written, "what the other target has already is not written again"
    assert reconcile(wider, "customers", apply=True).differences == 0


def test_what_is_in_flight_or_needs_a_person_is_no_difference(pair, clock):
    made, crm, erp = pair
    erp.script = [Rejected("no group Z9", hint="Choose another one.")]
    crm.save("customer", "C99", {"name": "Dead", "city": "Bonn"}, "t99")
    made.run("customers")
    assert reconcile(made, "customers", apply=True).differences == 0


def test_keys_that_do_not_ascend_conclude_nothing(pair, monkeypatch):
    made, crm, _ = pair
    keys = list(crm.keys("customer"))
    monkeypatch.setattr(crm, "keys", lambda *_, **__: iter([keys[5], keys[2]]))
    with pytest.raises(Rejected, match="do not ascend"):
        reconcile(made, "customers", apply=True)


def test_a_listing_that_breaks_off_sends_nothing(pair, monkeypatch):
    made, crm, _ = pair
    crm.remove("customer", "C1")

    def broken(*_: Any, **__: Any) -> Any:
        yield from [KeyHash("C0", b"x")]
        raise ConnectionResetError

    monkeypatch.setattr(crm, "keys", broken)
    with pytest.raises(ConnectionResetError):
        reconcile(made, "customers", apply=True)
    made.process("crm", "customer")
    assert all(row.received == 10 for row in balanced(made))


def test_a_hundred_thousand_keys_in_constant_memory_and_linear_time(store, clock):
    small, large = (_measured(store, clock, f"s{n}", n) for n in (20_000, 100_000))
    assert large[1] < 8_000, f"memory grows with the keys: by {large[1]} KiB while 100,000 were compared"
    assert large[0] < small[0] * 5 * 2.5, f"not linear: {small[0]:.2f} s → {large[0]:.2f} s"


def _measured(store: Any, clock: Any, name: str, count: int) -> tuple[float, int]:
    """Seconds, and KiB that the process grew by, of a look at so many keys: one in 1,000 is gone, new or changed."""
    system = Listed(name, clock, customer=CUSTOMER)
    target = Book(f"{name}_target", clock, customer=CUSTOMER)
    made = engine(store, clock, [system, target], [flow(f"flow_{name}", name, "customer", target.name)])
    with store.transaction("test") as connection:
        connection.execute(
            text(
                "insert into xref (system, entity, scope, id, subject, linked_by, linked_at) "
                "select :s, 'customer', '', 'K' || lpad(n::text, 7, '0'), gen_random_uuid(), 'source', now() "
                "from generate_series(1, :n) n"
            ),
            {"s": name, "n": count},
        )
        connection.execute(
            text(
                "insert into reconciled (side, system, entity, id, hash) "
                "select 'source', :s, 'customer', 'K' || lpad(n::text, 7, '0'), decode(md5('K' || n), 'hex') "
                "from generate_series(1, :n) n"
            ),
            {"s": name, "n": count},
        )
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze xref, reconciled"))
    system.count = count
    started, before = time.perf_counter(), resident()
    report = reconcile(made, f"flow_{name}")
    spent = time.perf_counter() - started
    assert report.counts["deleted"] == report.counts["late"] == report.counts["missing"] == count // 1000
    return spent, system.peak - before


def resident() -> int:
    """KiB of memory that the process holds now."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Listed(Book):
    """Any number of keys that are made while they are listed."""

    count = 0
    peak = 0

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Any:
        from hashlib import md5

        for n in range(1, self.count + 1):
            if n % 5000 == 0:
                self.peak = max(self.peak, resident())
            if n % 1000 == 1:
                continue  # gone
            changed = n % 1000 == 2
            yield KeyHash(f"K{n:07}", md5(f"K{n}{'x' if changed else ''}".encode(), usedforsecurity=False).digest())
            if n % 1000 == 3:
                yield KeyHash(f"K{n:07}new", b"new")

    def fetch(self, entity: str, ids: Any) -> list[Row]:
        gone = [id_ for id_ in ids if not id_.endswith("new") and int(id_[1:]) % 1000 == 1]
        there = [id_ for id_ in ids if id_ not in gone]
        return [Row(id_, {"id": id_}, stamp="now") for id_ in there] + [Row(id_, None, action="delete") for id_ in gone]
