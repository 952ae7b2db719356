"""What came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landbridge.errors import Failure, Invalid, OutcomeUnknown, Unavailable
from landbridge.strict import json as strict_json


class Reply:
    """A whole reply; `safe` says whether the request could have had an effect (False: it could)."""

    __slots__ = ("content", "headers", "method", "path", "safe", "status", "system")

    def __init__(
        self, system: str, method: str, path: str, safe: bool, status: int, headers: Mapping[str, str], content: bytes
    ) -> None:
        self.system = system
        self.method = method
        self.path = path
        self.safe = safe
        self.status = status
        self.headers = headers
        self.content = content

    def __repr__(self) -> str:
        return f"<Reply {self.status} to {self.what}, {len(self.content)} bytes>"

    @property
    def what(self) -> str:
        """Who was asked what, without query and body."""
        return f"{self.system}: {self.method} {self.path}"

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The content as text; bytes that are not UTF-8 become U+FFFD."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The content as JSON with exact decimals; a Failure if it is anything else, such as an HTML error page."""
        try:
            return strict_json.loads(self.content, max_bytes=max(len(self.content), 1))
        except Invalid as error:
            kind = self.headers.get("Content-Type", "no content type").split(";")[0]
            broken = f"JSON that is broken ({error.message})" if "json" in kind else f"{kind} instead of JSON"
            raise self.garbled(broken) from error

    def garbled(self, what: str) -> Failure:
        """The Failure for a reply that cannot be read: after a write nobody knows what happened."""
        message = f"{self.what} answered {self.status} with {what}."
        hint = "Look whether a proxy, a login page or a gateway stands between; the address may be wrong."
        kind = Unavailable if self.safe else OutcomeUnknown
        return kind(message, hint=hint, status=str(self.status))
