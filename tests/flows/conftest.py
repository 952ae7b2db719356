"""Flows run on a migrated store of their own, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from _clocked import clock, migrated, store  # noqa: F401  # fixtures are found by their names here
from house import House

from landbridge.store import Store
from landbridge.time import ManualClock


@pytest.fixture(scope="session")
def database_template(template_database) -> str:
    """Every database of these tests begins with the migrated schema."""
    return template_database(migrated())


@pytest.fixture
def house(root: Path, store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:  # noqa: F811  # the fixtures
    """Both real sandboxes and the shipped configuration between them."""
    found = House(root, store, clock, monkeypatch.setenv)
    yield found
    found.close()
