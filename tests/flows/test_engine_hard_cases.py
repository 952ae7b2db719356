"""Cases at the edges: what happens twice, late, merged, deleted, poisoned, or by two ways."""

from __future__ import annotations

from datetime import timedelta

import pytest
from memory import Memory
from sqlalchemy import text
from workbench import Plain, balanced, engine, flow

from landbridge.connector import Delivered, Entity, Row
from landbridge.errors import Denied, OutcomeUnknown, Rejected, Unavailable
from landbridge.store import control, identity
from landbridge.store._identity import Key

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))


@pytest.fixture
def two(store, clock):
    crm = Memory("crm", clock, customer=CUSTOMER)
    erp = Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    return crm, erp, made


def attention(made, *states):
    with made.parts.store.reading() as connection:
        return control.attention(connection, states)


def test_a_change_that_stands_twice_in_a_page_is_one_message(two):
    crm, _, made = two
    for _ in range(2):
        crm.put("customer", "C1", {"name": "A"}, stamp="s1")
    assert made.run("customers").counts["new"] == 1
    assert balanced(made)[0].received == 1


def test_a_record_that_comes_again_after_its_deletion_is_written_again(two, clock):
    crm, erp, made = two
    made.parts.flows["customers"].deliver[0].__dict__["on_delete"] = "block"
    crm.put("customer", "C1", {"name": "A", "blocked": ""})
    made.run("customers")
    crm.rows["customer"].append(Row("C1", None, stamp="gone", action="delete"))
    crm.put("customer", "C1", {"name": "A", "blocked": ""}, stamp="again")
    for _ in range(3):
        made.run("customers")
        clock.advance(timedelta(minutes=20))
    assert [r.header["blocked"] for r in erp.effects("customer")] == [""]


def test_deletions_and_returns_without_stamps_all_count(two, clock):
    crm, _, made = two
    rows = crm.rows.setdefault("customer", [])
    for _ in range(2):
        rows.append(Row("C1", {"name": "A"}))
        made.run("customers")
        rows.append(Row("C1", None, action="delete"))
        rows.append(Row("C1", None, action="delete"))
        made.run("customers")
    assert balanced(made)[0].received == 4


@pytest.mark.parametrize("batch", [1, 20], ids=["one by one", "in one call"])
def test_two_records_that_end_on_one_target_record_are_a_conflict(two, clock, batch):
    crm, erp, made = two
    made.parts.batch = batch
    erp.write = lambda entity, writes: [Delivered("77") for _ in writes]
    for n in range(3):
        crm.put("customer", f"C{n}", {"name": str(n)})
    counts = made.run("customers").counts
    [row] = balanced(made)
    assert (row.delivered, row.conflict, counts["conflict"]) == (1, 2, 2)
    with made.parts.store.reading() as connection:
        found = {one.source_key: one for one in control.attention(connection, ["conflict"])}
        [(winner,)] = connection.execute(
            text("select id from xref where system = 'crm' and subject = (select subject from xref where id = '77')")
        ).all()
        content = connection.execute(text("select content->'header'->>'name' from shadow where id = '77'")).scalar_one()
    assert found.keys() == {"C0", "C1", "C2"} - {winner}
    assert content == winner[1:], "what we hold of a record is what its own subject delivered"
    for key, one in found.items():
        assert (one.findings[0]["ours"], one.findings[0]["theirs"]) == (f"crm customer {key}", f"crm customer {winner}")
        assert "xref unlink erp customer 77" in one.reason


def test_an_id_that_another_record_had_before_we_wrote_is_a_conflict(two, store, clock):
    crm, erp, made = two
    with store.transaction("test") as connection:
        key = Key("erp", "customer", "", "77")
        identity.mint(connection, {key}, {}, made.parts.ids, clock.now(), "source")
    clock.advance(5)
    erp.write = lambda entity, writes: [Delivered("77") for _ in writes]
    crm.put("customer", "C1", {"name": "A"})
    made.run("customers")
    assert balanced(made)[0].conflict == 1
    with store.reading() as connection:
        assert connection.execute(text("select count(distinct subject) from xref")).scalar_one() == 2
        assert connection.execute(text("select count(*) from subject where merged_into is not null")).scalar_one() == 0
        [link] = identity.links(
            connection, "erp", [w.subject for w in identity.lookup(connection, {key}).values()]
        ).values()
    assert link.delivered_version is None, "nothing of ours is told of somebody else's record"


