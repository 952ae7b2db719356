"""The warm parent and the rooms of the harness."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from nursery import Nursery
from room import Room

from landbridge.store import Store, migrate
from landbridge.time import SystemClock


def _migrated(url: str) -> None:
    clock = SystemClock()
    store = Store(url, clock)
    migrate(store.engine, clock.now())
    store.close()


@pytest.fixture(scope="session")
def database_template(template_database) -> str:
    """Every database of these tests begins with the migrated schema."""
    return template_database(_migrated)


@pytest.fixture(scope="session")
def seed() -> int:
    """SEED of the environment replays a run."""
    return int(os.environ.get("SEED", "20261122"))


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """One warm parent per session."""
    found = Nursery(tmp_path_factory.mktemp("nursery") / "log")
    yield found
    found.close()


@pytest.fixture
def enter(tmp_path: Path, database_url: str, nursery: Nursery, seed: int) -> Iterator[Callable[..., Room]]:
    """Opens rooms, `enter(grade, **terms)`, and clears them."""
    with ExitStack() as stack:

        def opened(grade: str, **terms: object) -> Room:
            return stack.enter_context(Room(tmp_path, database_url, nursery, grade, seed, **terms))

        yield opened
