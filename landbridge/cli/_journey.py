"""How `landbridge trace` tells a record's journey: when it was where, and how long each hop took."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from landbridge.cli._open import span
from landbridge.cli._print import flat, say

_LONG = timedelta(seconds=10)


def hops(step: Any) -> dict[str, Any]:
    """The milliseconds of one step of a journey; None where that hop was not made or not measured.

    `told_ms` from the webhook to the inbox, `waited_ms` from there to the attempt, `attempt_ms` of the attempt itself,
    `total_ms` from the webhook (or the inbox, where it was polled) to the end.
    """
    begun = None if step.at is None else step.at - timedelta(milliseconds=step.milliseconds or 0)
    return {
        "told_ms": _ms(step.told_at, step.received_at),
        "waited_ms": _ms(step.received_at, begun),
        "attempt_ms": step.milliseconds,
        "total_ms": _ms(step.told_at or step.received_at, step.done_at),
    }


def show_journey(found: dict[str, Any]) -> None:
    """One record: its names, its messages in their order, what became of each on every route, and what people did."""
    names = ", ".join(f"{one['system']} {one['entity']} {one['id']}" for one in found["names"])
    say(f"subject {found['subject']}: {names or 'no ids'}")
    message = row = None
    for step in found["journey"]:
        if step.message_id != message:
            message = step.message_id
            _show_message(step)
            _show_bodies(found, "messages", message, ("native", "canonical"))
        if step.outbox_id is not None and step.outbox_id != row:
            row = step.outbox_id
            say(f"    {step.route}: {_outcome(step)}")
            _show_bodies(found, "rows", row, ("written",))
            for one in step.findings or ():
                if one.get("severity") and step.state != "quarantined":  # what quality rules only noted
                    say(f"      {one['severity']}: {one['path']}: {one['message']}")
        if step.at is not None:
            _show_attempt(step)
    for one in found["history"]:
        say(f"  {one['at']:%Y-%m-%d %H:%M:%S}  {one['event']} by {one['actor']}{_detail(one['detail'])}")


def _show_message(step: Any) -> None:
    version = f", version {step.message_version}" if step.message_version is not None else ""
    stamp = f", changed {step.stamp}" if step.stamp else ""
    say(f"  {_instant(step.received_at)}  {step.action} from {step.source} {step.source_key}{version}{stamp}")
    told = "polled"
    if step.told_at is not None:
        told = f"webhook at {_instant(step.told_at)}, in the inbox {_took(step.told_at, step.received_at)} later"
    say(f"    message {step.message_id}, trace {step.trace.hex}, {told}")


def _show_attempt(step: Any) -> None:
    spent = f", {step.milliseconds} ms" if step.milliseconds is not None else ""
    begun = step.at - timedelta(milliseconds=step.milliseconds or 0)
    waited = f", begun {_took(step.received_at, begun)} after it was received"
    said = f": {step.message}" if step.message else ""
    say(f"      {_instant(step.at)}  attempt {step.number}: {step.outcome}{spent}{waited}{said}")


def _show_bodies(found: dict[str, Any], part: str, id_: int, kinds: tuple[str, ...]) -> None:
    """The bodies of one message or row, where they were asked for: every value with its path."""
    for kind in kinds:
        for path, value in flat(found.get("bodies", {}).get(part, {}).get(id_, {}).get(kind) or {}):
            say(f"      {kind} {path}: {value}")


def _outcome(step: Any) -> str:
    code = f" ({step.code})" if step.code and step.code != step.state else ""
    target = f", {step.target} id {step.target_id}" if step.target_id else ""
    row = f" [row {step.outbox_id}]" if step.state in ("dead", "quarantined", "conflict", "steward") else ""
    at = ""
    if step.done_at:
        since = "the webhook" if step.told_at is not None else "it was received"
        at = f" at {step.done_at:%H:%M:%S}, {_took(step.told_at or step.received_at, step.done_at)} after {since}"
    return f"{step.state}{code}{at}{target}{row}" + (f": {step.reason}" if step.reason and not step.at else "")


def _detail(detail: Any) -> str:
    told = ", ".join(f"{name}: {value}" for name, value in (detail or {}).items() if value is not None)
    return f" ({told})" if told else ""


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def _ms(since: datetime | None, until: datetime | None) -> int | None:
    if since is None or until is None:
        return None
    return max(0, round((until - since).total_seconds() * 1000))


def _took(since: datetime, until: datetime) -> str:
    """Milliseconds while they say something, then seconds, minutes, hours."""
    return f"{_ms(since, until)} ms" if until - since < _LONG else span(until - since)
