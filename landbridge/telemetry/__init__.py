"""What it tells about itself while it runs: spans for OpenTelemetry, and log lines for people and for programs.

Nothing here decides anything. Spans carry our own words and numbers alone: systems, flows, ids of messages, outcomes;
no body, no key of a record, no text of another system. They cost one comparison each until `OTEL_*` asks for them.
"""

from landbridge.telemetry._context import Parent, message_span, parent_of, told_span, traceparent_of
from landbridge.telemetry._logs import FORMATS, LEVELS, LogFormat, LogLevel, begin_logs
from landbridge.telemetry._outage import Outage
from landbridge.telemetry._span import Kind, Link, Span
from landbridge.telemetry._spans import begin, flush, instant, keep, new_span, on, sampled, watched

__all__ = [
    "FORMATS",
    "LEVELS",
    "Kind",
    "Link",
    "LogFormat",
    "LogLevel",
    "Outage",
    "Parent",
    "Span",
    "begin",
    "begin_logs",
    "flush",
    "instant",
    "keep",
    "message_span",
    "new_span",
    "on",
    "parent_of",
    "sampled",
    "told_span",
    "traceparent_of",
    "watched",
]
