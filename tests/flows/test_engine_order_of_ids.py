"""Messages keep the order in which they were committed, whichever connection of the pool received them."""

from __future__ import annotations

from memory import Memory
from workbench import balanced, engine, flow

from landbridge.connector import Entity, Row
from landbridge.engine import incoming_of, receive
from landbridge.store import inbox

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)


def test_what_came_later_is_newer_over_any_connection(store, clock):
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    with store.engine.connect(), store.engine.connect():
        pass  # two connections in the pool: from now on it gives them in turn
    for n in range(5):
        rows = [Row("C1", {"name": f"state {n}-{m}"}, stamp=f"{n}-{m}") for m in range(3)]
        with store.transaction("extract") as connection:
            feed_id, _ = inbox.feed(connection, "crm", "customer")
            receive(connection, feed_id, incoming_of(made.parts, rows), clock.now())
    made.process("crm", "customer")
    made.deliver()
    assert erp.effects("customer")[0].header["name"] == "state 4-2"
    assert balanced(made)[0].received == 15
