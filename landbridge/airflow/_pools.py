"""Pools: how many tasks may work on one system at a time, over all flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.settings import Settings

DEFAULT_SLOTS = 4


def pool_of(system: str) -> str:
    """The name of a system's pool."""
    return f"sys_{system}"


def pools(settings: Settings) -> dict[str, dict[str, object]]:
    """Every system's pool as `airflow pools import` reads it; slots as the system's `net.concurrency`."""
    return {
        pool_of(name): {
            "slots": getattr(system.net, "concurrency", DEFAULT_SLOTS),
            "description": f"Tasks that work on {name} at a time.",
            "include_deferred": False,
        }
        for name, system in sorted(settings.systems.items())
    }
