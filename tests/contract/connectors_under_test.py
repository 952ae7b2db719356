"""The connectors under the contract suite: one bench each, `bench_<name>.py` beside this file."""

from __future__ import annotations

import importlib
from pathlib import Path

from bench import Bench

from landbridge.connector import Registration, Registry

HERE = Path(__file__).parent
REGISTRY = Registry()


def benches() -> list[str]:
    """The connectors that have a bench, and `name:variant` for each further one that `VARIANTS` of its module names."""
    found = []
    for name in REGISTRY.names():
        if (HERE / f"bench_{name}.py").exists():
            variants = getattr(importlib.import_module(f"bench_{name}"), "VARIANTS", {})
            found += [name, *(f"{name}:{variant}" for variant in variants)]
    return found


def make_bench(registration: Registration, folder: Path, variant: str = "") -> Bench:
    """A bench of a connector, not yet started."""
    module = importlib.import_module(f"bench_{registration.name}")
    made: Bench = (module.VARIANTS[variant] if variant else module.BENCH)(registration, folder)
    return made
