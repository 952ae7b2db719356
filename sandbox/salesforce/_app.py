"""The REST API as an ASGI app: who calls, how often, and which endpoint answers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope, Send

from sandbox._base import Clock, Reply, arrived, deferred, passed_fault
from sandbox.salesforce import _rows
from sandbox.salesforce._auth import OAuthError, Sessions
from sandbox.salesforce._bulk import Bulk
from sandbox.salesforce._call import Call, answer, refuse
from sandbox.salesforce._collections import collections
from sandbox.salesforce._composite import composite
from sandbox.salesforce._describe import brief, describe, describe_global
from sandbox.salesforce._errors import SalesforceError, not_found
from sandbox.salesforce._objects import find_sobject
from sandbox.salesforce._query import Queries
from sandbox.salesforce._records import Author, Records

VERSIONS = range(50, 66)
_LONGEST_ADDRESS = 16384
_VERSION = re.compile(r"v(\d+)\.0\Z")


class Api:
    """Answers requests over the records; `daily_limit` is the org's number of calls per day."""

    def __init__(
        self,
        records: Records,
        queries: Queries,
        bulk: Bulk,
        sessions: Sessions,
        clock: Clock,
        *,
        org_id: str,
        daily_limit: int,
    ) -> None:
        self._records, self._queries, self._sessions, self._clock = records, queries, sessions, clock
        self._bulk = bulk
        self._org_id = org_id
        self.daily_limit = daily_limit
        self.used = 0
        self._day: date | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        reply = self.reply(scope, body)
        headers = dict(reply.headers)
        if reply.status not in {204, 304}:
            headers |= {"Content-Type": reply.media_type, "Content-Length": str(len(reply.body))}
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
        await send({"type": "http.response.body", "body": reply.body})

    def reply(self, scope: Scope, body: bytes) -> Reply:
        """The answer to one request."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _LONGEST_ADDRESS:
            return Reply(414, b"<html><body><h1>URI Too Long</h1></body></html>", media_type="text/html")
        host = f"{scope['scheme']}://{headers.get('host', 'localhost')}"
        # split before decoding, so that an external id may hold an encoded slash
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        segments = tuple(unquote(each) for each in raw.strip("/").split("/"))
        if segments[:2] == ("services", "oauth2"):
            return self._oauth(scope["method"], segments[2:], headers, body, host)
        if segments[:2] != ("services", "data"):
            return refuse(not_found())
        if len(segments) == 2:
            return answer(200, [_version(number) for number in VERSIONS])
        return self._data(scope, segments[2:], headers, body)

    def _oauth(self, method: str, rest: tuple[str, ...], headers: dict[str, str], body: bytes, host: str) -> Reply:
        if rest == ("userinfo",):
            user = self._sessions.user_of(headers)
            if user is None:
                return Reply(403, b"Bad_OAuth_Token", media_type="text/html;charset=UTF-8")
            return answer(
                200, {"sub": f"{host}/id/{self._org_id}/{user}", "user_id": user, "organization_id": self._org_id}
            )
        if method != "POST" or rest != ("token",):
            return refuse(not_found())
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        try:
            return answer(200, self._sessions.grant(form, headers, host, self._user_named))
        except OAuthError as error:
            return answer(400, {"error": error.error, "error_description": error.description})

    def _user_named(self, username: str) -> str | None:
        found = self._records.find("User", "Username", username, limit=1)
        return found[0]["Id"] if found and found[0].get("IsActive") else None

    def _data(self, scope: Scope, segments: tuple[str, ...], headers: dict[str, str], body: bytes) -> Reply:
        user = self._sessions.user_of(headers, late=deferred(scope))
        if user is None:
            return refuse(SalesforceError("INVALID_SESSION_ID", "Session expired or invalid"))
        version = _VERSION.match(segments[0])
        if version is None or int(version[1]) not in VERSIONS:
            return refuse(not_found())
        if not self._count():
            reply = refuse(SalesforceError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
        else:
            call = Call(
                method="GET" if scope["method"] == "HEAD" else scope["method"],
                segments=segments[1:],
                query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
                headers=headers,
                body=body,
                base=f"/services/data/{segments[0]}",
                author=Author(user, arrived(scope) or self._clock.now()),
                fault=passed_fault(scope),
            )
            reply = self._safely(call)
        usage = {"Sforce-Limit-Info": f"api-usage={self.used}/{self.daily_limit}"}
        return replace(reply, headers={**reply.headers, **usage})

    def _count(self) -> bool:
        today = self._clock.now().date()
        if today != self._day:
            self._day, self.used = today, 0
        if self.used >= self.daily_limit:
            return False
        self.used += 1
        return True

    def _safely(self, call: Call) -> Reply:
        """All effects of a request or none, and every refusal in Salesforce's own words."""
        try:
            if call.method == "GET":
                return self.dispatch(call)
            with self._records.state.transaction():
                return self.dispatch(call)
        except SalesforceError as error:
            return refuse(error)
        except (sqlite3.Error, KeyError, TypeError, AttributeError, ValueError) as error:
            message = f"An unexpected error occurred. ErrorId: {type(error).__name__}: {error}"
            return refuse(SalesforceError("UNKNOWN_EXCEPTION", message, status=500))

    def dispatch(self, call: Call) -> Reply:
        """The endpoint's answer, or SalesforceError."""
        rest = tuple(each for each in call.segments if each)
        if not rest:
            names = ("sobjects", "query", "queryAll", "composite", "jobs", "limits")
            return answer(200, {name: f"{call.base}/{name}" for name in names})
        if rest[0] == "limits":
            left = {"Max": self.daily_limit, "Remaining": self.daily_limit - self.used}
            return answer(200, {"DailyApiRequests": left, "DataStorageMB": {"Max": 1024, "Remaining": 1024}})
        if rest[0] in {"query", "queryAll"} and call.method == "GET":
            return self._query(call, rest)
        if rest[0] == "jobs":
            return self._bulk.reply(replace(call, segments=rest))
        if rest[0] == "composite":
            if rest[1:2] == ("sobjects",):
                return collections(self._records, call)
            if len(rest) == 1 and call.method == "POST":
                return composite(self._records.state, call, self.dispatch)
        if rest[0] == "sobjects":
            return self._sobjects(call, rest[1:])
        raise not_found()

    def _query(self, call: Call, rest: tuple[str, ...]) -> Reply:
        today = call.at.date()
        if len(rest) == 2:
            return answer(200, self._queries.more(rest[1], call.base, today))
        if "q" not in call.query:
            raise SalesforceError("MALFORMED_QUERY", "a query string has to be specified")
        batch = _batch_size(call.headers.get("sforce-query-options", ""))
        found = self._queries.run(call.query["q"], call.base, today, batch=batch, deleted=rest[0] == "queryAll")
        return answer(200, found)

    def _sobjects(self, call: Call, rest: tuple[str, ...]) -> Reply:
        if not rest:
            return answer(200, describe_global(call.base))
        sobject = find_sobject(rest[0])
        if sobject is None:
            raise not_found()
        if len(rest) == 1:
            if call.method == "POST":
                return _rows.create(self._records, call, sobject)
            return answer(200, {"objectDescribe": brief(sobject, call.base), "recentItems": []})
        if len(rest) == 2 and rest[1] == "describe":
            return answer(200, describe(sobject, call.base))
        replication: dict[str, Callable[..., Reply]] = {"updated": _rows.updated, "deleted": _rows.deleted}
        if len(rest) == 2 and rest[1] in replication:
            return replication[rest[1]](self._records, call, sobject)
        if len(rest) == 2:
            return _rows.by_id(self._records, call, sobject, rest[1])
        if len(rest) == 3:
            return _rows.by_external_id(self._records, call, sobject, rest[1], rest[2])
        raise not_found()


def label(path: str) -> str:
    """A path without ids and locators, for the counts in the request log."""
    parts = path.split("/")
    if parts[1:3] == ["services", "data"] and len(parts) > 5:
        if parts[4].lower().startswith("query"):
            parts[5:] = ["{locator}"]
        elif parts[4] == "jobs" and len(parts) > 6:
            parts[6] = "{id}"
        elif parts[4] == "sobjects" and len(parts) > 6 and parts[6] not in {"describe", "updated", "deleted"}:
            parts[6:] = [parts[6], "{value}"] if len(parts) > 7 else ["{id}"]
    return "/".join(parts)


def _version(number: int) -> dict[str, str]:
    return {"label": f"Release {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}


def _batch_size(options: str) -> int:
    found = re.search(r"batchSize\s*=\s*(\d+)", options)
    return min(2000, max(200, int(found[1]))) if found else 2000
