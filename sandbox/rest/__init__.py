"""A small REST API with the manners of many: tokens or a key, five ways of paging, errors by status or inside a 200."""

from sandbox.rest._sandbox import Manners, RestSandbox
from sandbox.rest._store import RefusedError, Store, tag

__all__ = ["Manners", "RefusedError", "RestSandbox", "Store", "tag"]
