"""CloudEvents 1.0 out of a verified webhook: structured, batched and binary mode (HTTP protocol binding)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from landbridge.errors import Finding, Invalid
from landbridge.strict import json

if TYPE_CHECKING:
    from landbridge.signatures import Request

_NEEDED = ("specversion", "id", "source", "type")


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event; `source` and `id` together are unique, so `unique` tells a repetition."""

    id: str
    source: str
    type: str
    subject: str | None
    time: str | None
    data: Any

    @property
    def unique(self) -> str:
        """What is the same only for the same event."""
        return f"{self.source} {self.id}"


def cloud_events(request: Request) -> list[CloudEvent]:
    """The events of a request; Invalid, with what is missing, if it is none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/cloudevents-batch+json":
        told = json.loads(request.body)
        if not isinstance(told, list):
            raise _invalid("a batch is a list of events")
        return [_event(one) for one in told]
    if kind == "application/cloudevents+json":
        return [_event(json.loads(request.body))]
    attributes = {n.removeprefix("ce-"): unquote(v) for n, v in request.headers.items() if n.startswith("ce-")}
    if not attributes:
        raise _invalid("neither its content type nor its headers (ce-…) say that it is one")
    data = json.loads(request.body) if request.body and "json" in (kind or "json") else None
    return [_event({**attributes, "data": data})]


def _event(told: Any) -> CloudEvent:
    if not isinstance(told, dict):
        raise _invalid("an event is a record")
    missing = [name for name in _NEEDED if not isinstance(told.get(name), str) or not told[name]]
    if missing:
        raise _invalid(f"it has no {', '.join(missing)}")
    if not told["specversion"].startswith("1."):
        raise _invalid("only CloudEvents 1.x are read")
    subject, time = told.get("subject"), told.get("time")
    return CloudEvent(
        told["id"], told["source"], told["type"], None if subject is None else str(subject),
        None if time is None else str(time), _data(told),
    )  # fmt: skip


def _data(told: dict[str, Any]) -> Any:
    """The data of a structured event, which may stand there in base64."""
    packed = told.get("data_base64")
    if packed is None:
        return told.get("data")
    try:
        content = base64.b64decode(packed, validate=True)
    except (TypeError, ValueError):
        raise _invalid("its data_base64 is none") from None
    return json.loads(content) if "json" in str(told.get("datacontenttype", "json")) else None


def _invalid(why: str) -> Invalid:
    return Invalid([Finding("", "cloudevents", f"this is no CloudEvent: {why}", "See cloudevents.io, HTTP binding.")])
