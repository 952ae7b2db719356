"""One request as the endpoints see it, and the ways to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from sandbox._base import Document, Fault, Reply
from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._records import Author


@dataclass(frozen=True)
class Call:
    """A request below /services/data/vXX.0, authenticated."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str
    author: Author
    fault: Fault | None = None

    def json(self) -> Any:
        """The body as JSON whatever the Content-Type says."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise SalesforceError("JSON_PARSER_ERROR", f"{error} at [line:1, column:1]") from None

    def document(self) -> Document:
        """The body as a JSON object."""
        given = self.json()
        if not isinstance(given, dict):
            raise SalesforceError("JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")
        return given

    def meet_row_lock(self, row: int, record_id: str = "") -> None:
        """Refuse this row if the planned fault `row_lock` is for it."""
        if self.fault is not None and self.fault.kind == "row_lock" and row in self.fault.args.get("rows", [0]):
            message = f"unable to obtain exclusive access to this record or 1 records: {record_id}".rstrip()
            raise SalesforceError("UNABLE_TO_LOCK_ROW", message, [])

    @property
    def at(self) -> datetime:
        """When the request came in."""
        return self.author.at


def answer(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON reply."""
    body = b"" if status in {204, 304} else orjson.dumps(content)
    return Reply(status, body, headers or {}, "application/json;charset=UTF-8")


def refuse(error: SalesforceError) -> Reply:
    """An error reply: an array of one."""
    return answer(error.status, [error.top()])
