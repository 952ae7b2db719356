"""`$batch`: several changesets in one request, each all or nothing, and the replies of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from landbridge.net import Reply

_BOUNDARY = re.compile(r'boundary="?([^";,\s]+)"?', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[^\n]*")


@dataclass(slots=True)
class Operation:
    """One change: what is sent where; `path` is relative to the service.

    `entity_set` is what a reply holds, `line` our line key where the change makes a new line.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None
    entity_set: str
    etag: str | None = None
    line: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        """The headers that the change needs, the entity tag among them."""
        headers = {"Accept": "application/json", **self.headers}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.etag is not None:
            headers["If-Match"] = self.etag
        return headers

    def content(self) -> bytes:
        """The body as JSON."""
        return b"" if self.body is None else orjson.dumps(self.body)


def build(changesets: Sequence[Sequence[Operation]], boundary: str) -> bytes:
    """The multipart body of a `$batch` with one changeset per list."""
    out: list[bytes] = []
    for number, operations in enumerate(changesets):
        inner = f"changeset_{boundary}_{number}"
        out.append(f"--{boundary}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode())
        for index, operation in enumerate(operations):
            content = operation.content()
            headers = {**operation.all_headers(), "Content-Length": str(len(content))}
            lines = [
                f"--{inner}",
                "Content-Type: application/http",
                "Content-Transfer-Encoding: binary",
                f"Content-ID: {number}_{index}",
                "",
                f"{operation.method} {operation.path} HTTP/1.1",
                *(f"{name}: {value}" for name, value in headers.items()),
                "",
                "",
            ]
            out += ["\r\n".join(lines).encode(), content, b"\r\n"]
        out.append(f"--{inner}--\r\n".encode())
    out.append(f"--{boundary}--\r\n".encode())
    return b"".join(out)


def parse(reply: Reply) -> list[list[Reply]]:
    """The replies of a `$batch`, one list per changeset; a failed changeset is a list of one error reply."""
    found = _BOUNDARY.search(reply.headers.get("Content-Type", ""))
    if found is None:
        raise reply.garbled("something that is not multipart")
    return [_unit(reply, headers, content) for headers, content in _parts(reply.content, found[1].encode())]


def _unit(reply: Reply, headers: Mapping[str, str], content: bytes) -> list[Reply]:
    kind = headers.get("content-type", "")
    found = _BOUNDARY.search(kind)
    if kind.lower().startswith("multipart/mixed") and found:
        return [_http(reply, inner) for _, inner in _parts(content, found[1].encode())]
    return [_http(reply, content)]


def _http(reply: Reply, content: bytes) -> Reply:
    head = _STATUS.match(content)
    if head is None:
        raise reply.garbled("a part of a batch without a status")
    headers, body = _split(content[head.end() :].removeprefix(b"\r\n").removeprefix(b"\n"))
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 19:
        body = body[: int(length)]
    return Reply(reply.system, "CHANGE", reply.path, False, int(head[1]), _Headers(headers), body)


def _parts(content: bytes, boundary: bytes) -> list[tuple[dict[str, str], bytes]]:
    """The parts between boundaries; what stands before the first and after the last is no part."""
    parts = []
    for piece in content.split(b"--" + boundary)[1:]:
        if piece.startswith(b"--"):
            break
        parts.append(_split(piece.removeprefix(b"\r\n").removeprefix(b"\n")))
    return parts


def _split(piece: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body at the first empty line."""
    cut = re.search(rb"(?:^|\r?\n)\r?\n", piece)
    head, body = (piece[: cut.start()], piece[cut.end() :]) if cut else (piece, b"")
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers, body.removesuffix(b"\r\n")


class _Headers(dict[str, str]):
    """Headers of a part, found without regard to case."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)
