"""The endpoint keeps to its own OpenAPI document, whatever is sent."""

from __future__ import annotations

import pytest
from _contracted import answers
from hooked import SECRET, Hooked, told
from memory import Memory
from workbench import engine, flow

from landbridge.connector import Entity

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)
TOKEN = "c4n4ry-token-of-the-header"


@pytest.fixture
def app(store, clock, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setenv("HOOK_TOKEN", TOKEN)
    crm, erp = Hooked("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    hooked = flow("customers", "crm", "customer", "erp", extract={"from": "crm", "entity": "customer", "webhook": True})
    made = engine(store, clock, [crm, erp], [hooked])
    return lambda webhook: told(webhook, made, clock)


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False], ids=["with the token", "as a stranger"])
def test_every_answer_is_one_that_the_document_names(app, known):
    """As a stranger everything is a 401 at best; with the token the parsers are reached."""
    made = app({"token": {"header": "X-Token", "secrets": ["env:HOOK_TOKEN"]}})
    statuses = answers(made, {"X-Token": TOKEN if known else "guess"}, 150)
    assert sum(count for status, count in statuses.items() if status >= 500) == 0
    assert statuses.get(400 if known else 401, 0) > 20