def test_what_was_read_back_before_it_was_recorded_is_ours(two, store, clock):
    crm, erp, made = two

    def write(entity, writes):  # while the target answers, its feed is read by another worker
        with store.transaction("test") as connection:
            identity.mint(connection, {Key("erp", "customer", "", "77")}, {}, made.parts.ids, clock.now(), "source")
        return [Delivered("77") for _ in writes]

    erp.write = write
    crm.put("customer", "C1", {"name": "A"})
    made.run("customers")
    assert balanced(made)[0].delivered == 1
    with store.reading() as connection:
        links = connection.execute(text("select id, subject, delivered_version from xref order by id")).all()
    assert [(one.id, one.delivered_version) for one in links] == [("77", 1), ("C1", None)]
    assert len({one.subject for one in links}) == 1


def test_a_denied_write_stops_the_flow_at_once(two):
    crm, erp, made = two
    made.parts.batch = 20
    for n in range(60):
        crm.put("customer", f"C{n}", {"name": str(n)})
    erp.script = [Denied("The password is wrong.")] * 60
    made.run("customers")
    assert erp.written() <= 4, "a wrong password was tried for every row"


def test_merges_in_a_chain_end_at_the_last_survivor(two):
    crm, _, made = two
    for key in "ABC":
        crm.put("customer", key, {"name": key})
    made.run("customers")
    crm.rows["customer"] += [
        Row("B", None, stamp="m1", action="merge", into="C"),
        Row("A", None, stamp="m2", action="merge", into="B"),
    ]
    crm.put("customer", "A", {"name": "late"}, stamp="m3")
    made.run("customers")
    from landbridge.store import identity
    from landbridge.store._identity import Key

    keys = [Key("crm", "customer", "", key) for key in "ABC"]
    with made.parts.store.reading() as connection:
        who = identity.lookup(connection, keys)
    assert len({who[key].subject for key in keys}) == 1


def test_a_survivor_whose_record_in_the_target_was_the_losers_is_still_updated(two):
    crm, erp, made = two
    for n in range(5):
        crm.put("customer", "A", {"name": f"A{n}"})
        made.run("customers")
    erp.script = [Rejected("not this one")]
    crm.put("customer", "B", {"name": "B"})
    made.run("customers")
    crm.rows["customer"].append(Row("A", None, stamp="m", action="merge", into="B"))
    crm.put("customer", "B", {"name": "B is both"})
    made.run("customers")
    assert [r.header["name"] for r in erp.effects("customer")] == ["B is both"]


