"""Whatever is sent to an endpoint, it keeps to its own OpenAPI document: Schemathesis, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

SEED = int(os.environ.get("SEED", "20261122"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def answers(
    app: Any, headers: Mapping[str, str], examples: int, *, prepared: Callable[[Any], None] = lambda case: None
) -> dict[int, int]:
    """Hold every operation of an application to its document; how many answers had each status.

    `EXAMPLES` asks for more of them, `SEED` for others; `prepared` may change what is sent.
    """
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    statuses: dict[int, int] = {}
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(SEED)
        @settings(
            max_examples=int(os.environ.get("EXAMPLES", examples)), deadline=None, database=None,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            prepared(case)
            response = case.call(headers=dict(headers))
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            case.validate_response(response, checks=CHECKS)

        check()
    print(f"SEED={SEED} {statuses}")  # noqa: T201 - the figure
    return statuses
