"""Flows run on a migrated store of their own, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from house import House

from landbridge.store import Store, migrate
from landbridge.time import ManualClock

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def _migrated(url: str) -> None:
    store = Store(url, ManualClock(START))
    migrate(store.engine, START)
    store.close()


@pytest.fixture(scope="session")
def database_template(template_database) -> str:
    """Every database of these tests begins with the migrated schema."""
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
def house(root: Path, store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Both real sandboxes and the shipped configuration between them."""
    found = House(root, store, clock, monkeypatch.setenv)
    yield found
    found.close()