def test_a_dead_letter_of_unknown_outcome_is_asked_for_before_it_is_written_again(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = ["after"]
    made.run("customers")
    find, erp.find = erp.find, lambda entity, reference: (_ for _ in ()).throw(Unavailable("down"))
    for _ in range(80):
        clock.advance(timedelta(minutes=30))
        made.deliver()
    [dead] = attention(made, "dead")
    erp.find = find
    with made.parts.store.transaction("test") as connection:
        control.replay(connection, [dead.id], clock.now())
    made.deliver()
    assert len(erp.effects("customer")) == 1
    assert balanced(made)[0].delivered == 1


def test_a_write_whose_outcome_is_never_known_ends_in_a_dead_letter(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = [OutcomeUnknown("timed out")] * 500
    made.run("customers")
    for _ in range(60):
        clock.advance(timedelta(minutes=10))
        made.deliver()
    assert [row.source_key for row in attention(made, "dead")] == ["C1"]
    assert erp.written() == 8


def test_the_time_a_row_waited_for_its_parent_is_not_time_of_trying(store, clock):
    order = Entity("Order", create="C", update="B", batch=1)
    crm = Memory("crm", clock, customer=CUSTOMER, sales_order=order)
    erp = Memory("erp", clock, customer=CUSTOMER, sales_order=order)
    flows = [
        flow("customers", "crm", "customer", "erp"),
        flow("orders", "crm", "sales_order", {"to": "erp", "after": ["customer"]}),
    ]

    def read(native, _):
        return {"customer": {"system": "crm", "entity": "customer", "scope": "", "id": native["customer"]}}

    made = engine(store, clock, [crm, erp], flows, {("crm", "sales_order"): Plain(read)})
    crm.put("sales_order", "O1", {"customer": "C1"})
    made.run("orders")
    clock.advance(timedelta(days=3))
    crm.put("customer", "C1", {"name": "A"})
    made.run("customers")
    erp.script = [Unavailable("busy")]
    made.deliver()
    assert attention(made, "dead") == []
    clock.advance(timedelta(minutes=20))
    made.deliver()
    assert len(erp.effects("sales_order")) == 1


@pytest.mark.parametrize("step", ["read", "write"])
def test_a_fault_in_a_mapping_delays_only_its_own_record(two, step):
    crm, erp, made = two

    def faulty(body, context):
        if body["name"] == "1":
            raise TypeError("a custom function fell over")
        return dict(body)

    mapping = made.parts.mappings["crm" if step == "read" else "erp", "customer"]
    setattr(mapping, f"_{step}", faulty)
    for n in range(3):
        crm.put("customer", f"C{n}", {"name": str(n)})
    made.run("customers")
    assert [r.header["name"] for r in erp.effects("customer")] == ["0", "2"]
    [row] = attention(made, "quarantined")
    assert row.source_key == "C1" and "a custom function fell over" in row.reason


@pytest.mark.parametrize("text", ["a\x00b", "\U0001f600 \u202e", "x" * 300_000], ids=["NUL", "odd", "huge"])
def test_odd_characters_in_a_body_do_not_stop_the_page(two, text):
    crm, erp, made = two
    crm.put("customer", "C0", {"name": "0"})
    crm.put("customer", "C1", {"name": text})
    crm.put("customer", "C2", {"name": "2"})
    made.run("customers")
    assert {"0", "2"} <= {r.header["name"] for r in erp.effects("customer")}
    [row] = balanced(made)
    assert row.received == 3 and row.delivered + row.quarantined == 3


@pytest.mark.parametrize("key", ["a'b\"c", "a\nb", "ü/%s:1?", "{}", "\\", " ", "x" * 2000])
def test_odd_keys_are_keys(two, key):
    crm, erp, made = two
    crm.put("customer", key, {"name": "A"})
    made.run("customers")
    crm.put("customer", key, {"name": "B"})
    made.run("customers")
    assert [r.header["name"] for r in erp.effects("customer")] == ["B"]


def test_a_message_in_the_targets_answer_may_hold_any_character(two):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    erp.script = [Rejected("bad \x00 name")]
    made.run("customers")
    assert len(attention(made, "dead")) == 1


def test_a_worker_that_comes_back_after_its_lease_does_not_write(two, clock):
    crm, erp, made = two
    crm.put("customer", "C1", {"name": "A"})
    other = engine(made.parts.store, clock, [crm, erp], list(made.parts.flows.values()))
    translated = made.parts.mappings["erp", "customer"]

    def stopped(canonical, context):
        translated._write = lambda body, _: dict(body)
        for _ in range(3):
            clock.advance(timedelta(minutes=10))
            other.deliver()  # another worker takes the lane over, asks, finds nothing, writes
        return dict(canonical)

    translated._write = stopped
    made.run("customers")
    for _ in range(3):
        clock.advance(timedelta(minutes=20))
        made.deliver()
    assert len(erp.effects("customer")) == 1


def test_what_the_limit_left_is_read_by_the_next_run(two):
    crm, erp, made = two
    for n in range(10):
        crm.put("customer", f"C{n}", {"name": str(n)})
    made.run("customers", limit=3)
    assert len(erp.effects("customer")) == 3
    made.run("customers")
    assert len(erp.effects("customer")) == 10


def test_rows_of_a_paused_flow_stay_and_go_when_it_is_resumed(two, clock):
    crm, erp, made = two
    with made.parts.store.transaction("test") as connection:
        control.pause(connection, "customers", "holiday", clock.now())
    crm.put("customer", "C1", {"name": "A"})
    made.run("customers")
    assert erp.effects("customer") == [] and balanced(made)[0].in_flight == 1
    with made.parts.store.transaction("test") as connection:
        control.resume(connection, "customers", clock.now())
    made.deliver()
    assert len(erp.effects("customer")) == 1


def test_one_subject_as_two_entities_of_a_target_is_two_records(store, clock):
    crm = Memory("crm", clock, customer=CUSTOMER)
    erp = Memory("erp", clock, customer=CUSTOMER, supplier=CUSTOMER)
    routes = [{"to": "erp", "name": "buyer"}, {"to": "erp", "entity": "supplier", "name": "seller"}]
    made = engine(store, clock, [crm, erp], [flow("partners", "crm", "customer", *routes)])
    crm.put("customer", "C1", {"name": "A"})
    made.run("partners")
    made.run("partners")
    assert len(erp.effects("customer")) == 1 and len(erp.effects("supplier")) == 1


def test_a_slow_reader_does_not_bring_older_states_after_newer_ones(two, clock):
    crm, erp, made = two
    other = engine(made.parts.store, clock, [crm, erp], list(made.parts.flows.values()))
    crm.rows["customer"] = [Row("C1", {"name": "old"})]
    reading = crm.read

    def slow(entity, since, *, limit=None):
        for page in list(reading(entity, since, limit=limit)):
            crm.read = reading
            crm.rows["customer"].append(Row("C1", {"name": "new"}))
            other.run("customers")
            yield page

    crm.read = slow
    made.run("customers")
    assert [r.header["name"] for r in erp.effects("customer")] == ["new"]
    made.run("customers")
    assert balanced(made)[0].received == 2


def test_a_flow_says_how_many_messages_are_worked_on_at_a_time(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp", batch=3)])
    for n in range(7):
        crm.put("customer", f"C{n}", {"name": str(n)})
    made.extract(made.parts.flows["customers"])
    moved = []
    made.process("crm", "customer", lambda step, many: moved.append(many))
    assert moved == [3, 3, 1]
    moved.clear()
    made.deliver(progress=lambda step, many: moved.append(many))
    assert moved == [3, 3, 1]


def test_what_is_left_of_a_deleted_flow_holds_up_no_other(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    flows = [flow("old", "crm", "customer", "erp"), flow("new", "crm", "customer", "erp")]
    both = engine(store, clock, [crm, erp], flows, whole=True)
    crm.put("customer", "C1", {"name": "first"})
    both.extract(flows[0])
    both.process("crm", "customer")
    with store.transaction("test") as connection:
        control.pause(connection, "old", "a person looks at it", clock.now())
    both.deliver()
    assert erp.effects("customer") == [], "rows of one lane go in order, and the older one waits"
    one = engine(store, clock, [crm, erp], [flows[1]])
    one.deliver()
    assert erp.effects("customer") == [], "a task that knows one flow says nothing about the others"
    engine(store, clock, [crm, erp], [flows[1]], whole=True).deliver()
    assert [found.header["name"] for found in erp.effects("customer")] == ["first"]
    back = engine(store, clock, [crm, erp], flows, whole=True)
    with store.transaction("test") as connection:
        control.resume(connection, "old", clock.now())
    back.deliver()
    assert [row.in_flight for row in balanced(back)] == [0, 0]
    assert len(erp.effects("customer")) == 1


def test_what_came_before_reading_failed_is_delivered_by_the_same_run(two):
    crm, erp, made = two
    for n in range(4):
        crm.put("customer", f"C{n}", {"name": str(n)})
    whole = crm.read

    def read(entity, since, *, limit=None):
        yield from whole(entity, since, limit=limit)
        raise Unavailable("the crm went away", hint="")

    crm.read = read
    with pytest.raises(Unavailable):
        made.run("customers")
    assert len(erp.effects("customer")) == 4
    assert balanced(made)[0].in_flight == 0
