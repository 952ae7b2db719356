"""The span of a change that a webhook told: the first of its message's trace that is ours; and a line of debugging."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from landbridge import telemetry
from landbridge.connector import Event
from landbridge.telemetry import Parent, Span, instant, told_span

_log = logging.getLogger("landbridge.webhook")


def receiving(
    system: str,
    events: Iterable[tuple[Event, UUID]],
    parent: Parent | None,
    took: tuple[datetime, datetime],
    *,
    new: int,
    status: int,
) -> None:
    """A span per change, from the request's arrival to the commit; the sender's span is its parent where it names one.

    Who processes the message makes out the span's id by itself; a repetition that brought nothing new has another.
    """
    for event, trace in events:
        known = {"system": system, "entity": event.entity, "trace": trace.hex, "new": bool(new)}
        _log.debug("received", extra=known)
        if not telemetry.on():
            continue
        id_ = told_span(trace, system, event.entity, event.scope, event.key) if new else telemetry.new_span()
        span = Span(
            f"receive {system} {event.entity}", trace, id_, parent.span if parent is not None else None,
            instant(took[0]), instant(took[1]), kind="server",
            attributes={
                "landbridge.system": system, "landbridge.entity": event.entity, "landbridge.repeated": not new,
                "http.request.method": "POST", "http.route": "/hooks/{system}", "http.response.status_code": status,
            },
        )  # fmt: skip
        telemetry.keep(span)
