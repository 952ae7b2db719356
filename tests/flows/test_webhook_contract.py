"""The endpoint keeps to its own OpenAPI document, whatever is sent: Schemathesis, in this process."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hooked import SECRET, Hooked, told
from hypothesis import HealthCheck, Phase, given, seed, settings
from memory import Memory
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from workbench import engine, flow

from landbridge.connector import Entity

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)
SEED = int(os.environ.get("SEED", "20261122"))
EXAMPLES = int(os.environ.get("EXAMPLES", "150"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
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
    schema = schemathesis.openapi.from_asgi("/openapi.json", made)
    statuses: dict[int, int] = {}
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            response = case.call(headers={"X-Token": TOKEN} if known else {"X-Token": "guess"})
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            case.validate_response(response, checks=CHECKS)

        check()
    print(f"SEED={SEED} {statuses}")  # noqa: T201 - the figure
    assert sum(count for status, count in statuses.items() if status >= 500) == 0
    assert statuses.get(400 if known else 401, 0) > 20
