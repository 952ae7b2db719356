"""What a fault, a status or a value in a reply means for the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.soap._entity import Rule
from connectors.soap._paths import at
from landbridge.errors import Conflict, Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Reply, outcome_of, retry_after
from landbridge.secrets import scrub
from landbridge.strict.xml import Element

_SECURITY = frozenset(
    {"FailedAuthentication", "FailedCheck", "InvalidSecurity", "InvalidSecurityToken", "MessageExpired",
     "SecurityTokenUnavailable", "UnsupportedSecurityToken"}
)  # fmt: skip  # WS-Security 1.1, 12
_OURS = frozenset({"VersionMismatch", "MustUnderstand", "DataEncodingUnknown"})
_BY_STATUS = frozenset({401, 403, 404, 407, 408, 409, 412, 413, 425, 429, 502, 503, 504})
_HINTS = {
    "rejected": "The service will not take it as it is; fix the mapping.",
    "unavailable": "Tried again by itself.",
    "denied": "Look at the user, its rights and `ws_security`; run `landbridge check --live`.",
    "conflict": "The record was changed there meanwhile; read it again.",
    "unknown": "Looked up by our reference after the settle time.",
    "absent": "The record is not there.",
}
_LONGEST = 500


class Absent(Failure):
    """What was asked for is not there."""

    code = "rejected"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: its code, everything that may name it more exactly, and words for a person."""

    code: str
    words: tuple[str, ...]
    message: str

    @property
    def receivers(self) -> bool:
        """Whether the service says that it is its own."""
        return self.code in ("Server", "Receiver")


def fault_of(body: Element) -> Fault | None:
    """The fault in a body, None if there is none."""
    found = next((child for child in body if _local(child) == "Fault"), None)
    if found is None:
        return None
    parts = {_local(child): child for child in found}
    if "Code" in parts:
        codes = [_tail(each.text) for each in parts["Code"].iter() if _local(each) == "Value"]
        reason = parts.get("Reason")
        message = "" if reason is None else " ".join(each.text or "" for each in reason)
    else:
        code, string = parts.get("faultcode"), parts.get("faultstring")
        codes = _tail(None if code is None else code.text).split(".")
        message = "" if string is None else string.text or ""
    detail = parts.get("detail") if "detail" in parts else parts.get("Detail")
    words = tuple(dict.fromkeys([*_words(detail), *reversed(codes)]))
    return Fault(codes[0] if codes else "", words, " ".join(message.split()))


def _words(detail: Element | None) -> Iterator[str]:
    """What may be a code in a detail: short texts without blanks, then the names of elements."""
    if detail is None:
        return
    inner = [each for each in detail.iter() if each is not detail]
    for each in inner:
        text = (each.text or "").strip()
        if text and not len(each) and len(text) <= 80 and not any(mark.isspace() for mark in text):
            yield text
    yield from (_local(each) for each in inner)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _tail(text: str | None) -> str:
    return (text or "").strip().rpartition(":")[2]


def of_fault(fault: Fault, rules: Sequence[Rule], reply: Reply, what: str, now: datetime) -> Failure:
    """The Failure that a fault stands for: by the first rule, else by status and code."""
    said = scrub(fault.message)[:_LONGEST] or "no reason is given"
    code = scrub(fault.words[0] if fault.words else fault.code)[:80]
    message = f"{what}: {said}{'' if said.endswith('.') else '.'}"
    for rule in rules:
        if rule.fault is not None and rule.fault in fault.words:
            wait = retry_after(reply.headers.get("Retry-After"), now)
            return made(rule.outcome, message, rule.hint, rule.fault, safe=reply.safe, wait=wait)
    if reply.status in _BY_STATUS:
        failure = outcome_of(reply, now=now, detail=said)
        assert failure is not None
        return failure
    if _SECURITY & {fault.code, *fault.words}:
        return made("denied", message, "", code)
    if fault.code in _OURS:
        hint = "The service speaks another version of SOAP, or wants a header; look at `port`."
        return made("denied", message, hint, code)
    if not fault.receivers:
        return made("rejected", message, "", code)
    return made("unavailable" if reply.safe else "unknown", message, "", code, safe=reply.safe)


def of_answer(answer: Any, rules: Sequence[Rule], what: str, *, safe: bool) -> Failure | None:
    """The Failure that a value in a reply stands for; None if no rule fits."""
    for rule in rules:
        if rule.path is None or (found := at(answer, rule.path)) is None:
            continue
        if found == rule.value or str(found) == str(rule.value):
            said = at(answer, rule.message) if rule.message else None
            words = scrub(str(said))[:_LONGEST] if said else f"{rule.path} is {rule.value}"
            return made(rule.outcome, f"{what}: {words}.", rule.hint, str(rule.value), safe=safe)
    return None


def made(
    outcome: str, message: str, hint: str, status: str, *, safe: bool = True, wait: float | None = None
) -> Failure:
    """A Failure of the kind that a rule names; what is `unavailable` after a write had no effect, as the rule says."""
    hint = hint or _HINTS[outcome]
    if outcome == "unavailable":
        return Unavailable(message, wait=wait, hint=hint, status=status)
    if outcome == "conflict":
        return Conflict(message, hint=hint, status=status)
    if outcome == "unknown":
        return (Unavailable if safe else OutcomeUnknown)(message, hint=hint, status=status)
    kind = {"denied": Denied, "absent": Absent}.get(outcome, Rejected)
    return kind(message, hint=hint, status=status)
