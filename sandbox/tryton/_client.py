"""Tryton's JSON-RPC, plainly: what the company's people use, and tests behind a connector's back."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

Record = dict[str, Any]
_PAGE = 1000


class Refused(Exception):
    """Tryton's answer was an error: `kind` is its class (UserError, UserWarning, …) or the HTTP status."""

    def __init__(self, method: str, kind: str, text: str, details: Any = None) -> None:
        super().__init__(f"{method}: {kind}: {text}")
        self.kind, self.text, self.details = kind, text, details


class Client:
    """A session of one user; threads may share it, their calls go one after another."""

    def __init__(self, url: str, database: str, user: str, password: str) -> None:
        self._at = urlsplit(url)
        self._path = f"/{database}/rpc/"
        self._user, self._password = user, password
        self._lock = threading.Lock()
        self._line: http.client.HTTPConnection | None = None
        self._session = ""
        self.context: Record = {}
        self.calls = 0

    def login(self) -> Client:
        """Begin a session, and take over the user's preferences (company, language) as the context of every call."""
        self._session = ""
        answer = self._post("common.db.login", [self._user, {"password": self._password}, "en"])
        if not answer:
            raise Refused("common.db.login", "denied", f"{self._user} is not let in")
        number, key = answer[0], answer[1]
        self._session = base64.b64encode(f"{self._user}:{number}:{key}".encode()).decode()
        self.context = self._post("model.res.user.get_preferences", [True, {}])
        return self

    def call(self, method: str, *params: Any, **context: Any) -> Any:
        """Call a method with the user's context as its last parameter."""
        if not self._session:
            self.login()
        try:
            return self._post(method, [*params, {**self.context, **context}])
        except Refused as refused:
            if refused.kind != "401":
                raise
        self.login()  # sessions end after some minutes without a call
        return self._post(method, [*params, {**self.context, **context}])

    # -- records ---------------------------------------------------------------------------------------------------

    def create(self, model: str, rows: Sequence[Record], **context: Any) -> list[int]:
        """Create records in one call; their ids, in order."""
        return self.call(f"model.{model}.create", list(rows), **context) if rows else []

    def write(self, model: str, ids: Sequence[int], values: Record, **context: Any) -> None:
        """Give several records the same values."""
        self.call(f"model.{model}.write", list(ids), values, **context)

    def delete(self, model: str, ids: Sequence[int]) -> None:
        """Delete records."""
        self.call(f"model.{model}.delete", list(ids))

    def press(self, model: str, button: str, ids: Sequence[int], **context: Any) -> Any:
        """Press a button of the form on several records at once."""
        return self.call(f"model.{model}.{button}", list(ids), **context)

    def search(self, model: str, domain: Sequence[Any] = (), **context: Any) -> list[int]:
        """The ids of what fits, by id."""
        found: list[int] = self.call(f"model.{model}.search", list(domain), 0, None, [["id", "ASC"]], **context)
        return found

    def rows(self, model: str, domain: Sequence[Any] = (), fields: Iterable[str] = (), **context: Any) -> list[Record]:
        """Every record that fits, by id, read page by page."""
        return list(self._pages(model, list(domain), list(fields), context))

    def one(self, model: str, domain: Sequence[Any] = (), fields: Iterable[str] = (), **context: Any) -> Record:
        """The one record that fits."""
        found = self.rows(model, domain, fields, **context)
        if len(found) != 1:
            raise LookupError(f"{len(found)} records of {model} fit {domain}, 1 expected")
        return found[0]

    def _pages(self, model: str, domain: list[Any], fields: list[str], context: Record) -> Iterator[Record]:
        last = 0
        while True:
            where = [*domain, ["id", ">", last]]
            order = [["id", "ASC"]]
            page = self.call(f"model.{model}.search_read", where, 0, _PAGE, order, fields, **context)
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1]["id"]

    def wizard(self, name: str, steps: Sequence[tuple[str, Record]], **context: Any) -> None:
        """Go through a wizard: (state, what is entered in the forms) one after another."""
        session, _, _ = self.call(f"wizard.{name}.create", **context)
        for state, forms in steps:
            self.call(f"wizard.{name}.execute", session, forms, state, **context)
        self.call(f"wizard.{name}.delete", session, **context)

    # -- the wire --------------------------------------------------------------------------------------------------

    def _post(self, method: str, params: list[Any]) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": params}, default=_encode)
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = f"Session {self._session}"
        with self._lock:
            self.calls += 1
            status, text = self._exchange(body, headers)
        if status != 200:
            raise Refused(method, str(status), text[:300].decode("utf-8", "replace"))
        answer = json.loads(text, object_hook=_decode)
        if isinstance(answer, dict) and answer.get("error"):
            kind, *rest = answer["error"]
            raise Refused(method, str(kind), str(rest[0] if rest else ""), rest)
        return answer["result"] if isinstance(answer, dict) else answer

    def _exchange(self, body: str, headers: dict[str, str]) -> tuple[int, bytes]:
        if self._line is None:
            self._line = http.client.HTTPConnection(str(self._at.hostname), self._at.port, timeout=600)
            self._line.connect()
        try:
            self._line.request("POST", self._path, body.encode(), headers)
            reply = self._line.getresponse()
            return reply.status, reply.read()
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Hang up; the next call dials again."""
        if self._line is not None:
            self._line.close()
            self._line = None


def _encode(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{name: getattr(value, name) for name in names}}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _decode(found: Record) -> Any:
    match found.get("__class__"):
        case "Decimal":
            return Decimal(found["decimal"])
        case "date":
            return date(found["year"], found["month"], found["day"])
        case "datetime":
            names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
            return datetime(*(found[name] for name in names))  # noqa: DTZ001 - Tryton's instants name no zone (UTC)
        case "timedelta":
            return timedelta(seconds=found["seconds"])
        case "bytes":
            return base64.b64decode(found["base64"])
    return found
