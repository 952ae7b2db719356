"""What a reply means: by status, by the product's own code, and by what stands inside a 200."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.declarative._block import Errors
from landbridge.errors import Conflict, Denied, Failure, Invalid, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Reply, outcome_of, retry_after
from landbridge.secrets import scrub
from landbridge.strict import json as strict_json
from landbridge.translator import Place

_LONGEST = 500
_LONGEST_WAIT = 86_400.0
_HINTS = {
    "rejected": "Correct the record or the mapping, then replay.",
    "unavailable": "Tried again by itself.",
    "denied": "Look at `auth` and at the rights of our user; run `landbridge check --live`.",
    "conflict": "The record stands otherwise there; look at both, then replay.",
    "unknown": "Looked up by our reference after the settle time.",
}
_KINDS: dict[str, type[Failure]] = {
    "rejected": Rejected,
    "denied": Denied,
    "conflict": Conflict,
    "unknown": OutcomeUnknown,
}
_USUAL = ("message", "error.message", "error_description", "detail", "title", "errors[0].message", "error")
_USUAL_CODES = ("code", "error.code", "errors[0].code")


class ErrorMap:
    """Reads errors of one API, or of one entity of it."""

    def __init__(self, declared: Errors) -> None:
        self._declared = declared
        self._codes = [Place(each).of for each in ((declared.code,) if declared.code else _USUAL_CODES)]
        self._messages = [Place(each).of for each in (declared.message or _USUAL)]
        self._wait = Place(declared.wait).of if declared.wait else None

    @property
    def looks_inside(self) -> bool:
        """Whether a 200 may be an error."""
        return bool(self._declared.when)

    def failure(self, reply: Reply, now: datetime) -> Failure | None:
        """The Failure that a reply stands for, or None for success."""
        if reply.ok and not self.looks_inside:
            return None
        body = reply_body(reply)
        if reply.ok and not any(each.holds(body) for each in self._declared.when):
            return None
        code, detail = _first(self._codes, body), _first(self._messages, body)
        told = scrub(": ".join(dict.fromkeys(each for each in (code, detail) if each)))[:_LONGEST]
        outcomes = self._declared.outcomes
        word = outcomes.get(code) or outcomes.get(str(reply.status)) or ("rejected" if reply.ok else None)
        if word is None:
            failure = outcome_of(reply, now=now, detail=told)
            if failure is not None and code and len(code) <= 80:
                failure.status = scrub(code)
            return failure
        message = f"{reply.what} answered {reply.status}" + (f": {told}" if told else " with an error inside.")
        return self._of(word, reply, body, message, scrub(code)[:80] or str(reply.status), now)

    def _of(self, word: str, reply: Reply, body: Any, message: str, status: str, now: datetime) -> Failure:
        hint = _HINTS[word]
        if word == "unavailable" or (word == "unknown" and reply.safe):
            wait = _seconds(self._wait(body)) if self._wait is not None else None
            wait = wait if wait is not None else retry_after(reply.headers.get("Retry-After"), now)
            return Unavailable(message, wait=wait, hint=_HINTS["unavailable"], status=status)
        return _KINDS[word](message, hint=hint, status=status)


def reply_body(reply: Reply) -> Any:
    """The body of a reply as JSON, None where it holds none; for errors, which may be anything."""
    try:
        return strict_json.loads(reply.content) if reply.content else None
    except Invalid:
        return None


def _first(places: list[Callable[[Any], Any]], body: Any) -> str:
    for place in places:
        found = place(body)
        if isinstance(found, list):
            found = "; ".join(str(each) for each in found if isinstance(each, (str, int)))
        if isinstance(found, (str, int, Decimal)) and not isinstance(found, bool) and str(found):
            return str(found)
    return ""


def _seconds(found: Any) -> float | None:
    try:
        wait = float(found)
    except (TypeError, ValueError):
        return None
    return min(wait, _LONGEST_WAIT) if wait >= 0 else None
