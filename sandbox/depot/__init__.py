"""A small spare-parts depot with an HTTP API: the system that docs/connectors.md builds a connector for."""

from sandbox.depot._depot import RIGHTS, Depot

__all__ = ["RIGHTS", "Depot"]
