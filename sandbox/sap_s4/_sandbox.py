"""The system as a whole: wiring, the ASGI entry and the control API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox._base import Clock, Faults, Hooks, Inspect, Reply, arrived, deferred, passed_fault, with_sandbox
from sandbox.sap_s4._batch import Batch
from sandbox.sap_s4._delivery import Deliveries
from sandbox.sap_s4._edm import Service
from sandbox.sap_s4._errors import ODataError, as_json, business
from sandbox.sap_s4._events import Events, Mode
from sandbox.sap_s4._gateway import Gateway
from sandbox.sap_s4._http import Request, Response
from sandbox.sap_s4._office import Area, Office
from sandbox.sap_s4._order import Orders
from sandbox.sap_s4._partner import Partners
from sandbox.sap_s4._product import Products
from sandbox.sap_s4._read import Query, Reader
from sandbox.sap_s4._services import INDEXED, services
from sandbox.sap_s4._session import Sessions
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._unit import Unit
from sandbox.sap_s4._write import Rules, Writer

ROOT = "/sap/opu/odata/sap/"
_OFFICE = "/__sandbox__/office/"
_KINDS = {"locked": "no effect; the document is being processed by another user, as SAP says while a lock is held"}
_SAFE = frozenset({"GET", "HEAD"})


class SapSandbox(Office):
    """An S/4HANA that speaks OData V2; `app` is the ASGI app, the methods of `Office` are its back office.

    `state_dir` None keeps everything in memory. `page` is the server's page size, `paging` "offset" shifts rows between
    pages as real systems may. `lenient` ignores read-only fields in bodies instead of refusing them.
    `delivery_filterable` serves the flags of the 2024 delivery service. `stamp_order` False keeps deliveries and
    returns from moving the order's LastChangeDateTime.
    """

    def __init__(
        self,
        state_dir: Path | None = None,
        *,
        clock: Clock | None = None,
        system_id: str = "S4H",
        client: str = "100",
        users: Mapping[str, str] | None = None,
        oauth_clients: Mapping[str, str] | None = None,
        plant: str = "1010",
        area: Area = ("1010", "10", "00"),
        page: int = 1000,
        paging: str = "keyset",
        lenient: bool = False,
        delivery_filterable: bool = False,
        stamp_order: bool = True,
        token_lifetime: float = 1800,
        events_first: float = 5.0,
        events_ca: str | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.faults = Faults(kinds=_KINDS)
        self.store = Store(state_dir)
        self.client, self.system_id = client, system_id
        self.events = Events(self.store, self.clock, f"{system_id}{client}", first=events_first, ca=events_ca)
        self._services_by_name = services(delivery_filterable=delivery_filterable)
        orders = Orders(self.store, plant)
        deliveries = Deliveries(self.store, orders, stamp_order=stamp_order)
        partners = Partners(dict(self._services_by_name["API_BUSINESS_PARTNER"].sets))
        rules: dict[str, Rules] = {one.kind: one for one in (orders, partners, Products(), deliveries)}
        derive = _deriver(rules)
        self.reader = Reader(self.store, derive, page=page, paging=paging)
        writer = Writer(self.reader, rules, lenient=lenient)
        super().__init__(
            self._services_by_name,
            self.store,
            self.reader,
            writer,
            orders,
            deliveries,
            self.clock,
            plant=plant,
            area=area,
        )
        self._gateway = Gateway(self._services_by_name, self.store, self.reader, writer, self._function)
        self._batch = Batch(self._gateway, self.store, _options)
        if self.events.subscribed:
            self.store.saved = self.events.saved
        self.sessions = Sessions(
            self.clock,
            users if users is not None else {"LANDBRIDGE": "sandbox-only"},
            oauth_clients or {},
            system=system_id,
            client=client,
            lifetime=token_lifetime,
        )
        hooks = Hooks(error=_fault_error, stale_token=self.sessions.revoke, label=_label)
        self._app = with_sandbox(
            self._serve, faults=self.faults, clock=self.clock, hooks=hooks, inspect=Inspect(self.counts, self._records)
        )
        self.log = self._app.log

    @property
    def app(self) -> ASGIApp:
        """The ASGI app with faults and control API around it."""
        return _Front(self._act, self._app)

    def send_events(
        self, url: str, *objects: str, mode: Mode = "structured", headers: Mapping[str, str] | None = None
    ) -> None:
        """Tell an address of every change of these objects (none: of all), once it has agreed to hear."""
        self.events.subscribe(url, objects, mode, dict(headers or {}))
        self.store.saved = self.events.saved

    def records(self, name: str, **where: Any) -> list[Record]:
        """All entities of a set whose fields equal `where`, as stored (dates 2026-11-21, decimals as texts)."""
        one = self._find(name)[1]
        rows = self.reader.everything(one, Query())
        found = [{**one.defaults, **{key: value for key, value in row.items() if key != "_c"}} for _, row in rows]
        return [row for row in found if all(row.get(key) == value for key, value in where.items())]

    def count(self, name: str) -> int:
        """How many entities a set has."""
        return self.reader.count(self._find(name)[1], Query())

    def counts(self) -> dict[str, int]:
        """How many documents of each kind there are."""
        return {kind: self.store.state.count(kind) for kind in INDEXED}

    def close(self) -> None:
        """Forget late commits and close the state; it stays on disk."""
        self.events.close()
        self.clock.close()
        self.store.state.close()

    def _records(self, name: str, where: dict[str, str], limit: int) -> list[Record]:
        return self.records(name, **where)[:limit]

    def _function(self, unit: Unit, name: str, given: Mapping[str, Any], if_match: str | None) -> None:
        number = str(given["DeliveryDocument"])
        if if_match is None:
            raise ODataError(428, "/IWFND/CM_MGW_RT/118", "Precondition required: send the delivery's ETag in If-Match")
        if name == "PickAllItems":
            self._deliveries.pick(unit, number)
        else:
            self._deliveries.post_goods_issue(unit, number)

    def _act(self, name: str, body: bytes) -> Response:
        action = self.actions().get(name)
        if action is None:
            return Response(404, orjson.dumps({"error": f"no action {name!r}; known are {', '.join(self.actions())}"}))
        try:
            return Response(200, orjson.dumps({"result": action(**(orjson.loads(body) if body else {}))}, default=str))
        except (TypeError, LookupError, ValueError, ODataError) as error:
            return Response(400, orjson.dumps({"error": f"{type(error).__name__}: {error}"}))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scheme = scope.get("scheme", "http")
        request = Request(
            scope["method"],
            scope["path"],
            _options(scope["query_string"].decode("latin-1")),
            headers,
            await _body(receive),
            arrived(scope) or self.clock.now(),
            f"{scheme}://{headers.get('host', 'localhost')}",
        )
        met = passed_fault(scope)
        if met is not None and met.kind == "locked":
            text = "The document is currently being processed by another user"
            response = self._gateway.refusal(business("V1/042", text), request, "")
        else:
            response = self._respond(request, trusted=deferred(scope))
        await _send(send, response, request.method)

    def _respond(self, request: Request, *, trusted: bool) -> Response:
        if request.path == "/sap/bc/sec/oauth2/token" and request.method == "POST":
            return self.sessions.issue(request.headers, request.body)
        user = self.sessions.user(request.headers)
        asked = request.query.get("sap-client") or request.headers.get("sap-client") or self.client
        if user is None and trusted:  # it was authenticated when it came in, minutes ago
            user = "LATE"
        if user is None or asked != self.client:
            realm = [
                ("www-authenticate", f'Basic realm="SAP NetWeaver Application Server [{self.system_id}/{self.client}]"')
            ]
            page = b"<html><head><title>Logon Error Message</title></head><body>Anmeldung fehlgeschlagen</body></html>"
            return Response(401, page, "text/html; charset=utf-8", realm)
        if not request.path.startswith(ROOT):
            return Response(404, b"<html><body>404 Not found</body></html>", "text/html; charset=utf-8")
        cookies: list[tuple[str, str]] = []
        if request.method in _SAFE:
            if request.headers.get("x-csrf-token", "").lower() == "fetch":
                token, fresh = self.sessions.fetch(user, request.headers)
                cookies = [("x-csrf-token", token), *(("set-cookie", one) for one in fresh)]
        elif not trusted and not self.sessions.valid(user, request.headers):
            required = [("x-csrf-token", "Required")]
            return Response(403, b"CSRF token validation failed", "text/plain; charset=utf-8", required)
        response = self._dispatch(request, user)
        response.headers += cookies
        return response

    def _dispatch(self, request: Request, user: str) -> Response:
        request = Request(
            request.method,
            request.path,
            request.query,
            request.headers,
            request.body,
            request.started,
            request.base,
            user,
        )
        name, _, path = request.path[len(ROOT) :].partition("/")
        name, _, version = name.partition(";v=")
        service: Service | None = self._services_by_name.get(name)
        if service is None or (version or "0001").zfill(4) != service.version:
            shown = (version or "0001").zfill(4)
            text = f"No service found for namespace '', name '{name}', version '{shown}'"
            return self._gateway.refusal(ODataError(403, "/IWFND/MED/170", text), request, name)
        if path == "$batch":
            if request.method != "POST":
                refused = ODataError(405, "/IWFND/CM_MGW/050", "$batch must be called by POST")
                return self._gateway.refusal(refused, request, name)
            return self._batch.run(service, request)
        return self._gateway.answer(service, path, request)


class _Front:
    """Answers for the back office; everything else goes on to the sandboxed app."""

    def __init__(self, act: Callable[[str, bytes], Response], app: ASGIApp) -> None:
        self._act, self._app = act, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_OFFICE):
            await _send(send, self._act(scope["path"][len(_OFFICE) :], await _body(receive)), "POST")
            return
        await self._app(scope, receive, send)


def _deriver(rules: Mapping[str, Rules]) -> Any:
    by_set = {
        name: rules[one.root]
        for service in services().values()
        for name, one in service.sets.items()
        if one.root in rules
    }

    def derive(document: Record, name: str) -> list[Record]:
        if name in by_set:
            return by_set[name].derive(document, name)
        found: list[Record] = document.get("_c", {}).get(name, [])
        return found

    return derive


def _options(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _label(path: str) -> str:
    return path.partition("(")[0]


def _fault_error(status: int, kind: str) -> Reply:
    code, text = ("429", "Too Many Requests") if status == 429 else ("SY/530", "An internal error occurred")
    return Reply(status, as_json(ODataError(status, code, text), service="", transaction="0" * 32, stamp=""))


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


async def _send(send: Send, response: Response, method: str) -> None:
    headers = [("content-length", str(len(response.body))), *response.headers]
    if response.body or response.status == 200:
        headers.insert(0, ("content-type", response.media_type))
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})
