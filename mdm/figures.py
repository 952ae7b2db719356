"""What the hub tells monitoring: the entry point `landbridge.metrics`. Loaded in every installation, so it is light."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.installation import Installation
    from landbridge.metrics import Source


def figures(installation: Installation) -> Source | None:
    """The figures of the hub; None where nothing is declared in config/mdm."""
    hub = installation.engine.parts.hub
    if hub is None:
        return None
    from mdm.publish import EngineHub
    from mdm.steward import Figures

    return Figures(hub) if isinstance(hub, EngineHub) else None
