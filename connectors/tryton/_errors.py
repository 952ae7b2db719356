"""What Tryton says when it refuses, most of it inside of HTTP 200, and what the engine does about it."""

from __future__ import annotations

from typing import Any

from landbridge.errors import Conflict, Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Reply
from landbridge.secrets import scrub

_BUSY = ("database is locked", "could not serialize", "deadlock detected", "could not obtain lock", "too many clients")
_STALE = "Somebody changed the record in Tryton meanwhile; it is read again."


class Warned(Rejected):
    """Tryton asks a person whether that is meant; `name` is what an answer to it is kept under."""

    def __init__(self, message: str, name: str) -> None:
        hint = "Answer it in Tryton, or let the system confirm such warnings by `warnings: confirm`."
        super().__init__(message, hint=hint, status="UserWarning")
        self.name = name


class Fault(Rejected):
    """Tryton failed inside: mostly nothing stands, but an answer that cannot be written comes after the commit."""


def failure_of_error(reply: Reply, method: str, error: Any) -> Failure:
    """The Failure of an `error` in a reply: its name, then whatever that class of error says."""
    parts = error if isinstance(error, list) else [error]
    name = str(parts[0]) if parts else ""
    said = parts[1] if len(parts) > 1 else ""
    where = f"{reply.system}: {method}"
    if name == "UserError":
        return _user_error(where, _first(said), safe=reply.safe)
    if name == "UserWarning":
        texts = [str(each) for each in said if each] if isinstance(said, list) else [str(said)]
        question = ": ".join(texts[1:]) or texts[0]
        return Warned(scrub(f"{where} asks first: {question}"), texts[0])
    if name == "ConcurrencyException":
        return Conflict(f"{where}: {_first(said)}.", hint=_STALE, status="412")
    if name == "LoginException":
        hint = "The user needs a login by password alone; look at `authentications` in trytond.conf."
        return Denied(f"{where}: Tryton asks for {_first(said)}.", hint=hint, status=name, sent=False)
    text = scrub(f"{where} failed inside of Tryton: {name.strip()[:300] or 'no message'}")
    if any(word in text for word in _BUSY):
        return Unavailable(text, wait=1.0, hint="The database was busy; tried again by itself.", status="busy")
    hint = "Look into Tryton's log; most often a module or a field that the mapping names is not there."
    if reply.safe:
        return Rejected(text, hint=hint, status="error")
    return Fault(text, hint=hint, status="error")


def _user_error(where: str, text: str, *, safe: bool) -> Failure:
    message = scrub(f"{where}: {text}")
    if safe:
        hint = "The user may not read it; run `landbridge check --live`."
        return Denied(message, hint=hint, status="UserError")
    if text.startswith("You are not allowed to access"):
        hint = "Give the integration user's group the right; `landbridge check --live` names it."
        return Denied(message, hint=hint, status="UserError")
    return Rejected(message, hint="Correct the record or the mapping, then replay.", status="UserError")


def unknown(failure: Failure) -> OutcomeUnknown:
    """The same, where the effect may stand all the same."""
    hint = "Looked up by our reference after the settle time."
    return OutcomeUnknown(failure.message, hint=hint, status=failure.status)


def nothing_stands(failure: Failure) -> bool:
    """Whether the transaction was rolled back for certain, so that the same may be tried in smaller parts."""
    return isinstance(failure, (Rejected, Conflict, Unavailable)) and not isinstance(failure, Fault)


def _first(said: Any) -> str:
    if isinstance(said, list):
        texts = [str(each) for each in said[:2] if each and isinstance(each, str)]
        return ": ".join(texts) or "no message"
    return str(said or "no message")
