"""`landbridge trace`: the whole way of a record: its trace, each attempt, each body, each hop's milliseconds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from hooked import SECRET, Hooked, change, endpoint
from memory import Memory
from sqlalchemy import text
from workbench import engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.errors import Unavailable

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SCHEMA = {"customer": {"type": "object", "properties": {"name": {"type": "string", "x-personal": True}}}}


@pytest.fixture
def made(store: Any, clock: Any, monkeypatch: Any) -> Any:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    crm, erp = Hooked("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    wms = Memory("wms", clock, customer=CUSTOMER)
    feed = {"from": "crm", "entity": "customer", "webhook": True}
    flows = [flow("customers", "crm", "customer", "erp", extract=feed), flow("labels", "erp", "customer", "wms")]
    return engine(store, clock, [crm, erp, wms], flows)


@pytest.fixture
def landbridge(made: Any, tmp_path: Path, monkeypatch: Any, capsys: Any) -> Desk:
    return Desk(made, tmp_path, monkeypatch, capsys, Canonical(SCHEMA))


def told(made: Any, clock: Any, **headers: str) -> None:
    """A webhook that takes 40 ms to the inbox, waits 2 s, fails once, and arrives 5 s after that."""
    with endpoint({"standard": {"secrets": ["env:HOOK_SECRET"]}}, made, clock) as desk:
        assert desk.send(change("C1", body={"name": "Maria Anders", "number": "K-1"}), **headers).ok
    with made.parts.store.transaction("test") as connection:
        connection.execute(text("update inbox set told_at = told_at - interval '40 ms'"))


def test_a_webhook_s_journey_tells_its_trace_every_attempt_and_every_hop(made, landbridge, clock, monkeypatch):
    told(made, clock, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    clock.advance(2)
    erp, came = made.parts.systems["erp"], iter([Unavailable("erp: 503 busy", status="503", sent=False)])
    write = erp.write

    def once_busy(*given: Any) -> Any:
        for failure in came:
            raise failure
        return write(*given)

    monkeypatch.setattr(erp, "write", once_busy)
    made.process("crm", "customer")
    made.deliver()
    clock.advance(5)
    made.deliver()
    said = landbridge("trace", "C1").out
    came_in = r"  \d{4}-\d\d-\d\d [\d:]+\.\d{3}  upsert from crm C1, version 1, changed 1\n"
    came_in += rf"    message \d+, trace {TRACE}, webhook at \S+ \S+, in the inbox 40 ms later\n"
    assert re.search(came_in, said), said
    assert re.search(r"customers/erp: delivered \(created\) at [\d:]+, 7040 ms after the webhook, erp id 4711", said)
    first, second = re.findall(r"attempt \d: .*", said)
    assert re.match(
        r"attempt 1: unavailable, \d+ ms, begun (2000|19\d\d) ms after it was received: erp: 503 busy", first
    )
    assert re.match(r"attempt 2: delivered, \d+ ms, begun (7000|69\d\d) ms after it was received", second), second
    [found] = json.loads(landbridge("trace", "C1", "--json").out)
    one, two = found["journey"]
    assert (one["told_ms"], one["total_ms"], two["total_ms"]) == (40, 7040, 7040)
    assert one["waited_ms"] <= 2000 and two["waited_ms"] <= 7000 and two["attempt_ms"] >= 0
    assert one["trace"].replace("-", "") == TRACE and one["message_version"] == one["version"] == 1


def test_a_polled_record_s_journey_says_so_and_goes_on_in_the_next_system(made, landbridge, clock):
    made.parts.systems["crm"].put("customer", "C1", {"name": "Maria Anders"})
    made.run("customers")
    clock.advance(60)
    made.parts.systems["erp"].put("customer", "4711", {"name": "Maria A."})
    made.run("labels")
    said = landbridge("trace", "C1").out
    assert len(re.findall(r"message \d+, trace [0-9a-f]{32}, polled\n", said)) == 2
    assert said.index("from crm C1, version 1") < said.index("customers/erp: delivered")
    assert said.index("customers/erp: delivered") < said.index("from erp 4711, version 2")
    assert re.search(r"labels/wms: delivered \(created\) at [\d:]+, 0 ms after it was received, wms id ", said), said


def test_every_body_on_the_way_is_shown_masked(made, landbridge, clock):
    told(made, clock)
    made.run("customers")
    said = landbridge("trace", "K-1", "--bodies").out
    assert "Maria" not in said
    for kind in ("native", "canonical", "written"):
        assert f"{kind} name: ***" in said, said
    assert said.index("native ") < said.index("canonical ") < said.index("customers/erp") < said.index("written ")
    assert "written name: Maria Anders" in landbridge("trace", "K-1", "--bodies", "--show-personal").out


def test_a_name_that_steers_a_terminal_is_shown_and_not_obeyed(made, landbridge):
    made.parts.systems["crm"].put("customer", "C1", {"name": "x\x1b[2J", "number": "\x9b31m\u202e"})
    made.run("customers")
    said = landbridge("trace", "C1", "--bodies", "--show-personal").out
    assert "\\x1b[2J" in said
    assert not re.search("[\x1b\x9b\u202e]", said)
