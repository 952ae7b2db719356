"""The same partition over arrays, for a first load: most components are decided without a look at their records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mdm.cluster._linkage import UNIT, linkage, whole
from mdm.cluster._partition import MISSING, SPARSE_FROM, beyond
from mdm.declaration import Guard

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class BulkPartition(NamedTuple):
    """Every row's group, as the least row number in it; and the rows of each component left to a person."""

    groups: Ints
    too_big: list[Ints]


def partition_bulk(
    size: int,
    a: Ints,
    b: Ints,
    weights: Floats,
    *,
    guard: Guard,
    auto: float,
    missing: float = MISSING,
    identities: Sequence[Ints] = (),
    exclusive: Sequence[Ints] = (),
    clashing: Iterable[tuple[int, int]] = (),
    conflicting: Callable[[int, int], bool] | None = None,
    together: Iterable[tuple[int, int]] = (),
    apart: Iterable[tuple[int, int]] = (),
) -> BulkPartition:
    """What `partition` gives, of rows numbered in the order that decides ties; each pair at most once.

    `identities` are columns of codes: rows with two different ones (negative: none) cannot be one; of `exclusive`
    ones, rows with the same. `clashing` are pairs that cannot be one unless `together` says so. `conflicting` tells
    what codes cannot, of two rows; it is asked in every component of more than one row, which costs.
    """
    joined, kept, clashes = _pairs(together), _pairs(apart), _pairs(clashing)
    units = np.rint(np.clip(weights, -1e9, 1e9) * UNIT).astype(np.int64)
    strong = units >= whole(auto)
    if len(kept):
        strong &= ~np.isin(_code(a, b, size), _code(kept[:, 0], kept[:, 1], size))
    component = _components(size, np.concatenate([a[strong], joined[:, 0]]), np.concatenate([b[strong], joined[:, 1]]))
    count = int(component.max()) + 1 if size else 0
    sizes = np.bincount(component, minlength=count)
    linked = np.bincount(component[a[strong]], minlength=count)
    every = sizes * (sizes - 1) // 2
    crowd = (sizes > guard.members) | ((sizes >= SPARSE_FROM) & (linked < guard.density * every))
    looked = (linked < every) & (sizes > 1)
    for codes in identities:
        looked |= _conflicts(component, count, codes)
    for codes in exclusive:
        looked |= _repeats(component, count, codes)
    if conflicting is not None:
        looked |= sizes > 1
    for pairs in (joined, kept, clashes):
        looked[component[pairs.ravel()]] = True
    looked |= crowd & (sizes > 1)

    first = np.full(count, size, dtype=np.int64)
    np.minimum.at(first, component, np.arange(size))
    groups = first[component]

    clash = {(x, y) for x, y in clashes.tolist()}
    differ = [codes.tolist() for codes in identities] if looked.any() else []
    repeat = [codes.tolist() for codes in exclusive] if looked.any() else []

    def refuses(one: int, other: int) -> bool:
        if any(codes[one] >= 0 and codes[other] >= 0 and codes[one] != codes[other] for codes in differ):
            return True
        if any(codes[one] >= 0 and codes[one] == codes[other] for codes in repeat):
            return True
        if clash and (min(one, other), max(one, other)) in clash:
            return True
        return conflicting is not None and conflicting(one, other)

    too_big: list[Ints] = []
    line, none = whole(auto), whole(missing)
    for rows, known, musts, nots in _one_by_one(component, looked, a, b, units, joined, kept):
        reason = beyond(len(rows), int(linked[component[rows[0]]]), guard)
        if reason:
            too_big.append(np.array(rows, dtype=np.int64))

        def apart_here(one: int, other: int, rows: Sequence[int] = rows) -> bool:
            return refuses(rows[one], rows[other])

        asks = apart_here if differ or repeat or clash or conflicting is not None else None
        for group in linkage(len(rows), {} if reason else known, line, none, musts, nots, asks):
            members = [rows[member] for member in group]
            groups[members] = members[0]
    return BulkPartition(groups, too_big)


def _pairs(pairs: Iterable[tuple[int, int]]) -> Ints:
    return np.array([(min(p), max(p)) for p in pairs], dtype=np.int64).reshape(-1, 2)


def _code(a: Ints, b: Ints, size: int) -> Ints:
    return np.minimum(a, b) * size + np.maximum(a, b)


def _components(size: int, a: Ints, b: Ints) -> Ints:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    found: Any = connected_components(graph, directed=False)[1]
    return np.asarray(found, dtype=np.int64)


def _conflicts(component: Ints, count: int, codes: Ints) -> NDArray[np.bool_]:
    """Components that hold two different codes."""
    known = codes >= 0
    low = np.full(count, np.iinfo(np.int64).max)
    high = np.full(count, -1, dtype=np.int64)
    np.minimum.at(low, component[known], codes[known])
    np.maximum.at(high, component[known], codes[known])
    found: NDArray[np.bool_] = (high >= 0) & (low != high)
    return found


def _repeats(component: Ints, count: int, codes: Ints) -> NDArray[np.bool_]:
    """Components that hold one code twice."""
    known = np.flatnonzero(codes >= 0)
    both = np.stack([component[known], codes[known]], axis=1)
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    twice = (both[1:] == both[:-1]).all(axis=1)
    found = np.zeros(count, dtype=np.bool_)
    found[both[1:][twice, 0]] = True
    return found


def _one_by_one(
    component: Ints, looked: NDArray[np.bool_], a: Ints, b: Ints, units: Ints, joined: Ints, kept: Ints
) -> Iterator[tuple[list[int], dict[tuple[int, int], int], list[tuple[int, int]], list[tuple[int, int]]]]:
    """The components that are looked at: their rows, and what lies between these by their places among them."""
    rows = np.flatnonzero(looked[component])
    rows = rows[np.argsort(component[rows], kind="stable")]
    place = np.full(len(component), -1, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, np.diff(component[rows]) != 0][: len(rows)])
    ends = np.r_[starts[1:], len(rows)][: len(starts)]
    place[rows] = np.arange(len(rows)) - np.repeat(starts, ends - starts)

    def inner(one: Ints, other: Ints) -> tuple[Ints, Ints]:
        """Which pairs lie inside a component that is looked at, in the components' order; and where each begins."""
        inside = np.flatnonzero((component[one] == component[other]) & looked[component[one]])
        inside = inside[np.argsort(component[one[inside]], kind="stable")]
        return inside, component[one[inside]]

    edges, of_edge = inner(a, b)
    low = np.minimum(place[a[edges]], place[b[edges]]).tolist()
    high = np.maximum(place[a[edges]], place[b[edges]]).tolist()
    weight = units[edges].tolist()
    musts, of_must = inner(joined[:, 0], joined[:, 1])
    nots, of_not = inner(kept[:, 0], kept[:, 1])
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        which = component[rows[start]]
        span = slice(*np.searchsorted(of_edge, [which, which + 1]).tolist())
        known = dict(zip(zip(low[span], high[span], strict=True), weight[span], strict=True))
        these = [
            [(int(place[x]), int(place[y])) for x, y in pairs[found[slice(*np.searchsorted(of, [which, which + 1]))]]]
            for pairs, found, of in ((joined, musts, of_must), (kept, nots, of_not))
        ]
        yield rows[start:end].tolist(), known, these[0], these[1]
