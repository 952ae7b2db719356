"""Salesforce by Bulk API 2.0: thousands of records in and out, per-row results, and every place where it can break."""

from __future__ import annotations

import csv
import dataclasses
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bench_salesforce import REFERENCE, SalesforceBench
from connectors_under_test import REGISTRY

from connectors.salesforce._cells import cell_of, row_of
from connectors.salesforce._ingest import error_of
from landbridge.connector import Accepted, Delivered, Outcome, Write
from landbridge.errors import Conflict, Denied, Rejected, Unavailable
from landbridge.strict import json as strict_json

HARD = ['quote " and , comma', "two\nlines", "茶 🍵 Ünïcödé", "'=1+1", "\ttab", "trailing\\", "#N/A or not", "a;b|c^d"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SalesforceBench]:
    made = SalesforceBench(REGISTRY["salesforce"], tmp_path)
    made.start()
    yield made
    made.close()
    made.stop()


def calls(bench: SalesforceBench, part: str, method: str = "") -> list[dict[str, Any]]:
    return [each for each in bench.org.app.log.last if part in each["path"] and each["method"].startswith(method)]


def writer(bench: SalesforceBench, above: int = 10) -> Any:
    return bench.connector(bulk={"read_above": 0, "write_above": above})


def reader(bench: SalesforceBench, above: int = 300, **more: Any) -> Any:
    return bench.connector(bulk={"read_above": above, "write_above": 0}, **more)


def again(write: Write, outcome: Outcome) -> Write:
    """The next attempt, as the engine makes it."""
    assert isinstance(outcome, Accepted)
    return dataclasses.replace(write, stage=outcome.stage, handle=outcome.handle)


def through(bench: SalesforceBench, connector: Any, writes: list[Write], *, rounds: int = 20) -> list[Outcome]:
    """Attempt after attempt until nothing is merely accepted, with the waits that were asked for."""
    outcomes = connector.write("customer", writes)
    for _ in range(rounds):
        open_ = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Accepted)]
        if not open_:
            return list(outcomes)
        bench.tick(max(outcomes[place].wait or 0.1 for place in open_))
        nexts = [again(writes[place], outcomes[place]) for place in open_]
        for place, outcome in zip(open_, connector.write("customer", nexts), strict=True):
            outcomes[place] = outcome
    raise AssertionError(f"still accepted after {rounds} attempts")


def accounts(bench: SalesforceBench) -> Counter[str]:
    return Counter(str(each.get(REFERENCE)) for each in bench.org.records("Account") if each.get(REFERENCE))


# --- writing


def test_five_thousand_writes_are_one_job_with_an_outcome_per_row(bench):
    connector = writer(bench, above=2000)
    writes = [bench.write(f"R{n:04}", f"{n}: {HARD[n % len(HARD)]}") for n in range(5000)]
    for n in range(0, 5000, 100):
        writes[n].after["Name"] = "x" * 300  # what Salesforce refuses
    bench.org.app.log.clear()
    outcomes = through(bench, connector, writes)
    assert Counter(type(outcome) for outcome in outcomes) == {Delivered: 4950, Rejected: 50}
    assert [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Rejected)] == list(
        range(0, 5000, 100)
    )
    assert outcomes[100].status == "STRING_TOO_LONG"
    assert "customer R0100" in outcomes[100].message
    stood = {each[REFERENCE]: each for each in bench.org.records("Account") if each.get(REFERENCE)}
    assert len(stood) == 4950
    for write, outcome in zip(writes, outcomes, strict=True):
        if isinstance(outcome, Delivered):
            assert outcome.created
            assert stood[write.reference]["Id"] == outcome.target_id
            assert stood[write.reference]["Description"] == write.after["Description"]
    assert len(calls(bench, "/jobs/ingest/", "PUT")) == 1
    assert calls(bench, "/composite/sobjects") == []
    assert len(bench.org.app.log.last) < 15, "one call per row"


