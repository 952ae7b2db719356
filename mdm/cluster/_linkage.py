"""Average linkage inside one component, exact: weights are whole numbers of 2^-20 bits, so no sum depends on order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

UNIT = 1 << 20
"""Parts of a bit that weights are rounded to: far below what any model knows, and sums of them are exact."""

Link = tuple[int, int]
Refuses = Callable[[int, int], bool]


def whole(bits: float) -> int:
    """A weight as a whole number of units; an infinite one becomes the largest that still adds up."""
    return round(max(-1e9, min(1e9, bits)) * UNIT)


def linkage(
    size: int,
    weights: Mapping[Link, int],
    auto: int,
    missing: int,
    together: Iterable[Link] = (),
    apart: Sequence[Link] = (),
    conflicting: Refuses | None = None,
    kinds: Sequence[int] | None = None,
) -> list[list[int]]:
    """Groups of 0…size-1 (tie order), each sorted: must-links first, then the closest pair while it is close enough.

    `weights` has each known pair once, smaller number first; a pair that is not there counts as `missing`.
    `apart` always holds; `conflicting` gives way to a must-link, and to evidence for one side of a must-linked group.
    Two of `kinds` are refused or not whichever records of these kinds are asked about: it saves asking.
    """
    forbidden = {(a, b) if a < b else (b, a) for a, b in apart}
    groups = _must(size, together, forbidden)
    refused = _Apart(groups, weights, auto, missing, forbidden, conflicting, kinds)
    largest = max(map(abs, weights.values()), default=0)
    if len(weights) >= DENSE_FROM and max(largest, abs(missing), abs(auto)) * size * size < _EXACT:
        from mdm.cluster._dense import dense

        return dense(groups, weights, auto, missing, refused)
    return _Clusters(groups, weights, auto, missing, refused).run()


DENSE_FROM = 200
"""Pairs from which on matrices are faster than a heap."""
_EXACT = 1 << 53
"""Whole numbers below have a float of their own, so that an average is the same float whoever divides."""


def any_refused(size: int, refuses: Refuses, kinds: Sequence[int] | None = None) -> bool:
    """Whether any two of 0…size-1 are refused."""
    if kinds is None:
        return any(refuses(a, b) for a, b in combinations(range(size), 2))
    some: dict[int, list[int]] = {}  # two of a kind stand for all of it
    for one, kind in enumerate(kinds):
        held = some.setdefault(kind, [])
        if len(held) < 2:
            held.append(one)
    return any(refuses(a, b) for a, b in combinations([one for held in some.values() for one in held], 2))


def _must(size: int, together: Iterable[Link], forbidden: set[Link]) -> list[list[int]]:
    """Groups that stewards made; where they contradict each other (the hub refuses that) the separation holds."""
    home = list(range(size))
    groups = {number: [number] for number in range(size)}
    for a, b in sorted((a, b) if a < b else (b, a) for a, b in together):
        mine, theirs = sorted((home[a], home[b]))
        if mine == theirs or (forbidden and _separated(groups[mine], groups[theirs], forbidden)):
            continue
        for member in groups[theirs]:
            home[member] = mine
        groups[mine] = sorted(groups[mine] + groups.pop(theirs))
    return [groups[number] for number in sorted(groups)]


def _separated(mine: Sequence[int], theirs: Sequence[int], forbidden: set[Link]) -> bool:
    return any(((a, b) if a < b else (b, a)) in forbidden for a in mine for b in theirs)


class _Apart:
    """Which of the groups that linkage begins with may never meet; looked at once per pair, and when it is asked."""

    def __init__(
        self,
        groups: list[list[int]],
        weights: Mapping[Link, int],
        auto: int,
        missing: int,
        forbidden: set[Link],
        conflicting: Refuses | None,
        kinds: Sequence[int] | None,
    ) -> None:
        self._groups, self._weights, self._auto, self._missing = groups, weights, auto, missing
        self._forbidden, self._conflicting = forbidden, conflicting
        self._kinds = kinds
        self._known: dict[Link, bool] = {}
        self._of_kinds: dict[Link, bool] = {}

    def any(self, mine: Sequence[int], theirs: Sequence[int]) -> bool:
        """Whether any of these groups may not meet any of those."""
        if not self._forbidden and self._conflicting is None:
            return False
        return any(self._groups_apart(a, b) for a in mine for b in theirs)

    def _groups_apart(self, a: int, b: int) -> bool:
        pair = (a, b) if a < b else (b, a)
        if pair not in self._known:
            self._known[pair] = self._look(self._groups[pair[0]], self._groups[pair[1]])
        return self._known[pair]

    def _look(self, mine: list[int], theirs: list[int]) -> bool:
        if self._forbidden and _separated(mine, theirs, self._forbidden):
            return True
        if self._conflicting is None:
            return False
        pairs = [(a, b) for a in mine for b in theirs]
        refused = {(a, b) for a, b in pairs if self._refuses(a, b)}
        if not refused or len(pairs) == 1:
            return bool(refused)
        # A steward said that records with different identifiers are one: who fits one of them well may come in.
        return not any(
            self._weights.get((a, b) if a < b else (b, a), self._missing) >= self._auto
            for a, b in pairs
            if (a, b) not in refused
        )

    def _refuses(self, a: int, b: int) -> bool:
        assert self._conflicting is not None
        if self._kinds is None:
            return self._conflicting(a, b)
        kinds = (self._kinds[a], self._kinds[b])
        if kinds not in self._of_kinds:
            self._of_kinds[kinds] = self._conflicting(a, b)
        return self._of_kinds[kinds]


class _Clusters:
    """The clusters of one component while they grow. A cluster is a number; a merged one gets a new number."""

    def __init__(
        self,
        groups: list[list[int]],
        weights: Mapping[Link, int],
        auto: int,
        missing: int,
        apart: _Apart,
    ) -> None:
        self._auto, self._missing, self._apart = auto, missing, apart
        self._groups = groups
        self._parts: dict[int, list[int]] = {number: [number] for number in range(len(groups))}  # of groups
        self._sizes = {number: len(group) for number, group in enumerate(groups)}
        self._firsts = {number: group[0] for number, group in enumerate(groups)}
        self._linked: dict[int, dict[int, list[int]]] = {number: {} for number in self._parts}  # sum and count
        self._heap: list[tuple[float, int, int, int, int]] = []
        home = {member: number for number, group in enumerate(groups) for member in group}
        for (a, b), weight in weights.items():
            mine, theirs = home[a], home[b]
            if mine != theirs:
                for one, other in ((mine, theirs), (theirs, mine)):
                    total = self._linked[one].setdefault(other, [0, 0])
                    total[0] += weight
                    total[1] += 1

    def run(self) -> list[list[int]]:
        """Merge until nothing is close enough."""
        for mine, others in self._linked.items():
            for theirs in others:
                if mine < theirs:
                    self._offer(mine, theirs)
        following, parts = len(self._groups), self._parts
        while self._heap:
            _, _, _, mine, theirs = heapq.heappop(self._heap)
            if mine in parts and theirs in parts and not self._apart.any(parts[mine], parts[theirs]):
                self._merge(mine, theirs, following)
                following += 1
        merged = [sorted(m for part in parts for m in self._groups[part]) for parts in self._parts.values()]
        return sorted(merged)

    def _offer(self, mine: int, theirs: int) -> None:
        total, count = self._linked[mine][theirs]
        pairs = self._sizes[mine] * self._sizes[theirs]
        total += self._missing * (pairs - count)
        if total >= self._auto * pairs:
            first, second = sorted((self._firsts[mine], self._firsts[theirs]))
            heapq.heappush(self._heap, (-(total / pairs), first, second, mine, theirs))

    def _merge(self, mine: int, theirs: int, new: int) -> None:
        self._parts[new] = self._parts.pop(mine) + self._parts.pop(theirs)
        self._sizes[new] = self._sizes[mine] + self._sizes[theirs]
        self._firsts[new] = min(self._firsts[mine], self._firsts[theirs])
        merged = self._linked.pop(mine)
        for other, (total, count) in self._linked.pop(theirs).items():
            there = merged.setdefault(other, [0, 0])
            merged[other] = [there[0] + total, there[1] + count]
        merged.pop(mine, None)
        merged.pop(theirs, None)
        self._linked[new] = merged
        for other, both in merged.items():
            self._linked[other].pop(mine, None)
            self._linked[other].pop(theirs, None)
            self._linked[other][new] = both
            self._offer(other, new)
