"""No echo: what we wrote comes back in the target's feed and is recognised there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from landbridge import strict
from landbridge.connector import Connector
from landbridge.store import identity, outbox
from landbridge.store._inbox import Received


class Candidate(Protocol):
    """A message that may be an echo."""

    received: Received
    canonical: Any
    subject: Any


M = TypeVar("M", bound="Candidate")


def project(native: Mapping[str, Any], onto: Iterable[str]) -> dict[str, Any]:
    """The part of a native record that we once wrote: the named fields as they stand there now."""
    return {name: native.get(name) for name in onto}


def echoes(connection: Connection, source: Connector[Any], entity: str, messages: Sequence[M]) -> list[M]:
    """The messages that only bring back what we delivered to their system.

    By the version the target had after our write; or because every field we wrote stands as we wrote it, or as
    the target gave it back then (truncated, padded, upper-cased). Equal to the *current* shadow, or it is news.
    """
    subjects = {m.subject for m in messages if m.subject is not None and m.received.action == "upsert"}
    links = identity.links(connection, source.name, subjects)
    written = {s: link for s, link in links.items() if link.delivered_version is not None}
    if not written:
        return []
    shadows = outbox.shadows(connection, source.name, entity, {(x.scope, x.id) for x in written.values()})
    found = []
    for message in messages:
        link = written.get(message.subject)
        if link is None or message.received.action != "upsert" or link.id != message.received.key:
            continue
        shadow = shadows.get((link.scope, link.id))
        by_version = message.received.version is not None and message.received.version == link.target_version
        if by_version or (shadow is not None and _stands(message.received.body, shadow)):
            found.append(message)
    return found


def _stands(native: Any, shadow: outbox.Shadow) -> bool:
    header = shadow.content.get("header") or {}
    if not header:
        return False
    now = strict.json.digest(project(native, header))
    return now in (strict.json.digest(header), shadow.returned)