def test_the_threshold_is_respected(bench):
    writes = [bench.write(f"R{n}", "x") for n in range(21)]
    assert writer(bench, above=20).entity("customer").bulk == 20
    assert all(isinstance(each, Delivered) for each in writer(bench, above=20).write("customer", writes[:20]))
    assert calls(bench, "/jobs/") == []
    assert all(isinstance(each, Accepted) for each in writer(bench, above=20).write("customer", writes))
    never = writer(bench, above=0)
    assert never.entity("customer").bulk is None
    assert all(isinstance(each, Delivered) for each in never.write("customer", writes))
    assert writer(bench).entity("sales_order").bulk is None, "documents need their lines in calls of their own"


def test_updates_deletes_and_creates_are_told_apart(bench):
    connector = writer(bench, above=5)
    made = bench.create(20)
    updates = [
        bench.write(
            f"U{n}",
            "new",
            action="update",
            target_id=made[n],
            before={"Description": None},
            changed={"Description": f"new {n}", "Phone": None},
        )
        for n in range(10)
    ]
    deletes = [bench.write(f"D{n}", "x", action="delete", target_id=made[10 + n], policy="delete") for n in range(9)]
    creates = [bench.write(f"C{n}", "x") for n in range(7)]
    bench.org.delete("Account", made[12])  # somebody was faster
    outcomes = through(bench, connector, [*updates, *deletes, *creates])
    assert all(isinstance(outcome, Delivered) for outcome in outcomes), outcomes
    assert [outcome.target_id for outcome in outcomes[:19]] == made[:19]
    assert [bench.org.get("Account", key)["Description"] for key in made[:10]] == [f"new {n}" for n in range(10)]
    assert all(bench.org.get("Account", key)["IsDeleted"] for key in made[10:19])
    assert len(calls(bench, "/batches", "PUT")) == 3


def test_null_clears_and_absent_stays(bench):
    connector = writer(bench, above=1)
    writes = [bench.write(f"R{n}", "old") for n in range(3)]
    for write in writes:
        write.after["Phone"] = "1"
    through(bench, connector, writes)
    seconds = [bench.write(f"R{n}", "x") for n in range(3)]
    for write, after in zip(
        seconds, [{"Name": "A", "Phone": None}, {"Name": "B", "Phone": ""}, {"Name": "C"}], strict=True
    ):
        write.after.clear()
        write.after.update(after)
    assert all(isinstance(each, Delivered) and not each.created for each in through(bench, connector, seconds))
    a, b, c = (bench.effects("customer", f"R{n}")[0] for n in range(3))
    assert (a.get("Phone"), b.get("Phone"), c.get("Phone")) == (None, None, "1")
    assert {each["Description"] for each in (a, b, c)} == {"old"}


def test_what_no_cell_can_say_goes_by_itself(bench):
    connector = writer(bench, above=3)
    writes = [bench.write(f"R{n}", "x") for n in range(8)]
    writes[1].after["Description"] = "#N/A"  # a cell would clear the field
    writes[2].after["Nope__c"] = "x"  # a column would fail the whole job
    outcomes = connector.write("customer", writes)
    assert isinstance(outcomes[1], Delivered)
    assert isinstance(outcomes[2], Rejected)
    assert outcomes[2].status == "INVALID_FIELD"
    assert sum(isinstance(each, Accepted) for each in outcomes) == 6
    assert bench.effects("customer", "R1")[0]["Description"] == "#N/A"


def test_locked_rows_are_written_again_at_once(bench):
    connector = writer(bench, above=5)
    bench.org.faults.add({"method": "PATCH", "path_regex": "/jobs/ingest"}, "row_lock", rows=[2, 4])
    outcomes = through(bench, connector, [bench.write(f"R{n}", "x") for n in range(10)])
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert len(calls(bench, "/composite/sobjects")) == 1
    assert accounts(bench) == {f"R{n}": 1 for n in range(10)}


@pytest.mark.parametrize("rows", [0, 4])
def test_a_failed_job_is_no_verdict_on_a_row(bench, rows):
    connector = writer(bench, above=5)
    bench.org.faults.add(
        {"method": "PATCH", "path_regex": "/jobs/ingest"}, "bulk_failed", rows=rows, message="Timeout : x"
    )
    writes = [bench.write(f"R{n}", "x") for n in range(10)]
    writes[7].after["Name"] = "x" * 300
    outcomes = through(bench, connector, writes)
    assert [type(outcome) for outcome in outcomes] == [Delivered] * 7 + [Rejected] + [Delivered] * 2
    assert outcomes[7].status == "STRING_TOO_LONG"
    assert set(accounts(bench).values()) == {1}


