"""The API as an ASGI app: who calls, what is asked, and how errors are told."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.types import Receive, Scope, Send

from sandbox._base import Clock, Faults, Hooks, Inspect, Reply, deferred, with_sandbox
from sandbox.rest._lists import paged, selected
from sandbox.rest._openapi import openapi
from sandbox.rest._store import Record, RefusedError, Store, tag

SCOPES = ("customers:read", "customers:write", "orders:read", "orders:write")
_LIFE = 3600


@dataclass(frozen=True)
class Manners:
    """How this API behaves: its paging, how it knows its callers, and whether its errors come with 200."""

    paging: str = "offset"
    key: str | None = None
    clients: Mapping[str, str] = field(default_factory=dict)
    errors_inside: bool = False


class RestSandbox:
    """One account of the API; `app` is served, `store` is a foreign user's hand."""

    def __init__(self, manners: Manners | None = None, *, clock: Clock | None = None) -> None:
        self.manners = manners or Manners()
        self.clock = clock or Clock()
        self.store = Store(self.clock)
        self.scopes = list(SCOPES)
        self.faults = Faults()
        self._tokens: dict[str, float] = {}
        self._issued = 0
        self._lock = threading.Lock()
        inspect = Inspect(counts=lambda: {kind: len(self.store.all(kind)) for kind in ("customers", "orders")})
        self.app = with_sandbox(
            self._answer, faults=self.faults, clock=self.clock, hooks=Hooks(error=self._error), inspect=inspect
        )

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The last requests."""
        return list(self.app.log.last)

    def revoke_all(self) -> None:
        """End every token."""
        with self._lock:
            self._tokens.clear()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        try:
            reply = self._reply(scope, body)
        except RefusedError as error:
            reply = self._refused(error)
        headers = [(b"content-type", reply.media_type.encode())]
        headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _reply(self, scope: Scope, body: bytes) -> Reply:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        steps = [unquote(each) for each in raw.strip("/").split("/")]
        if steps == ["oauth", "token"]:
            return self._token(headers, dict(parse_qsl(body.decode("utf-8", "replace"))))
        if not deferred(scope):  # a late commit was let in when it came
            self._let_in(headers)
        if steps[:1] != ["v1"]:
            raise RefusedError(404, "not_found", "There is no such address.")
        address = f"{scope['scheme']}://{headers.get('host', 'localhost')}{raw}"
        return self._called(scope["method"], steps[1:], query, headers, body, address)

    def _called(
        self, method: str, steps: list[str], query: dict[str, str], headers: dict[str, str], body: bytes, address: str
    ) -> Reply:
        if steps == ["me"]:
            return _json(200, {"account": {"id": "acc-7001"}, "user": {"name": "bus"}, "scopes": self.scopes})
        if steps == ["openapi.json"]:
            return _json(200, openapi())
        if steps and steps[0] in ("customers", "orders"):
            kind, rest = steps[0], steps[1:]
            if not rest and method == "GET":
                style = self.manners.paging
                content, more = paged(selected(self.store.all(kind), query), style, query, address)
                return _json(200, content, more)
            if not rest and method == "POST":
                return _record(*self.store.create(kind, _parsed(body), headers.get("idempotency-key")))
            if len(rest) == 2 and rest[0] == "by-reference":
                return self._by_reference(method, kind, rest[1], body)
            if len(rest) == 1:
                return self._one(method, kind, rest[0], headers, body)
        raise RefusedError(404, "not_found", "There is no such address.")

    def _by_reference(self, method: str, kind: str, reference: str, body: bytes) -> Reply:
        if method == "PUT":
            return _record(*self.store.upsert(kind, reference, _parsed(body)))
        found = self.store.by_reference(kind, reference)
        if method != "GET" or found is None:
            raise RefusedError(404, "not_found", f"There is no {kind[:-1]} with this reference.")
        return _record(200, found)

    def _one(self, method: str, kind: str, key: str, headers: dict[str, str], body: bytes) -> Reply:
        if method == "GET":
            return _record(200, self.store.get(kind, key))
        if method == "PATCH":
            return _record(200, self.store.change(kind, key, _parsed(body), headers.get("if-match")))
        if method == "DELETE":
            self.store.delete(kind, key)
            return Reply(204, b"")
        raise RefusedError(405, "bad_method", f"{method} is not known here.")

    def _let_in(self, headers: dict[str, str]) -> None:
        manners = self.manners
        if manners.key is not None and headers.get("x-api-key") != manners.key:
            raise RefusedError(401, "unauthorized", "The key is wrong.")
        if manners.clients:
            token = headers.get("authorization", "").removeprefix("Bearer ")
            with self._lock:
                until = self._tokens.get(token, 0.0)
            if until <= self.clock.timestamp():
                raise RefusedError(401, "unauthorized", "The token is not valid.")

    def _token(self, headers: dict[str, str], form: dict[str, str]) -> Reply:
        login = headers.get("authorization", "")
        if login.startswith("Basic "):
            client, _, secret = base64.b64decode(login.removeprefix("Basic ")).decode().partition(":")
            client, secret = unquote(client), unquote(secret)
        else:
            client, secret = form.get("client_id", ""), form.get("client_secret", "")
        known = self.manners.clients.get(client)
        if form.get("grant_type") != "client_credentials" or known is None or known != secret:
            return _json(401, {"error": "invalid_client", "error_description": "The client is not known."})
        with self._lock:
            self._issued += 1
            token = f"token-{self._issued}-of-{client}"
            self._tokens[token] = self.clock.timestamp() + _LIFE
        return _json(200, {"access_token": token, "token_type": "Bearer", "expires_in": _LIFE})

    def _refused(self, error: RefusedError) -> Reply:
        if self.manners.errors_inside and error.status != 401:
            return _json(200, {"success": False, "errorCode": error.code, "errorMessage": error.message})
        return _json(error.status, {"error": {"code": error.code, "message": error.message}})

    def _error(self, status: int, kind: str) -> Reply:
        return _json(status, {"error": {"code": f"http_{status}", "message": f"An error on request ({kind})."}})


def _json(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, orjson.dumps(content), headers or {})


def _record(status: int, record: Record) -> Reply:
    return _json(status, record, {"ETag": tag(record)})


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RefusedError(400, "bad_request", "The body is no JSON.") from None
