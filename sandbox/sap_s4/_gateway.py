"""The OData service layer: from a resource path and a method to a response."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from sandbox.sap_s4._address import Segment, find_set, literal, parse_key, parse_query, segments
from sandbox.sap_s4._edm import EntitySet, Function, Navigation, Service, read_property
from sandbox.sap_s4._errors import ODataError, as_json, as_xml, bad_request, not_found
from sandbox.sap_s4._http import Request, Response
from sandbox.sap_s4._metadata import metadata, service_document
from sandbox.sap_s4._read import Expand, Query, Reader, Result
from sandbox.sap_s4._render import Renderer, atom, etag_of, uri_of
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._unit import Unit
from sandbox.sap_s4._write import Writer

_VERSION = ("dataserviceversion", "2.0")
_ATOM = "application/atom+xml"


class Gateway:
    """All services of a system; `call` runs a POST function import."""

    def __init__(
        self, services: Mapping[str, Service], store: Store, reader: Reader, writer: Writer, call: Any
    ) -> None:
        self.services, self._store, self._reader, self._writer, self._call = services, store, reader, writer, call

    def answer(self, service: Service, path: str, request: Request) -> Response:
        """One request; every refusal becomes the error envelope, and whatever it changed is undone."""
        try:
            with self._store.transaction():  # a reader, too, sees no half of what another thread is doing
                if request.method in ("GET", "HEAD"):
                    return self._read(service, path, request)
                return self.write(service, path, request)
        except ODataError as error:
            return self.refusal(error, request, service.name)

    def refusal(self, error: ODataError, request: Request, service: str) -> Response:
        """The error envelope in the format that the caller reads."""
        if not _wants_json(request):
            return Response(error.status, as_xml(error), "application/xml", [_VERSION])
        stamp = request.started.strftime("%Y%m%d%H%M%S.%f0")
        body = as_json(error, service=service, transaction=secrets.token_hex(16).upper(), stamp=stamp)
        return Response(error.status, body, headers=[_VERSION])

    def write(self, service: Service, path: str, request: Request) -> Response:
        """One changing request inside a transaction of the caller's."""
        method = (
            request.headers.get("x-http-method", request.method).upper() if request.method == "POST" else request.method
        )
        unit = Unit(self._store, request.started, request.user)
        steps = segments(path)
        if not steps:
            raise ODataError(405, "/IWFND/CM_MGW/050", f"{method} is not allowed on the service root")
        if steps[0].name in service.functions:
            if method != "POST":
                raise ODataError(405, "/IWFND/CM_MGW/050", f"{steps[0].name} must be called by POST")
            return self._function(unit, service, service.functions[steps[0].name], request)
        one, found, nav = self._target(service, steps)
        if method == "POST":
            return self._create(unit, service, request, one, found, nav)
        if found is None or nav is not None:
            raise ODataError(405, "/IWFND/CM_MGW/050", f"{method} is allowed on single entities only")
        if_match = request.headers.get("if-match")
        if method == "DELETE":
            self._writer.remove(unit, one, found, if_match)
            return _done(unit, Response(204))
        if method in ("PATCH", "MERGE", "PUT"):
            self._writer.change(unit, one, found, _body(request), if_match, whole=method == "PUT")
            response = Response(204)
            etag = etag_of(one, found[1])
            if etag:
                response.headers.append(("etag", etag))
            return _done(unit, response)
        raise ODataError(405, "/IWFND/CM_MGW/050", f"Method {method} is not allowed")

    def _create(
        self,
        unit: Unit,
        service: Service,
        request: Request,
        one: EntitySet,
        found: tuple[Record, Record] | None,
        nav: Navigation | None,
    ) -> Response:
        body = _body(request)
        if found is None:
            document, record = self._writer.create(unit, service, one, body)
        elif nav is not None and nav.many:
            parent = one
            one = service.sets[nav.target]
            document, record = self._writer.create_under(unit, service, parent, found, nav, body)
        else:
            raise ODataError(405, "/IWFND/CM_MGW/050", "POST is allowed on collections only")
        base = request.base + service.path
        expand: Expand = {name: {} for name in one.navigations if isinstance(body, dict) and body.get(name)}
        response = Response(201, headers=[_VERSION, ("location", uri_of(one, record, base))])
        if _wants_json(request):
            shown = Renderer(service, self._reader, base).entity(one, document, record, [], expand)
            response.body = orjson.dumps({"d": shown})
        else:
            response.body, response.media_type = atom(service, one, [record], base, feed=False), _ATOM
        etag = etag_of(one, record)
        if etag:
            response.headers.append(("etag", etag))
        return _done(unit, response)

    def _function(self, unit: Unit, service: Service, function: Function, request: Request) -> Response:
        given: dict[str, Any] = {}
        for name, kind, length in function.parameters:
            if name not in request.query:
                raise bad_request(f"Function import parameter '{name}' is missing", target=name)
            prop = read_property(name, f"{kind}{length or ''}", [])
            given[name] = literal(prop, request.query[name])
        self._call(unit, function.name, given, request.headers.get("if-match"))
        shown: Record = {prop.name: prop.default for prop in service.complexes[function.returns]}
        shown |= given
        shown["__metadata"] = {"type": f"{service.name}.{function.returns}"}
        return _done(unit, Response(200, orjson.dumps({"d": {"results": [shown]}}), headers=[_VERSION]))

    def _read(self, service: Service, path: str, request: Request) -> Response:
        base = request.base + service.path
        if path == "$metadata":
            return Response(200, metadata(service), "application/xml", [_VERSION])
        steps = segments(path)
        if not steps:
            json = _wants_json(request)
            body = service_document(service, base, json=json)
            return Response(200, body, "application/json" if json else "application/atomsvc+xml", [_VERSION])
        counting = steps[-1].name == "$count"
        if counting:
            steps.pop()
        one, found, nav = self._target(service, steps)
        if nav is None and found is None:
            return self._collection(service, one, request, base, counting)
        if found is not None and nav is None:
            return self._entity(service, one, found, request, base)
        if found is None or nav is None:
            raise not_found(f"Resource not found for '{path}'")
        records = self._reader.follow(service, found[0], one, found[1], nav)
        target = service.sets[nav.target]
        query = parse_query(service, target, request.query)
        if not nav.many:
            if not records:
                raise not_found(f"Resource not found for segment '{nav.name}'")
            return self._entity(service, target, (found[0], records[0]), request, base)
        result = self._reader.within(target, found[0], records, query)
        if counting:
            return Response(200, str(len(result.rows)).encode(), "text/plain", [_VERSION])
        return self._page(service, target, result, query, request, base, path)

    def _collection(self, service: Service, one: EntitySet, request: Request, base: str, counting: bool) -> Response:
        query = parse_query(service, one, request.query)
        if counting:
            return Response(200, str(self._reader.count(one, query)).encode(), "text/plain", [_VERSION])
        return self._page(service, one, self._reader.collection(one, query), query, request, base, one.name)

    def _page(
        self, service: Service, one: EntitySet, result: Result, query: Query, request: Request, base: str, path: str
    ) -> Response:
        if not _wants_json(request):
            records = [record for _, record in result.rows]
            return Response(200, atom(service, one, records, base, feed=True), _ATOM, [_VERSION])
        renderer = Renderer(service, self._reader, base)
        answer: dict[str, Any] = {
            "results": [
                renderer.entity(one, document, record, query.select, query.expand) for document, record in result.rows
            ]
        }
        if result.count is not None:
            answer["__count"] = str(result.count)
        if result.token is not None:
            kept = {name: value for name, value in request.query.items() if name != "$skiptoken"}
            answer["__next"] = _link(f"{base}/{path}", {**kept, "$skiptoken": result.token})
        return Response(200, orjson.dumps({"d": answer}), headers=[_VERSION])

    def _entity(
        self, service: Service, one: EntitySet, found: tuple[Record, Record], request: Request, base: str
    ) -> Response:
        query = parse_query(service, one, request.query)
        etag = etag_of(one, found[1])
        headers = [_VERSION] + ([("etag", etag)] if etag else [])
        if not _wants_json(request):
            return Response(200, atom(service, one, [found[1]], base, feed=False), _ATOM, headers)
        shown = Renderer(service, self._reader, base).entity(one, *found, query.select, query.expand)
        return Response(200, orjson.dumps({"d": shown}), headers=headers)

    def _target(
        self, service: Service, steps: list[Segment]
    ) -> tuple[EntitySet, tuple[Record, Record] | None, Navigation | None]:
        """(set, None, None) for a collection, (set, entity, None) for one entity, (set, entity, link) behind one."""
        one = find_set(service, steps[0].name)
        if steps[0].key is None:
            if len(steps) > 1:
                raise bad_request(f"Resource path is not allowed behind the collection '{one.name}'")
            return one, None, None
        key = parse_key(one, steps[0].key)
        found = self._reader.by_key(one, key)
        if found is None:
            shown = ",".join(f"{name}='{value}'" for name, value in key.items())
            raise not_found(f"Resource {one.name}({shown}) not found")
        rest = steps[1:]
        while rest:
            step = rest.pop(0)
            if step.name not in one.navigations:
                raise not_found(f"Resource not found for segment '{step.name}'")
            nav = one.navigations[step.name]
            if step.key is None and (nav.many or not rest):
                if rest:
                    raise bad_request(f"Resource path is not allowed behind the collection '{nav.name}'")
                return one, found, nav
            target = service.sets[nav.target]
            records = self._reader.follow(service, found[0], one, found[1], nav)
            if step.key is not None:
                wanted = parse_key(target, step.key)
                records = [
                    record for record in records if all(record.get(name) == value for name, value in wanted.items())
                ]
            if not records:
                raise not_found(f"Resource not found for segment '{step.name}'")
            one, found = target, (found[0], records[0])
        return one, found, None


def _wants_json(request: Request) -> bool:
    asked = request.query.get("$format", "")
    return asked == "json" or (not asked and "json" in request.headers.get("accept", ""))


def _body(request: Request) -> Any:
    media = request.headers.get("content-type", "application/json")
    if "json" not in media:
        raise ODataError(415, "/IWFND/CM_MGW/415", f"Unsupported media type '{media[:60]}': send application/json")
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"Error while parsing the JSON body: {error}", code="CX_SXML_PARSE_ERROR/002") from error
    return body.get("d", body) if isinstance(body, dict) and set(body) == {"d"} else body


def _done(unit: Unit, response: Response) -> Response:
    """Add what the application wants to say besides."""
    if unit.warnings:
        (code, text), *rest = unit.warnings
        message = {"code": code, "message": text, "severity": "warning", "target": "", "transition": False}
        message["details"] = [
            {"code": other, "message": more, "severity": "warning", "target": "", "transition": False}
            for other, more in rest
        ]
        response.headers.append(
            ("sap-message", orjson.dumps(message).decode().encode("ascii", "backslashreplace").decode())
        )
    return response


def _link(address: str, options: Mapping[str, str]) -> str:
    pairs = "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in options.items())
    return f"{address}?{pairs}"
