"""A steward at the command line and at the API of a hub over memory systems."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "flows"))
from desk import Desk as Terminal
from test_in_the_engine import ACME, ACME_AGAIN, ACME_MAYBE, OTHER, World, address

from landbridge.canonical import Canonical


def bare_terminal(
    root: Path, state: Path, store: Any, clock: Any, monkeypatch: Any, capsys: Any
) -> tuple[World, Terminal]:
    """A world without a customer, and the command line over it."""
    world = World(root, store, clock)
    landbridge = Terminal(world.made, state, monkeypatch, capsys, Canonical.load(root / "schemas" / "canonical"))
    landbridge.installation.__dict__["hub"] = world.hub
    monkeypatch.setattr("getpass.getuser", lambda: "a steward")
    monkeypatch.setenv("LANDBRIDGE_STATE", str(state))
    monkeypatch.setenv("COLUMNS", "300")
    return world, landbridge


def terminal(root: Path, state: Path, store: Any, clock: Any, monkeypatch: Any, capsys: Any) -> tuple[World, Terminal]:
    """A world with one certain and one doubtful customer, and the command line over it."""
    world, landbridge = bare_terminal(root, state, store, clock, monkeypatch, capsys)
    world.crm.put("customer", "1", ACME)
    world.crm.put("customer", "2", OTHER)
    world.shop.put("customer", "1", ACME_MAYBE)
    world.run()
    return world, landbridge


def twins(world: World, *cities: str) -> None:
    """Doubtful pairs of one pattern, one per city."""
    for number, city in enumerate(cities, 10):
        place = [address(None, city, f"280{number}")]
        world.crm.put("customer", str(number), {"name": f"Werk {city} GmbH", "addresses": place})
        world.shop.put("customer", str(number), {"name": f"Werk {city}", "addresses": place})
    world.run()


__all__ = ["ACME", "ACME_AGAIN", "ACME_MAYBE", "OTHER", "World", "address", "bare_terminal", "terminal", "twins"]
