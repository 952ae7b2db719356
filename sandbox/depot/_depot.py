"""The depot: parts under a number, a change feed, upsert by somebody else's reference, tokens and rights.

    POST   /login {user, password}              {"token": ...}
    GET    /me                                  {"organisation", "user", "rights": [...]}
    GET    /fields                              [{"name", "type", "length", "required"}, ...]
    GET    /newest                              {"changed": ... or null}
    GET    /parts?from=&to=&after=&limit=       changed in [from, to], by (changed, id), after "changed,id"
    GET    /parts?ids=A,B  ?reference=R         some of them
    GET    /parts?by=id&from=&before=&after=&limit=   all that are not deleted, by id
    PUT    /parts/by-reference/{R} {fields}     creates or changes the one part with this reference
    PATCH  /parts/{id} {fields}                 changes it
    DELETE /parts/{id}                          marks it as deleted; the feed goes on telling it

Errors are {"problem": text}. Stamps have milliseconds. A text too long or a price below zero is refused by 422.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox._base import Clock, Faults, with_sandbox

RIGHTS = ("read parts", "write parts")
FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "number", "type": "text", "length": 40, "required": True},
    {"name": "name", "type": "text", "length": 200, "required": False},
    {"name": "note", "type": "text", "length": 2000, "required": False},
    {"name": "price", "type": "decimal", "length": None, "required": False},
)
_LENGTHS = {field["name"]: field["length"] for field in FIELDS}


class Depot:
    """One depot in memory; `app` serves it. Safe from any thread."""

    def __init__(self, organisation: str = "D-17", clock: Clock | None = None) -> None:
        self.organisation = organisation
        self.clock = clock or Clock()
        self.faults = Faults()
        self.users: dict[str, str] = {}
        self.rights: set[str] = set(RIGHTS)
        self._tokens: set[str] = set()
        self._parts: dict[str, dict[str, Any]] = {}
        self._lock = threading.RLock()
        routes = [
            Route("/login", self._login, methods=["POST"]),
            Route("/me", self._me),
            Route("/fields", self._fields),
            Route("/newest", self._newest),
            Route("/parts", self._list),
            Route("/parts/by-reference/{reference:path}", self._put, methods=["PUT"]),
            Route("/parts/{id}", self._change, methods=["PATCH", "DELETE"]),
        ]
        plain = Starlette(routes=routes, exception_handlers={HTTPException: _problem})
        self.app = with_sandbox(plain, faults=self.faults, clock=self.clock)

    # -- behind the counter ------------------------------------------------------------------------------------------

    def add(self, fields: Mapping[str, Any], reference: str = "", at: datetime | None = None) -> str:
        """A new part, as a clerk would enter it; its id."""
        with self._lock:
            id_ = f"{len(self._parts) + 1:06d}"
            empty = {field["name"]: None for field in FIELDS}
            self._parts[id_] = {**empty, "id": id_, "number": f"P{id_}", "reference": reference, "deleted": False}
            self._set(id_, fields, at)
            return id_

    def change(self, id_: str, fields: Mapping[str, Any]) -> None:
        """Change a part now."""
        with self._lock:
            self._set(id_, fields)

    def delete(self, id_: str) -> None:
        """Take a part off the shelves."""
        with self._lock:
            self._set(id_, {"deleted": True})

    def parts(self, reference: str) -> list[dict[str, Any]]:
        """The parts that carry a reference and are not deleted."""
        with self._lock:
            return [dict(one) for one in self._parts.values() if one["reference"] == reference and not one["deleted"]]

    def end_sessions(self) -> None:
        """Make every token invalid."""
        self._tokens.clear()

    def _set(self, id_: str, fields: Mapping[str, Any], at: datetime | None = None) -> None:
        stamp = (at or self.clock.now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._parts[id_] = {**self._parts[id_], **fields, "changed": stamp}

    # -- over the counter --------------------------------------------------------------------------------------------

    async def _login(self, request: Request) -> Response:
        given = await request.json()
        expected = self.users.get(given["user"], "")
        if not expected or not secrets.compare_digest(expected, given["password"]):
            raise HTTPException(401, "wrong user or password")
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return JSONResponse({"token": token})

    async def _me(self, request: Request) -> Response:
        with self._for(request):
            return JSONResponse({"organisation": self.organisation, "user": "clerk", "rights": sorted(self.rights)})

    async def _fields(self, request: Request) -> Response:
        with self._for(request):
            return JSONResponse(list(FIELDS))

    async def _newest(self, request: Request) -> Response:
        with self._for(request, "read parts"):
            return JSONResponse({"changed": max((one["changed"] for one in self._parts.values()), default=None)})

    async def _list(self, request: Request) -> Response:
        with self._for(request, "read parts"):
            return JSONResponse({"parts": list(self._chosen(dict(request.query_params)))})

    def _chosen(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        limit = int(asked.get("limit", "100"))
        low, high, after = asked.get("from", ""), asked.get("to", "9"), asked.get("after", "")
        if "ids" in asked:
            return [self._parts[id_] for id_ in asked["ids"].split(",") if id_ in self._parts]
        if "reference" in asked:
            return self.parts(asked["reference"])
        if asked.get("by") == "id":
            there = sorted(id_ for id_, one in self._parts.items() if not one["deleted"])
            before = asked.get("before", "9" * 7)
            return [self._parts[id_] for id_ in there if low <= id_ < before and id_ > after][:limit]
        found = [one for one in self._parts.values() if low <= one["changed"] <= high]
        return sorted((one for one in found if _place(one) > tuple(after.split(","))), key=_place)[:limit]

    async def _put(self, request: Request) -> Response:
        fields = _checked(await request.json())
        with self._for(request, "write parts"):
            reference = request.path_params["reference"]
            there = self.parts(reference)
            id_ = there[0]["id"] if there else self.add({}, reference)
            self._set(id_, fields)
            return JSONResponse({"id": id_, "created": not there})

    async def _change(self, request: Request) -> Response:
        fields = {"deleted": True} if request.method == "DELETE" else _checked(await request.json())
        with self._for(request, "write parts"):
            id_ = request.path_params["id"]
            if id_ not in self._parts:
                raise HTTPException(404, f"there is no part {id_}")
            self._set(id_, fields)
            return JSONResponse({"id": id_, "created": False})

    @contextmanager
    def _for(self, request: Request, right: str = "") -> Iterator[None]:
        if request.headers.get("x-token", "") not in self._tokens:
            raise HTTPException(401, "log in first")
        if right and right not in self.rights:
            raise HTTPException(403, f"you may not {right}")
        with self._lock:
            yield


def _place(part: Mapping[str, Any]) -> tuple[str, ...]:
    return part["changed"], part["id"]


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    for name, value in fields.items():
        if name not in _LENGTHS:
            raise HTTPException(422, f"a part has no field {name}")
        length = _LENGTHS[name]
        if length is not None and value is not None and len(value) > length:
            raise HTTPException(422, f"{name} takes {length} characters")
    if fields.get("price") is not None and float(fields["price"]) < 0:
        raise HTTPException(422, "a price is not below zero")
    return fields


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"problem": error.detail}, error.status_code)
