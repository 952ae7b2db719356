"""Salesforce's error codes, and what the engine does about each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from landbridge.errors import Conflict, Denied, Failure, Invalid, Rejected, Unavailable
from landbridge.net import Reply, outcome_of, retry_after
from landbridge.secrets import scrub
from landbridge.strict import json as strict_json

_CODE = re.compile(r"[A-Za-z_]{3,80}")
LIMIT_WAIT = 900.0  # the daily limit rolls over 24 hours: look again every quarter of an hour
_LATER = {
    "UNABLE_TO_LOCK_ROW",
    "SERVER_UNAVAILABLE",
    "REQUEST_RUNNING_TOO_LONG",
    "QUERY_TIMEOUT",
    "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS",
    "CONCURRENT_REQUESTS_LIMIT_EXCEEDED",
}
_LIMITS = {"REQUEST_LIMIT_EXCEEDED", "STORAGE_LIMIT_EXCEEDED"}
_DENIED = {
    "INVALID_SESSION_ID": "The session was refused twice; look at the connected app's policies.",
    "API_DISABLED_FOR_ORG": "The org's edition or a setting forbids the API.",
    "API_CURRENTLY_DISABLED": "The org's administrator has switched the API off.",
    "INSUFFICIENT_ACCESS": "Give the integration user's permission set the right; `landbridge check --live` names it.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Give the integration user's permission set the right to write this object.",
    "INVALID_TYPE": "The object does not exist there, or the integration user may not see it.",
}
_CONFLICT = {
    "ENTITY_IS_DELETED": "The record was deleted in Salesforce; restore it there, or unlink it with `landbridge xref`.",
    "DUPLICATES_DETECTED": "A duplicate rule holds it; merge there, or let the integration user save duplicates.",
}
_HINTS = {
    "REQUIRED_FIELD_MISSING": "Map the field, or give it a default in the mapping.",
    "STRING_TOO_LONG": "Shorten it in the mapping, such as with `truncate(n)`.",
    "INVALID_FIELD": "The field does not exist or the user may not see it; compare with `landbridge check --live`.",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "The field is read-only; take it out of the mapping or say `on: create`.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Add the value to the picklist, or map it by a code list.",
    "STANDARD_PRICE_NOT_DEFINED": "Write the price of the standard price book first.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule of the org refuses it; correct the record at its source.",
    "MALFORMED_QUERY": "Look at `filters` and `fields` of the system.",
}


def errors_of(reply: Reply) -> list[Mapping[str, Any]]:
    """The error entries of a reply that is no success; empty if it holds none."""
    try:
        body = strict_json.loads(reply.content) if reply.content else []
    except Invalid:
        return []
    entries = body if isinstance(body, list) else [body]
    return [entry for entry in entries if isinstance(entry, dict)]


def code_of(error: Mapping[str, Any]) -> str:
    """`errorCode` of a whole reply, `statusCode` of a row; the token endpoint says `error`."""
    code = str(error.get("errorCode") or error.get("statusCode") or error.get("error") or "")
    return code if _CODE.fullmatch(code) else ""


def failure_of_reply(reply: Reply, now: datetime) -> Failure | None:
    """What a whole reply stands for; None for success."""
    if reply.ok:
        return None
    found = errors_of(reply)
    detail = scrub("; ".join(_text(error) for error in found))
    codes = {code_of(error) for error in found}
    if codes & _LIMITS:
        hint = "The org's daily limit of API calls is used up; make `every` longer or buy calls."
        wait = retry_after(reply.headers.get("Retry-After"), now)
        status = sorted(codes & _LIMITS)[0]
        return Unavailable(f"{reply.what}: {detail}", wait=wait or LIMIT_WAIT, hint=hint, status=status)
    if reply.status < 500 and codes & _LATER:
        return Unavailable(f"{reply.what}: {detail}", status=sorted(codes & _LATER)[0])
    hint = next((_DENIED.get(code) or _HINTS.get(code, "") for code in sorted(codes)), "")
    failure = outcome_of(reply, now=now, detail=detail, hint=hint)
    if failure is not None and len(codes) == 1:
        failure.status = codes.pop()
    return failure


def failure_of_row(errors: Sequence[Mapping[str, Any]], what: str, *, reference: str) -> Failure:
    """What the errors of one row of a collection stand for; `reference` is the field that carries our reference."""
    codes = [code_of(error) for error in errors]
    code = codes[0] if codes else ""
    message = scrub(f"{what}: " + "; ".join(_text(error) for error in errors))
    if code == "DUPLICATE_VALUE":
        if any(reference in str(error.get("message")) for error in errors):
            return Unavailable(message, wait=1.0, hint="Another write made the record meanwhile.", status=code)
        hint = "Another record there holds this unique value; link it with `landbridge adopt`, or correct one of them."
        return Conflict(message, hint=hint, status=code)
    if code in _LATER:
        return Unavailable(message, wait=2.0, hint="Tried again by itself.", status=code)
    if code in _LIMITS:
        return Unavailable(message, wait=LIMIT_WAIT, hint="A limit of the org is used up.", status=code)
    if code in _DENIED:
        return Denied(message, hint=_DENIED[code], status=code)
    if code in _CONFLICT:
        return Conflict(message, hint=_CONFLICT[code], status=code)
    return Rejected(message, hint=_HINTS.get(code, "Correct the record or the mapping, then replay."), status=code)


def _text(error: Mapping[str, Any]) -> str:
    message = str(error.get("message") or error.get("error_description") or "no message")
    fields = error.get("fields") or []
    named = f" ({', '.join(map(str, fields))})" if fields and not all(str(one) in message for one in fields) else ""
    code = code_of(error)
    return f"{code}: {message}{named}" if code else f"{message}{named}"
