"""What the hub adds to the command line `landbridge`; found by the entry point `landbridge.commands`."""

from mdm.cli._app import register

__all__ = ["register"]
