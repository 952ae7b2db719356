"""The partition of records into groups: components of automatic edges, then average linkage inside each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from mdm.cluster._linkage import Link, Refuses, any_refused, linkage, whole
from mdm.declaration import Guard

MISSING = -12.0
"""Bits that a pair counts which nothing compared: records of one group should know each other."""
SPARSE_FROM = 10
"""Records from which on the density of a component is asked for."""

Pair = tuple[UUID, UUID]
Beyond = Literal["members", "density"]


class Crowd(NamedTuple):
    """A component that was left unclustered for a person to look at."""

    records: tuple[UUID, ...]
    linked: int
    """Pairs in it that the rules would link."""
    reason: Beyond


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

    def refuses(a: int, b: int) -> bool:
        return conflicting is not None and conflicting(records[a], records[b])

    groups, crowds = partition_numbers(
        len(records),
        [(place[a], place[b], bits) for a, b, bits in edges],
        [(place[a], place[b]) for a, b in together if a in place and b in place],
        [(place[a], place[b]) for a, b in apart if a in place and b in place],
        guard,
        auto,
        missing,
        refuses=refuses if conflicting is not None else None,
    )
    return Partition(
        tuple(sorted(tuple(sorted(records[m] for m in group)) for group in groups)),
        tuple(sorted(Crowd(tuple(sorted(records[m] for m in crowd)), linked, why) for crowd, linked, why in crowds)),
    )


def partition_numbers(
    size: int,
    edges: Iterable[tuple[int, int, float]],
    together: Iterable[Link],
    apart: Iterable[Link],
    guard: Guard,
    auto: float,
    missing: float = MISSING,
    *,
    refuses: Refuses | None = None,
    kinds: Sequence[int] | None = None,
) -> tuple[list[list[int]], list[tuple[list[int], int, Beyond]]]:
    """`partition` of 0…size-1, whose numbers are their order; see `linkage` for `kinds`.

    Gives the groups, and the members, linked pairs and reason of every component that is left to a person.
    """
    weights: dict[Link, int] = {}
    for a, b, bits in edges:
        pair = (a, b) if a < b else (b, a)
        weight = whole(bits)
        if a != b and weight > weights.get(pair, weight - 1):
            weights[pair] = weight
    joined = list(together)
    kept = {(a, b) if a < b else (b, a) for a, b in apart}
    line = whole(auto)
    strong = [pair for pair, weight in weights.items() if weight >= line and pair not in kept]
    components = _components(size, strong, joined, kept)
    inner = _inner(components, weights)
    groups: list[list[int]] = []
    crowds: list[tuple[list[int], int, Beyond]] = []
    for one, between in zip(components, inner, strict=True):
        reason = beyond(len(one.members), one.linked, guard)
        if reason:
            crowds.append((one.members, one.linked, reason))
        known = {} if reason else between
        groups += _divided(one, known, line, whole(missing), refuses, kinds, crowd=reason is not None)
    return groups, crowds


class _Component(NamedTuple):
    members: list[int]
    linked: int
    joined: list[Link]
    kept: list[Link]


def _components(size: int, strong: Sequence[Link], joined: Sequence[Link], kept: Iterable[Link]) -> list[_Component]:
    home = list(range(size))

    def root(one: int) -> int:
        while home[one] != one:
            home[one] = home[home[one]]
            one = home[one]
        return one

    for a, b in (*strong, *joined):
        if home[a] != home[b]:
            first, second = root(a), root(b)
            if first != second:
                home[max(first, second)] = min(first, second)
    home = [root(one) for one in range(size)]
    members: dict[int, list[int]] = {}
    for one in range(size):
        members.setdefault(home[one], []).append(one)
    linked = Counter(home[a] for a, _ in strong)
    musts: dict[int, list[Link]] = {}
    for a, b in joined:
        musts.setdefault(home[a], []).append((a, b))
    nots: dict[int, list[Link]] = {}
    for a, b in kept:
        if home[a] == home[b]:
            nots.setdefault(home[a], []).append((a, b))
    return [
        _Component(found, linked[first], musts.get(first, []), nots.get(first, [])) for first, found in members.items()
    ]


def _inner(components: Sequence[_Component], weights: dict[Link, int]) -> list[dict[Link, int]]:
    """What is known between the members of each component."""
    if len(components) == 1:
        return [weights]
    where = {member: number for number, one in enumerate(components) for member in one.members}
    inner: list[dict[Link, int]] = [{} for _ in components]
    for pair, weight in weights.items():
        number = where[pair[0]]
        if number == where[pair[1]]:
            inner[number][pair] = weight
    return inner


def _divided(
    one: _Component,
    known: Mapping[Link, int],
    auto: int,
    missing: int,
    refuses: Refuses | None,
    kinds: Sequence[int] | None,
    *,
    crowd: bool,
) -> list[list[int]]:
    """The groups of one component; a `crowd` keeps what stewards joined."""
    members = one.members
    size = len(members)
    if size == 1:
        return [members]
    local = {member: n for n, member in enumerate(members)}

    def refused(a: int, b: int) -> bool:
        return refuses is not None and refuses(members[a], members[b])

    here = None if kinds is None else [kinds[member] for member in members]
    complete = not crowd and one.linked == size * (size - 1) // 2 and not one.kept
    if complete and (refuses is None or not any_refused(size, refused, here)):
        return [members]  # every average is that of linked pairs
    found = linkage(
        size,
        known if members[-1] == size - 1 else {(local[a], local[b]): weight for (a, b), weight in known.items()},
        auto,
        missing,
        [(local[a], local[b]) for a, b in one.joined],
        [(local[a], local[b]) for a, b in one.kept],
        refused if refuses is not None else None,
        here,
    )
    return [[members[m] for m in group] for group in found]


def beyond(size: int, linked: int, guard: Guard) -> Beyond | None:
    """Why a component of so many records and linked pairs is left to a person, if it is."""
    if size > guard.members:
        return "members"
    if size >= SPARSE_FROM and linked < guard.density * size * (size - 1) / 2:
        return "density"
    return None
