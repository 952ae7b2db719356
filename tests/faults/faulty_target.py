"""A target over HTTP that answers badly on purpose, and the source beside it; every effect is written down at once.

Three ways in, by grade: `/a` takes an idempotency key, `/b` upserts by our reference, `/c` has a reference that can be
searched and an ETag. What it did stands in its journal, one JSON line per effect and per bad reply, in their order.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

WRITES = {
    "500_before": 0.05,
    "500_after": 0.05,
    "drop_before": 0.02,
    "drop_after": 0.05,
    "hang_after": 0.015,
    "429": 0.03,
    "cut_body": 0.03,
    "html": 0.03,
    "late": 0.04,
}
READS = {"500_before": 0.05, "429": 0.04, "drop_before": 0.04, "cut_body": 0.04, "html": 0.04}
HTML = b"<html><body><h1>Bad gateway</h1></body></html>"
PAGE = 20


@dataclass
class Record:
    """One record that stands here."""

    id: str
    order: str
    reference: str
    version: int
    etag: int = 1


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    """One reply."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class Target:
    """The records, the source's changes, and what goes wrong."""

    def __init__(self, journal: Path, seed: int, *, late: float, strength: float, hang: float, idle: float) -> None:
        self.late, self.strength, self.hang, self.idle = late, strength, hang, idle
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.reset(seed)

    def reset(self, seed: int, script: dict[str, str] | None = None) -> None:
        """Begin anew; `script` names what happens at the n-th write, nothing else then goes wrong."""
        self.dice = random.Random(seed)
        self.records: dict[str, Record] = {}
        self.keys: dict[str, Answer] = {}
        self.source: list[dict[str, Any]] = []
        self.shown = 0
        self.poison: set[str] = set()
        self.script = script
        self.writes = 0
        self.later: list[Asked] = []
        self.bad: Counter[str] = Counter()
        self.replies = 0
        self.newest = -1
        os.ftruncate(self._journal, 0)

    def note(self, **what: Any) -> None:
        """Write one line of the journal, at once."""
        os.write(self._journal, json.dumps(what).encode() + b"\n")

    # -- what happens to a request ------------------------------------------------------------------------------------

    def act(self, asked: Asked) -> str:
        """What goes wrong with this request; empty for nothing."""
        writing = asked.method != "GET"
        if self.script is not None:
            self.writes += writing
            return self.script.get(str(self.writes), "") if writing else ""
        left = self.dice.random()
        for name, share in (WRITES if writing else READS).items():
            left -= share * self.strength
            if left < 0:
                return name
        return ""

    def commit(self, asked: Asked) -> Answer:
        """The effect of a request, and the right reply to it."""
        parts = asked.path.strip("/").split("/")
        if parts[0] == "source":
            return self._changes(int(asked.query.get("after", 0)))
        if parts[0] == "who":
            return Answer(200, {"organisation": "org"})
        if asked.body is not None and asked.body.get("number") in self.poison:
            return Answer(422, {"error": "this order is poison"})
        return getattr(self, f"_{parts[0]}")(asked, parts[2:])

    def _changes(self, after: int) -> Answer:
        rows = self.source[after : min(self.shown, after + PAGE)]
        return Answer(200, {"rows": rows})

    def _a(self, asked: Asked, rest: list[str]) -> Answer:
        key = asked.headers.get("idempotency-key", "")
        if key not in self.keys:
            found = self.records.get(rest[0]) if rest else None
            self.keys[key] = self._kept(found or self._new(asked.body, key), asked.body)
        return self.keys[key]

    def _b(self, asked: Asked, rest: list[str]) -> Answer:
        found = next((r for r in self.records.values() if r.reference == rest[0]), None)
        return self._kept(found or self._new(asked.body, rest[0]), asked.body)

    def _c(self, asked: Asked, rest: list[str]) -> Answer:
        if asked.method == "GET":
            wanted, ids = asked.query.get("reference"), asked.query.get("ids", "").split(",")
            found = [r for r in self.records.values() if r.id in ids or r.reference == wanted]
            rows = [{"id": r.id, "etag": str(r.etag), "number": r.order, "version": r.version} for r in found]
            return Answer(200, {"rows": rows})
        if asked.method == "POST":
            return self._kept(self._new(asked.body, asked.body["reference"]), asked.body)
        record = self.records[rest[0]]
        expected = asked.headers.get("if-match")
        if expected is not None and expected != str(record.etag):
            return Answer(412, {"error": "it was changed meanwhile"})
        return self._kept(record, asked.body)

    def _new(self, body: dict[str, Any], reference: str) -> Record:
        record = Record(str(4711 + len(self.records)), body["number"], reference, 0, 0)
        self.records[record.id] = record
        return record

    def _kept(self, record: Record, body: dict[str, Any]) -> Answer:
        record.version = body["version"]
        record.etag += 1
        self.newest = max(self.newest, body["at"])
        self.note(effect=record.id, order=record.order, version=record.version, new=record.etag == 1)
        return Answer(200, {"id": record.id, "etag": str(record.etag)})

    def commit_later(self) -> None:
        """Everything that was to commit later commits now."""
        due, self.later = self.later, []
        for asked in due:
            self.commit(asked)

    # -- the harness's own way in -------------------------------------------------------------------------------------

    def control(self, asked: Asked) -> Answer:
        """What the harness asks for."""
        what = asked.path.removeprefix("/-/")
        body = asked.body or {}
        if what == "reset":
            self.reset(body["seed"], body.get("script"))
            self.source, self.poison = body["source"], set(body["poison"])
            self.shown = body.get("shown", len(self.source))
            self.records = {one["id"]: Record(**one) for one in body.get("records", ())}
        elif what == "show":
            self.shown = body["shown"]
        elif what == "heal":
            self.poison = set()
        elif what == "later":
            self.commit_later()
        return Answer(200, {"bad": dict(self.bad), "replies": self.replies, "newest": self.newest})


