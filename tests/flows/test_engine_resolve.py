"""Resolve: what a reference must be before a message goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from memory import Memory
from workbench import Plain, balanced, engine, flow

from landbridge.connector import Entity
from landbridge.store import control

THING = Entity("Thing", create="C", update="B", batch=5)


def price_in(native, _):
    return {"product": {"system": "crm", "entity": "product", "scope": None, "id": native["product"]}}


@pytest.mark.parametrize("policy", ["require", "match"])
def test_require_quarantines_what_nobody_brought_and_match_waits_for_it(store, clock, policy):
    crm, erp = Memory("crm", clock, product=THING, price=THING), Memory("erp", clock, product=THING, price=THING)
    flows = [
        flow("products", "crm", "product", "erp"),
        flow("prices", "crm", "price", {"to": "erp", "after": ["product"]}, resolve={"product": policy}),
    ]
    mappings = {
        ("crm", "price"): Plain(price_in),
        ("erp", "price"): Plain(None, lambda c, x: {"product": x.target_id("product", c["product"]["subject"])}),
    }
    made = engine(store, clock, [crm, erp], flows, mappings)
    crm.put("price", "X1", {"product": "P1"})
    made.run("prices")
    row = next(r for r in balanced(made) if r.flow == "prices")
    assert (row.quarantined, row.in_flight) == ((1, 0) if policy == "require" else (0, 1))
    if policy == "require":
        with made.parts.store.reading() as connection:
            [held] = control.attention(connection, ["quarantined"])
        assert "crm product P1 is not known here" in held.reason and "hint" in held.reason
        with made.parts.store.transaction("test") as connection:
            assert control.unprocess(connection, [held.id]) == 1
    crm.put("product", "P1", {"name": "Bolt"})
    made.run("products")
    clock.advance(timedelta(minutes=1))
    made.run("prices")
    assert len(erp.effects("price")) == 1
    assert all(r.in_flight == r.quarantined == 0 for r in balanced(made))
