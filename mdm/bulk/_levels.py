"""How well pairs of records agree in one column: the scorer's ladder over whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mdm.bulk._codes import Coded, Codes, batches
from mdm.declaration import Comparison, Level
from mdm.score import FAR, SIGNS, measures, threshold

Levels: TypeAlias = NDArray[np.int8]
Floats: TypeAlias = NDArray[np.float64]

BATCH = 500_000
"""Pairs whose texts are in hand at once."""
FEW = 3_000
"""A column of no more distinct values measures each two of them once."""
_BELOW = 1e-6
"""Similarities this little under the least limit are still measured: what is cut off may be off by rounding."""


def levels_of(comparison: Comparison, column: Coded, a: Codes, b: Codes, threads: int) -> Levels:
    """The level of every pair of codes: as many as there are levels for the first, 0 for none, -1 if one is unknown."""
    top = len(comparison.levels)
    found: Levels = np.where((a < 0) | (b < 0), -1, 0).astype(np.int8)
    open_ = np.flatnonzero(found == 0)
    measured: dict[str, Floats] = {}
    for at, level in enumerate(comparison.levels):
        one, two = a[open_], b[open_]
        if level.test == "exact":
            holds = one == two
        else:
            if level.test not in measured:
                limits = [float(threshold(other)) for other in comparison.levels if other.test == level.test]
                measured[level.test] = _measured(level, limits, column, one, two, threads)
            limit = float(threshold(level))
            holds = measured[level.test] >= limit if SIGNS[level.test][0] == ">=" else measured[level.test] <= limit
        found[open_[holds]] = top - at
        open_ = open_[~holds]
        measured = {test: values[~holds] for test, values in measured.items()}
    return found


def _measured(level: Level, limits: list[float], column: Coded, a: Codes, b: Codes, threads: int) -> Floats:
    """What a test measures of pairs of codes; few distinct values are measured once each."""
    run = _MEASURES.get(level.test, _by_texts)
    if len(column) > FEW:
        return run(level.test, limits, column, a, b, threads)
    both, places = np.unique(a.astype(np.int64) * len(column) + b, return_inverse=True)
    one, two = np.divmod(both, max(len(column), 1))
    return run(level.test, limits, column, one.astype(np.int32), two.astype(np.int32), threads)[places]


def _by_texts(test: str, limits: list[float], column: Coded, a: Codes, b: Codes, threads: int) -> Floats:
    """Similarity or distance of texts, by the library of the real-time path."""
    from rapidfuzz.process import cpdist

    alike = SIGNS[test][0] == ">="
    cutoff: Any = min(limits) - _BELOW if alike else int(max(limits))
    scorer: Any = measures()[SIGNS[test][1]]
    values, found = column.values, np.empty(len(a))
    for span in batches(len(a), BATCH):
        found[span] = cpdist(
            values[a[span]].tolist(),
            values[b[span]].tolist(),
            scorer=scorer,
            score_cutoff=cutoff,
            workers=threads,
            dtype=np.float64 if alike else np.int64,
        )
    return found


def _one_by_one(test: str, column: Coded, a: Codes, b: Codes) -> Floats:
    measure = measures()[SIGNS[test][1]]
    values, found = column.values, np.empty(len(a))
    for span in batches(len(a), BATCH):
        found[span] = [measure(one, two) for one, two in zip(values[a[span]], values[b[span]], strict=True)]
    return found


def _contained(test: str, limits: list[float], column: Coded, a: Codes, b: Codes, threads: int) -> Floats:
    """The length of the shorter text if the longer holds it; only what may reach the least limit is looked at."""
    shorter = np.where(column.lengths[a] <= column.lengths[b], a, b)
    longer = np.where(column.lengths[a] <= column.lengths[b], b, a)
    found = np.zeros(len(a))
    within = (column.signs[shorter] & ~column.signs[longer]) == 0
    open_ = np.flatnonzero(within & (column.lengths[shorter] >= min(limits)))
    found[open_] = _one_by_one(test, column, a[open_], b[open_])
    return found


def _shared(test: str, limits: list[float], column: Coded, a: Codes, b: Codes, threads: int) -> Floats:
    """How many values two lists share; lists of one value share it or nothing."""
    lengths = column.lengths
    found: Floats = ((a == b) & (lengths[a] == 1)).astype(np.float64)
    longer = np.flatnonzero((lengths[a] > 1) | (lengths[b] > 1))
    found[longer] = _one_by_one(test, column, a[longer], b[longer])
    return found


def _days(test: str, limits: list[float], column: Coded, a: Codes, b: Codes, threads: int) -> Floats:
    days = np.fromiter((_ordinal(one) for one in column.values), np.float64, len(column))
    found: Floats = np.nan_to_num(np.abs(days[a] - days[b]), nan=FAR)
    return found


def _ordinal(text: str) -> float:
    try:
        return float(date.fromisoformat(text).toordinal())
    except ValueError:
        return float("nan")


def _ratio(test: str, limits: list[float], column: Coded, a: Codes, b: Codes, threads: int) -> Floats:
    numbers = column.values.astype(np.float64)
    one, two = numbers[a], numbers[b]
    greater = np.maximum(np.abs(one), np.abs(two))
    return np.abs(one - two) / np.where(greater == 0, 1.0, greater)


_Run: TypeAlias = Callable[[str, list[float], Coded, Codes, Codes, int], Floats]
_MEASURES: dict[str, _Run] = {"contains": _contained, "intersect": _shared, "days": _days, "ratio": _ratio}
