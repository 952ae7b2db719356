"""Crowds: components beyond the guard. They are never read whole, and never merged without a steward."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Connection

from mdm.declaration import Declaration
from mdm.store import groups
from mdm.store._groups import Component


def reach(
    connection: Connection, seeds: Collection[UUID], declared: Declaration
) -> tuple[Component, Mapping[UUID, bool]]:
    """What hangs together with these records, as far as it must be known; and which of it stands in a crowd.

    A component is followed until it is closed, or until it has more records than the guard allows and everything
    at its border stood in a crowd before: then the rest of it is as it was. What stewards joined is always followed.
    """
    found = _Reach(groups.crowded(connection, seeds), declared.guard.members)
    frontier = set(found.crowded)
    while frontier:
        steps = groups.neighbours(connection, frontier, declared.thresholds.auto)
        fresh: set[UUID] = set()
        joined: set[UUID] = set()
        for step in steps:
            if step.id not in found.home:
                found.add(step.id, step.crowded)
                fresh.add(step.id)
            if step.joined:
                joined.add(step.id)
            found.join(step.of, step.id)
        found.done |= frontier
        border = (found.border | fresh) - found.done
        frontier = {id_ for id_ in border if id_ in joined or not found.crowded[id_] or not found.is_crowd(id_)}
        found.border = border - frontier
    crowd = {id_: found.is_crowd(id_) for id_ in found.done}  # what lies beyond stays as it is, stewards' groups too
    return groups.gather(connection, list(crowd), [id_ for id_, is_ in crowd.items() if is_]), crowd


class _Reach:
    """Records reached so far, and which of them hang together."""

    def __init__(self, seeds: Mapping[UUID, bool], members: int) -> None:
        self.crowded = dict(seeds)
        self.home = {id_: id_ for id_ in seeds}
        self.sizes = dict.fromkeys(seeds, 1)
        self.done: set[UUID] = set()
        self.border: set[UUID] = set()
        self._members = members

    def add(self, id_: UUID, crowded: bool) -> None:
        self.crowded[id_], self.home[id_], self.sizes[id_] = crowded, id_, 1

    def root(self, id_: UUID) -> UUID:
        while self.home[id_] != id_:
            self.home[id_] = self.home[self.home[id_]]
            id_ = self.home[id_]
        return id_

    def join(self, a: UUID, b: UUID) -> None:
        first, second = self.root(a), self.root(b)
        if first != second:
            self.home[second] = first
            self.sizes[first] += self.sizes[second]

    def is_crowd(self, id_: UUID) -> bool:
        return self.sizes[self.root(id_)] > self._members
