"""A line to MariaDB that breaks on request: it knows where packets end, and what a COMMIT is.

It listens on a free port of 127.0.0.1 and passes the packets of the protocol to the server's private socket.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

from sql_proxy import GARBAGE, Fault

_QUERY = 3


class MySqlProxy:
    """One listening port in front of one server."""

    def __init__(self, server: str, later: Callable[[Callable[[], None]], None]) -> None:
        self._server = server
        self.later = later
        self.faults: list[Fault] = []
        self.kept: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut every line."""
        for each in [self._listening, *self.kept]:
            _cut(each)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self.kept += [client, server]
                threading.Thread(target=_Pair(self, client, server).run, daemon=True).start()

    def fault_of(self, text: bytes) -> Fault | None:
        """The fault that meets a statement."""
        for fault in self.faults:
            if any(word in text for word in fault.words) and (fault.times is None or fault.seen < fault.times):
                fault.seen += 1
                return fault
        return None


class _Pair:
    def __init__(self, proxy: MySqlProxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.cutting: str | None = None

    def run(self) -> None:
        """Pass packets on until one side ends."""
        with contextlib.suppress(OSError):
            if (fault := self.proxy.fault_of(b"STARTUP")) is not None:
                self.client.sendall(_error(*fault.error, sequence=0, state=False))
            else:
                threading.Thread(target=self._back, daemon=True).start()
                while packet := _packet(self.client):
                    self._send(packet)
        _cut(self.client)
        _cut(self.server)

    def _send(self, packet: bytes) -> None:
        """Pass a packet on, unless it is a statement that a fault meets."""
        statement = packet[3] == 0 and packet[4:5] == bytes([_QUERY])
        fault = self.proxy.fault_of(packet[5:]) if statement else None
        if fault is None:
            self.server.sendall(packet)
        elif fault.act == "error":
            self.client.sendall(_error(*fault.error, sequence=1))
        elif fault.act == "drop_before":
            raise OSError
        elif fault.act == "commit_later":
            self._commit_later(packet)
        else:
            self.cutting = fault.act
            self.server.sendall(packet)

    def _commit_later(self, packet: bytes) -> None:
        server = self.server
        self.server = socket.socket(socket.AF_UNIX)  # stays open without us, until the time has come

        def act() -> None:
            server.settimeout(2)
            server.sendall(packet)
            with contextlib.suppress(OSError):
                server.recv(4096)

        self.proxy.later(act)
        raise OSError

    def _back(self) -> None:
        server = self.server
        with contextlib.suppress(OSError):
            while reply := server.recv(65536):
                if self.cutting is None:
                    self.client.sendall(reply)
                    continue
                if self.cutting == "hang":
                    continue
                if self.cutting == "cut_body":
                    self.client.sendall(reply[:3])
                elif self.cutting == "garbage":
                    self.client.sendall(GARBAGE)
                break
        if self.server is server:
            _cut(self.client)
            _cut(server)


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


def _exactly(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = line.recv(size - len(found))
        if not more:
            raise OSError
        found += more
    return found


def _packet(line: socket.socket) -> bytes:
    head = _exactly(line, 4)
    return head + _exactly(line, int.from_bytes(head[:3], "little"))


def _error(number: str, text: str, *, sequence: int, state: bool = True) -> bytes:
    body = b"\xff" + struct.pack("<H", int(number)) + (b"#HY000" if state else b"") + text.encode()
    return len(body).to_bytes(3, "little") + bytes([sequence]) + body
