"""A parent that arrives while its child is being recorded as waiting: the child does not wait for its time limit."""

from __future__ import annotations

from datetime import timedelta

from memory import Memory
from workbench import Plain, balanced, engine, flow

from landbridge.connector import Entity

THING = Entity("Thing", create="C", update="B", batch=5)


def test_a_parent_that_came_between_look_up_and_record_is_not_missed(store, clock):
    crm, erp = Memory("crm", clock, product=THING, price=THING), Memory("erp", clock, product=THING, price=THING)
    flows = [
        flow("products", "crm", "product", "erp"),
        flow("prices", "crm", "price", "erp"),
    ]
    came: list[str] = []

    def price_out(canonical, context):
        if not came:  # the look-up of parents is done; now another worker delivers the parent
            came.append("P1")
            made.run("products")
        return {"product": context.target_id("product", canonical["product"]["subject"])}

    mappings = {
        ("crm", "price"): Plain(
            lambda native, _: {
                "product": {"system": "crm", "entity": "product", "scope": None, "id": native["product"]}
            }
        ),
        ("erp", "price"): Plain(None, price_out),
    }
    made = engine(store, clock, [crm, erp], flows, mappings)
    crm.put("price", "X1", {"product": "P1"})
    crm.put("product", "P1", {"name": "Bolt"})
    assert made.run("prices").counts["waiting"] == 1
    assert came == ["P1"]
    assert len(erp.effects("product")) == 1
    clock.advance(timedelta(seconds=5))  # far from the limit of an hour
    made.run("prices")
    assert len(erp.effects("price")) == 1
    assert all(row.in_flight == 0 for row in balanced(made))
