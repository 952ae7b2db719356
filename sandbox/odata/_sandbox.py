"""The service as an ASGI app."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import orjson
from starlette.types import Receive, Scope, Send

from sandbox._base import Clock, Faults, Hooks, Reply, deferred, with_sandbox
from sandbox.odata._metadata import SETS, TYPES, metadata
from sandbox.odata._query import Filter, literal, ordered, wrong
from sandbox.rest import RefusedError, Store, tag

KINDS = {"Customers": "customers", "Orders": "orders"}
_PATH = re.compile(r"(?P<set>\w+)(?:\((?P<key>.*)\))?")
_DATES = ("updated_at", "created_at")


class ODataSandbox:
    """One service; `app` is served below `/odata`, `store` is a foreign user's hand."""

    def __init__(
        self,
        version: str = "v4",
        *,
        clock: Clock | None = None,
        login: tuple[str, str] | None = None,
        csrf: bool = False,
        longest: int = 1000,
    ) -> None:
        self.version, self.csrf, self.longest = version, csrf, longest
        self.clock = clock or Clock()
        self.store = Store(self.clock)
        self.faults = Faults()
        self.login = login
        self.hidden: set[str] = set()
        self._tokens = 0
        self._properties = {
            name: {each: told.rstrip("!").partition(":")[0] for each, told in TYPES[kind].items()}
            for name, kind in SETS.items()
        }
        self.app = with_sandbox(self._answer, faults=self.faults, clock=self.clock, hooks=Hooks(error=self._error))

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The last requests."""
        return list(self.app.log.last)

    def expire_tokens(self) -> None:
        """Have every CSRF token refused."""
        self._tokens += 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        try:
            reply = self._reply(scope, body)
        except RefusedError as error:
            reply = self._refusal(error.status, error.code, error.message)
        headers = [(b"content-type", reply.media_type.encode())]
        headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _reply(self, scope: Scope, body: bytes) -> Reply:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        steps = [unquote(each) for each in raw.strip("/").split("/")]
        method = scope["method"]
        if not deferred(scope):
            self._let_in(headers)
        if steps[:1] != ["odata"]:
            raise RefusedError(404, "not_found", "There is no such service.")
        if len(steps) == 1 or steps[1] == "":
            token = {"X-CSRF-Token": self._token()} if headers.get("x-csrf-token", "").lower() == "fetch" else {}
            return _json({"EntitySets": list(KINDS)}, token)
        if self.csrf and method != "GET" and headers.get("x-csrf-token") != self._token() and not deferred(scope):
            return Reply(403, b"CSRF token validation failed", {"X-CSRF-Token": "Required"}, "text/plain")
        if steps[1] == "$metadata":
            return Reply(200, metadata(self.version), media_type="application/xml")
        base = f"{scope['scheme']}://{headers.get('host', 'localhost')}/odata"
        return self._called(method, steps[1:], query, headers, body, base)

    def _called(
        self, method: str, steps: list[str], query: dict[str, str], headers: dict[str, str], body: bytes, base: str
    ) -> Reply:
        found = _PATH.fullmatch(steps[0])
        if found is None or found["set"] not in SETS:
            raise RefusedError(404, "not_found", f"There is no {steps[0]}.")
        name, key = found["set"], found["key"]
        if name in self.hidden:
            raise RefusedError(403, "forbidden", f"You may not see {name}.")
        if name == "OrderLines":
            return self._line(method, str(literal("value", key or "")), _parsed(body))
        kind = KINDS[name]
        if key is None:
            if method == "GET":
                return self._list(name, kind, query, base)
            return self._record(name, *self.store.create(kind, self._taken(_parsed(body))), headers, query)
        number = str(literal("value", key))
        if len(steps) == 2 and steps[1] == "lines" and method == "POST":
            return self._new_line(number, _parsed(body))
        if method == "GET":
            return self._record(name, 200, self.store.get(kind, number), headers, query)
        if method in ("PATCH", "MERGE", "PUT"):
            changed = self.store.change(kind, number, self._taken(_parsed(body)), headers.get("if-match"))
            return self._record(name, 200 if self.version == "v4" else 204, changed, headers, query)
        if method == "DELETE":
            self.store.delete(kind, number)
            return Reply(204, b"")
        raise RefusedError(405, "bad_method", f"{method} is not known here.")

    def _list(self, name: str, kind: str, query: dict[str, str], base: str) -> Reply:
        known = self._properties[name]
        rows = [each for each in self.store.all(kind) if not each["deleted"]]
        if text := query.get("$filter"):
            holds = Filter(text, known).holds
            rows = [each for each in rows if holds(each)]
        if text := query.get("$orderby"):
            rows = ordered(rows, text, known)
        total, top, skip = len(rows), _number(query, "$top"), _number(query, "$skip") or 0
        token = _number(query, "$skiptoken")
        rows = rows[skip : None if top is None else skip + top][token or 0 :]
        page, link = rows[: self.longest], None
        if len(rows) > self.longest:
            link = f"{base}/{name}?{urlencode({**query, '$skiptoken': str((token or 0) + self.longest)})}"
        shown = [self._shown(name, each, query) for each in page]
        if self.version == "v4":
            count = {"@odata.count": total} if query.get("$count") == "true" else {}
            more = {"@odata.nextLink": link} if link else {}
            return _json({"@odata.context": f"$metadata#{name}", **count, "value": shown, **more})
        envelope: dict[str, Any] = {"results": shown}
        if query.get("$inlinecount") == "allpages":
            envelope["__count"] = str(total)
        return _json({"d": {**envelope, "__next": link} if link else envelope})

    def _record(
        self, name: str, status: int, record: dict[str, Any], headers: dict[str, str], query: dict[str, str]
    ) -> Reply:
        etag = {"ETag": tag(record)}
        if status == 204:
            return Reply(204, b"", etag)
        shown = self._shown(name, record, query)
        content = orjson.dumps(
            {"@odata.context": f"$metadata#{name}/$entity", **shown} if self.version == "v4" else {"d": shown}
        )
        return Reply(status, content, etag)

    def _shown(self, name: str, record: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
        wanted = query.get("$select", "").split(",") if query.get("$select") else None
        made = {each: record.get(each) for each in self._properties[name] if wanted is None or each in wanted}
        if self.version == "v2":
            made |= {each: _date(record[each]) for each in _DATES if each in made}
            made["__metadata"] = {"type": f"shop.{SETS[name]}", "etag": tag(record)}
        else:
            made["@odata.etag"] = tag(record)
        if name == "Orders":
            expanded = "lines" in query.get("$expand", "").split(",")
            lines = record.get("lines") or []
            if expanded:
                made["lines"] = lines if self.version == "v4" else {"results": lines}
            elif self.version == "v2":
                made["lines"] = {"__deferred": {"uri": f"Orders({record['id']})/lines"}}
        return made

    def _taken(self, body: Any) -> Any:
        if isinstance(body, dict) and isinstance(body.get("lines"), dict):
            return {**body, "lines": body["lines"].get("results")}
        return body

    def _order_of(self, number: str) -> tuple[dict[str, Any], dict[str, Any]]:
        for order in self.store.all("orders"):
            for line in order["lines"]:
                if str(line["id"]) == number:
                    return order, line
        raise RefusedError(404, "not_found", f"There is no line {number}.")

    def _line(self, method: str, number: str, body: Any) -> Reply:
        order, line = self._order_of(number)
        kept = [each for each in order["lines"] if each["id"] != line["id"]]
        if method != "DELETE":
            kept = [{**each, **body, "id": each["id"]} if each is line else each for each in order["lines"]]
        self.store.change("orders", str(order["id"]), {"lines": kept})
        return Reply(204, b"")

    def _new_line(self, number: str, body: Any) -> Reply:
        order = self.store.get("orders", number)
        changed = self.store.change("orders", number, {"lines": [*order["lines"], body]})
        line = changed["lines"][-1]
        return Reply(201, orjson.dumps(line if self.version == "v4" else {"d": line}))

    def _let_in(self, headers: dict[str, str]) -> None:
        if self.login is None:
            return
        told = headers.get("authorization", "").removeprefix("Basic ")
        wanted = base64.b64encode(":".join(self.login).encode()).decode()
        if told != wanted:
            raise RefusedError(401, "unauthorized", "Who are you?")

    def _token(self) -> str:
        return f"csrf-{self._tokens}"

    def _refusal(self, status: int, code: str, message: str) -> Reply:
        told: Any = message if self.version == "v4" else {"lang": "en", "value": message}
        return Reply(status, orjson.dumps({"error": {"code": code, "message": told}}))

    def _error(self, status: int, kind: str) -> Reply:
        return self._refusal(status, f"http_{status}", f"An error on request ({kind}).")


def _json(content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(200, orjson.dumps(content), headers or {})


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise RefusedError(400, "bad_request", "The body is no JSON.") from None


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is not None and not text.isdigit():
        raise wrong(f"{name} is a number.")
    return None if text is None else int(text)


def _date(stamp: str) -> str:
    at = datetime.fromisoformat(stamp).astimezone(UTC)
    return f"/Date({int(at.timestamp() * 1000)}+0000)/"
