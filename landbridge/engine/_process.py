"""Steps 2 to 4, canonicalise, check, resolve: a batch of messages becomes outbox rows, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import stamina
from sqlalchemy import Connection

from landbridge.engine import _spans as spans
from landbridge.engine._echo import echoes
from landbridge.engine._faults import fault
from landbridge.engine._grouping import Grouping
from landbridge.engine._hub import Sighting
from landbridge.engine._orders import settle_status
from landbridge.engine._parts import STATES, Parts
from landbridge.engine._refs import Places, chain_key, key_of, name_lines, references, resolve
from landbridge.errors import ConfigError, Finding, Invalid, Problem
from landbridge.settings import Flow, Route
from landbridge.store import control, groups, identity, inbox, locked_out, outbox, quality
from landbridge.store._identity import Key, Who
from landbridge.store._inbox import Processed, Received
from landbridge.store._outbox import Outgoing
from landbridge.translator import Context

DELETE_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A flow's route as a feed sees it."""

    id: int
    flow: Flow
    route: Route


@dataclass(slots=True)
class _Message:
    received: Received
    canonical: dict[str, Any] | None = None
    refers: Sequence[Key] = ()
    missing: Sequence[Key] = ()  # references to records that nothing has brought yet
    findings: Sequence[Finding] = ()
    checked: dict[str, list[Finding]] = field(default_factory=dict)  # by the name of the rules
    subject: UUID | None = None
    chain: UUID | None = None
    version: int | None = None
    echo: bool = False
    golden: dict[str, Any] | None = None  # the values of its golden record, where a hub keeps one
    gone: bool = False  # no record of its golden record lives any more

    @property
    def resolved(self) -> dict[str, Any] | None:
        """The body that leaves: the golden values where there are any."""
        return self.golden if self.golden is not None else self.canonical

    @property
    def deletes(self) -> bool:
        """Whether it ends its record; while others of the golden record live, it only changes that one."""
        return self.gone or (self.received.action != "upsert" and self.golden is None)


