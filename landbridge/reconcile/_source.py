"""The source against the inbox: records that never came, changes that were skipped, deletions that were not told."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from landbridge.connector import Row
from landbridge.engine import incoming_of
from landbridge.reconcile._look import AT_ONCE, Look
from landbridge.reconcile._pairs import pairs
from landbridge.store import reconciling
from landbridge.store._reconcile import Difference

GONE = b""
"""The hash of a record that is gone at its source, and known to be."""

_BROUGHT = ("source", "adopt", "person")


@dataclass(frozen=True, slots=True)
class _Candidate:
    kind: str
    key: str
    hash: bytes | None
    known: Any | None


@dataclass(slots=True)
class Source:
    """Looks at a flow's feed. A hash only ever raises a suspicion: the record itself is read before it is a finding."""

    look: Look
    _suspected: list[_Candidate] = field(default_factory=list)
    _unqueued: list[Any] = field(default_factory=list)
    _gone: list[Any] = field(default_factory=list)

    def compare(self) -> None:
        """Walk over every key of the source and every record we know of it."""
        system, entity = self.look.flow.feed
        source, store = self.look.engine.parts.systems[system], self.look.engine.parts.store

        def page(low: str, high: str | None) -> list[Any]:
            with store.reading() as connection:
                return reconciling.feed_side(connection, self.look.feed_id, system, entity, low, high)

        for key, hash_, known in pairs(f"{system} {entity}", source.keys(entity), page):
            self._weigh(key, hash_, known)
        self._settle()
        self._settle_unqueued()
        self._keep_gone()

    def _weigh(self, key: str, hash_: bytes | None, known: Any | None) -> None:
        counts = self.look.counts
        counts["at_source"] += hash_ is not None
        if known is None or (known.linked_by == "reference" and known.message is None):
            if hash_ is not None:
                self._suspect("missing", key, hash_, None)
            return
        if hash_ is None:
            if _alive(known):
                counts["known"] += 1
                self._suspect("deleted", key, None, known)
            elif known.message is not None and known.hash != GONE:
                self._gone.append(known)
                if len(self._gone) >= AT_ONCE:
                    self._keep_gone()
            return
        counts["known"] += 1
        if not _agreed(known, hash_):
            self._suspect("late", key, hash_, known)
        else:
            self._weigh_routes(known)

    def _weigh_routes(self, known: Any) -> None:
        if known.processed and known.action == "upsert" and self._routes - set(known.routes or ()):
            self._unqueued.append(known)
            if len(self._unqueued) >= AT_ONCE:
                self._settle_unqueued()

    @property
    def _routes(self) -> set[int]:
        return {one.id for one in self.look.engine.subscriptions(self.look.flow.flow)}

    def _suspect(self, kind: str, key: str, hash_: bytes | None, known: Any | None) -> None:
        self._suspected.append(_Candidate(kind, key, hash_, known))
        if len(self._suspected) >= AT_ONCE:
            self._settle()

    def _keep_gone(self) -> None:
        """Deletions that were told: remembered for the time when their messages are no longer kept."""
        gone, self._gone = self._gone, []
        if gone:
            system, entity = self.look.flow.feed
            with self.look.engine.parts.store.transaction("reconcile", wait=False) as connection:
                reconciling.agree(
                    connection, "source", system, entity, [(one.key, GONE, one.message, None) for one in gone]
                )

    def _settle(self) -> None:
        """Read what is suspected, and keep what is so."""
        suspected, self._suspected = self._suspected, []
        if not suspected:
            return
        parts, (system, entity) = self.look.engine.parts, self.look.flow.feed
        now = {row.key: row for row in parts.systems[system].fetch(entity, [one.key for one in suspected])}
        there = [row for row in now.values() if row.action == "upsert"]
        with parts.store.transaction("reconcile", wait=False) as connection:
            came = reconciling.received(connection, self.look.feed_id, incoming_of(parts, there))
            agreed = [
                (one.key, one.hash, one.known.message if one.known is not None else None, None)
                for one in suspected
                if one.key in came and one.hash is not None
            ]
            if agreed:
                reconciling.agree(connection, "source", system, entity, agreed)
        for one in suspected:
            if one.key in came and one.known is not None:
                self._weigh_routes(one.known)
        self.look.counts["read"] += len(suspected)
        self.look.keep([found for one in suspected if (found := self._finding(one, now.get(one.key), came))])

    def _finding(self, one: _Candidate, row: Row | None, came: set[str]) -> Difference | None:
        system, entity = self.look.flow.feed
        scope = one.known.scope if one.known is not None else ""
        if one.kind == "deleted":
            if row is not None and row.action != "upsert":
                return Difference("deleted", one.key, system, entity, scope, one.key)
            self.look.counts["outside"] += 1  # it is there, but not among what the feed reads
        elif row is not None and row.action == "upsert" and one.key not in came:
            return Difference(one.kind, one.key, system, entity, row.scope, one.key)
        return None

    def _settle_unqueued(self) -> None:
        """Records that were received before a route was there, and are not in its target."""
        unqueued, self._unqueued = self._unqueued, []
        if not unqueued:
            return
        store, found = self.look.engine.parts.store, []
        for subscription in self.look.engine.subscriptions(self.look.flow.flow):
            missing = [one for one in unqueued if subscription.id not in (one.routes or ())]
            with store.reading() as connection:
                linked = reconciling.linked(connection, subscription.route.to, [one.subject for one in missing])
            target, entity = subscription.route.to, subscription.route.entity
            for one in missing:
                if one.subject not in linked:
                    found.append(Difference("unlinked", one.key, target, entity, one.scope, "", None))
        self.look.keep(found)


def _alive(known: Any) -> bool:
    """Whether the last we know of a record is that it exists."""
    if known.message is None:
        return bool(known.linked_by in _BROUGHT) and known.hash != GONE
    return bool(known.action == "upsert")


def _agreed(known: Any, hash_: bytes) -> bool:
    """Whether a hash proves that the last state was received: by the fingerprint, or by when both sides agreed."""
    if known.fingerprint is not None and known.action == "upsert":
        change = f"{known.scope}\x00{known.key}\x00{known.stamp}\x00upsert\x00{known.into_key}\x00".encode()
        if blake2b(change + hash_, digest_size=16).digest() == bytes(known.fingerprint):
            return True
    if known.hash is None or bytes(known.hash) != hash_:
        return False
    return known.message is None or known.message == known.agreed
