"""One-to-one assignment: each record of one side with at most one of the other, so that the weights sum to the most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

DENSE = 4_000
"""Records on a side of one component up to which the best assignment is found; beyond, the best pair goes first."""


def assign(a: Sequence[int] | Numbers, b: Sequence[int] | Numbers, weight: Sequence[float] | Numbers) -> Numbers:
    """The places of the chosen pairs, ascending; `a` and `b` number two sides, equal sums are decided by the order.

    A pair is worth its weight above the least one, and a bit: leaving records alone never pays.
    """
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    left, right, bits = np.asarray(a), np.asarray(b), np.asarray(weight, float)
    if not len(left):
        return np.empty(0, np.int64)
    lefts, one = np.unique(left, return_inverse=True)
    rights, two = np.unique(right, return_inverse=True)
    count = len(lefts) + len(rights)
    graph = coo_matrix((np.ones(len(one)), (one, two + len(lefts))), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    part = label[one]
    order = np.argsort(part, kind="stable")
    edges = np.split(order, np.flatnonzero(np.diff(part[order])) + 1)
    worth = bits - bits.min() + 1
    chosen = [_component(places, one, two, worth) for places in edges]
    return np.sort(np.concatenate(chosen))


def _component(places: Numbers, one: Numbers, two: Numbers, worth: Numbers) -> Numbers:
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    if len(places) == 1:
        return places
    rows, row = np.unique(one[places], return_inverse=True)
    columns, column = np.unique(two[places], return_inverse=True)
    if max(len(rows), len(columns)) > DENSE:
        return _greedy(places, row, column, worth)
    table = np.zeros((len(rows), len(columns)))
    np.maximum.at(table, (row, column), worth[places])
    best = linear_sum_assignment(table, maximize=True)
    taken = dict(zip(*(side.tolist() for side in best), strict=True))
    found: dict[int, int] = {}
    for place, r, c in zip(places.tolist(), row.tolist(), column.tolist(), strict=True):
        if taken.get(r) == c and worth[place] == table[r, c]:
            found.setdefault(r, place)
    return np.array(sorted(found.values()), np.int64)


def _greedy(places: Numbers, row: Numbers, column: Numbers, worth: Numbers) -> Numbers:
    import numpy as np

    rows, columns, found = set(), set(), []
    for at in np.lexsort((places, -worth[places])).tolist():
        if row[at] not in rows and column[at] not in columns:
            rows.add(row[at])
            columns.add(column[at])
            found.append(int(places[at]))
    return np.array(sorted(found), np.int64)
