"""A route with `create: false` writes what the target has already, and counts the rest as suppressed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from memory import Memory
from workbench import balanced, engine, flow

from landbridge.connector import Entity
from landbridge.settings import Ownership

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))


def test_an_update_only_route_leaves_records_alone_that_the_target_never_had(store: Any, clock: Any) -> None:
    crm, erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    back = flow("back", "erp", "customer", {"to": "crm", "create": False})
    rules = Ownership.model_validate({"customer": {"fields": {"blocked": {"owner": "erp"}}}})
    made = engine(store, clock, [crm, erp], [flow("there", "crm", "customer", "erp"), back], ownership=rules)
    crm.put("customer", "C1", {"name": "A"})
    made.run("there")
    ours = erp.effects("customer")[0]
    erp.put("customer", ours.id, {"name": "A", "blocked": True})
    erp.put("customer", "ERP-BORN", {"name": "B"})
    made.run("back")
    writes = [write for kind, batch in crm.calls if kind == "write" for write in batch]
    assert [(write.action, write.target_id) for write in writes] == [("update", "C1")]
    assert writes[0].changed["blocked"] is True
    assert [(row.received, row.suppressed) for row in balanced(made) if row.route == "back/crm"] == [(2, 1)]
