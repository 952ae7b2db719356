"""The layer around a vendor's app: it plays the faults, logs the requests and answers under /__sandbox__/."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox._base.clock import Clock
from sandbox._base.faults import Fault, Faults, Hooks, Match, Reply

PREFIX = "/__sandbox__/"
_LABELS = 5000


class ConnectionCutError(Exception):
    """The line was cut on purpose; raised only where no server is there to cut it."""


@dataclass(frozen=True)
class Inspect:
    """How the control API looks into a vendor's records: counts per collection, and some records of one."""

    counts: Callable[[], dict[str, int]] = dict
    records: Callable[[str, dict[str, str], int], list[dict[str, Any]]] = lambda collection, where, limit: []


class RequestLog:
    """The last requests and how often each method and path was called."""

    def __init__(self, size: int = 2000) -> None:
        self.last: deque[dict[str, Any]] = deque(maxlen=size)
        self.counts: Counter[str] = Counter()

    def note(self, entry: dict[str, Any], label: str) -> None:
        """Count and keep one request."""
        self.last.append(entry)
        key = f"{entry['method']} {label}"
        self.counts[key if key in self.counts or len(self.counts) < _LABELS else "(other)"] += 1

    def clear(self) -> None:
        """Start counting anew."""
        self.last.clear()
        self.counts.clear()


def with_sandbox(
    app: ASGIApp, *, faults: Faults, clock: Clock, hooks: Hooks | None = None, inspect: Inspect | None = None
) -> Sandboxed:
    """Wrap a vendor's ASGI app with faults, request log and control API."""
    return Sandboxed(app, faults, clock, hooks or Hooks(), inspect or Inspect())


