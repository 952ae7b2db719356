"""The HTTP protocol with the limits that uvicorn leaves to a proxy: time and size of headers, number of connections.

A sender has `HEADER_SECONDS` from its first byte (or from connecting) to the end of its headers, and `WHOLE_SECONDS`
from there to the end of its body; what it sends after it was answered is thrown away for a moment, so that it can read
the answer, and then the line is closed. None of it depends on how often a byte comes.
"""

from __future__ import annotations

import asyncio
import resource
from asyncio import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0
WHOLE_SECONDS = 15.0
LINGER_SECONDS = 2.0
HEADER_BYTES = 1 << 15
MOST = 4_000
"""Most connections of one process; one more is told to come back."""
_SPARE = 100  # files that are no connections: the store's lines, logs, the listening socket

_EMPTY = b"content-length: 0\r\nconnection: close\r\n\r\n"
_SLOW = b"HTTP/1.1 408 Request Timeout\r\n" + _EMPTY
_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _EMPTY
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n" + _EMPTY


def room_for_connections() -> int:
    """How many connections this process can hold, after its limit of open files was raised as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + _SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - _SPARE))


class Limited(HttpToolsProtocol):
    """One connection."""

    most = MOST
    header_seconds = HEADER_SECONDS
    whole_seconds = WHOLE_SECONDS
    _deadline: TimerHandle | None = None
    _header_bytes = 0
    _reading = False  # between the first byte of a request and its last
    _in_headers = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection, or say that there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(_FULL)
            transport.close()
            return
        self._until(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline with the connection."""
        self._no_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first ones of a request begin its time."""
        if self.transport.is_closing():
            return
        if not self._reading:
            self._begin()
        self._header_bytes += len(data) if self._in_headers else 0
        super().data_received(data)
        if self._in_headers and self._header_bytes > HEADER_BYTES and not self.transport.is_closing():
            self._refuse(_LONG)

    def on_message_begin(self) -> None:
        """A request begins, perhaps behind another one in the same bytes."""
        if not self._reading:
            self._begin()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers are whole: now the body has its time."""
        self._in_headers = False
        self._until(self.whole_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole, and the sender owes nothing."""
        self._reading = False
        self._no_deadline()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It was answered; a body that still comes is let come for a moment only."""
        super().on_response_complete()
        if self._reading and not self._in_headers and not self.transport.is_closing():
            self._until(LINGER_SECONDS)

    def _begin(self) -> None:
        self._reading, self._in_headers, self._header_bytes = True, True, 0
        if self._deadline is None:
            self._until(self.header_seconds)

    def _until(self, seconds: float) -> None:
        self._no_deadline()
        self._deadline = self.loop.call_later(seconds, self._late)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if not self.transport.is_closing():
            self._refuse(_SLOW if self._reading and self._in_headers else b"")

    def _refuse(self, answer: bytes) -> None:
        """Say why, where nothing else was said on this line, and close it."""
        if answer and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(answer)
        self.transport.close()
