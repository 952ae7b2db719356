"""The transport below `requests`: pooled connections that go to checked addresses only."""

from __future__ import annotations

import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from landbridge import seam
from landbridge.errors import Unavailable
from landbridge.net._address import resolve


class _Checked:
    """Resolves once, checks every address, and connects to those addresses: no second look-up can differ."""

    _dns_host: str
    port: int
    sock: socket.socket | None

    def send(self, data: Any) -> None:
        """Send, unless the lease that this is done under has ended meanwhile: somebody else is at it by now."""
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]  # mixed into a connection
        if not seam.still():
            raise lapsed(f"{self._dns_host}:{self.port}")
        super().send(data)  # type: ignore[misc]  # as above

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = resolve(name, self.port)
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error  # type: ignore[arg-type]  # mixed into a connection
        failed: NewConnectionError | None = None
        try:
            for address in addresses:
                self._dns_host = address
                try:
                    return super()._new_conn()  # type: ignore[misc,no-any-return]  # mixed into a connection
                except NewConnectionError as error:
                    failed = error
        finally:
            self._dns_host = name  # TLS checks the certificate against the name
        raise failed or NewConnectionError(self, f"{name} has no address")  # type: ignore[arg-type]  # as above


def lapsed(what: str) -> Unavailable:
    """The Failure of what was not sent because its lease had ended."""
    hint = "The machine or the process stood still; whoever holds the record now goes on."
    return Unavailable(f"{what}: the lease ended before it was sent.", hint=hint, sent=False)


class _Plain(_Checked, HTTPConnection):
    """http, to this machine or where `plain_http` allows it."""


class _Tls(_Checked, HTTPSConnection):
    """https."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class Adapter(HTTPAdapter):
    """One pool of `connections` lines per host; the one more that is asked for waits. Nothing is retried here."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0, pool_block=True)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool manager use the checked connections."""
        super().init_poolmanager(*args, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