def test_a_replay_after_the_failure_was_mended_is_a_new_write(bench):
    connector = writer(bench, above=2)
    writes = [bench.write(f"R{n}", "x") for n in range(5)]
    for write in writes:
        write.after["Name"] = "x" * 300
    accepted = connector.write("customer", writes)
    bench.tick(10)
    held = [again(write, outcome) for write, outcome in zip(writes, accepted, strict=True)]
    assert all(isinstance(each, Rejected) for each in connector.write("customer", held))
    for write in held:
        write.after["Name"] = "mended"
    assert all(isinstance(each, Delivered) for each in through(bench, connector, held))
    assert {each["Name"] for each in bench.org.records("Account") if each.get(REFERENCE)} == {"mended"}


def test_a_single_row_asked_alone_is_not_told_an_old_failure(bench):
    connector = writer(bench, above=2)
    writes = [bench.write(f"R{n}", "x") for n in range(5)]
    writes[3].after["Name"] = "x" * 300
    accepted = connector.write("customer", writes)
    bench.tick(10)
    held = [again(write, outcome) for write, outcome in zip(writes, accepted, strict=True)]
    held[3].after["Name"] = "mended"
    [outcome] = connector.write("customer", [held[3]])
    assert isinstance(outcome, Delivered)
    assert all(isinstance(each, Delivered) for each in connector.write("customer", held[:3] + held[4:]))


# --- what breaks on the way


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "500_before", "500_after", "503", "html", "cut_body"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/jobs/ingest$"), ("PUT", "/batches"), ("PATCH", "/jobs/ingest/"), ("GET", "/jobs/ingest/750")],
)
def test_a_fault_at_any_call_is_one_effect(bench, kind, method, path):
    connector = writer(bench, above=5)
    writes = [bench.write(f"R{n}", f"text {n}") for n in range(12)]
    bench.org.faults.add({"method": method, "path_regex": path}, kind)
    left, outcomes = list(range(12)), connector.write("customer", writes)
    for _ in range(12):
        left = [place for place in left if not isinstance(outcomes[place], Delivered)]
        if not left:
            break
        for place in left:
            assert (
                isinstance(outcomes[place], (Accepted, Unavailable, Delivered))
                or outcomes[place].code == "outcome_unknown"
            )
        bench.tick(30)
        nexts = [again(writes[p], outcomes[p]) if isinstance(outcomes[p], Accepted) else writes[p] for p in left]
        writes = [nexts[left.index(p)] if p in left else write for p, write in enumerate(writes)]
        for place, outcome in zip(left, connector.write("customer", nexts), strict=True):
            outcomes[place] = outcome
    assert not left, outcomes
    bench.tick(3600)
    assert accounts(bench) == {f"R{n}": 1 for n in range(12)}


def test_an_upload_that_was_never_closed_is_aborted_and_written_anew(bench):
    connector = writer(bench, above=5)
    writes = [bench.write(f"R{n}", "x") for n in range(10)]
    bench.org.faults.add({"method": "PATCH", "path_regex": "/jobs/ingest"}, "drop_before")
    outcomes = connector.write("customer", writes)
    assert all(isinstance(each, Accepted) for each in outcomes)
    first = outcomes[0].handle
    bench.tick(5)
    assert all(
        isinstance(each, Delivered)
        for each in through(bench, connector, [again(w, o) for w, o in zip(writes, outcomes, strict=True)])
    )
    states = {job["id"]: job["state"] for job in bench.org.state.find("_bulk_job")}
    assert states[first] == "Aborted"
    assert accounts(bench) == {f"R{n}": 1 for n in range(10)}


def test_a_worker_that_died_after_the_upload_waits_for_that_job(bench):
    bench.org.bulk.work = 900.0
    writes = [bench.write(f"R{n}", "from the dead worker") for n in range(10)]
    writer(bench, above=5).write("customer", writes)  # and its outcome is lost with the worker
    bench.tick(601)  # the settle time is over, Salesforce is not done
    connector = writer(bench, above=5)
    newer = [bench.write(f"R{n}", "newer") for n in range(10)]
    outcomes = connector.write("customer", newer)
    assert {each.stage for each in outcomes} == {"queue"}, "a newer job could end before the older one"
    assert all(
        isinstance(each, Delivered)
        for each in through(bench, connector, [again(w, o) for w, o in zip(newer, outcomes, strict=True)], rounds=60)
    )
    assert {each["Description"] for each in bench.org.records("Account") if each.get(REFERENCE)} == {"newer"}
    assert accounts(bench) == {f"R{n}": 1 for n in range(10)}


