"""The W3C trace context that goes with every request, and a span of each for whoever collects them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit

from landbridge import telemetry
from landbridge.errors import Failure
from landbridge.telemetry import Span
from landbridge.time import Clock

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


@contextmanager
def traced(value: str | None) -> Iterator[None]:
    """Send `value` as the header `traceparent` of every request while the context lasts."""
    token = traceparent.set(value)
    try:
        yield
    finally:
        traceparent.reset(token)


@dataclass(slots=True)
class Hop:
    """One request: the header it carries, if it belongs to a message, and the status that came back."""

    header: str | None
    status: int = 0


@contextmanager
def hop(clock: Clock, method: str, root: str) -> Iterator[Hop]:
    """A request within the context's trace; a span of its own where anybody collects them."""
    value = traceparent.get()
    if value is None or not telemetry.on() or (parent := telemetry.parent_of([value])) is None:
        yield Hop(value)
        return
    id_, kept = telemetry.new_span(), telemetry.sampled(parent.trace)
    made = Hop(telemetry.traceparent_of(parent.trace, id_, sampled=kept))
    start, failed = clock.now(), "error"
    try:
        yield made
        failed = "" if made.status < 400 else str(made.status)
    except Failure as failure:
        failed = failure.code
        raise
    finally:
        where = urlsplit(root)  # neither path nor query: keys of records stand in them, and sometimes more
        attributes: dict[str, str | int | bool] = {
            "http.request.method": method,
            "url.scheme": where.scheme,
            "server.address": where.hostname or "",
        }
        if where.port:
            attributes["server.port"] = where.port
        if made.status:
            attributes["http.response.status_code"] = made.status
        if failed:
            attributes["error.type"] = failed
        span = Span(
            method, parent.trace, id_, parent.span, telemetry.instant(start), telemetry.instant(clock.now()),
            kind="client", attributes=attributes, failed=failed,
        )  # fmt: skip
        telemetry.keep(span)
