"""One trace from the message to the target, and a journey that shows every body, masked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from desk import Desk
from house import House
from memory import Memory
from sqlalchemy import text
from workbench import engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.net import Http, traceparent
from landbridge.store import operate

CUSTOMER = Entity("Customer", create="C", update="B", batch=1)


def test_every_request_of_a_delivery_carries_the_trace_of_its_message(store: Any, clock: Any, monkeypatch: Any) -> None:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    sent: list[str | None] = []
    write = erp.write
    monkeypatch.setattr(erp, "write", lambda *given: (sent.append(traceparent.get()), write(*given))[1])
    crm.put("customer", "C1", {"name": "One"})
    crm.put("customer", "C2", {"name": "Two"})
    made.run("customers")
    with store.reading() as connection:
        traces = [row.trace for row in connection.execute(text("select trace from inbox order by id"))]
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01", one or "") for one in sent)
    assert [one[3:35] for one in sent if one] == [trace.hex for trace in traces]
    assert traceparent.get() is None


def test_the_header_goes_on_the_wire_to_a_real_target(house: House, monkeypatch: Any) -> None:
    seen: list[str] = []
    house.account()
    house.product()

    prepare = Http._prepare

    def spy(self: Http, *given: Any) -> Any:
        request = prepare(self, *given)
        if request.method == "POST":
            seen.append(request.headers.get("traceparent", ""))
        return request

    monkeypatch.setattr(Http, "_prepare", spy)
    house.run()
    [row] = house.rows(
        "select trace from inbox i join feed f on f.id = i.feed_id "
        "where f.entity = 'customer' and i.subject is not null limit 1"
    )
    assert any(row.trace.hex in one for one in seen)


def test_a_trace_shows_every_body_and_masks_what_is_personal(
    store: Any, clock: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    crm.put("customer", "C1", {"number": "C1", "name": "c4n4ry person"})
    made.run("customers")
    schema = {"customer": {"type": "object", "properties": {"name": {"type": "string", "x-personal": True}}}}
    desk = Desk(made, tmp_path, monkeypatch, capsys, Canonical(schema))
    for arguments in (("trace", "C1", "--bodies"), ("trace", "C1", "--bodies", "--json")):
        told = desk(*arguments)
        assert told.code == 0, told
        assert "c4n4ry person" not in told.out
        assert "canonical" in told.out
        assert "written" in told.out
    assert "written name: c4n4ry person" in desk("trace", "C1", "--bodies", "--show-personal").out
    assert "canonical" not in desk("trace", "C1").out


def test_a_number_is_searched_in_the_newest_bodies_only(store: Any, clock: Any, monkeypatch: Any) -> None:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    for n in range(4):
        crm.put("customer", f"C{n}", {"number": f"N{n}"})
    made.run("customers")
    monkeypatch.setattr(operate, "SEARCHED", 2)
    with store.reading() as connection:
        assert len(operate.subjects_of(connection, "N3")) == 1
        assert operate.subjects_of(connection, "N0") == []
