"""Precision, recall and F1 of pairs, of groups and of one-to-one links, and thresholds chosen on the other half."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]


class Figures(NamedTuple):
    """How many of the found are right, and how many of the right are found."""

    right: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        """The share of what was found that is right; 1 where nothing was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of what is true that was found; 1 where nothing is true."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / (self.found + self.true) if self.found + self.true else 1.0

    def __add__(self, other: object) -> Figures:
        """Both halves as one."""
        if not isinstance(other, Figures):
            return NotImplemented
        return Figures(self.right + other.right, self.found + other.found, self.true + other.true)


def halves(groups: Sequence[int], ids: Sequence[str]) -> Numbers:
    """0 or 1 for every record: those that are one are in one half, by the digest of an id and not by their order."""
    import numpy as np

    by_group = {
        group: hashlib.sha256(f"{group_id}".encode()).digest()[0] & 1
        for group, group_id in ((group, ids[group]) for group in set(groups))
    }
    return np.array([by_group[group] for group in groups], np.int8)


def coded(pairs: Any, count: int) -> Numbers:
    """Pairs as sorted numbers, a * count + b."""
    import numpy as np

    return np.sort(np.fromiter((a * count + b for a, b in pairs), np.int64, len(pairs)))


def pair_figures(found: Numbers, true: Numbers, half_of: Callable[[Numbers], Numbers], half: int | None) -> Figures:
    """The figures of found pairs (as numbers), in one half or in both."""
    import numpy as np

    if half is not None:
        found, true = found[half_of(found) == half], true[half_of(true) == half]
    return Figures(int(np.isin(found, true, assume_unique=True).sum()), len(found), len(true))


def best_threshold(weights: Numbers, right: Numbers, true: int) -> float:
    """The threshold of the greatest F1, midway to the next weight below; of equal ones the highest."""
    import numpy as np

    if not len(weights):
        return 0.0
    order = np.argsort(-weights, kind="stable")
    sorted_weights, hits = weights[order], np.cumsum(right[order])
    scores = 2 * hits / (np.arange(1, len(order) + 1) + true)
    last = np.r_[sorted_weights[1:] < sorted_weights[:-1], True]  # only between different weights
    at = int(np.argmax(np.where(last, scores, -1)))
    below = sorted_weights[at + 1] if at + 1 < len(sorted_weights) else sorted_weights[at] - 2
    return float((sorted_weights[at] + max(below, sorted_weights[at] - 2)) / 2)


def grid(weights: Numbers, low: float, high: float, steps: int) -> list[float]:
    """Thresholds worth trying: evenly from `low` to `high`, and where many weights lie."""
    import numpy as np

    inside = weights[(weights >= low) & (weights <= high)]
    even = np.linspace(low, high, steps)
    dense = np.quantile(inside, np.linspace(0, 1, steps)) if len(inside) else np.empty(0)
    return sorted({round(float(one), 3) for one in (*even, *dense)})
