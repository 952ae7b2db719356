"""A server of raw bytes: each connection is answered by a function of the socket and the request's text."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[[socket.socket, str], None]


@dataclass
class Wire:
    """What arrived so far, and where to reach the server."""

    port: int
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """The bytes of one HTTP reply."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(*replies: bytes) -> Answer:
    """Answer the n-th request with the n-th of the replies, the last one for ever."""
    left = list(replies)

    def answer(line: socket.socket, request: str) -> None:
        line.sendall(left.pop(0) if len(left) > 1 else left[0])

    return answer


@contextmanager
def wire(answer: Answer) -> Iterator[Wire]:
    """Serve on a free port of this machine until the context ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = Wire(listener.getsockname()[1])
    lines: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            seen.connections += 1
            lines.append(line)
            threading.Thread(target=serve, args=(line,), daemon=True).start()

    def serve(line: socket.socket) -> None:
        try:
            while request := _read(line):
                seen.requests.append(request)
                answer(line, request)
        except OSError:
            return
        finally:
            line.close()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for line in lines:
            line.close()


def _read(line: socket.socket) -> str:
    got = b""
    while b"\r\n\r\n" not in got:
        chunk = line.recv(65536)
        if not chunk:
            return ""
        got += chunk
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += line.recv(65536)
    return (head + b"\r\n\r\n" + body).decode("utf-8", "replace")
