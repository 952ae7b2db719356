"""From what changed to golden records: the components it touches, their partition, values, lineage and changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge.strict import json
from landbridge.time import EPOCH
from mdm.cluster import Refuses, partition_numbers
from mdm.hub._change import Matching, Regrouped
from mdm.hub._crowd import reach
from mdm.store import groups
from mdm.store._groups import Changed, Component, Found, Notice, Outcome, Version
from mdm.survive import Golden, Member, Pin, survive

EVIDENCE = 20.0
"""Bits of a system's word that two of its records are one, or the automatic threshold where that is more."""


def regroup(
    connection: Connection,
    entity: str,
    matching: Matching,
    at: datetime,
    seeds: Collection[UUID],
    *,
    revalued: Collection[UUID] = (),
    new: Collection[UUID] = (),
    notices: Collection[Notice] = (),
) -> list[Regrouped]:
    """Group anew everything that hangs together with `seeds` and write what follows; who moved.

    `revalued` are records whose content or pins changed, `new` those that no golden record has held.
    """
    declared = matching.declaration
    most = 4 * declared.guard.members + 16 * len(seeds)
    found = groups.component(connection, seeds, declared.thresholds.auto, most)
    far: Mapping[UUID, bool] = {}
    if found is None:
        found, far = reach(connection, seeds, declared)
    gathered, crowds = divide(matching, found, far)
    crowded = crowds | {id_ for id_, is_ in far.items() if is_}
    outcome = Outcome(notices=list(notices))
    regrouped = assign(found, gathered, crowded, set(new), outcome)
    values(matching, found, gathered, set(revalued) | set(new), regrouped, outcome)
    groups.settle(connection, entity, at, declared.digest, outcome)
    return regrouped


def divide(
    matching: Matching, found: Component, crowd: Mapping[UUID, bool]
) -> tuple[dict[UUID, tuple[UUID, ...]], set[UUID]]:
    """Golden id → its records, in every component found; and the records of components that are left to a person.

    A golden record has the id of the oldest record in it. Equal averages go by system and id, not by age.
    """
    declared, known = matching.declaration, found.records
    ordered = sorted(known, key=lambda id_: (known[id_].system, known[id_].scope, known[id_].key, id_))
    place = {id_: n for n, id_ in enumerate(ordered)}
    spot = {number: place[id_] for number, id_ in found.numbers.items()}
    edges = [(spot[a], spot[b], bits) for a, b, bits in found.edges]
    far = {n for n, id_ in enumerate(ordered) if crowd.get(id_)} if crowd else set[int]()
    links = [(place[a], place[b], kind) for a, b, kind in found.links if a in place and b in place]
    told = max(EVIDENCE, declared.thresholds.auto)
    edges += [(a, b, told) for a, b, kind in links if kind == "told"]
    if far:
        edges = [edge for edge in edges if edge[0] not in far and edge[1] not in far]
    refuses, kinds = _conflicts(matching, [known[id_] for id_ in ordered])
    groups, crowds = partition_numbers(
        len(ordered),
        edges,
        [(a, b) for a, b, kind in links if kind == "same"],
        [(a, b) for a, b, kind in links if kind in ("different", "parent", "child")],
        declared.guard,
        declared.thresholds.auto,
        refuses=refuses,
        kinds=kinds,
    )
    gathered = sorted(tuple(sorted(ordered[n] for n in group)) for group in groups)
    return {group[0]: group for group in gathered}, {ordered[n] for members, _, _ in crowds for n in members}


def _conflicts(matching: Matching, known: Sequence[Found]) -> tuple[Refuses | None, Sequence[int] | None]:
    """Who of these cannot be one unless a steward says so, and which of them are alike in that."""
    exclusive = matching.declaration.one_to_one
    columns = [one.column for one in matching.declaration.identifiers if one.apart]
    codes: dict[Any, int] = {}
    kinds = []
    for one in known:
        said = tuple(str(one.features.get(column) or "") for column in columns)
        kinds.append(codes.setdefault((said, exclusive and one.system), len(codes)))
    if any(one.parent is not None for one in known):
        return lambda a, b: _conflicting(matching, known[a], known[b]), None
    if len(codes) == 1 and not exclusive:
        return None, None
    return lambda a, b: _conflicting(matching, known[a], known[b]), kinds


