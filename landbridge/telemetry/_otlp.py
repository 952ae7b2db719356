"""Sends spans by OTLP over HTTP, as `OTEL_*` says; the only module that needs the extra `otel`."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from hashlib import blake2b
from urllib.parse import unquote
from uuid import UUID

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from landbridge.secrets import remember
from landbridge.telemetry._span import Span

FLUSH_SECONDS = 5.0

_KINDS = {"internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_SCOPE = InstrumentationScope("landbridge")
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")


class Otlp:
    """Batches spans and sends them in a thread of its own; what cannot be sent is dropped, never waited for."""

    def __init__(self, environ: Mapping[str, str] = os.environ, exporter: SpanExporter | None = None) -> None:
        for name in _HEADERS:
            for pair in environ.get(name, "").split(","):  # keys of a collector are secrets
                remember(unquote(pair.partition("=")[2].strip()))
        named: dict[str, str | int] = {"process.pid": os.getpid()}
        if "service.name" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", "") and not environ.get("OTEL_SERVICE_NAME"):
            named["service.name"] = "landbridge"
        provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._sampler, self._resource = provider.sampler, provider.resource
        self._batches = BatchSpanProcessor(exporter or OTLPSpanExporter())

    def sampled(self, trace: UUID) -> bool:
        """By the sampler of `OTEL_TRACES_SAMPLER`; a ratio is held to whatever the form of the trace's id.

        The SDK compares the id's low half with the ratio, which takes it for random; that of a UUID begins with 10.
        """
        spread = int.from_bytes(blake2b(trace.bytes, digest_size=16).digest())
        return self._sampler.should_sample(None, spread, "landbridge").decision is Decision.RECORD_AND_SAMPLE

    def keep(self, span: Span) -> None:
        """Hand it to the batch."""
        self._batches.on_end(
            ReadableSpan(
                name=span.name,
                context=_context(span.trace, span.id, remote=False),
                parent=None if span.parent is None else _context(span.trace, span.parent, remote=True),
                resource=self._resource,
                attributes=span.attributes,
                links=[Link(_context(one.trace, one.span, remote=True)) for one in span.links],
                kind=_KINDS[span.kind],
                instrumentation_scope=_SCOPE,
                status=Status(StatusCode.ERROR, span.failed) if span.failed else Status(),
                start_time=span.start,
                end_time=span.end,
            )
        )

    def flush(self) -> None:
        """Send what waits, for some seconds: a collector that is away does not keep a process from ending."""
        sending = threading.Thread(target=self._batches.force_flush, daemon=True)
        sending.start()
        sending.join(FLUSH_SECONDS)


def _context(trace: UUID, span: int, *, remote: bool) -> SpanContext:
    return SpanContext(trace.int, span, is_remote=remote, trace_flags=_SAMPLED)
