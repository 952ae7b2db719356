"""What stands for a collector of traces: spans in memory, or an OTLP/HTTP server on a free port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from landbridge import telemetry
from landbridge.telemetry import Span


class Kept:
    """Spans in memory."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def sampled(self, trace: UUID) -> bool:
        return True

    def keep(self, span: Span) -> None:
        self.spans.append(span)

    def flush(self) -> None:
        return

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> Span:
        [span] = self.named(name)
        return span


@contextmanager
def collecting() -> Iterator[Kept]:
    """Every span of this process, whatever the environment says."""
    kept = Kept()
    with telemetry.watched(kept):
        yield kept


@dataclass
class Told:
    """A span as it came by OTLP; ids as hex."""

    name: str
    trace: str
    id: str
    parent: str
    start: int
    end: int
    kind: int
    failed: bool
    attributes: dict[str, Any]
    process: dict[str, Any]


@dataclass
class Collector:
    """An OTLP/HTTP collector: every request's bytes, and the spans in them."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def spans(self) -> list[Told]:
        found = []
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                process = _plain(resource.resource.attributes)
                for scope in resource.scope_spans:
                    found += [
                        Told(
                            s.name, s.trace_id.hex(), s.span_id.hex(), s.parent_span_id.hex(), s.start_time_unix_nano,
                            s.end_time_unix_nano, s.kind, s.status.code == 2, _plain(s.attributes), process,
                        )
                        for s in scope.spans
                    ]  # fmt: skip
        return found


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextmanager
def otlp() -> Iterator[Collector]:
    """A collector that listens until the block ends."""
    made = Collector()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.headers.append(dict(self.headers))
            made.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *given: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
