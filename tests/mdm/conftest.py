"""The hub's tests: a migrated database each, a clock that the test turns, a small scorer, and records of a company."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hub_bench import customers

from landbridge.store import Store
from landbridge.store import migrate as migrate_kernel
from landbridge.time import ManualClock
from mdm.hub import Hub
from mdm.store import migrate

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def _migrated(url: str) -> None:
    store = Store(url, ManualClock(START))
    migrate_kernel(store.engine, START)
    migrate(store.engine)
    store.close()


@pytest.fixture(scope="session")
def database_template(template_database) -> str:
    """Every database of these tests begins with the kernel's schema and the hub's."""
    return template_database(_migrated)


@pytest.fixture
def clock() -> ManualClock:
    """The test's own clock."""
    return ManualClock(START)


@pytest.fixture
def store(database_url: str, clock: ManualClock) -> Iterator[Store]:
    """A migrated store of this test alone."""
    store = Store(database_url, clock)
    yield store
    store.close()


@pytest.fixture
def hub(clock: ManualClock) -> Hub:
    """A hub of customers with the small scorer."""
    return Hub({"customer": customers()}, clock)
