"""Average linkage of a dense component over matrices: what the heap of `_linkage` gives, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np


class Apart(Protocol):
    """Tells which groups may never meet."""

    def any(self, mine: Sequence[int], theirs: Sequence[int]) -> bool: ...


def dense(
    groups: list[list[int]], weights: Mapping[tuple[int, int], int], auto: int, missing: int, apart: Apart
) -> list[list[int]]:
    """Merge the closest two of the groups while they are close enough; groups are in the order of their first member.

    All sums must stay below 2^53, so that they and their averages are the same floats as those of whole numbers.
    A cluster keeps the row of its first group; equal averages go to the first row, then to the first column.
    """
    count = len(groups)
    home = np.empty(sum(map(len, groups)), dtype=np.int64)
    for number, group in enumerate(groups):
        home[group] = number
    pairs = np.fromiter((n for pair in weights for n in pair), dtype=np.int64, count=2 * len(weights)).reshape(-1, 2)
    units = np.fromiter(weights.values(), dtype=np.int64, count=len(weights))
    mine, theirs = home[pairs[:, 0]], home[pairs[:, 1]]
    linked = np.zeros((count, count), dtype=np.bool_)
    linked[mine, theirs] = linked[theirs, mine] = True
    sizes = np.array([len(group) for group in groups], dtype=np.int64)
    totals = missing * np.outer(sizes, sizes)  # as if nothing were known
    np.add.at(totals, (mine, theirs), units - missing)
    np.add.at(totals, (theirs, mine), units - missing)
    averages = np.where(np.triu(linked, 1), totals / np.outer(sizes, sizes), -np.inf)
    averages[totals < auto * np.outer(sizes, sizes)] = -np.inf
    parts: dict[int, list[int]] = {number: [number] for number in range(count)}
    while count:
        one, other = divmod(int(averages.argmax()), count)
        if averages[one, other] == -np.inf:
            break
        if apart.any(parts[one], parts[other]):
            averages[one, other] = -np.inf
            continue
        parts[one] += parts.pop(other)
        totals[one] += totals[other]
        totals[:, one] = totals[one]
        linked[one] |= linked[other]
        linked[:, one] = linked[one]
        linked[one, one] = linked[other] = linked[:, other] = False
        sizes[one] += sizes[other]
        products = sizes[one] * sizes
        fresh = np.where(linked[one] & (totals[one] >= auto * products), totals[one] / products, -np.inf)
        averages[one, one + 1 :] = fresh[one + 1 :]
        averages[:one, one] = fresh[:one]
        averages[other] = averages[:, other] = -np.inf
    return sorted(sorted(m for part in found for m in groups[part]) for found in parts.values())