def test_abandoned_jobs_of_ours_are_aborted_and_those_of_others_left(bench):
    bench.org.faults.add({"method": "PUT", "path_regex": "/batches"}, "drop_before")
    bench.org.faults.add({"method": "PATCH", "path_regex": "/jobs/ingest"}, "drop_before")
    connector = writer(bench, above=5)
    writes = [bench.write(f"R{n}", "x") for n in range(10)]
    assert all(isinstance(each, Unavailable) and not each.sent for each in connector.write("customer", writes))
    [left] = bench.org.state.find("_bulk_job")
    assert left["state"] == "Open"
    theirs = {**left, "id": "7505g00000zzzzzAAA", "createdById": bench.org.user_id, "serial": 99}
    bench.org.state.put("_bulk_job", theirs["id"], theirs)
    bench.tick(700)
    through(bench, connector, writes)
    assert bench.org.state.get("_bulk_job", left["id"])["state"] == "Aborted"
    assert bench.org.state.get("_bulk_job", theirs["id"])["state"] == "Open"


def test_a_denied_upload_pauses_the_flow(bench):
    body = [{"errorCode": "API_DISABLED_FOR_ORG", "message": "Bulk API is off"}]
    bench.org.faults.add({"method": "POST", "path_regex": "/jobs/ingest"}, "reply", status=403, body=body)
    outcomes = writer(bench, above=5).write("customer", [bench.write(f"R{n}", "x") for n in range(10)])
    assert all(isinstance(each, Denied) for each in outcomes)


def test_more_than_a_job_takes_goes_in_several(bench, monkeypatch):
    monkeypatch.setattr("connectors.salesforce._ingest.MOST_BYTES", 1000)
    outcomes = through(bench, writer(bench, above=5), [bench.write(f"R{n}", "x" * 100) for n in range(30)])
    assert all(isinstance(each, Delivered) for each in outcomes)
    assert len(calls(bench, "/batches", "PUT")) > 3
    assert accounts(bench) == {f"R{n}": 1 for n in range(30)}


def test_two_writes_of_one_record_do_not_share_a_job(bench):
    writes = [bench.write(f"R{n % 9}", f"{n}") for n in range(10)]
    outcomes = through(bench, writer(bench, above=5), writes)
    assert all(isinstance(each, Delivered) for each in outcomes)
    assert accounts(bench) == {f"R{n}": 1 for n in range(9)}
    [stood] = [each for each in bench.org.records("Account") if each.get(REFERENCE) == "R0"]
    assert stood["Description"] == writes[9].after["Description"], "the job ended later and brought the older one"


# --- cells


def test_a_value_in_a_cell():
    assert [cell_of(each) for each in (None, "", "  ", True, False, 0, "1.50", "a,b")] == [
        "#N/A", "#N/A", "#N/A", "true", "false", "0", "1.50", "a,b",
    ]  # fmt: skip
    assert cell_of({"a": 1}) is None
    assert row_of({"Product__r": {"ERP_Id__c": "P1"}, "Name": "x"}) == {"Product__r.ERP_Id__c": "P1", "Name": "x"}


@pytest.mark.parametrize(
    ("text", "code", "message", "fields"),
    [
        ("A_CODE:Required are: [Name]:Name --", "A_CODE", "Required are: [Name]", ["Name"]),
        ("DUPLICATE_VALUE:record with id: 001:X__c,Y__c--", "DUPLICATE_VALUE", "record with id: 001", ["X__c", "Y__c"]),
        ("UNABLE_TO_LOCK_ROW:unable to lock:--", "UNABLE_TO_LOCK_ROW", "unable to lock", []),
        ("SOMETHING:plain", "SOMETHING", "plain", []),
    ],
)
def test_the_error_of_a_row(text, code, message, fields):
    assert error_of(text) == {"statusCode": code, "message": message, "fields": fields}


