"""W3C Trace Context: which trace a message belongs to, and the ids of spans that another process must know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.ASCII)
_SAMPLED = 1


class Parent(NamedTuple):
    """The span that something follows from, perhaps of another program."""

    trace: UUID
    span: int


def parent_of(headers: Sequence[str]) -> Parent | None:
    """What the header `traceparent` says; None where it is missing, comes twice, or is not well-formed.

    The sender's flags are not read: whether a trace is sampled is for our own sampler to say.
    """
    if len(headers) != 1 or len(headers[0]) > 512 or not (found := _FORM.fullmatch(headers[0].strip(" \t"))):
        return None
    version, trace, span, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(span, 16):
        return None
    return Parent(UUID(hex=trace), int(span, 16))


def traceparent_of(trace: UUID, span: int, *, sampled: bool = True) -> str:
    """The header that carries a trace on."""
    return f"00-{trace.hex}-{span:016x}-{_SAMPLED if sampled else 0:02x}"


def told_span(trace: UUID, system: str, entity: str, scope: str, key: str) -> int:
    """The span under which a webhook told of a record: who receives it and who processes it make out the same."""
    name = "\0".join((system, entity, scope, key)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(trace.bytes + name, digest_size=8).digest()) or 1


def message_span(message: int) -> int:
    """The span under which a message was processed: its number, which whoever delivers it knows too."""
    return message & 0xFFFF_FFFF_FFFF_FFFF or 1
