"""The weights of pairs by one model over whole arrays: the scorer's sums in the scorer's order."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdm.bulk._codes import Coded, Codes, Columns, Ints
from mdm.bulk._levels import Floats, Levels, levels_of
from mdm.declaration import Declaration
from mdm.score import Frequencies


def compared(declaration: Declaration, columns: Columns, a: Ints, b: Ints, threads: int) -> list[Levels]:
    """The levels of pairs of records in every comparison."""
    found = []
    for one in declaration.comparisons:
        column = columns[one.column]
        found.append(levels_of(one, column, column.codes[a], column.codes[b], threads))
    return found


class Weights:
    """What every level of every comparison weighs in bits, and every value that has its own frequency."""

    def __init__(self, settings: Mapping[str, Any], frequencies: Mapping[str, Floats]) -> None:
        """`settings` in Splink's words; `frequencies` by column: the share of every distinct value, by its code."""
        prior = settings["probability_two_random_records_match"]
        self.prior = log2(prior / (1 - prior))
        self._bits: dict[str, Floats] = {}
        self._rarity: dict[str, Floats] = {}
        for one in settings["comparisons"]:
            name = one["output_column_name"]
            levels = [level for level in one["comparison_levels"] if not level.get("is_null_level")]
            bits = [log2(level["m_probability"] / level["u_probability"]) for level in reversed(levels)]
            self._bits[name] = np.array([0.0, *bits])  # the first: one of them says nothing
            if name in frequencies:
                self._rarity[name] = log2(levels[0]["u_probability"]) - np.log2(frequencies[name])

    def of(self, declaration: Declaration, columns: Columns, a: Ints, levels: list[Levels]) -> Floats:
        """The weights of pairs whose first records and levels are given, identifiers left aside."""
        total = np.full(len(a), self.prior)
        for one, found in zip(declaration.comparisons, levels, strict=True):
            step = self._bits[one.column][found + 1]
            if one.column in self._rarity:
                equal = np.flatnonzero(found == len(one.levels))
                step[equal] += self._rarity[one.column][columns[one.column].codes[a[equal]]]
            total += step
        return total


def shares(column: Coded, known: Frequencies) -> Floats:
    """The share of every distinct value; one that the snapshot does not keep has its floor."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = pa.array(list(known.shares), pa.string())
    kept = np.append(np.fromiter(known.shares.values(), np.float64, len(known.shares)), known.floor)
    places: Any = pc.index_in(column.dictionary, value_set=values)
    found: Floats = kept[places.fill_null(len(values)).to_numpy(zero_copy_only=False)]
    return found


def raise_same(declaration: Declaration, columns: Columns, a: Ints, b: Ints, weights: Floats) -> None:
    """Give pairs that share an identifier the weight of its edge where it is more, in place."""
    for one in declaration.identifiers:
        if one.same is not None:
            same = _agree(columns[one.column], a, b)
            weights[same] = np.maximum(weights[same], one.same)


def _agree(column: Coded, a: Ints, b: Ints) -> Ints:
    """Which pairs hold a same value."""
    one, two = column.codes[a], column.codes[b]
    if not column.many:
        return np.flatnonzero((one == two) & (one >= 0))
    both = np.flatnonzero((one >= 0) & (two >= 0))
    return both[_meet(column, one[both], two[both])]


def _meet(column: Coded, a: Codes, b: Codes) -> NDArray[np.bool_]:
    values, lengths = column.values, column.lengths
    found: NDArray[np.bool_] = (a == b) & (lengths[a] > 0)
    longer = np.flatnonzero(~found & ((lengths[a] > 1) | (lengths[b] > 1)))
    found[longer] = [
        not set(one).isdisjoint(two) for one, two in zip(values[a[longer]], values[b[longer]], strict=True)
    ]
    return found
