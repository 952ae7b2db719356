"""A hub that a test can read at a glance: records with the same tax number are one, and what a test decides holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from landbridge.engine import Golden, Grouped, Sighting


class SmallHub:
    """Golden records in memory: the least record id names the group, the newest state gives the values."""

    entities = ("customer",)

    def __init__(self) -> None:
        self.state: dict[UUID, Sighting] = {}
        self.together: dict[UUID, UUID] = {}
        self.decided: dict[UUID, str] = {}  # record → a group's name, over its tax number
        self.versions: dict[UUID, tuple[int, Any]] = {}
        self.groups: dict[UUID, UUID] = {}

    def take(self, connection: Any, entity: str, sightings: Sequence[Sighting], now: Any) -> Grouped:
        for one in sightings:
            if one.record not in self.state and one.together is not None:
                self.together[one.record] = one.together
            if one.action != "merge":
                self.state[one.record] = one
        return self.settle({one.record for one in sightings})

    def decide(self, record: UUID, group: str) -> Grouped:
        """A steward's word."""
        self.decided[record] = group
        return self.settle(set())

    def settle(self, told: Iterable[UUID]) -> Grouped:
        before = dict(self.groups)
        members: dict[str, list[UUID]] = {}
        for record in sorted(self.state):
            members.setdefault(self._name(record), []).append(record)
        self.groups = {record: group[0] for group in members.values() for record in group}
        golden = {group[0]: self._golden(group) for group in members.values()}
        retired = {old: self.groups[old] for old in set(before.values()) if self.groups.get(old, old) != old}
        moved = {r: g for r, g in self.groups.items() if before.get(r) != g or r in set(told)}
        changed = [one for one in golden.values() if self._news(one)]
        changed += [Golden(old, 0, None, into) for old, into in retired.items()]
        return Grouped(moved, golden, [one for one in changed if one.into is None])

    def _name(self, record: UUID) -> str:
        if record in self.decided:
            return self.decided[record]
        if record in self.together:
            return self._name(self.together[record]) if self.together[record] in self.state else str(record)
        body = self.state[record].body or {}
        return str(body.get("tax") or record)

    def _golden(self, group: Sequence[UUID]) -> Golden:
        living = [self.state[r] for r in group if self.state[r].action == "upsert"]
        newest = max(living, key=lambda one: one.sequence, default=None)
        body: Mapping[str, Any] | None = None
        if newest is not None and newest.body is not None:
            body = {**newest.body, "sources": len(living)}
        version, content = self.versions.get(group[0], (0, None))
        return Golden(group[0], version + (content != body), body)

    def _news(self, one: Golden) -> bool:
        changed = self.versions.get(one.id) != (one.version, one.body)
        self.versions[one.id] = (one.version, one.body)
        return changed
