"""Starts the bench of a connector for a test and stops it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench import Bench
from connectors_under_test import make_bench
from mariadb_server import MariaDb, MissingServerError

from landbridge.connector import Registration


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A real MariaDB of this session (and xdist worker); tests that need it are skipped where there is none."""
    try:
        running = MariaDb()
    except MissingServerError as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Bench]]:
    """Start a bench; everything is stopped after the test."""
    started: list[Bench] = []

    def begin(registration: Registration, variant: str = "") -> Bench:
        bench = make_bench(registration, tmp_path, variant)
        bench.fixture = request.getfixturevalue
        bench.start()
        started.append(bench)
        return bench

    yield begin
    for bench in started:
        bench.close()
        bench.stop()
