"""What a new part of somebody's project begins with: the package of a connector."""

from landbridge.scaffold._connector import new_connector

__all__ = ["new_connector"]
