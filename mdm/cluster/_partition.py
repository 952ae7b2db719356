"""The partition of records into groups: components of automatic edges, then average linkage inside each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Literal, NamedTuple
from uuid import UUID

from mdm.cluster._linkage import linkage, whole
from mdm.declaration import Guard

MISSING = -12.0
"""Bits that a pair counts which nothing compared: records of one group should know each other."""
SPARSE_FROM = 10
"""Records from which on the density of a component is asked for."""

Pair = tuple[UUID, UUID]


class Crowd(NamedTuple):
    """A component that was left unclustered for a person to look at."""

    records: tuple[UUID, ...]
    linked: int
    """Pairs in it that the rules would link."""
    reason: Literal["members", "density"]


class Partition(NamedTuple):
    """Every record in exactly one group; groups are sorted, and so are the records in them."""

    groups: tuple[tuple[UUID, ...], ...]
    too_big: tuple[Crowd, ...]


def partition(
    records: Sequence[UUID],
    edges: Iterable[tuple[UUID, UUID, float]],
    together: Iterable[Pair],
    apart: Iterable[Pair],
    guard: Guard,
    auto: float,
    missing: float = MISSING,
    *,
    conflicting: Callable[[UUID, UUID], bool] | None = None,
) -> Partition:
    """Which records are one. Equal averages are decided by the place in `records`, which the caller gives an order.

    `edges` weigh pairs in bits, from the review threshold on; a pair given twice counts by its greater weight.
    `together` and `apart` are what stewards said; `apart` may hold other pairs that must never meet. `conflicting`
    tells two records with different valid identifiers; a steward's `together` overrules it, nothing else does.
    A component beyond the guard keeps what stewards joined, and nothing more.
    """
    place = {record: number for number, record in enumerate(records)}
    weights: dict[tuple[int, int], int] = {}
    for a, b, bits in edges:
        pair = (place[a], place[b]) if place[a] < place[b] else (place[b], place[a])
        if pair[0] != pair[1]:
            weights[pair] = max(whole(bits), weights.get(pair, whole(-1e9)))
    joined = [(place[a], place[b]) for a, b in together if a in place and b in place]
    kept = {
        (place[a], place[b]) if place[a] < place[b] else (place[b], place[a])
        for a, b in apart
        if a in place and b in place
    }
    line = whole(auto)
    strong = [pair for pair, weight in weights.items() if weight >= line and pair not in kept]
    return _gather(records, _components(len(records), strong, joined, kept), weights, guard, line, whole(missing),
                   conflicting)  # fmt: skip


class _Component(NamedTuple):
    members: list[int]
    linked: int
    joined: list[tuple[int, int]]
    kept: list[tuple[int, int]]
    inside: dict[int, int]


def _components(
    size: int, strong: Sequence[tuple[int, int]], joined: Sequence[tuple[int, int]], kept: Iterable[tuple[int, int]]
) -> list[_Component]:
    home = list(range(size))

    def root(one: int) -> int:
        while home[one] != one:
            home[one] = home[home[one]]
            one = home[one]
        return one

    for a, b in (*strong, *joined):
        first, second = sorted((root(a), root(b)))
        home[second] = first
    members: dict[int, list[int]] = {}
    for one in range(size):
        members.setdefault(root(one), []).append(one)
    linked = dict.fromkeys(members, 0)
    for a, _ in strong:
        linked[root(a)] += 1
    musts: dict[int, list[tuple[int, int]]] = {}
    for a, b in joined:
        musts.setdefault(root(a), []).append((a, b))
    nots: dict[int, list[tuple[int, int]]] = {}
    for a, b in kept:
        if root(a) == root(b):
            nots.setdefault(root(a), []).append((a, b))
    return [
        _Component(found, linked[first], musts.get(first, []), nots.get(first, []), {m: n for n, m in enumerate(found)})
        for first, found in members.items()
    ]


def _gather(
    records: Sequence[UUID],
    components: Sequence[_Component],
    weights: dict[tuple[int, int], int],
    guard: Guard,
    auto: int,
    missing: int,
    conflicting: Callable[[UUID, UUID], bool] | None,
) -> Partition:
    where = {member: number for number, one in enumerate(components) for member in one.members}
    inner: list[dict[tuple[int, int], int]] = [{} for _ in components]
    for (a, b), weight in weights.items():
        if where[a] == where[b]:
            local = components[where[a]].inside
            inner[where[a]][local[a], local[b]] = weight
    groups: list[tuple[UUID, ...]] = []
    crowds: list[Crowd] = []
    for one, known in zip(components, inner, strict=True):
        size = len(one.members)
        if size == 1:
            groups.append((records[one.members[0]],))
            continue
        reason = beyond(size, one.linked, guard)
        if reason:
            crowds.append(Crowd(tuple(sorted(records[m] for m in one.members)), one.linked, reason))

        def refuses(a: int, b: int, members: list[int] = one.members) -> bool:
            return conflicting is not None and conflicting(records[members[a]], records[members[b]])

        complete = one.linked == size * (size - 1) // 2 and not reason and not one.kept
        if complete and not _any_refused(size, conflicting, refuses):
            groups.append(tuple(sorted(records[m] for m in one.members)))  # every average is that of linked pairs
            continue
        found = linkage(
            size,
            {} if reason else known,
            auto,
            missing,
            [(one.inside[a], one.inside[b]) for a, b in one.joined],
            [(one.inside[a], one.inside[b]) for a, b in one.kept],
            refuses if conflicting is not None else None,
        )
        groups += [tuple(sorted(records[one.members[m]] for m in group)) for group in found]
    return Partition(tuple(sorted(groups)), tuple(sorted(crowds)))


def _any_refused(size: int, conflicting: object, refuses: Callable[[int, int], bool]) -> bool:
    return conflicting is not None and any(refuses(a, b) for a, b in combinations(range(size), 2))


def beyond(size: int, linked: int, guard: Guard) -> Literal["members", "density"] | None:
    """Why a component of so many records and linked pairs is left to a person, if it is."""
    if size > guard.members:
        return "members"
    if size >= SPARSE_FROM and linked < guard.density * size * (size - 1) / 2:
        return "density"
    return None
