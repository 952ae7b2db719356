"""Tryton by its JSON-RPC interface; docs/connectors/tryton.md says what it promises."""

from connectors.tryton._config import TrytonConfig
from connectors.tryton._connector import Tryton

__all__ = ["Tryton", "TrytonConfig"]
