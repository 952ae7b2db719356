"""A line to PostgreSQL that breaks on request: it knows where messages end, and what a COMMIT is.

It listens on a free port of 127.0.0.1 and passes messages of the protocol (version 3) to the server's private socket.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

GARBAGE = b"<html><body>502 Bad Gateway</body></html>" * 40


@dataclass
class Fault:
    """What happens at the next statements that hold one of the words."""

    words: tuple[bytes, ...]
    act: str  # error, drop_before, drop_after, cut_body, hang, garbage, commit_later
    times: int | None = 1
    error: tuple[str, str] = ("XX000", "internal error")
    also_after: bool = False
    """For `error`: let the statement have its effect all the same."""
    seen: int = field(default=0)


class Proxy:
    """One listening port in front of one server."""

    def __init__(self, server: str, later: Callable[[Callable[[], None]], None]) -> None:
        self._server = server
        self._later = later
        self.faults: list[Fault] = []
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut every line."""
        for each in [self._listening, *self._open]:
            _cut(each)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._open += [client, server]
                threading.Thread(target=self._pass, args=(client, server), daemon=True).start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        pair = _Pair(self, client, server)
        with contextlib.suppress(OSError):
            pair.start()
            while message := _message(client):
                pair.send(message)
        pair.cut()

    def fault_of(self, text: bytes) -> Fault | None:
        """The fault that meets a statement."""
        for fault in self.faults:
            if any(word in text for word in fault.words) and (fault.times is None or fault.seen < fault.times):
                fault.seen += 1
                return fault
        return None

    def later(self, act: Callable[[], None]) -> None:
        """Do something when the test's clock has come so far."""
        self._later(act)


class _Pair:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.cutting: str | None = None
        self.swallowing: Fault | None = None

    def start(self) -> None:
        """The first message has no type; SSL is declined."""
        while True:
            size = _exactly(self.client, 4)
            body = _exactly(self.client, struct.unpack("!I", size)[0] - 4)
            if body[:4] in (struct.pack("!I", 80877103), struct.pack("!I", 80877104)):  # SSL or GSS asked for
                self.client.sendall(b"N")
                continue
            break
        if (fault := self.proxy.fault_of(b"STARTUP")) is not None:
            self.client.sendall(_error(*fault.error, severity="FATAL"))
            raise OSError
        self.server.sendall(size + body)
        threading.Thread(target=self._back, daemon=True).start()

    def send(self, message: bytes) -> None:
        """Pass a message on, unless a fault meets it."""
        if self.swallowing is not None:
            if message[:1] in b"SQ":
                self._refuse(self.swallowing)
            return
        fault = self.proxy.fault_of(message) if message[:1] in b"QP" else None
        if fault is None:
            self.server.sendall(message)
        elif fault.act == "error":
            self.swallowing = fault
            if message[:1] == b"Q":
                self._refuse(fault)
        else:
            getattr(self, f"_{fault.act}")(message)

    def _refuse(self, fault: Fault) -> None:
        self.swallowing = None
        self.client.sendall(_error(*fault.error) + b"Z" + struct.pack("!I", 5) + b"E")

    def _drop_before(self, message: bytes) -> None:
        raise OSError

    def _drop_after(self, message: bytes) -> None:
        self.cutting = "all"
        self._to_the_end(message)

    def _cut_body(self, message: bytes) -> None:
        self.cutting = "half"
        self._to_the_end(message)

    def _garbage(self, message: bytes) -> None:
        self.cutting = "garbage"
        self._to_the_end(message)

    def _hang(self, message: bytes) -> None:
        self.cutting = "silent"
        self._to_the_end(message)

    def _commit_later(self, message: bytes) -> None:
        server = self.server
        self.proxy._open.append(server)
        self.server = socket.socket(socket.AF_UNIX)  # stays open without us, until the time has come

        def act() -> None:
            server.sendall(message + (b"" if message[:1] == b"Q" else b"S" + struct.pack("!I", 4)))
            with contextlib.suppress(OSError):
                server.settimeout(2)
                while server.recv(4096).find(b"COMMIT") < 0:
                    pass

        self.proxy.later(act)
        raise OSError

    def _to_the_end(self, message: bytes) -> None:
        """The statement reaches the server whole: up to its Sync where it came in parts."""
        self.server.sendall(message)
        while message[:1] not in b"SQ":
            message = _message(self.client)
            self.server.sendall(message)

    def _back(self) -> None:
        with contextlib.suppress(OSError):
            while reply := self.server.recv(65536):
                if self.cutting is None:
                    self.client.sendall(reply)
                elif self.cutting == "half":
                    self.client.sendall(reply[:7])
                    break
                elif self.cutting == "garbage":
                    self.client.sendall(GARBAGE)
                    break
                elif self.cutting == "all":
                    break
        if self.cutting is not None or self.server.fileno() >= 0:
            self.cut()

    def cut(self) -> None:
        """End both sides."""
        _cut(self.client)
        _cut(self.server)


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


def _message(line: socket.socket) -> bytes:
    head = _exactly(line, 5)
    return head + _exactly(line, struct.unpack("!I", head[1:])[0] - 4)


def _error(code: str, text: str, severity: str = "ERROR") -> bytes:
    parts: dict[str, Any] = {"S": severity, "V": severity, "C": code, "M": text}
    body = b"".join(key.encode() + str(value).encode() + b"\x00" for key, value in parts.items()) + b"\x00"
    return b"E" + struct.pack("!I", len(body) + 4) + body
