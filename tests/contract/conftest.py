"""One bench per registered connector, found as `bench_<name>.py` beside this file."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench import Bench

from landbridge.connector import Registration, Registry

HERE = Path(__file__).parent
REGISTRY = Registry()


def benches() -> list[str]:
    """The names of the connectors that have a bench."""
    return [name for name in REGISTRY.names() if (HERE / f"bench_{name}.py").exists()]


def make_bench(registration: Registration, folder: Path) -> Bench:
    """The bench of a connector, not yet started."""
    made: Bench = importlib.import_module(f"bench_{registration.name}").BENCH(registration, folder)
    return made


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Registration], Bench]]:
    """Start a bench; everything is stopped after the test."""
    started: list[Bench] = []

    def begin(registration: Registration) -> Bench:
        bench = make_bench(registration, tmp_path)
        bench.start()
        started.append(bench)
        return bench

    yield begin
    for bench in started:
        bench.close()
        bench.stop()
