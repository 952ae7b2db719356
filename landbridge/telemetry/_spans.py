"""Spans: what took how long in which trace, for whoever collects them; nothing at all while nobody does."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from landbridge.telemetry._span import Span
from landbridge.time import EPOCH

_MICROSECOND = timedelta(microseconds=1)


class Collector(Protocol):
    """Where spans go; both return at once."""

    def sampled(self, trace: UUID) -> bool:
        """Whether the spans of this trace are kept: the same in every process."""

    def keep(self, span: Span) -> None:
        """Take a span."""

    def flush(self) -> None:
        """Send what was taken; the one that may wait."""


_collector: Collector | None = None
_process = 0


def begin(environ: Mapping[str, str] = os.environ, *, warn: Callable[[str], None] | None = None) -> None:
    """Collect spans from now on if the environment (`OTEL_*`) asks for it, once per process; else leave it off."""
    global _collector, _process  # noqa: PLW0603 - one process has one collector, as it has one environment
    if _process == os.getpid():
        return
    _process = os.getpid()
    asked = wanted(environ)
    if asked is None:
        return
    try:
        from landbridge.telemetry._otlp import Otlp
    except ModuleNotFoundError:
        asked = "OTEL_* asks for traces, and OpenTelemetry is not installed. hint: pip install 'landbridge[otel]'"
    if asked:
        if warn is not None:
            warn(asked)
        return
    _collector = Otlp(environ)


def wanted(environ: Mapping[str, str]) -> str | None:
    """None where nobody asks for traces; "" where they are to be sent; else why they cannot be."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    places = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if exporter == "none" or not (exporter or any(environ.get(name, "").strip() for name in places)):
        return None
    if exporter not in ("", "otlp"):
        return f"OTEL_TRACES_EXPORTER={exporter!r} is not known here; no traces are sent. hint: otlp"
    general = environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip()
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "").strip() or general
    if protocol not in ("", "http/protobuf"):
        return f"the OTLP protocol {protocol!r} is not spoken here; no traces are sent. hint: http/protobuf"
    return ""


def on() -> bool:
    """Whether anybody collects spans: what only a span needs is not even put together while nobody does."""
    return _collector is not None


def sampled(trace: UUID) -> bool:
    """Whether the spans of this trace are kept."""
    return _collector is not None and _collector.sampled(trace)


def keep(span: Span) -> None:
    """Take a span, if anybody collects them and its trace is sampled."""
    if _collector is not None and _collector.sampled(span.trace):
        _collector.keep(span)


def flush() -> None:
    """Send what was taken, before a process ends."""
    if _collector is not None:
        _collector.flush()


def new_span() -> int:
    """The id of a span that nobody else has to know beforehand."""
    return random.getrandbits(64) or 1


def instant(at: datetime) -> int:
    """An instant as spans count: nanoseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND * 1000


@contextmanager
def watched(collector: Collector | None) -> Iterator[None]:
    """Collect with this one while the context lasts, whatever the environment says: for tests."""
    global _collector  # noqa: PLW0603 - as in `begin`
    before, _collector = _collector, collector
    try:
        yield
    finally:
        _collector = before
