"""Opens the hub of a project: the entry point `landbridge.hub`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mdm.declare import load
from mdm.publish._engine import EngineHub
from mdm.store import migrate

if TYPE_CHECKING:
    from landbridge.settings import Settings
    from landbridge.store import Store


def open_hub(root: Path, settings: Settings, store: Store) -> EngineHub:
    """The hub of what config/mdm declares, its tables brought up to date; ConfigError with every problem of them."""
    declarations = load(root, settings.canonical, settings.systems.keys())
    migrate(store.engine)
    return EngineHub(declarations, store.clock)
