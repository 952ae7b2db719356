"""The W3C trace context that goes with every request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


@contextmanager
def traced(value: str | None) -> Iterator[None]:
    """Send `value` as the header `traceparent` of every request while the context lasts."""
    token = traceparent.set(value)
    try:
        yield
    finally:
        traceparent.reset(token)
