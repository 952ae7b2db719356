"""Salesforce's refusals: an array of {message, errorCode} at the top, statusCode within a collection's row."""

from __future__ import annotations

from typing import Any

_STATUS = {
    "INVALID_SESSION_ID": 401,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "NOT_FOUND": 404,
    "ENTITY_IS_DELETED": 404,
    "METHOD_NOT_ALLOWED": 405,
    "PRECONDITION_FAILED": 412,
}


class SalesforceError(Exception):
    """A refusal with Salesforce's own code; `status` follows from the code unless given."""

    def __init__(self, code: str, message: str, fields: list[str] | None = None, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.fields = code, message, fields
        self.status = status or _STATUS.get(code, 400)

    def top(self) -> dict[str, Any]:
        """The error as an entry of a request's own error array."""
        shown: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return shown if self.fields is None else {**shown, "fields": self.fields}

    def row(self) -> dict[str, Any]:
        """The error as an entry of one row of a collection's reply."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


def not_found() -> SalesforceError:
    """What every unknown resource, object or record gets."""
    return SalesforceError("NOT_FOUND", "The requested resource does not exist")
