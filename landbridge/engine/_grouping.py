"""Step 4 with a hub: records are grouped, carry their golden values from there on, and its own feeds hear of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection

from landbridge import strict
from landbridge.engine._hub import Golden, Grouped, Hub, Sighting
from landbridge.engine._parts import Parts
from landbridge.store import groups, hooks, identity, inbox
from landbridge.store._identity import Key, Who
from landbridge.store._inbox import Incoming, Received


class Told(Protocol):
    """A message as grouping reads and changes it."""

    received: Received
    canonical: dict[str, Any] | None
    golden: dict[str, Any] | None
    gone: bool
    subject: UUID | None
    chain: UUID | None


@dataclass(frozen=True, slots=True)
class Grouping:
    """Tells the hub one feed's batch and does what it says, in the transaction that processes the batch."""

    parts: Parts
    hub: Hub
    system: str
    entity: str

    def group(self, connection: Connection, messages: Sequence[Told], who: dict[Key, Who]) -> None:
        """Give every message the golden record of its record: subject, lane, and values."""
        sightings = self.sightings(connection, messages, who)
        if not sightings:
            return
        grouped = self.hub.take(connection, self.entity, sightings, self.parts.clock.now())
        lanes = regroup(connection, self.parts, self.entity, grouped, {one.record for one in sightings})
        for message in messages:
            known = who.get(self._key(message)) if message.subject else None
            golden = (
                grouped.golden.get(grouped.groups[known.record]) if known and known.record in grouped.groups else None
            )
            if golden is not None:
                self._become(message, golden, lanes)

    def sightings(self, connection: Connection, messages: Sequence[Told], who: dict[Key, Who]) -> list[Sighting]:
        """What the hub is told of these messages; records that stand under another's id get one of their own."""
        keys = {self._key(message) for message in messages if message.subject}
        who |= groups.separate(connection, keys, self.parts.ids, self.parts.clock.now())
        return [one for message in messages if (one := self._sighting(message, who)) is not None]

    def _become(self, message: Told, golden: Golden, lanes: Mapping[UUID, UUID]) -> None:
        message.subject = golden.id
        message.chain = lanes.get(golden.id, message.chain)
        message.golden = None if golden.body is None else dict(golden.body)
        message.gone = golden.body is None

    def _key(self, message: Told) -> Key:
        return Key(self.system, self.entity, message.received.scope, message.received.key)

    def _sighting(self, message: Told, who: Mapping[Key, Who]) -> Sighting | None:
        received, known = message.received, who.get(self._key(message))
        if known is None or (received.action == "upsert" and message.canonical is None):
            return None
        into = who.get(Key(self.system, self.entity, received.scope, received.into)) if received.into else None
        return Sighting(
            record=known.record,
            system=self.system,
            scope=received.scope,
            key=received.key,
            action=received.action,  # type: ignore[arg-type]  # the store's check constraint allows these three
            stamp=received.stamp,
            received_at=received.of_at or received.received_at,
            sequence=received.of or received.id,
            body=message.canonical if received.action == "upsert" else None,
            together=known.subject if known.subject != known.record else None,
            into=into.record if into is not None else None,
        )


def regroup(
    connection: Connection, parts: Parts, entity: str, grouped: Grouped, told: Collection[UUID] = ()
) -> dict[UUID, UUID]:
    """Let the cross-reference follow the hub, send again what that concerns, and publish; returns the groups' lanes.

    A steward's decision comes this way with nothing `told`; a batch of messages with the records that it brings itself.
    """
    now = parts.clock.now()
    lanes, moved = groups.regroup(connection, grouped.groups, now)
    living = {id_ for id_, one in grouped.golden.items() if one.body is not None}
    spared = {record for record, golden in grouped.groups.items() if golden in living}
    groups.cancel_deletes(connection, spared | (living & set(grouped.groups.values())), now)
    feeds = groups.again(connection, (moved | {one.id for one in grouped.changed}) - set(told), now)
    feeds += groups.again_referring(connection, moved, now)
    published = publish(connection, parts, entity, grouped.changed)
    hooks.notify(connection, feeds.keys() | published)
    return lanes


def publish(connection: Connection, parts: Parts, entity: str, changed: Sequence[Golden]) -> set[int]:
    """Put golden records that changed into the hub's own feed, where a flow subscribes to it; returns that feed.

    In the transaction of the change: a golden version is published once, in order, or not made at all.
    """
    system = parts.hub_system
    if not changed or system is None or not parts.subscribed(system, entity):
        return set()
    now = parts.clock.now()
    feed, _ = inbox.feed(connection, system, entity)
    identity.link(connection, [(Key(system, entity, "", str(one.id)), one.id) for one in changed], now, "source")
    inbox.receive(connection, feed, [_message(parts, one) for one in changed], now)
    return {feed}


def _message(parts: Parts, one: Golden) -> Incoming:
    digest = strict.json.digest(one.body) if one.body is not None else b""
    action = "upsert" if one.body is not None else "merge" if one.into else "delete"
    change = f"{one.id}\x00{one.version}\x00{action}\x00{one.into}".encode()
    return Incoming(
        key=str(one.id),
        body=None if one.body is None else dict(one.body),
        fingerprint=blake2b(change, digest_size=16).digest(),
        digest=digest,
        trace=parts.ids(),
        action=action,
        stamp=f"{one.version:012d}",
        version=str(one.version),
        into=None if one.into is None else str(one.into),
    )
