"""Golden records as of a time: what was known then, or what was so then as it is known now."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from landbridge.time import EPOCH
from mdm.hub._change import Matching
from mdm.store import reading
from mdm.store._reading import Stored, Was
from mdm.survive import Golden, Member, Pin, survive


class AsOf(NamedTuple):
    """A golden record made anew from the versions of its records, and the version that was stored then."""

    golden: Golden
    stored: Stored

    @property
    def reproduced(self) -> bool:
        """Whether what is made anew is what was stored."""
        return self.golden.hash == self.stored.hash

    @property
    def erased(self) -> bool:
        """Whether a record of it was erased since: then it cannot be what was stored, and nothing is broken."""
        return self.stored.erased_at is not None


def as_of(
    connection: Connection,
    matching: Matching,
    golden: UUID,
    *,
    valid: datetime | None = None,
    recorded: datetime | None = None,
) -> AsOf | None:
    """A golden record with the records it held at `recorded`, as their sources had them at `valid`.

    None where it did not exist then. It is made from the records' versions, not read from the stored golden version,
    so that the two can be held against each other.
    """
    stored = reading.stored(connection, [golden], recorded).get(golden)
    if stored is None or stored.state == "retired":
        return None
    held = reading.was(connection, golden, valid, recorded)
    members = [_member(matching, one) for one in held if one.stamp is not None or one.gone_stamp is not None]
    if not members:
        return None
    pins = [
        Pin(one.id, one.attribute, one.value, one.at, one.actor, one.losing)
        for one in reading.pinned(connection, [one.id for one in held], recorded)
    ]
    return AsOf(survive(members, matching.declaration, pins), stored)


def _member(matching: Matching, one: Was) -> Member:
    content = None if one.stamp is None else (one.stamp, one.sequence, one.digest)
    gone = None if one.gone_stamp is None else (one.gone_stamp, one.gone_sequence, one.gone_digest)
    body = one.body or {}
    return Member(
        one.id,
        one.system,
        one.scope,
        one.key,
        one.stamp or EPOCH,
        one.sequence or 0,
        one.digest.hex() if one.digest else "",
        body,
        matching.features(matching.declaration, body) if body else {},
        content is None or (gone is not None and gone > content),
    )
