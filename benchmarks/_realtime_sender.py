"""The sender of the real-time benchmark: signed webhooks, made before the clock runs, paced or as fast as answered."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable

KEY = hashlib.sha256(b"the benchmark's webhooks").digest()


class Line:
    """A kept connection that asks one thing at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Line:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send, and wait for the whole answer: status and body."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 : head.index(b"\r\n", at)]) if at >= 0 else 0
        return int(head[9:12]), await self.reader.readexactly(size) if size else b""


def post(path: str, body: bytes, headers: str = "") -> bytes:
    """A request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def requests(count: int, name: str) -> list[tuple[str, bytes]]:
    """Signed requests by the key of their record, each of another record."""
    made = []
    now = str(int(time.time()))
    for n in range(count):
        key = f"{name}-{n}"
        record = {"id": key, "name": f"Customer {n} " + "x" * 150, "city": "Kiel", "at": f"2026-11-22T08:00:00.{n:06}Z"}
        body = json.dumps(record).encode()
        mac = base64.b64encode(hmac.new(KEY, f"{key}.{now}.".encode() + body, hashlib.sha256).digest()).decode()
        signed = f"webhook-id: {key}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: v1,{mac}\r\n"
        made.append((key, post("/hooks/crm", body, signed)))
    return made


async def flood(port: int, asked: list[tuple[str, bytes]], lines: int) -> float:
    """All of them as fast as the answers come; answers per second."""
    left = iter(asked)

    async def one() -> None:
        line = await Line.open(port)
        for _, request in left:
            status, _body = await line.ask(request)
            assert status < 300, status

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(lines)))
    return len(asked) / (time.monotonic() - began)


async def paced(port: int, asked: list[tuple[str, bytes]], per_s: float) -> tuple[dict[str, float], list[float]]:
    """So many a second: when each was due, and the milliseconds until its answer."""
    free: list[Line] = [await Line.open(port) for _ in range(16)]
    due: dict[str, float] = {}
    spent: list[float] = []

    async def one(at: float, request: bytes) -> None:
        line = free.pop() if free else await Line.open(port)
        status, _body = await line.ask(request)
        assert status < 300, status
        spent.append((time.monotonic() - at) * 1000)
        free.append(line)

    tasks: list[Awaitable[None]] = []
    began = time.monotonic() + 0.05
    for n, (key, request) in enumerate(asked):
        at = due[key] = began + n / per_s
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        tasks.append(asyncio.ensure_future(one(at, request)))
    await asyncio.gather(*tasks)
    return due, spent


def arrivals(port: int, expected: int, within: float = 30.0) -> dict[str, float]:
    """When each record came to the target."""

    async def ask() -> dict[str, float]:
        line = await Line.open(port)
        found: dict[str, float] = json.loads((await line.ask(b"GET / HTTP/1.1\r\n\r\n"))[1])
        line.writer.close()
        return found

    came: dict[str, float] = {}
    until = time.monotonic() + within
    while len(came) < expected and time.monotonic() < until:
        time.sleep(0.1)
        for key, at in asyncio.run(ask()).items():
            came.setdefault(key, at)
    assert len(came) >= expected, f"{len(came)} of {expected} came"
    return came
