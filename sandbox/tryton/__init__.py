"""A real ERP for the demo and the tests: Tryton 8.2, installed in an environment of its own and run as a process.

Tryton is free software under the GPL. It is fetched from the package index when it is first wanted, lives in a cache
folder, and is spoken to over its JSON-RPC interface only: nothing here imports it.
"""

from sandbox.tryton._build import Unobtainable
from sandbox.tryton._client import Client, Refused
from sandbox.tryton._recipe import PARTIES, TRADING
from sandbox.tryton._server import Tryton, listen

__all__ = ["PARTIES", "TRADING", "Client", "Refused", "Tryton", "Unobtainable", "listen"]