def _conflicting(matching: Matching, a: Found, b: Found) -> bool:
    """Whether two records cannot be one unless a steward says so."""
    if matching.declaration.one_to_one and a.system == b.system:
        return True
    if a.parent == b.id or b.parent == a.id:
        return True
    return matching.scorer.apart(a.features, b.features)


def assign(
    found: Component, gathered: Mapping[UUID, tuple[UUID, ...]], crowded: set[UUID], new: set[UUID], outcome: Outcome
) -> list[Regrouped]:
    """Note which records belong elsewhere from now on; who moved."""
    regrouped = []
    for golden, members in gathered.items():
        for id_ in members:
            record = found.records[id_]
            if record.golden != golden or record.crowded != (id_ in crowded):
                outcome.moved[id_] = (golden, id_ in crowded)
            if record.golden != golden or id_ in new:
                outcome.joined[id_] = golden
                regrouped.append(Regrouped(id_, golden, None if id_ in new else record.golden))
    return regrouped


def values(
    matching: Matching,
    found: Component,
    gathered: Mapping[UUID, tuple[UUID, ...]],
    revalued: set[UUID],
    regrouped: Collection[Regrouped],
    outcome: Outcome,
) -> None:
    """Note versions of the golden records that may say something else now, and of those that are no more."""
    home = {id_: golden for golden, members in gathered.items() for id_ in members}
    touched = {home[id_] for id_ in revalued if id_ in home} | {one.golden for one in regrouped}
    left = {one.before for one in regrouped if one.before is not None}
    touched |= left & gathered.keys()
    pins: dict[UUID, list[Pin]] = {}
    for pin in found.pins:
        if pin.record in home:
            held = Pin(pin.id, pin.attribute, pin.value, pin.at, pin.by, pin.losing)
            pins.setdefault(home[pin.record], []).append(held)
    for golden in sorted(touched):
        members = [member_of(found.records[id_]) for id_ in gathered[golden]]
        made = survive(members, matching.declaration, pins.get(golden, ()))
        came = {one.before for one in regrouped if one.golden == golden}
        _version(golden, made, found, came, outcome)
        for held in pins.get(golden, ()):
            moved = None
            if held.attribute in made.moved:
                hides = made.unpinned.get(held.attribute)
                moved = {"golden": str(golden), "attribute": held.attribute, "hides": hides}
            outcome.notices.append(Notice("pin_moved", held.id, moved))
    for golden in sorted(left - gathered.keys()):
        last = found.golden.get(golden)
        if last is not None and last.state != "retired":
            retired = Version(golden, last.version + 1, "retired", b"{}", _NO_LINEAGE, b"{}", "")
            outcome.versions.append(retired)
            outcome.changes.append(Changed(golden, retired.version, "merge", home[golden]))


_NO_LINEAGE = json.dumps({"versions": [], "stories": []})


def _version(golden: UUID, made: Golden, found: Component, came: set[UUID | None], outcome: Outcome) -> None:
    last = found.golden.get(golden)
    state = "deleted" if made.deleted else "active"
    values, lineage, quality = written(made)
    same = last is not None and last.state == state and last.hash == made.hash
    if last is not None and same and last.lineage == groups.sealed(lineage):
        return
    number = 1 if last is None else last.version + 1
    outcome.versions.append(Version(golden, number, state, values, lineage, quality, made.hash))
    if not same:
        outcome.changes.append(Changed(golden, number, _kind(last.state if last else None, made.deleted, came)))


def _kind(before: str | None, deleted: bool, came: set[UUID | None]) -> str:
    if deleted:
        return "delete"
    if before in (None, "retired"):
        return "split" if came and None not in came else "create"
    return "update"


def written(made: Golden) -> tuple[bytes, bytes, bytes]:
    """Values, lineage and quality as they are kept."""
    return (
        json.dumps(made.values, sort=True),
        json.dumps(made.lineage),
        json.dumps(made.quality, sort=True),
    )


def member_of(record: Found) -> Member:
    """A record of a component as survivorship sees it."""
    return Member(
        record.id,
        record.system,
        record.scope,
        record.key,
        record.stamp or EPOCH,
        record.sequence,
        record.digest,
        record.body,
        record.features,
        record.deleted,
    )


def unidentified(id_: UUID, known: Any) -> Notice:
    """Say, or take back, that a record has nothing to be compared by."""
    return Notice("unidentified", id_, None if known else {"record": str(id_)})