class Sandboxed:
    """The wrapped ASGI app; `log` holds the requests."""

    def __init__(self, app: ASGIApp, faults: Faults, clock: Clock, hooks: Hooks, inspect: Inspect) -> None:
        self._app, self._faults, self._clock, self._hooks, self._inspect = app, faults, clock, hooks, inspect
        self.log = RequestLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        path: str = scope["path"]
        if path.startswith(PREFIX):
            await _send(send, self._control(scope, body))
            return
        scope["sandbox.arrived"] = self._clock.now()
        query = scope["query_string"].decode("latin-1")
        target = f"{path}?{unquote_plus(query)}" if query else path
        fault = self._faults.take(scope["method"], target, body)
        entry = {"at": scope["sandbox.arrived"].isoformat(), "method": scope["method"], "path": target}
        entry |= {"fault": fault.kind if fault else None, "status": None}
        self.log.note(entry, self._hooks.label(path))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        if fault is None:
            await self._app(scope, _replay(body), sending)
        else:
            await self._play(fault, scope, body, receive, sending)

    async def _play(self, fault: Fault, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        kind, args = fault.kind, fault.args
        if kind in {"429", "503", "500_before"}:
            await _send(send, self._refusal(int(kind[:3]), kind, args))
        elif kind == "500_after":
            await self._quietly(scope, body)
            await _send(send, self._refusal(500, kind, args))
        elif kind == "drop_before":
            await _cut(scope, receive)
        elif kind == "drop_after":
            await self._quietly(scope, body)
            await _cut(scope, receive)
        elif kind == "commit_later":
            self._later(scope, body, float(args.get("after", 240)))
            await asyncio.sleep(float(args.get("hang", 0)))
            await _cut(scope, receive)
        elif kind == "hang":
            await self._hang(args, scope, body, receive, send)
        elif kind == "html":
            page = b"<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body>Sorry.</body></html>"
            await _send(send, Reply(int(args.get("status", 200)), page, media_type="text/html; charset=utf-8"))
        elif kind == "cut_body":
            await self._half(scope, body, receive, send)
        elif kind == "reply":
            content = args.get("body", b"")
            content = content if isinstance(content, bytes) else orjson.dumps(content)
            await _send(send, Reply(int(args.get("status", 400)), content, args.get("headers", {})))
        else:
            if kind == "stale_token":
                self._hooks.stale_token(_headers(scope))
            await self._app({**scope, "sandbox.fault": fault}, _replay(body), send)

    def _refusal(self, status: int, kind: str, args: dict[str, Any]) -> Reply:
        reply = self._hooks.error(status, kind)
        wait = args.get("retry_after", 1 if status == 429 else None)
        headers = dict(reply.headers) if wait is None else {**reply.headers, "Retry-After": str(wait)}
        return Reply(reply.status, reply.body, headers, reply.media_type)

    async def _quietly(self, scope: Scope, body: bytes) -> list[Message]:
        """Run the request to its end and keep the reply back."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, _replay(body), keep)
        return messages

    def _later(self, scope: Scope, body: bytes, after: float) -> None:
        late = {**scope, "sandbox.deferred": True, "extensions": {}}

        def commit() -> None:
            # a thread with a loop of its own: the clock may be moved from a test or from within the server's loop
            thread = threading.Thread(target=lambda: asyncio.run(self._commit(late, body)), name="late commit")
            thread.start()
            thread.join()

        self._clock.call_at(self._clock.now() + timedelta(seconds=after), commit)

    async def _commit(self, scope: Scope, body: bytes) -> None:
        await self._quietly(scope, body)

    async def _hang(self, args: dict[str, Any], scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        kept: list[Message] | None = None
        if args.get("effect") == "before":
            kept = await self._quietly(scope, body)
        gone = asyncio.ensure_future(_disconnected(receive))
        await asyncio.wait([gone], timeout=float(args.get("seconds", 30)))
        left = gone.done()
        gone.cancel()
        if not args.get("reply", True):
            await _cut(scope, receive)
        elif kept is not None:
            for message in kept:
                await send(message)
        elif not left:  # a client that gave up while we waited leaves no effect behind
            await self._app(scope, _replay(body), send)

    async def _half(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        kept = await self._quietly(scope, body)
        content = b"".join(message.get("body", b"") for message in kept[1:])
        await send(kept[0])
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        await _cut(scope, receive, how="close")

    def _control(self, scope: Scope, body: bytes) -> Reply:
        try:
            answer = self._answer(scope["method"], scope["path"][len(PREFIX) :].strip("/"), scope["query_string"], body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return Reply(400, orjson.dumps({"error": f"{type(error).__name__}: {error}"}))
        return Reply(404, b'{"error":"no such control"}') if answer is None else Reply(200, orjson.dumps(answer))

    def _answer(self, method: str, path: str, query: bytes, body: bytes) -> Any:
        given: dict[str, Any] = orjson.loads(body) if body else {}
        head, _, rest = path.partition("/")
        if head == "health":
            return {"ok": True}
        if head == "faults":
            return self._control_faults(method, rest, given)
        if head == "clock":
            return self._control_clock(method, given)
        if head == "counts":
            return self._inspect.counts()
        if head == "records" and rest:
            where = dict(parse_qsl(query.decode()))
            limit = int(where.pop("limit", "100"))
            return self._inspect.records(rest, where, limit)
        if head == "requests":
            if method == "DELETE":
                self.log.clear()
            return {"counts": dict(self.log.counts), "last": list(self.log.last)}
        return None

    def _control_faults(self, method: str, rest: str, given: dict[str, Any]) -> Any:
        if method == "POST":
            return self._faults.add(Match(**given.get("match", {})), given["kind"], **given.get("args", {})).view()
        if method == "DELETE":
            self._faults.clear(int(rest) if rest else None)
        return [fault.view() for fault in self._faults.list()]

    def _control_clock(self, method: str, given: dict[str, Any]) -> Any:
        if method == "POST":
            if "set" in given:
                self._clock.set(datetime.fromisoformat(given["set"]))
            if given.get("freeze"):
                self._clock.freeze()
            if given.get("resume"):
                self._clock.resume()
            if "advance" in given:
                self._clock.advance(float(given["advance"]))
        now = self._clock.now().isoformat()
        return {"now": now, "frozen": self._clock.frozen, "pending": self._clock.pending()}


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _replay(body: bytes) -> Receive:
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _send(send: Send, reply: Reply) -> None:
    headers = {"content-type": reply.media_type, "content-length": str(len(reply.body)), **reply.headers}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
    await send({"type": "http.response.body", "body": reply.body})


async def _cut(scope: Scope, receive: Receive, how: str = "abort") -> None:
    """Cut the line; `close` lets what was written go out first."""
    cut = scope.get("extensions", {}).get("sandbox.cut")
    if cut is None:
        raise ConnectionCutError("sandbox: this fault cuts the line; serve the app with sandbox._base.serve")
    cut[how]()
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