def test_a_conflict_of_a_row_is_one(bench):
    other = bench.org.insert("Account", {"Name": "taken"})
    writes = [
        bench.write(f"R{n}", "x", action="update", target_id=key, before={"Name": "a"}, changed={"Description": "y"})
        for n, key in enumerate([*bench.create(9), other])
    ]
    accepted = writer(bench, above=5).write("customer", writes)
    bench.org.delete("Account", other)
    bench.tick(10)
    held = [again(write, outcome) for write, outcome in zip(writes, accepted, strict=True)]
    outcomes = writer(bench, above=5).write("customer", held)
    assert isinstance(outcomes[9], Conflict)
    assert outcomes[9].status == "ENTITY_IS_DELETED"


# --- reading


def read_all(connector: Any, entity: str = "customer", since: str | None = None) -> tuple[list[Any], str | None]:
    rows, cursor = [], since
    for page in connector.read(entity, since):
        rows += page.rows
        cursor = page.cursor
    return rows, cursor


def test_five_thousand_records_come_by_a_query_job_and_equal_those_of_the_pages(bench):
    bench.org.bulk_insert(
        "Account",
        ({"Name": f"A {n}", "Description": HARD[n % len(HARD)]} for n in range(5000)),
    )
    bench.tick()
    plain, _ = read_all(reader(bench, above=0, page_size=2000))
    bench.org.app.log.clear()
    rows, cursor = read_all(reader(bench, above=2000, page_size=2000))
    assert [row.key for row in rows] == [row.key for row in plain]
    assert [row.stamp for row in rows] == [row.stamp for row in plain]
    assert [strict_json.digest(row.body) for row in rows] == [strict_json.digest(row.body) for row in plain]
    assert rows[-1].body == plain[-1].body
    assert len(calls(bench, "/jobs/query", "POST")) == 1
    assert len(calls(bench, "/results")) == 1
    assert '"open":false' in cursor


def test_decimals_and_instants_go_and_come_exactly(bench):
    connector = bench.connector(bulk={"read_above": 200, "write_above": 100})
    after = {
        "Product_Code__c": "P1",
        "Available__c": "0.125",
        "Reserved__c": None,
        "As_Of__c": "2026-01-05T09:30:00+01:30",
    }
    writes = [
        Write("inventory_level", "create", uuid4(), 1, f"k{n}", f"S{n}", {**after, "Available__c": f"{n}.125"}, {})
        for n in range(600)
    ]
    accepted = connector.write("inventory_level", writes)
    bench.tick(10)
    held = [again(write, outcome) for write, outcome in zip(writes, accepted, strict=True)]
    assert all(isinstance(each, Delivered) for each in connector.write("inventory_level", held))
    plain, _ = read_all(reader(bench, above=0), "inventory_level")
    rows, _ = read_all(connector, "inventory_level")
    assert [row.body for row in rows] == [row.body for row in plain]
    assert [row.body["Available__c"] for row in rows] == [n + 0.125 for n in range(600)]
    assert {row.body["As_Of__c"] for row in rows} == {"2026-01-05T08:00:00.000+0000"}
    assert [type(row.body["Available__c"]) for row in rows] == [type(row.body["Available__c"]) for row in plain]


def test_parents_of_a_record_come_as_the_pages_bring_them(bench):
    products = list(
        bench.org.load("Product2", ({"Name": f"P{n}", "ProductCode": f"C{n}", "IsActive": True} for n in range(450)))
    )
    book = bench.org.standard_pricebook_id
    bench.org.bulk_insert(
        "PricebookEntry",
        ({"Product2Id": p, "Pricebook2Id": book, "UnitPrice": 1.5, "IsActive": True} for p in products),
    )
    plain, _ = read_all(reader(bench, above=0), "price")
    rows, _ = read_all(reader(bench, above=300), "price")
    assert [row.body for row in rows] == [row.body for row in plain]
    assert rows[-1].body["Pricebook2"]["IsStandard"] is True
    assert calls(bench, "/results")


def test_below_the_threshold_and_with_lines_it_goes_by_pages(bench):
    bench.create(450)
    read_all(reader(bench, above=451))
    list(reader(bench, above=1).read("customer", None, limit=300))
    list(reader(bench, above=1).read("sales_order", None))
    assert calls(bench, "/jobs/") == []


