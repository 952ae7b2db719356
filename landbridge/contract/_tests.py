"""A pytest function per check for one connector, with its waivers honoured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from landbridge.connector import Registration, Registry
from landbridge.contract._bench import Bench
from landbridge.contract._suite import ALL


def waived(registration: Registration, check: str) -> str | None:
    """The reason why a connector need not pass a check, by the check's name with or without its case."""
    for waiver in registration.connector.waivers:
        if waiver.test in (check, check.partition("[")[0]):
            return waiver.reason
    return None


def contract_tests(name: str, bench: type[Bench], checks: Iterable[str] = tuple(ALL)) -> Callable[..., None]:
    """The suite, or some checks of it, over an installed connector: `test_it = contract_tests("depot", DepotBench)`."""

    def test_contract(check: str, tmp_path: Path, request: Any) -> None:
        registration = Registry()[name]
        reason = waived(registration, check)
        if reason is not None:
            pytest.skip(f"waived: {reason}")
        under_test = bench(registration, tmp_path)
        under_test.fixture = request.getfixturevalue
        under_test.start()
        try:
            ALL[check](under_test)
        finally:
            under_test.close()
            under_test.stop()

    made: Callable[..., None] = pytest.mark.parametrize("check", tuple(checks))(test_contract)
    return made