class Door:
    """Speaks HTTP/1.1, as badly as the target wants."""

    def __init__(self, target: Target) -> None:
        self.target = target

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends or idles."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            while (asked := await asyncio.wait_for(_request(reader), self.target.idle)) is not None:
                if not await self._answer(asked, writer):
                    break
        with contextlib.suppress(OSError):
            writer.close()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        target = self.target
        if asked.path.startswith("/-/"):
            return await _send(writer, target.control(asked))
        act = target.act(asked)
        target.replies += 1
        if act:
            target.bad[act] += 1
            target.note(bad=act)
        if act == "500_before":
            return await _send(writer, Answer(500, {"error": "out of order"}))
        if act == "429":
            return await _send(writer, Answer(429, {"error": "slowly"}, {"Retry-After": "0"}))
        if act == "drop_before":
            return False
        if act == "late":
            if target.script is not None:
                target.later.append(asked)
            else:
                asyncio.get_running_loop().call_later(target.late, target.commit, asked)
            return False
        answer = target.commit(asked)
        return await self._after(act, answer, writer)

    async def _after(self, act: str, answer: Answer, writer: asyncio.StreamWriter) -> bool:
        if act == "500_after":
            return await _send(writer, Answer(500, {"error": "out of order"}))
        if act == "drop_after":
            return False
        if act == "hang_after":
            await asyncio.sleep(self.target.hang)
            return False
        if act == "html":
            writer.write(_head(200, len(HTML), {"Content-Type": "text/html"}) + HTML)
            await writer.drain()
            return True
        whole = _bytes(answer)
        if act == "cut_body":
            writer.write(whole[: -len(whole) // 8 or -1])
            await writer.drain()
            return False
        writer.write(whole)
        await writer.drain()
        return True


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, address, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    size = int(headers.get("content-length", 0))
    body = json.loads(await reader.readexactly(size)) if size else None
    parts = urlsplit(address)
    return Asked(method, parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}, headers, body)


def _head(status: int, size: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {size}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _bytes(answer: Answer) -> bytes:
    body = json.dumps(answer.body).encode()
    return _head(answer.status, len(body), {"Content-Type": "application/json", **answer.headers}) + body


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> bool:
    writer.write(_bytes(answer))
    await writer.drain()
    return True


def run(folder: str, seed: int, late: float, strength: float, hang: float, idle: float) -> None:
    """Serve until this process is ended; the port stands in `port` of the folder."""
    target = Target(Path(folder) / "journal", seed, late=late, strength=strength, hang=hang, idle=idle)

    async def forever() -> None:
        server = await asyncio.start_server(Door(target).serve, "127.0.0.1", 0)
        told = Path(folder) / "port.new"
        told.write_text(str(server.sockets[0].getsockname()[1]))
        told.rename(Path(folder) / "port")
        await server.serve_forever()

    asyncio.run(forever())
