"""The SOAP sandbox as one object: its records, its clock, its faults and its service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from sandbox._base import Clock, Document, Faults, Hooks, Inspect, Reply, State, arrived, with_sandbox
from sandbox.soap import _envelope as envelope
from sandbox.soap._envelope import SOAP11, Request, SoapError
from sandbox.soap._security import Door
from sandbox.soap._trade import KINDS, Trade

_HERE = Path(__file__).parent
PATH = "/trade"


class SoapSandbox:
    """One company; `state_dir` None keeps it in memory. `.app` serves it, the methods are its own people at work."""

    def __init__(
        self, state_dir: Path | None = None, *, clock: Clock | None = None, company: str = "Harbour Trading",
        user: str = "landbridge", password: str = "sandbox",
    ) -> None:  # fmt: skip
        self.clock = clock or Clock()
        self.state = State(state_dir / "soap.db" if state_dir else None)
        self.faults = Faults()
        self.trade = Trade(self.state, self.clock, company)
        self.door = Door(user, password, self.clock)
        self.forbidden: set[str] = set()
        """Operations that the user may not call."""
        self.garbling: bytes = b""
        """A whole reply that is sent instead of every other, with `garbling_type` as its media type."""
        self.garbling_type = "text/xml; charset=utf-8"
        self.app = with_sandbox(
            self._serve, faults=self.faults, clock=self.clock, hooks=Hooks(error=error_reply),
            inspect=Inspect(self._counts, lambda name, where, limit: self.records(name, where)[:limit]),
        )  # fmt: skip

    def put(self, kind: str, fields: Mapping[str, Any]) -> str:
        """Create or change a `party` or an `order`; returns its id."""
        return str(self.trade.put(kind, dict(fields))[0]["id"])

    def remove(self, kind: str, key: str) -> None:
        """Delete a record."""
        self.trade.remove(kind, key)

    def records(self, kind: str, where: Mapping[str, Any] | None = None) -> list[Document]:
        """The records that are there and whose fields equal those of `where`."""
        found = self.state.scan(KINDS[kind])
        wanted = (where or {}).items()
        return [each for each in found if not each.get("deleted") and all(each.get(n) == v for n, v in wanted)]

    def _counts(self) -> dict[str, int]:
        return {kind: len(self.records(kind)) for kind in KINDS}

    def close(self) -> None:
        """Forget what waits and close the state."""
        self.clock.close()
        self.state.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        reply = self.reply(scope, body)
        headers = {"content-type": reply.media_type, "content-length": str(len(reply.body)), **reply.headers}
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
        await send({"type": "http.response.body", "body": reply.body})

    def reply(self, scope: Scope, body: bytes) -> Reply:
        """The answer to one request."""
        if scope["method"] == "GET":
            return self._file(scope)
        if scope["method"] != "POST" or scope["path"] != PATH:
            return Reply(404, b"there is nothing here", media_type="text/plain")
        if self.garbling:
            return Reply(200, self.garbling, media_type=self.garbling_type)
        version = SOAP11
        try:
            request = envelope.read(body)
            version = request.version
            return envelope.answer(version, self._called(scope, request))
        except SoapError as error:
            return envelope.refusal(version, error)

    def _called(self, scope: Scope, request: Request) -> envelope.Element:
        sent = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        moment = arrived(scope) or self.clock.now()
        user = self.door.enter(request.header, sent.get(b"authorization", ""), moment)
        operation = self.trade.operations.get(request.operation)
        if operation is None:
            raise SoapError("NO_OPERATION", f"There is no operation {request.operation}")
        if request.operation in self.forbidden:
            raise SoapError("NOT_ALLOWED", f"{user} may not call {request.operation}")
        return operation(request.body, user)

    def _file(self, scope: Scope) -> Reply:
        if scope["path"] == PATH and scope["query_string"].lower() == b"wsdl":
            host = next((value.decode() for name, value in scope["headers"] if name == b"host"), "localhost")
            text = (_HERE / "trade.wsdl").read_text(encoding="utf-8")
            text = text.replace("http://localhost/trade", f"{scope['scheme']}://{host}{PATH}")
            return Reply(200, text.encode(), media_type="text/xml; charset=utf-8")
        if scope["path"] == "/trade.xsd":
            return Reply(200, (_HERE / "trade.xsd").read_bytes(), media_type="text/xml; charset=utf-8")
        return Reply(404, b"there is nothing here", media_type="text/plain")


def error_reply(status: int, kind: str = "") -> Reply:
    """The service's own fault with a status of its choice."""
    receiver = status >= 500
    reply = envelope.refusal(SOAP11, SoapError("ERROR", "An unexpected error occurred.", receiver=receiver))
    return Reply(status, reply.body, media_type=reply.media_type)
