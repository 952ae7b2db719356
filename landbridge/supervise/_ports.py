"""Loopback ports and readiness of the servers that we start ourselves."""

from __future__ import annotations

import http.client
import socket
import time
from urllib.parse import urlsplit

from landbridge.errors import Unavailable

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def free_port() -> int:
    """A port of 127.0.0.1 that the kernel says is free now; another process may take it before you do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Whether nobody listens on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def http_answers(url: str, *, timeout: float = 2.0) -> bool:
    """Whether a loopback server answers a GET of `url` with a status below 400."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        raise ValueError(f"{url} is not http on this machine; foreign systems are asked through landbridge.net")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else "") or "/")
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_for_http(url: str, *, within: float = 60.0) -> None:
    """Wait until a loopback server answers `url`; Unavailable after `within` seconds."""
    until = time.monotonic() + within
    while not http_answers(url):
        if time.monotonic() >= until:
            raise Unavailable(f"{url} does not answer after {within:g} s.", hint="look into its log.", sent=False)
        time.sleep(0.05)
