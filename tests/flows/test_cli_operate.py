"""The operator's commands: what each says and does, and how it refuses."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from desk import Desk
from memory import Memory
from workbench import Plain, balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity, Page, Row
from landbridge.errors import Denied, Finding, Invalid, Rejected, Unavailable
from landbridge.store._store import sql

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))
STOCK = Entity("Stock", create="B", update="B", batch=50, snapshot=True)
STATES = ("delivered", "suppressed", "dead", "discarded", "quarantined", "conflict", "steward", "in_flight")
SCHEMA = Canonical(
    {
        "customer": {
            "type": "object",
            "properties": {
                "number": {"type": "string"},
                "name": {"type": "string", "x-personal": True},
                "group": {"type": "string"},
            },
        }
    }
)


@pytest.fixture
def house(store: Any, clock: Any, tmp_path: Any, monkeypatch: Any, capsys: Any) -> tuple[Memory, Memory, Desk]:
    """A CRM whose customers flow to an ERP, and the command line over both."""
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)

    def fetch(entity: str, ids: Any) -> list[Row]:
        return [
            next(r for r in reversed(crm.rows[entity]) if r.key == i)
            for i in ids
            if i in {r.key for r in crm.rows[entity]}
        ]

    crm.fetch = fetch  # type: ignore[method-assign]  # a system made for this test

    def read(native: Any, _: Any) -> dict[str, Any]:
        if "bad" in native:
            raise Invalid(
                [Finding("name", "type", "is no name.", "Give it one.", where="mappings/crm/customer.yaml:3")]
            )
        return dict(native)

    made = engine(
        store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")], {("crm", "customer"): Plain(read)}
    )
    return crm, erp, Desk(made, tmp_path, monkeypatch, capsys, SCHEMA)


def put(crm: Memory, key: str, **body: Any) -> None:
    crm.put("customer", key, {"number": key, "name": f"Name {key}"} | body)


def rows(landbridge: Desk, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(landbridge("dead", "list", "--json", *arguments).out)
    return found


# -- run


def test_run_prints_the_counts_and_a_second_run_writes_nothing(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    put(crm, "C2")
    ran = landbridge("run", "customers")
    assert ran.code == 0 and ran.out.splitlines()[1].split() == ["customers", "2", "2", "2"], ran
    again = landbridge("run", "customers", "--json")
    assert json.loads(again.out)["counts"].get("created", 0) == 0 and erp.written() == 1


def test_run_says_what_needs_a_person_and_exits_1(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    put(crm, "C2", bad=True)
    erp.script = [Rejected("no such group", hint="Choose another one.")]
    ran = landbridge("run", "customers")
    assert ran.code == 1
    assert "1 quarantined, 1 dead: they need a person. hint: landbridge dead list --flow customers" in ran.err


def test_run_of_an_unknown_flow_names_the_nearest(house: Any) -> None:
    ran = house[2]("run", "custmers")
    assert ran.code == 1 and "Did you mean 'customers'?" in ran.err and "Traceback" not in ran.err


def test_run_until_idle_waits_for_what_is_tried_again(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    erp.script = [Unavailable("busy", wait=60.0)]
    ran = landbridge("run", "customers", "--until-idle")
    assert ran.code == 0 and len(erp.effects("customer")) == 1, ran
    put(crm, "C2")
    erp.script = [Unavailable("busy", wait=600.0)]
    late = landbridge("run", "customers", "--until-idle", "--within", "5")
    assert late.code == 1 and "still in flight after 5 min: 1 ready" in late.err


def test_run_with_since_and_limit_hands_both_to_the_source(house: Any) -> None:
    crm, _, landbridge = house
    asked = []

    def read(entity: str, since: Any, *, limit: Any = None) -> Any:
        asked.append((since, limit))
        yield Page([], "7")

    crm.read = read
    landbridge("run", "customers", "--since", "2026-01-01", "--limit", "5")
    landbridge("run", "customers", "--since", "3")
    assert asked == [("2026-01-01T00:00:00Z", 5), ("3", None)]


# -- status, pause, resume


def test_status_counts_every_flow_and_says_why_it_is_paused(house: Any, clock: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    landbridge("run", "customers")
    put(crm, "C2")
    assert "paused" in landbridge("pause", "customers", "--reason", "stocktaking").out
    assert "was paused already: stocktaking" in landbridge("pause", "customers").out
    assert landbridge("run", "customers").code == 1
    clock.advance(timedelta(hours=3))
    ran = landbridge("status")
    assert "customers is paused: stocktaking. hint: mend it, then `landbridge resume customers`" in ran.err
    assert "3 h" in ran.out
    [one] = json.loads(landbridge("status", "--json").out)
    assert (one["received"], one["delivered"], one["in_flight"]) == (2, 1, 1)
    assert one["paused"] and one["oldest_open_seconds"] == 3 * 3600 and one["last_run"]["state"] == "succeeded"
    assert len(erp.effects("customer")) == 1
    assert "it was paused: stocktaking" in landbridge("resume", "customers").out
    assert "was not paused" in landbridge("resume", "customers").out
    landbridge("run", "customers")
    assert len(erp.effects("customer")) == 2


def test_a_denied_target_pauses_the_flow_and_resume_delivers_what_waited(house: Any, clock: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    erp.script = [Denied("401: the key has run out", hint="Give a new one.")]
    ran = landbridge("run", "customers")
    assert ran.code == 1 and "customers is paused: 401: the key has run out" in ran.err
    landbridge("resume", "customers")
    clock.advance(timedelta(minutes=2))
    assert landbridge("run", "customers").code == 0
    assert len(erp.effects("customer")) == 1


# -- dead letters


def test_a_dead_letter_is_listed_shown_replayed_and_delivered(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1", group="Z9")
    erp.script = [Rejected("no group Z9", hint="Choose another one.")]
    landbridge("run", "customers")
    [one] = rows(landbridge)
    assert (one["state"], one["source_key"], one["route"]) == ("dead", "C1", "customers/erp")
    text = landbridge("dead", "show", one["id"])
    assert "reason: no group Z9 hint: Choose another one." in text.out and "attempt 1" in text.out
    assert "native number: ***" in text.out and "Name C1" not in text.out
    assert "canonical group: Z9" in text.out and "canonical name: ***" in text.out
    assert "native name: Name C1" in landbridge("dead", "show", one["id"], "--show-personal").out
    seen = landbridge("dead", "replay", one["id"], "--dry-run")
    assert seen.code == 0 and "created" in seen.out and rows(landbridge)
    assert "1 row back in the lane" in landbridge("dead", "replay", one["id"]).out
    assert not rows(landbridge)
    landbridge("run", "customers")
    assert len(erp.effects("customer")) == 1
    history = landbridge("trace", "C1").out
    assert "replayed by" in history and "attempt 1: rejected" in history and "delivered" in history


def test_quarantine_goes_through_a_mended_mapping_and_overtakes_nothing(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1", bad=True)
    put(crm, "C2", bad=True)
    landbridge("run", "customers")
    first = {one["source_key"]: one["id"] for one in rows(landbridge, "--state", "quarantined")}
    assert "mappings/crm/customer.yaml:3" in landbridge("dead", "show", first["C1"]).out
    put(crm, "C2", name="newer")
    landbridge("run", "customers")
    landbridge.made.parts.mappings["crm", "customer"] = Plain()  # type: ignore[index]  # the mapping is mended
    assert "2 messages back before canonicalise" in landbridge("dead", "replay", "--all", "--flow", "customers").out
    assert landbridge("run", "customers").code == 0
    assert {r.header["number"]: r.header["name"] for r in erp.effects("customer")} == {"C1": "Name C1", "C2": "newer"}
    [row] = balanced(landbridge.made)
    assert (row.received, row.delivered, row.suppressed) == (3, 2, 1)
    assert landbridge("accounting").code == 0


def test_a_message_that_one_of_two_flows_refused_is_replayed_for_that_one_alone(
    store: Any, clock: Any, tmp_path: Any, monkeypatch: Any, capsys: Any
) -> None:
    crm, erp, shop = (Memory(name, clock, customer=CUSTOMER) for name in ("crm", "erp", "shop"))
    refused = ["strict"]

    def gate(rules: str, _body: Any) -> list[Finding]:
        return [Finding("name", "rule", "is too short.")] if rules in refused else []

    flows = [
        flow("to_erp", "crm", "customer", "erp", check={"quality": "strict"}),
        flow("to_shop", "crm", "customer", "shop"),
    ]
    made = engine(store, clock, [crm, erp, shop], flows, check=gate)
    landbridge = Desk(made, tmp_path, monkeypatch, capsys, SCHEMA)
    put(crm, "C1")
    landbridge("run", "to_erp")
    landbridge("run", "to_shop")
    assert (len(erp.effects("customer")), len(shop.effects("customer"))) == (0, 1)
    [one] = rows(landbridge)
    refused.clear()
    landbridge("dead", "replay", one["id"])
    landbridge("run", "to_erp")
    landbridge("run", "to_shop")
    assert (len(erp.effects("customer")), shop.written()) == (1, 1)
    assert [(row.received, row.delivered) for row in balanced(made)] == [(1, 1), (1, 1)]


def test_discard_needs_a_reason_and_stays_in_the_accounting(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    erp.script = [Rejected("never")]
    landbridge("run", "customers")
    [one] = rows(landbridge)
    assert landbridge("dead", "discard", one["id"]).code == 2
    assert landbridge("dead", "discard", one["id"], "--reason", " ").code == 2
    assert "1 row discarded" in landbridge("dead", "discard", one["id"], "--reason", "a test record").out
    assert not rows(landbridge)
    assert balanced(landbridge.made)[0].discarded == 1
    assert "a test record" in landbridge("trace", "C1").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay",), "say what to replay. hint: landbridge dead replay ROW …"),
        (("replay", "4711"), "1 row of these needs no person: 4711; nothing was changed."),
        (("replay", "1", "--all"), "say what to replay."),
        (("replay", "--all", "--code", "nope"), "nothing that needs a person is chosen by that."),
        (("show", "4711"), "there is no row 4711."),
        (("list", "--flow", "nope"), "flow 'nope' is not there."),
    ],
)
def test_dead_refuses_what_is_not_clear(house: Any, arguments: Any, said: str) -> None:
    ran = house[2]("dead", *arguments)
    assert ran.code == 1 and said in ran.err and "Traceback" not in ran.err


# -- one record


def test_send_brings_one_record_through_every_step_and_no_other(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    put(crm, "C2")
    ran = landbridge("send", "customers", "C2")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["extract", "resolve", "deliver"]
    assert "delivered (created), erp id 4711" in ran.out
    assert [r.header["number"] for r in erp.effects("customer")] == ["C2"]
    assert "received before" in landbridge("send", "customers", "C2").out and erp.written() == 1
    assert landbridge("run", "customers").code == 0 and len(erp.effects("customer")) == 2
    balanced(landbridge.made)


def test_send_delivers_its_record_and_leaves_the_others_in_the_queue(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    landbridge("pause", "customers")
    landbridge("run", "customers")
    assert landbridge("send", "customers", "C1").code == 1
    landbridge("resume", "customers")
    put(crm, "C2")
    landbridge("send", "customers", "C2")
    assert [r.header["number"] for r in erp.effects("customer")] == ["C2"]


def test_send_tells_where_it_stopped(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1", bad=True)
    ran = landbridge("send", "customers", "C1")
    assert ran.code == 1 and "check        quarantined: name: is no name." in ran.out
    put(crm, "C2")
    erp.script = [Unavailable("busy")]
    ran = landbridge("send", "customers", "C2")
    assert ran.code == 1 and "customers/erp: ready, due" in ran.out and "busy" in ran.out
    ran = landbridge("send", "customers", "C9")
    assert ran.code == 1 and "crm has no customer C9. hint: Look at the id" in ran.err


def test_hold_keeps_a_record_and_its_later_changes_and_release_lets_them_go(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    landbridge("pause", "customers")
    landbridge("run", "customers")
    assert "1 delivery held" in landbridge("hold", "customers", "C1").out
    landbridge("resume", "customers")
    put(crm, "C1", name="newer")
    put(crm, "C2")
    landbridge("run", "customers")
    assert [r.header["number"] for r in erp.effects("customer")] == ["C2"]
    assert "1 delivery released" in landbridge("hold", "customers", "C1", "--release").out
    landbridge("run", "customers")
    assert {r.header["name"] for r in erp.effects("customer")} == {"newer", "Name C2"}
    ran = landbridge("hold", "customers", "C1")
    assert ran.code == 1 and "nothing of it waits to leave. hint: See where it stands: landbridge trace C1" in ran.err
    assert "is not known here" in landbridge("hold", "customers", "C9").err
    balanced(landbridge.made)


def test_peek_shows_both_sides_and_masks_what_is_personal(house: Any) -> None:
    crm, _, landbridge = house
    put(crm, "C1", group="A")
    ran = landbridge("peek", "crm", "customer", "C1", "--json")
    seen = json.loads(ran.out)
    assert ran.code == 0
    assert seen["canonical"] == {"number": "C1", "name": "***", "group": "A"} and seen["native"]["name"] == "***"
    assert "Name C1" not in landbridge("peek", "crm", "customer", "C1").out
    assert "Name C1" in landbridge("peek", "crm", "customer", "C1", "--show-personal").out
    put(crm, "C2", bad=True)
    ran = landbridge("peek", "crm", "customer", "C2")
    assert ran.code == 1 and "mappings/crm/customer.yaml:3  name: is no name. hint: Give it one." in ran.err
    assert "crm has no customer C9" in landbridge("peek", "crm", "customer", "C9").err
    assert "system 'cmr' is not there" in landbridge("peek", "cmr", "customer", "C1").err


def test_trace_finds_a_record_by_any_of_its_names(house: Any) -> None:
    crm, _, landbridge = house
    crm.put("customer", "a01", {"number": "K-7", "name": "A"})
    landbridge("run", "customers")
    by_id = landbridge("trace", "a01")
    assert "crm customer a01, erp customer 4711" in by_id.out and "attempt 1: delivered" in by_id.out
    assert landbridge("trace", "4711").out == by_id.out == landbridge("trace", "K-7").out
    [found] = json.loads(landbridge("trace", "a01", "--json").out)
    assert landbridge("trace", found["subject"]).out == by_id.out
    ran = landbridge("trace", "nobody")
    assert ran.code == 1 and "nothing here is called nobody." in ran.err


# -- cross-reference


def test_xref_links_unlinks_and_refuses_to_link_twice(house: Any) -> None:
    crm, _, landbridge = house
    put(crm, "C1")
    put(crm, "C2")
    landbridge("pause", "customers")
    landbridge("run", "customers")
    assert (
        "crm customer C1 is erp 900"
        in landbridge("xref", "link", "crm", "customer", "C1", "--to", "erp", "--id", "900").out
    )
    taken = landbridge("xref", "link", "crm", "customer", "C2", "--to", "erp", "--id", "900")
    assert taken.code == 1 and "erp customer 900 is linked already, to crm C1" in taken.err
    other = landbridge("xref", "link", "crm", "customer", "C1", "--to", "erp", "--id", "901")
    assert other.code == 1 and "crm customer C1 is linked to erp 900 already." in other.err
    assert [line.split()[0] for line in landbridge("xref", "show", "crm", "customer", "C1").out.splitlines()] == [
        "system", "crm", "erp",
    ]  # fmt: skip
    assert "linked no more" in landbridge("xref", "unlink", "erp", "customer", "900").out
    ran = landbridge("xref", "show", "erp", "customer", "900")
    assert ran.code == 1 and "erp customer 900 is not in the cross-reference." in ran.err
    assert landbridge("xref", "link", "crm", "customer", "C2", "--to", "erp", "--id", "900").code == 0


# -- bindings, cursors, snapshots


def test_another_organisation_is_denied_until_a_person_binds_it(house: Any, monkeypatch: Any) -> None:
    crm, _, landbridge = house
    put(crm, "C1")
    landbridge("run", "customers")
    assert "bound to org-crm already" in landbridge("rebind", "crm").out
    crm.organisation = "org-other"
    landbridge.made._bound.clear()
    ran = landbridge("run", "customers")
    assert (
        ran.code == 1
        and "crm answers as org-other, this store is bound to org-crm. hint: landbridge rebind crm" in ran.err
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert landbridge("rebind", "crm").code == 1
    assert landbridge("run", "customers").code == 1
    assert "crm is bound to org-other; it was bound to org-crm." in landbridge("rebind", "crm", "--yes").out
    assert landbridge("run", "customers").code == 0


def test_cursor_is_shown_and_set(house: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    assert "nothing was read yet" in landbridge("cursor", "crm", "customer").out
    landbridge("run", "customers")
    assert landbridge("cursor", "crm", "customer").out.strip() == "1"
    assert "read on from start; it stood at 1" in landbridge("cursor", "crm", "customer", "--set", "start").out
    landbridge("run", "customers")
    assert erp.written() == 1
    ran = landbridge("cursor", "crm", "sales_order")
    assert ran.code == 1 and "no flow reads sales_order of crm. hint: Feeds: crm customer." in ran.err


def test_a_shrunken_snapshot_is_taken_once_a_person_accepts_it(
    store: Any, clock: Any, tmp_path: Any, monkeypatch: Any, capsys: Any
) -> None:
    erp = Memory("erp", clock, inventory_level=STOCK)
    crm = Memory("crm", clock, inventory_level=Entity("Stock", create="B", update="B", batch=50))
    erp.absent = lambda entity, last: {**last, "available": "0"}  # type: ignore[method-assign]  # a system made for this test
    made = engine(store, clock, [erp, crm], [flow("stock", "erp", "inventory_level", "crm")])
    landbridge = Desk(made, tmp_path, monkeypatch, capsys, SCHEMA)

    def page(number: int, *, complete: bool = True, total: int | None = None) -> list[Page]:
        found = [Row(f"P{n}", {"product": f"P{n}", "available": "5"}) for n in range(number)]
        return [Page(found, None, complete=complete, total=total or number)]

    erp.pages["inventory_level"] = page(10)
    assert landbridge("run", "stock").code == 0
    nothing = landbridge("snapshot", "accept", "erp", "inventory_level")
    assert nothing.code == 1 and "no snapshot of erp inventory_level was refused." in nothing.err
    erp.pages["inventory_level"] = page(3)
    refused = landbridge("run", "stock")
    assert refused.code == 1 and "3 records came, the last snapshot had 10" in refused.err
    assert "1 scope of erp inventory_level" in landbridge("snapshot", "accept", "erp", "inventory_level").out
    erp.pages["inventory_level"] = page(3, total=9)
    assert "3 of 9 records came" in landbridge("run", "stock").err
    landbridge("snapshot", "accept", "erp", "inventory_level")
    erp.pages["inventory_level"] = page(3)
    ran = landbridge("run", "stock")
    assert ran.code == 0, ran
    assert sorted(r.header["available"] for r in crm.effects("inventory_level")) == ["0"] * 7 + ["5"] * 3
    erp.pages["inventory_level"] = page(1)
    assert landbridge("run", "stock").code == 1


# -- accounting and retention


def test_accounting_sees_a_row_that_is_lost_and_one_that_nobody_queued(house: Any, store: Any) -> None:
    crm, erp, landbridge = house
    for n in range(4):
        put(crm, f"C{n}", **({"bad": True} if n == 3 else {}))
    erp.script = [Rejected("never")]
    landbridge("run", "customers")
    ran = landbridge("accounting")
    assert ran.code == 0 and "Every message is accounted for." in ran.out
    assert ran.out.splitlines()[1].split() == ["customers/erp", "4", "2", "0", "1", "0", "1", "0", "0", "0"]
    with store.transaction("fault") as connection:
        connection.execute(sql("delete from outbox where state = 'delivered' and target_id = '4711'"))
    ran = landbridge("accounting")
    assert ran.code == 1
    assert "customers/erp: 4 came in and 3 stand somewhere." in ran.err
    assert "(crm customer C1) of 2026-01-05 08:00 has no row any more." in ran.err
    seen = json.loads(landbridge("accounting", "--json").out)
    assert not seen["holds"] and seen["lost"][0]["source_key"] == "C1"
    with store.transaction("fault") as connection:
        connection.execute(sql("update inbox set routes = '{}' where source_key = 'C2'"))
    assert "which was not queued there" in landbridge("accounting").err


def test_retention_drops_old_months_and_keeps_what_is_needed(house: Any, clock: Any, store: Any) -> None:
    crm, erp, landbridge = house
    put(crm, "C1")
    put(crm, "C2")
    erp.script = [Rejected("never")]
    landbridge("run", "customers")
    clock.advance(timedelta(days=450))
    ran = landbridge("retention")
    kept = {
        line.split(":")[1].strip(" ,").partition(",")[0] for line in ran.out.splitlines() if line.startswith("kept")
    }
    assert kept == {"inbox_2026_01", "body_2026_01", "attempt_2026_01"}, "the dead letter keeps its month and no other"
    assert "made: inbox_2027_03" in ran.out and "kept: inbox_2026_01, something of that month" in ran.out
    assert landbridge("accounting").code == 0
    landbridge("dead", "discard", "--all", "--reason", "old")
    ran = landbridge("retention")
    assert "inbox_2026_01" in ran.out and "2 outbox removed by row." in ran.out and "kept" not in ran.out
    assert landbridge("accounting").code == 0
    put(crm, "C2", name="changed")
    landbridge("run", "customers")
    assert balanced(landbridge.made)[0].received == 1
    assert [r.header["name"] for r in erp.effects("customer")] == ["changed"], (
        "the cross-reference outlives its messages"
    )
