"""A migrated store of a test's own and the clock that it turns: what the folders of tests that need one share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from landbridge.store import Store, migrate
from landbridge.time import ManualClock

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def migrated(*more: Callable[[Engine], Any]) -> Callable[[str], None]:
    """What makes a template of databases: the kernel's schema, and whatever else is migrated."""

    def prepare(url: str) -> None:
        store = Store(url, ManualClock(START))
        migrate(store.engine, START)
        for one in more:
            one(store.engine)
        store.close()

    return prepare


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
