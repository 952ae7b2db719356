"""The endpoint's routes: a webhook, whether it is well, and what it offers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from landbridge import signatures, telemetry
from landbridge.connector import Connector, Event
from landbridge.errors import Invalid, LandbridgeError, Rejected
from landbridge.metrics import CONTENT_TYPE, exposition, sources
from landbridge.store import operate
from landbridge.webhook._body import Place, Refused, Room, body_of
from landbridge.webhook._committer import Busy, Committer, Delivery
from landbridge.webhook._openapi import openapi
from landbridge.webhook._receiving import receiving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from landbridge.installation import Installation
    from landbridge.settings import System

_log = logging.getLogger("landbridge.webhook")
_MOST_EVENTS = 1_000
_LONG = 1 << 16
_REMEMBERED = timedelta(minutes=1)
_ORIGIN = re.compile(r"[A-Za-z0-9.:/_-]{1,255}|\*", re.ASCII)


def application(
    installation: Installation, *, ready: Callable[[], None] | None = None, close: Callable[[], None] | None = None
) -> Starlette:
    """The ASGI application of an installation: every system with a `webhook` has an address, `/hooks/<system>`.

    It calls `ready` before it takes the first request; when it is shut down it keeps what it has taken, and then calls
    `close`.
    """
    return _Endpoint(installation, ready, close).app


class _Endpoint:
    def __init__(
        self, installation: Installation, ready: Callable[[], None] | None, close: Callable[[], None] | None
    ) -> None:
        self._ready, self._close = ready, close
        self._clock = installation.clock
        self._new_id: Callable[[], UUID] = installation.engine.parts.ids
        self._systems = {n: s for n, s in installation.settings.systems.items() if s.webhook is not None}
        self._connectors: dict[str, Connector[Any]] = {name: installation.systems[name] for name in self._systems}
        self._wanted = {flow.feed for flow in installation.settings.flows.values() if flow.extract.webhook}
        self._committer = Committer(installation.engine.parts)
        self._store = installation.engine.parts.store
        self._sources = sources(installation)
        self._room = Room()
        self._bound: dict[str, tuple[str, datetime]] = {}
        self._contract = openapi(installation.settings.systems)
        self.app = Starlette(
            routes=[
                Route("/hooks/{system}", self._hook, methods=["POST", "OPTIONS"]),
                Route("/health", self._health),
                Route("/metrics", self._metrics),
                Route("/openapi.json", self._told),
            ],
            exception_handlers={HTTPException: self._problem},
            lifespan=self._life,
        )

    @asynccontextmanager
    async def _life(self, app: Starlette) -> AsyncIterator[None]:
        if self._ready is not None:
            self._ready()
        yield
        self._committer.close()
        if self._close is not None:
            self._close()

    async def _hook(self, request: Request) -> Response:
        try:
            with self._room.place() as place:
                return await self._taken(request, place)
        except Exception as error:  # noqa: BLE001 - what is left to the server ends in its log, with a stranger's bytes
            return await self._problem(request, error)

    async def _taken(self, request: Request, place: Place) -> Response:
        name = request.path_params["system"]
        system = self._systems.get(name)
        if system is None:
            raise HTTPException(404, "No webhooks are taken here.")
        if request.method == "OPTIONS":
            return _allowed(request)
        given, id_ = await self._verified(request, system, place)
        connector = self._connectors[name]
        if len(given.body) > _LONG:  # the others shall not wait for it
            events = await run_in_threadpool(self._parsed, connector, given)
        else:
            events = self._parsed(connector, given)
        await self._hold_to_binding(name, events)
        wanted = [event for event in events if (name, event.entity) in self._wanted]
        if wanted:
            parent = telemetry.parent_of(request.headers.getlist("traceparent"))
            traces = [parent.trace if parent is not None else self._new_id() for _ in wanted]
            try:
                kept = await self._committer.keep(Delivery(name, wanted, given.received_at, traces, id_))
            except Busy:
                raise Refused(429, "More comes in than can be kept; come back in a second.") from None
            except Exception:  # noqa: BLE001 - the committer has logged it; the sender only needs to come back
                raise Refused(503, "It could not be kept now; send it again.") from None
        answer = connector.answer_webhook(given)
        if wanted and (telemetry.on() or _log.isEnabledFor(logging.DEBUG)):
            took = given.received_at, self._clock.now()
            receiving(name, zip(wanted, traces, strict=True), parent, took, new=kept, status=answer.status)
        return Response(answer.body, answer.status, dict(answer.headers or {}))

    async def _verified(self, request: Request, system: System, place: Place) -> tuple[signatures.Request, str | None]:
        assert system.webhook is not None
        bare = signatures.Request(
            headers={key.lower(): value for key, value in request.headers.items()},
            query=dict(request.query_params),
            body=b"",
            address=request.client.host if request.client else "",
            received_at=self._clock.now(),
        )
        try:
            signatures.admit(system.webhook, bare)
            given = replace(bare, body=await body_of(request, system.webhook.max_bytes, place))
            return given, signatures.verify(system.webhook, given)
        except signatures.Forged as forged:
            known = {"system": system.name, "address": bare.address}
            _log.warning("a webhook of %s was refused: %s", system.name, forged.why, extra=known)
            raise HTTPException(401, "It is not proven who sent this.") from None
        except signatures.Unready as unready:
            known = {"system": system.name}
            _log.error("webhooks of %s cannot be verified: %s", system.name, unready.why, extra=known)
            raise Refused(503, "It cannot be verified now; send it again.") from None

    async def _hold_to_binding(self, system: str, events: list[Event]) -> None:
        """What another organisation tells is refused: its records are not the ones that we would read."""
        told = {event.organisation for event in events if event.organisation is not None}
        known, until = self._bound.get(system, ("", self._clock.now()))
        if not told or (told == {known} and self._clock.now() < until):
            return
        try:
            bound = await run_in_threadpool(self._bound_to, system)
        except Exception:  # noqa: BLE001 - the store does not answer; whatever it raised, the sender comes back
            raise Refused(503, "It could not be kept now; send it again.") from None
        if bound is None:
            hint = "run a flow, or `landbridge check --live`"
            _log.error("%s: no organisation is bound yet; %s", system, hint, extra={"system": system})
            raise Refused(503, "It cannot be taken yet; send it again.")
        self._bound[system] = bound, self._clock.now() + _REMEMBERED
        if told != {bound}:
            said = "a webhook of %s comes from %s, the store is bound to %s"
            _log.warning(said, system, sorted(told), bound, extra={"system": system})
            raise HTTPException(422, "It is not taken.")

    def _bound_to(self, system: str) -> str | None:
        with self._store.reading() as connection:
            return operate.bound(connection, system)

    def _parsed(self, connector: Connector[Any], given: signatures.Request) -> list[Event]:
        try:
            events = connector.parse_webhook(given)
        except Invalid as error:
            known = {"system": connector.name}
            _log.warning("a webhook of %s cannot be read: %s", connector.name, error.message, extra=known)
            raise HTTPException(400, "It cannot be read.") from None
        except Rejected as error:
            known = {"system": connector.name}
            _log.warning("a webhook of %s is not taken: %s", connector.name, error.message, extra=known)
            raise HTTPException(422, "It is not taken.") from None
        except (
            TypeError,
            ValueError,
            LookupError,
            AttributeError,
        ) as error:  # of another shape than its connector knows
            known = {"system": connector.name}
            _log.warning("a webhook of %s has an unknown shape: %s", connector.name, type(error).__name__, extra=known)
            raise HTTPException(400, "It cannot be read.") from None
        if len(events) > _MOST_EVENTS:
            raise HTTPException(413, f"One request tells {_MOST_EVENTS} changes at most.")
        return events

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _metrics(self, request: Request) -> Response:
        return Response(await run_in_threadpool(exposition, self._store, self._sources), media_type=CONTENT_TYPE)

    async def _told(self, request: Request) -> Response:
        return JSONResponse(self._contract)

    async def _problem(self, request: Request, error: Exception) -> Response:
        """RFC 9457: what is wrong, and the id under which our log has more; nothing of our inside."""
        id_ = str(self._new_id())
        headers: dict[str, str] = {}
        if isinstance(error, HTTPException):
            status, text, headers = error.status_code, error.detail, dict(error.headers or {})
        elif isinstance(error, Refused):
            status, text = error.status, error.text
        else:
            status, text = 500, "Something went wrong here."
            known = error.message if isinstance(error, LandbridgeError) else type(error).__name__
            _log.error("%s: a webhook failed: %s", id_, known)  # the sender's bytes may stand in the traceback
        if status in (429, 503):
            headers["Retry-After"] = "1"
        body = {"type": "about:blank", "status": status, "title": text, "instance": f"urn:uuid:{id_}"}
        return JSONResponse(body, status, headers, media_type="application/problem+json")


def _allowed(request: Request) -> Response:
    """The hand-shake of the CloudEvents web hook specification: a sender asks before it sends for the first time."""
    headers = {"Allow": "POST, OPTIONS"}
    origin = request.headers.get("webhook-request-origin", "")
    if _ORIGIN.fullmatch(origin):
        headers |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
    return Response(b"", 200, headers)
