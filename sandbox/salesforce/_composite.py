"""Composite: up to 25 calls in one, later ones referring to the results of earlier ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from sandbox._base import Document, Reply, State
from sandbox.salesforce._call import Call, answer
from sandbox.salesforce._errors import SalesforceError

_REFERENCE = re.compile(r"@\{([^}]+)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class _HaltedError(Exception):
    """Undoes the whole composite."""


class _UnknownReferenceError(Exception):
    """A reference to a result that is not there."""


def composite(state: State, call: Call, dispatch: Callable[[Call], Reply]) -> Reply:
    """POST /composite; `dispatch` runs one inner call."""
    given = call.document()
    parts = given.get("compositeRequest")
    if not isinstance(parts, list) or not parts:
        raise SalesforceError("JSON_PARSER_ERROR", "Missing value of [compositeRequest]")
    if len(parts) > 25:
        raise SalesforceError("LIMIT_EXCEEDED", "The composite request exceeds the limit of 25 subrequests")
    queries = sum(1 for part in parts if re.search(r"/(query|queryAll|composite)(\W|$)", str(part.get("url", ""))))
    if queries > 5:
        raise SalesforceError(
            "LIMIT_EXCEEDED", "The composite request exceeds the limit of 5 query or collections calls"
        )
    names = [part.get("referenceId") for part in parts]
    if None in names or len(set(names)) < len(names):
        raise SalesforceError("INVALID_FIELD", "Every subrequest needs a referenceId of its own")
    run = _Run(call, dispatch, all_or_none=bool(given.get("allOrNone", False)))
    try:
        with state.transaction():
            for part in parts:
                run.one(state, part)
    except _HaltedError:
        run.halt(names)
    return answer(200, {"compositeResponse": run.results})


class _Run:
    def __init__(self, call: Call, dispatch: Callable[[Call], Reply], *, all_or_none: bool) -> None:
        self._call, self._dispatch, self._all_or_none = call, dispatch, all_or_none
        self._known: dict[str, Any] = {}
        self.results: list[Document] = []

    def one(self, state: State, part: Document) -> None:
        try:
            with state.transaction():
                reply = self._dispatch(self._inner(part))
        except _UnknownReferenceError as error:
            reply = _halted(str(error))
        except SalesforceError as error:
            reply = answer(error.status, [error.top()])
        body = orjson.loads(reply.body) if reply.body else None
        if reply.status < 300:
            self._known[part["referenceId"]] = body
        self.results.append(_result(part["referenceId"], reply.status, body, reply.headers))
        if reply.status >= 300 and self._all_or_none:
            raise _HaltedError

    def halt(self, names: list[Any]) -> None:
        message = "The transaction was rolled back since another operation in the same transaction failed."
        undone = orjson.loads(_halted(message).body)
        failed = self.results[-1]
        place = len(self.results) - 1
        self.results = [failed if at == place else _result(name, 400, undone, {}) for at, name in enumerate(names)]

    def _inner(self, part: Document) -> Call:
        address = urlsplit(self._fill(part.get("url", "")))
        head, _, rest = address.path.removeprefix("/services/data/").partition("/")
        if not address.path.startswith("/services/data/v") or not head:
            raise SalesforceError("NOT_FOUND", "The url of a subrequest must begin with /services/data/")
        body = part.get("body")
        headers = {name.lower(): value for name, value in part.get("httpHeaders", {}).items()}
        return replace(
            self._call,
            method=str(part.get("method", "GET")).upper(),
            segments=tuple(unquote(segment) for segment in rest.strip("/").split("/")),
            query=dict(parse_qsl(address.query)),
            headers={**self._call.headers, **headers},
            body=orjson.dumps(self._replace(body)) if body is not None else b"",
        )

    def _replace(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._fill(value)
        if isinstance(value, dict):
            return {name: self._replace(each) for name, each in value.items()}
        return [self._replace(each) for each in value] if isinstance(value, list) else value

    def _fill(self, text: str) -> str:
        return _REFERENCE.sub(lambda match: str(self._follow(match[1])), text)

    def _follow(self, path: str) -> Any:
        name = path.partition(".")[0]
        value: Any = self._known.get(re.sub(r"\[.*", "", name))
        steps = _STEP.findall(path)[1:]
        for key, index in steps:
            try:
                value = value[int(index)] if index else value[key]
            except (KeyError, IndexError, TypeError):
                value = None
        if value is None:
            raise _UnknownReferenceError(f"Invalid reference specified. No value for {path} found in {name}")
        return value


def _result(name: Any, status: int, body: Any, headers: Mapping[str, str]) -> Document:
    return {"body": body, "httpHeaders": dict(headers), "httpStatusCode": status, "referenceId": name}


def _halted(message: str) -> Reply:
    return answer(400, [{"errorCode": "PROCESSING_HALTED", "message": message}])