@dataclass(slots=True)
class Process:
    """Processes one feed's messages for every flow that subscribes to it."""

    parts: Parts
    system: str
    entity: str
    subscriptions: Sequence[Subscription]
    counts: Counter[str] = field(default_factory=Counter)
    elsewhere: bool = False  # another worker was at this feed when it was last asked
    _at_gate: dict[tuple[str, int], list[Finding]] = field(default_factory=dict)  # by flow and message

    @property
    def size(self) -> int:
        """How many messages are processed at a time."""
        return self.parts.size(s.flow for s in self.subscriptions)

    def batch(self) -> int:
        """Process the oldest messages that wait; returns how many. 0 also if another worker is at it.

        Two feeds that refer to each other's new records may lock each other out: the one that lost begins again.
        """
        for attempt in stamina.retry_context(on=locked_out, attempts=5, wait_initial=0.05, timeout=None):
            with attempt:
                return self._batch()
        return 0  # never reached: the last attempt returns or raises

    def _batch(self) -> int:
        start, rows = spans.began(self.parts), list[Outgoing]()
        with self.parts.store.transaction("process", wait=False) as connection:
            received = inbox.begin_processing(connection, self.system, self.entity, self.size)
            self.elsewhere = received is None
            if received:
                self.parts.up_to_date(connection)
                rows = self.work(connection, received)
        spans.processed(self.parts, start, (self.system, self.entity), received or (), rows)
        return len(received or ())

    def work(self, connection: Connection, received: Sequence[Received]) -> list[Outgoing]:
        """Canonicalise, check and resolve these messages and queue what follows, in the caller's transaction."""
        messages = [self._canonicalise(message) for message in received]
        if any(s.flow.check.quality != "none" for s in self.subscriptions):
            self._at_gate = quality.take_findings(connection, [message.id for message in received])
        self._resolve(connection, messages)
        supersede = {s.id for s in self.subscriptions if s.route.entity in STATES}
        outgoing = [row for message in messages for row in self._fan_out(connection, message)]
        outbox.put(connection, outgoing, self.parts.clock.now(), supersede)
        done = [Processed(m.received.id, m.received.received_at, m.subject, m.version, m.resolved) for m in messages]
        inbox.end_processing(connection, done, self._mapping.digest, [s.id for s in self.subscriptions])
        return outgoing

    # -- canonicalise ------------------------------------------------------------------------------------------------

    @property
    def _mapping(self) -> Any:
        try:
            return self.parts.mappings[self.system, self.entity]
        except KeyError:
            raise ConfigError(
                [Problem("mappings", 0, 0, f"there is no mapping that reads {self.entity} of {self.system}.")]
            ) from None

    def _canonicalise(self, received: Received) -> _Message:
        message = _Message(received)
        if received.action == "upsert" and received.body is None:
            message.findings = [_forgotten(self.system)]
        elif received.action == "upsert":
            found = canonicalise(self.parts, self._mapping, self.entity, received.body, self.system, received.scope)
            if isinstance(found, Invalid):
                message.findings = found.findings
            else:
                message.canonical = found
        return message

    # -- resolve -----------------------------------------------------------------------------------------------------

    def _resolve(self, connection: Connection, messages: Sequence[_Message]) -> None:
        who, known_before = self._identify(connection, messages)
        grouping = self.grouping
        if grouping is not None:
            grouping.group(connection, [message for message in messages if self._passes(message)], who)
        else:
            self._merge(connection, messages, who)
        if self.parts.hub is not None:
            self._keep_references(connection, messages, who)
        self._number(connection, messages)
        for message in echoes(connection, self.parts.systems[self.system], self.entity, known_before):
            message.echo = True

    def sighted(self, connection: Connection, received: Sequence[Received]) -> tuple[list[Sighting], int]:
        """What the hub would be told of these messages, in the caller's transaction, and how many it would not be.

        Records are given their ids as ever; nothing else is kept.
        """
        grouping = self.grouping
        if grouping is None:
            return [], len(received)
        messages = [self._canonicalise(message) for message in received]
        who, _ = self._identify(connection, messages)
        found = grouping.sightings(connection, [message for message in messages if self._passes(message)], who)
        return found, len(received) - len(found)

    def _identify(self, connection: Connection, messages: Sequence[_Message]) -> tuple[dict[Key, Who], list[_Message]]:
        """Who these records and those they refer to are, minted at first sight; and the messages of known ones."""
        found = _References(self.parts.places(self.entity))
        for message in messages:
            if message.canonical is not None:
                message.refers = found.add(message.canonical)
        own = {self._key(m.received.key, m.received.scope) for m in messages}
        own |= {self._key(m.received.into, m.received.scope) for m in messages if m.received.into}
        remembered = self.parts.subjects.of(self.system, self.parts.clock.now())
        who = identity.lookup(connection, own | (found.keys - remembered.keys()))
        parents = {key: one for key, one in who.items() if key not in own}
        remembered.update({key: one for key, one in parents.items() if not one.mentioned and not one.lines})
        who |= {key: remembered[key] for key in found.keys & remembered.keys()}
        known_before = [m for m in messages if self._key(m.received.key, m.received.scope) in who]
        who |= self._mint_references(connection, found.keys - who.keys() - own)
        who |= self._mint_own(connection, messages, who)
        identity.appear(connection, {key for key in own if key in who and who[key].mentioned})
        for message in messages:
            message.missing = [key for key in message.refers if key not in own and key in who and who[key].mentioned]
            known = who.get(self._key(message.received.key, message.received.scope))
            if known is not None:
                message.subject, message.chain = known.subject, known.chain
        for message in messages:
            if message.canonical is not None:
                key = self._key(message.received.key, message.received.scope)
                name_lines(message.canonical, key, who)
        found.resolve(who)
        return who, known_before

    @property
    def grouping(self) -> Grouping | None:
        """How the hub groups this feed's records; None where nobody asks it, or the feed is its own."""
        hub = self.parts.hub
        if hub is None or self.entity not in hub.entities or self.system == self.parts.hub_system:
            return None
        return Grouping(self.parts, hub, self.system, self.entity) if self._asking else None

    @property
    def _asking(self) -> list[Flow]:
        """The flows that ask the hub about their own records."""
        return [s.flow for s in self.subscriptions if s.flow.policy(self.entity) == "match"]

    def _passes(self, message: _Message) -> bool:
        """Whether the hub is told: what each flow that would ask it sets aside does not become a golden value."""
        return any(not self._required(message, flow) and not self._judged(message, flow)[0] for flow in self._asking)

    def _keep_references(self, connection: Connection, messages: Sequence[_Message], who: Mapping[Key, Who]) -> None:
        kept = self.parts.hub.entities if self.parts.hub is not None else ()
        groups.keep_references(
            connection,
            {
                (message.received.id, message.received.received_at, who[key].record)
                for message in messages
                for key in message.refers
                if key.entity in kept and key in who
            },
        )

    def _key(self, id_: str | None, scope: str) -> Key:
        return Key(self.system, self.entity, scope, id_ or "")

    def _mint_references(self, connection: Connection, missing: set[Key]) -> dict[Key, Who]:
        return identity.mint(connection, missing, {}, self.parts.ids, self.parts.clock.now(), "reference")

    def _mint_own(self, connection: Connection, messages: Sequence[_Message], who: Mapping[Key, Who]) -> dict[Key, Who]:
        """Subjects of records first seen now; a deletion of a record we never saw mints nothing."""
        missing: dict[Key, UUID | None] = {}
        for message in messages:
            key = self._key(message.received.key, message.received.scope)
            if key in who or (message.received.action == "delete"):
                continue
            document = chain_key(message.canonical) if message.canonical else None
            chain = who.get(document) if document else None
            missing[key] = chain.chain if chain else None
            if message.received.into:
                missing.setdefault(self._key(message.received.into, message.received.scope), None)
        missing = {key: chain for key, chain in missing.items() if key not in who}
        chains = {key: chain for key, chain in missing.items() if chain is not None}
        return identity.mint(connection, set(missing), chains, self.parts.ids, self.parts.clock.now(), "source")

    def _merge(self, connection: Connection, messages: Sequence[_Message], who: Mapping[Key, Who]) -> None:
        for message in messages:
            if message.received.action == "merge" and message.received.into and message.subject:
                winner = who.get(self._key(message.received.into, message.received.scope))
                if winner and winner.subject != message.subject:
                    identity.merge(connection, message.subject, winner.subject)
                    groups.cancel_deletes(connection, [message.subject], self.parts.clock.now())

    def _number(self, connection: Connection, messages: Sequence[_Message]) -> None:
        for message in messages:
            if message.received.was_version is not None and message.subject == message.received.was_subject:
                message.version = message.received.was_version  # a replay is as old as it was: it overtakes nothing
        counts = Counter(m.subject for m in messages if m.subject is not None and m.version is None)
        following = identity.next_versions(connection, counts)
        for message in messages:
            if message.subject is not None and message.version is None and message.subject in following:
                message.version = following[message.subject]
                following[message.subject] += 1

    # -- check and fan out -------------------------------------------------------------------------------------------

    def _fan_out(self, connection: Connection, message: _Message) -> list[Outgoing]:
        took = message.received.was_routes or ()
        rows = [self._row(connection, message, one) for one in self.subscriptions if one.id not in took]
        self.counts.update(row.state if row.state != "ready" else "processed" for row in rows)
        return rows

    def _row(self, connection: Connection, message: _Message, subscription: Subscription) -> Outgoing:
        received = message.received
        row = Outgoing(
            received.id,
            subscription.id,
            message.subject,
            message.version,
            message.chain,
            "delete" if message.deletes else "upsert",
            received.received_at,
        )
        findings = list(message.findings) or self._required(message, subscription.flow)
        noted: list[Finding] = []
        if not findings:
            findings, noted = self._gate(connection, message, subscription)
        row.findings = [finding.as_dict() for finding in noted] or None
        if findings:
            row.state, row.code, row.subject, row.version = "quarantined", "invalid", None, None
            row.findings = [finding.as_dict() for finding in (*findings, *noted)]
            row.reason = str(Invalid(findings))
        elif message.subject is None:
            row.state, row.code = "suppressed", "never_seen"
        elif not subscription.flow.deliver:  # the hub was told in this very transaction
            row.state, row.code = ("delivered", "hub") if self.grouping is not None else ("suppressed", "no_hub")
        elif message.echo and not self._owns_some(subscription.route.entity):
            row.state, row.code = "suppressed", "echo"
        elif not message.deletes:
            pass
        elif received.action == "merge" and subscription.route.on_merge != "block":
            row.state, row.code = "suppressed", "merged"
        elif subscription.route.on_delete == "ignore" and received.action != "merge":
            row.state, row.code = "suppressed", "delete_ignored"
        elif received.action != "merge":
            # A merge often shows first as a deletion: wait for the feed's next reading before acting on it.
            row.due = self.parts.clock.now() + max(DELETE_GRACE, subscription.flow.extract.every)
        return row

    def _required(self, message: _Message, flow: Flow) -> list[Finding]:
        return [
            Finding(
                key.entity,
                "require",
                f"{self.system} {key.entity} {key.id} is not known here, and the flow requires it",
                f"Create it through the flow that carries {key.entity} to {self.system}, or write "
                f"`resolve: {{{key.entity}: match}}` to let the message wait for it.",
            )
            for key in message.missing
            if flow.policy(key.entity) == "require"
        ]

    def _gate(
        self, connection: Connection, message: _Message, subscription: Subscription
    ) -> tuple[list[Finding], list[Finding]]:
        """What holds the message up on a route, and what is only kept beside it; a flow that stops for it is paused."""
        flow, check = subscription.flow.flow, subscription.flow.check
        failed, noted = self._judged(message, subscription.flow)
        at_gate = self._at_gate.get((flow, message.received.id), ())
        if failed and check.on_fail == "stop" and not at_gate:  # the gate has stopped for what it found itself
            reason = f"{self.system} {self.entity} {message.received.key} failed its check: {Invalid(failed)}"
            if control.pause(connection, flow, reason, self.parts.clock.now()):
                self.counts["paused"] += 1
        if noted:
            self.counts["noted"] += 1
        return failed, noted

    def _judged(self, message: _Message, flow: Flow) -> tuple[list[Finding], list[Finding]]:
        """What the quality rules of a flow find: what holds the message up, and what does not."""
        check = flow.check
        if check.quality == "none" or message.canonical is None:
            return [], []
        if check.quality not in message.checked and self.parts.check is not None:
            message.checked[check.quality] = self.parts.check(check.quality, message.canonical)
        at_gate = self._at_gate.get((flow.flow, message.received.id), ())
        found = list(dict.fromkeys((*at_gate, *message.checked.get(check.quality, ()))))  # what both see counts once
        noted = [finding for finding in found if finding.noted or check.on_fail == "warn"]
        return [finding for finding in found if finding not in noted], noted

    def _owns_some(self, entity: str) -> bool:
        fields = self.parts.ownership.entity(entity).fields
        return any(owner.owner == self.system for owner in fields.values())


