"""Publish: the hub as a system whose feeds are its golden records."""

from mdm.publish._system import HubConfig, HubSystem

__all__ = ["HubConfig", "HubSystem"]
