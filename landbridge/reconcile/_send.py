"""What differs is sent again by the same way: read at its source, received into the inbox, processed, delivered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from landbridge import strict
from landbridge.connector import Row
from landbridge.engine import incoming_of, receive
from landbridge.reconcile._look import AT_ONCE, Look
from landbridge.reconcile._source import GONE
from landbridge.reconcile._target import standing
from landbridge.store import identity, inbox, operate, outbox, reconciling
from landbridge.store._identity import Key
from landbridge.store._reconcile import Difference

FROM_SOURCE = ("missing", "late", "deleted", "unlinked")
FROM_TARGET = ("lost", "changed")


@dataclass(slots=True)
class Send:
    """Sends what one look found; each batch is one transaction, so that it can be cut off anywhere and repeated."""

    look: Look

    def all(self, kinds: Sequence[str]) -> int:
        """Send the differences of these kinds; how many messages that made."""
        return sum(self._batch(differences) for differences in self._batches(kinds))

    def _batches(self, kinds: Sequence[str]) -> Iterator[list[Difference]]:
        after = 0
        while True:
            with self.look.engine.parts.store.reading() as connection:
                found = reconciling.kept(connection, self.look.run, after, AT_ONCE, kinds)
            if not found:
                return
            yield found
            after = found[-1].n

    def _batch(self, differences: Sequence[Difference]) -> int:
        parts, (system, entity) = self.look.engine.parts, self.look.flow.feed
        fetched = parts.systems[system].fetch(entity, list(dict.fromkeys(one.source_key for one in differences)))
        rows = {row.key: row for row in fetched}
        targets = self._targets([one for one in differences if one.kind == "changed"])
        plain: list[Row] = []  # the inbox itself knows what of these is news
        forced: dict[str, Row] = {}  # this very state was received before, and is to go out once more
        now = parts.clock.now()
        with parts.store.transaction("reconcile") as connection:
            gone = []
            for one in differences:
                row = rows.get(one.source_key)
                if row is None:
                    continue
                if row.action != "upsert":
                    gone.append((one.source_key, GONE, None, None))
                    plain.append(Row(row.key, None, action=row.action, scope=one.scope, into=row.into))
                elif one.kind in ("missing", "late"):
                    plain.append(row)
                elif one.kind != "deleted" and self._prepare(connection, one, targets):
                    forced[row.key] = row
            new = receive(connection, self.look.feed_id, incoming_of(parts, plain), now)
            inbox.insert(connection, self.look.feed_id, incoming_of(parts, list(forced.values())), now)
            reconciling.agree(connection, "source", system, entity, gone)
        return new + len(forced)

    def _targets(self, differences: Sequence[Difference]) -> dict[tuple[str, str, str], Row]:
        """The records of targets that were changed there, as they are now."""
        found: dict[tuple[str, str, str], Row] = {}
        for system, entity in {(one.system, one.entity) for one in differences}:
            ids = [one.id for one in differences if (one.system, one.entity) == (system, entity)]
            for row in self.look.engine.parts.systems[system].fetch(entity, ids):
                found[system, entity, row.key] = row
        return found

    def _prepare(self, connection: Connection, one: Difference, targets: dict[tuple[str, str, str], Row]) -> bool:
        """Make our picture of the target true, so that the next delivery writes what differs, and that alone."""
        if one.kind == "lost":
            operate.unlink(connection, Key(one.system, one.entity, one.scope, one.id))
        elif one.kind == "changed":
            row = targets.get((one.system, one.entity, one.id))
            shadow = outbox.shadows(connection, one.system, one.entity, {(one.scope, one.id)}).get((one.scope, one.id))
            if row is None or row.body is None or shadow is None:
                return False
            lines = self.look.engine.parts.systems[one.system].entity(one.entity).lines
            numbers = self._numbers(connection, one)
            content: dict[str, Any] = standing(row.body, shadow, numbers, lines)
            reconciling.set_shadow(connection, one, content, strict.json.digest(content))
        return True

    def _numbers(self, connection: Connection, one: Difference) -> dict[str, str]:
        key = Key(one.system, one.entity, one.scope, one.id)
        who = identity.lookup(connection, {key}).get(key)
        return dict(who.lines or {}) if who is not None else {}
