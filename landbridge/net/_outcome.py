"""What a status means when the connector knows nothing better."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from landbridge.errors import Conflict, Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.net._reply import Reply

LONGEST_WAIT = 24 * 3600.0
_CONFLICT = {409, 412}
_LATER = {408, 425, 429, 503}
_HINTS = {
    401: "The login is wrong or has expired; run `landbridge check --live`.",
    403: "The integration user lacks a right; run `landbridge check --live`.",
    404: "The address or the record does not exist there; look at `url` and at the record.",
    413: "The message is too long for the target; make the batch smaller.",
}


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as an HTTP date; None if it says nothing."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year of twenty digits is the latter
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), LONGEST_WAIT)


def outcome_of(reply: Reply, *, now: datetime, detail: str = "", hint: str = "") -> Failure | None:
    """The Failure that a status stands for, or None for success; `detail` is the target's own explanation.

    A 5xx after a write is unknown, except 503, which says that nothing was done.
    """
    status = reply.status
    if reply.ok or status == 304:
        return None
    message = f"{reply.what} answered {status}" + (f": {detail}" if detail else ".")
    code, hint = str(status), hint or _HINTS.get(status, "")
    if status < 400:
        hint = hint or "Landbridge follows no redirects; set `url` to where the system lives now."
        return Denied(message, hint=hint, status=code)
    if status in (401, 403, 407):
        return Denied(message, hint=hint, status=code)
    if status in _CONFLICT:
        return Conflict(message, hint=hint or "The record was changed there meanwhile; read it again.", status=code)
    if status in _LATER:
        wait = retry_after(reply.headers.get("Retry-After"), now)
        return Unavailable(message, wait=wait, hint=hint or "Tried again by itself.", status=code)
    if status < 500 or status == 501:
        return Rejected(message, hint=hint or "The target will not take it as it is; fix the mapping.", status=code)
    if reply.safe:
        return Unavailable(message, hint=hint or "Tried again by itself.", status=code)
    return OutcomeUnknown(message, hint=hint or "Looked up by our reference after the settle time.", status=code)
