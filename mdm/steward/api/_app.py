"""The application: who may ask, how much, and what is answered; no record's content ever stands in its log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from landbridge.errors import ConfigError, Conflict, Finding, Invalid, LandbridgeError, Unavailable
from landbridge.strict import json
from landbridge.webhook import Refused, Room, body_of
from mdm.steward._desk import Desk
from mdm.steward.api._openapi import openapi
from mdm.steward.api._operations import OPERATIONS, Operation
from mdm.steward.api._token import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from landbridge.installation import Installation
    from landbridge.secrets import Secret

MAX_BYTES = 1 << 16
_DEPTH = 32
AT_ONCE = 4
"""Questions that are answered at a time: each takes two connections of the store's at most."""
PATIENCE = 20.0
"""Seconds that a question waits for its turn."""
_log = logging.getLogger("landbridge.steward")


def application(
    installation: Installation,
    token: Secret,
    *,
    ready: Callable[[], None] | None = None,
    close: Callable[[], None] | None = None,
) -> Starlette:
    """The ASGI application of an installation; `ready` is called before the first request, `close` after the last."""
    return _Api(Desk(installation), token, ready, close).app


class _Api:
    def __init__(
        self, desk: Desk, token: Secret, ready: Callable[[], None] | None, close: Callable[[], None] | None
    ) -> None:
        self._desk, self._token, self._ready, self._close = desk, token, ready, close
        self._room = Room(most=16 << 20)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._contract = openapi()
        paths = {one.path: [o for o in OPERATIONS if o.path == one.path] for one in OPERATIONS}
        self.app = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/openapi.json", self._told),
                *(Route(path, self._of(found), methods=[o.method for o in found]) for path, found in paths.items()),
            ],
            exception_handlers={HTTPException: self._refused},
            lifespan=self._life,
        )

    @asynccontextmanager
    async def _life(self, app: Starlette) -> AsyncIterator[None]:
        if self._ready is not None:
            self._ready()
        yield
        if self._close is not None:
            self._close()

    def _of(self, found: list[Operation]) -> Callable[[Request], Any]:
        by_method = {one.method: one for one in found}

        async def answer(request: Request) -> Response:
            one = by_method.get("GET" if request.method == "HEAD" else request.method)
            if one is None:
                raise HTTPException(405, "This is not offered here.")
            try:
                return await self._answer(one, request)
            except Exception as error:  # noqa: BLE001 - a traceback of it could hold what a record says
                return _problem(error, one)

        return answer

    async def _answer(self, one: Operation, request: Request) -> Response:
        if not await run_in_threadpool(shown, self._token, request.headers.get("authorization", "")):
            raise HTTPException(401, "Show the token: Authorization: Bearer ….", {"WWW-Authenticate": "Bearer"})
        entity = request.path_params.get("entity", "")
        if entity and entity not in self._desk.hub.entities:
            raise HTTPException(404, f"The hub keeps {', '.join(sorted(self._desk.hub.entities))}, and not this.")
        given = await self._given(one, request)
        gives = await run_in_threadpool(self._act, one, entity, given)
        return Response(orjson.dumps(gives), media_type="application/json", headers={"Cache-Control": "no-store"})

    def _act(self, one: Operation, entity: str, given: Any) -> Any:
        if not self._turns.acquire(timeout=PATIENCE):
            raise Unavailable("More is asked than can be answered.", hint="Come back in a few seconds.")
        try:
            return one.act(self._desk, entity, given)
        finally:
            self._turns.release()

    async def _given(self, one: Operation, request: Request) -> Any:
        if one.takes is None:
            return None
        if one.method == "POST":
            with self._room.place() as place:
                value = json.loads(await body_of(request, MAX_BYTES, place), max_depth=_DEPTH)
        else:
            pairs = request.query_params.multi_items()
            value = dict(pairs)
            if len(value) != len(pairs):
                raise Invalid([Finding("query", "repeated", "a parameter is given twice", "Give each once.")])
        return one.takes.model_validate(value)

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _told(self, request: Request) -> Response:
        return JSONResponse(self._contract)

    async def _refused(self, request: Request, error: Exception) -> Response:
        return _problem(error)


def _problem(error: Exception, one: Operation | None = None) -> Response:
    """RFC 9457: what is wrong and what to do; nothing of our inside."""
    hint, headers = "", {}
    findings: list[dict[str, str]] = []
    if isinstance(error, HTTPException):
        status, title, headers = error.status_code, error.detail, dict(error.headers or {})
        hint = "See /openapi.json."
    elif isinstance(error, Refused):
        status, title = error.status, error.text
    elif isinstance(error, ValidationError):
        status, title, hint = 422, "What is asked does not fit.", "See /openapi.json."
        findings = [
            {"path": ".".join(map(str, e["loc"])), "message": e["msg"], "hint": ""}
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    elif isinstance(error, Invalid):
        status, title, hint = 422, error.message, error.hint
        findings = [{"path": f.path, "message": f.message, "hint": f.hint} for f in error.findings]
    elif isinstance(error, Conflict):
        status, title, hint = 409, error.message, error.hint
    elif isinstance(error, ConfigError):
        status, title, hint = 503, "The hub is not as this process read it.", "Start it again."
        _log.error("%s: %s", one.name if one else "", error.message)
    elif isinstance(error, LandbridgeError):
        status, title, hint = 503, error.message, error.hint
    else:
        status, title = 500, "Something went wrong here."
        _log.error("%s failed: %s", one.name if one else "a request", type(error).__name__)
    body: dict[str, Any] = {"type": "about:blank", "status": status, "title": title, "hint": hint}
    if findings:
        body["findings"] = findings
    return JSONResponse(body, status, headers, media_type="application/problem+json")