def _forgotten(system: str) -> Finding:
    """What is queued once more for its group, after retention dropped the body that it came with."""
    told = "its group changed, and what it said itself is no longer kept (retention)"
    return Finding("", "forgotten", told, f"Change it in {system}, or reconcile the flow: that reads it there anew.")


def canonicalise(
    parts: Parts, mapping: Any, entity: str, native: dict[str, Any], system: str, scope: str
) -> dict[str, Any] | Invalid:
    """Step 2 for one record: its canonical body, valid against its schema, or what is wrong with it."""
    context = Context(system=system, scope=scope, now=parts.clock.now())
    try:
        if inbox.UNSTORABLE in native:
            return Invalid([Finding("", "text", native[inbox.UNSTORABLE], "Correct it at the source.")])
        canonical: dict[str, Any] = mapping.read(native, context)
        parts.schema.check(entity, canonical)
        settle_status(entity, canonical)
    except Invalid as error:
        return error
    except Exception as error:  # noqa: BLE001 - a fault in one record's mapping must not stop its feed
        return fault("canonicalise", error)
    return canonical


class _References:
    """The unresolved references of a batch: collected once, looked up together, resolved in place."""

    def __init__(self, places: Places | None) -> None:
        self.keys: set[Key] = set()
        self._places = places
        self._found: list[tuple[dict[str, Any], Key]] = []

    def add(self, body: dict[str, Any]) -> list[Key]:
        """Collect the references of one body; returns them."""
        found = []
        for reference in references(body, self._places):
            key = key_of(reference)
            found.append(key)
            self._found.append((reference, key))
        self.keys.update(found)
        return found

    def resolve(self, who: Mapping[Key, Who]) -> None:
        """Resolve every collected reference."""
        for reference, key in self._found:
            if key in who:
                resolve(reference, who[key])
