"""The connectors under the contract suite: one bench each, `bench_<name>.py` beside this file."""

from __future__ import annotations

import importlib
from pathlib import Path

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