@pytest.mark.parametrize("stop", range(1, 8))
def test_a_reading_goes_on_after_any_page(bench, stop):
    made = bench.create(1400)
    connector = reader(bench, above=300)
    pages = list(islice(connector.read("customer", None), stop))
    first = [row.key for page in pages for row in page.rows]
    rest, _ = read_all(reader(bench, above=300), since=pages[-1].cursor)
    both = first + [row.key for row in rest]
    assert sorted(both) == sorted([*made, bench.account])
    assert len(calls(bench, "/jobs/query", "POST")) == 1, "a second job for the same window"


@pytest.mark.parametrize("gone", ["deleted", "failed"])
def test_a_job_that_is_no_more_is_begun_again_from_the_last_stamp(bench, gone):
    made = bench.create(700)
    bench.tick()
    made += bench.create(700)
    connector = reader(bench, above=300)
    pages = list(islice(connector.read("customer", None), 4))
    first = [row.key for page in pages for row in page.rows]
    [job] = bench.org.state.find("_bulk_job")
    if gone == "deleted":
        bench.org.state.delete("_bulk_job", job["id"])
    else:
        bench.org.state.put("_bulk_job", job["id"], {**job, "state": "Failed"})
    rest, cursor = read_all(reader(bench, above=300), since=pages[-1].cursor)
    both = first + [row.key for row in rest]
    assert sorted(both) == sorted([*made, bench.account])
    assert '"open":false' in cursor


def test_a_job_that_takes_longer_than_a_reading_is_waited_for_by_the_next(bench):
    made = bench.create(700)
    bench.org.bulk.work = 4000.0
    rows, cursor = read_all(reader(bench, above=300))
    assert len(rows) == 200
    more, cursor = read_all(reader(bench, above=300), since=cursor)
    assert more == []
    more, cursor = read_all(reader(bench, above=300), since=cursor)
    assert sorted(row.key for row in rows + more) == sorted([*made, bench.account])
    assert len(calls(bench, "/jobs/query", "POST")) == 1


def test_a_part_that_was_cut_is_not_counted(bench):
    made = bench.create(1400)
    connector = reader(bench, above=300)
    body = b'"Id","IsDeleted","SystemModstamp"\n'
    headers = {"Sforce-Locator": "null", "Sforce-NumberOfRecords": "1200", "Content-Type": "text/csv"}
    bench.org.faults.add({"path_regex": "/results"}, "reply", status=200, body=body, headers=headers)
    pages = []
    with pytest.raises(Unavailable, match="0 records came of 1200"):
        for page in connector.read("customer", None):
            pages.append(page)
    rest, _ = read_all(connector, since=pages[-1].cursor)
    assert sorted([row.key for page in pages for row in page.rows] + [row.key for row in rest]) == sorted(
        [*made, bench.account]
    )


def test_deleted_records_come_by_a_job_too(bench):
    made = bench.create(700)
    bench.tick()
    _, cursor = read_all(reader(bench, above=0))
    bench.tick()
    for key in made[:500]:
        bench.org.delete("Account", key)
    rows, _ = read_all(reader(bench, above=300), since=cursor)
    assert {row.key for row in rows if row.action == "delete"} >= set(made[:500])
    assert calls(bench, "/results")


def test_memory_stays_the_same_however_many_there_are(bench):
    connector = reader(bench, above=300, fields={"customer": ["Name"]})
    peaks = []
    for n in (4000, 16000):
        bench.org.bulk_insert("Account", ({"Name": f"A {each}"} for each in range(n)))
        pages = connector.read("customer", None)
        list(islice(pages, 3))  # the job is made and done
        tracemalloc.start()
        count = sum(len(page.rows) for page in pages)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count > n / 2
    assert peaks[1] < peaks[0] * 2, peaks


def test_csv_of_ours_is_csv_of_others(bench):
    connector = writer(bench, above=3)
    writes = [bench.write(f"R{n}", text) for n, text in enumerate(HARD)]
    connector.write("customer", writes)
    [content] = bench.org.state.find("_bulk_content")
    assert [row["Description"] for row in csv.DictReader(content["csv"].splitlines(keepends=True))] == HARD
