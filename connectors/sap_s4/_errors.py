"""What SAP's replies mean: the error envelope with its code, text and property as the right Failure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from landbridge.errors import Conflict, Denied, Failure, Rejected, Unavailable
from landbridge.net import Reply, outcome_of
from landbridge.secrets import scrub
from landbridge.strict import json as strict_json

_WRAPPERS = frozenset({"/IWBEP/CX_MGW_BUSI_EXCEPTION", "/IWBEP/CX_MGW_TECH_EXCEPTION"})
_LOCKED = re.compile(
    r"\b(?:is|are) (?:currently |already |being )*(?:locked|blocked by user|processed by|edited by)"
    r"|\blocked by\b|\block(?:ing)? (?:error|conflict|failed)\b",
    re.IGNORECASE,
)
_LOCK_WAIT = 5.0
_LONGEST_TEXT = 1_000


class Stale(Conflict):
    """The entity tag is not the present one (412), or none was sent where one is needed (428)."""


def explain(content: bytes) -> tuple[str, str]:
    """SAP's code and text from an error body, each detail with the property it is about; empty if there is none."""
    try:
        envelope = strict_json.loads(content)
        error = envelope["error"]
        message = error.get("message")
        text = str(message["value"] if isinstance(message, Mapping) else message or "")
        code = str(error.get("code") or "")
        details = (error.get("innererror") or {}).get("errordetails") or []
    except (Failure, ValueError, KeyError, TypeError, AttributeError):
        return "", ""
    parts = [part for part in map(_detail, details) if part]
    lead = next((part for part in parts if text and text in part), text)
    more = [part for part in parts if part != lead and text not in part]
    return code, scrub("; ".join([lead, *more]))[:_LONGEST_TEXT]


def _detail(detail: Any) -> str:
    if (
        not isinstance(detail, Mapping)
        or detail.get("code") in _WRAPPERS
        or detail.get("severity") in {"info", "warning"}
    ):
        return ""
    about = detail.get("propertyref") or detail.get("target") or ""
    text = str(detail.get("message") or "")
    return f"{text} (field {about})" if about and text else text


def failure_of(reply: Reply, *, now: datetime) -> Failure | None:
    """The Failure that a reply stands for, None for success."""
    if reply.ok or reply.status == 304:
        return None
    code, text = explain(reply.content)
    said = f"{code}: {text}" if code else text
    status = code or str(reply.status)
    message = f"{reply.what} answered {reply.status}" + (f": {said}" if said else ".")
    if reply.status in {412, 428}:
        return Stale(message, hint="The record was changed in SAP meanwhile; it is read again.", status=status)
    if reply.status == 403:
        return Denied(message, hint="Give the communication user the right for this service.", status=status)
    if _LOCKED.search(text) and reply.status < 500:
        return Unavailable(message, wait=_LOCK_WAIT, hint="A person has it open; tried again by itself.", status=status)
    if reply.status in {400, 404, 405, 409, 422}:
        return Rejected(message, hint=_hint(code, text), status=status)
    return outcome_of(reply, now=now, detail=said)


def _hint(code: str, text: str) -> str:
    if not code and not text:
        return "SAP gave no reason; look it up by transaction /IWFND/ERROR_LOG."
    if "(field " in text:
        return "Mend the field that is named, in the mapping or in SAP's customising, and replay."
    return "Mend what SAP names in the record, the mapping or SAP's customising, and replay."
