"""A span: something that was done, in the trace of a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from landbridge.telemetry._context import Parent

Kind = Literal["internal", "server", "client"]
Link = Parent
"""Another span that this one has to do with, without following from it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something that was done, from `start` to `end` (nanoseconds since 1970), in the trace of a message."""

    name: str
    trace: UUID
    id: int
    parent: int | None
    start: int
    end: int
    kind: Kind = "internal"
    attributes: Mapping[str, str | int | bool] = field(default_factory=dict)
    links: Sequence[Link] = ()
    failed: str = ""  # the class of the failure, such as `unavailable`; never its text
