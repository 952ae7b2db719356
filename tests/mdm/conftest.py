"""The hub's tests: a migrated database each, a clock that the test turns, a small scorer, and records of a company."""

from __future__ import annotations

import pytest
from _clocked import clock, migrated, store  # noqa: F401  # fixtures are found by their names here
from hub_bench import customers

from landbridge.time import ManualClock
from mdm.hub import Hub
from mdm.store import migrate


@pytest.fixture(scope="session")
def database_template(template_database) -> str:
    """Every database of these tests begins with the kernel's schema and the hub's."""
    return template_database(migrated(migrate))


@pytest.fixture
def hub(clock: ManualClock) -> Hub:  # noqa: F811  # the fixture
    """A hub of customers with the small scorer."""
    return Hub({"customer": customers()}, clock)
