"""Blocks by selectivity, chosen without labels: cheap rules that together bring likely matches to each other.

Every column, its first characters, and every two of these are tried. Pairs that the cheap ones bring together count
as likely matches where what agrees in them is rarer than what differs is telling. Then rules are taken one by one,
each the one that brings the most likely matches that no other did, until more would bring next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from mdm.declaration import Block, Features

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

LOOKED_AT = 40_000
"""Records that rules are tried on."""
PER_RECORD = 12.0
"""Candidates per record that one rule may bring."""
HOT = 500
HOT_SHARE = 0.5
"""The share of records under hot keys beyond which a rule is of no use."""
MOST = 14
WORTH = (1.0, 0.5, 0.25, 0.1, 0.02, 0.0)
"""What bringing a likely match together is worth that so many rules brought already: an error must not lose it."""
COST = 0.0005
"""What a candidate costs, in likely matches."""
LEAST_GAIN = 0.003
"""The worth that a further rule must add, as a share of the likely matches."""
AGAINST = 1.5
"""Bits that a column which differs speaks against a likely match."""
SURE = 4.0
"""Bits above a pair at random from which on a match is likely."""

Parts = tuple[tuple[str, int | None], ...]


class Rule(NamedTuple):
    """A rule that was tried: its parts and the pairs that it brings together."""

    parts: Parts
    pairs: Numbers


class Chosen(NamedTuple):
    """The blocks, the most useful first, and the likely matches among the records that were looked at."""

    blocks: tuple[Block, ...]
    likely: tuple[tuple[int, int], ...]


def choose(
    known: Sequence[Features], columns: Sequence[str], cuts: Mapping[str, int], also: Sequence[str] = ()
) -> Chosen:
    """The blocks of a declaration; `cuts` say of which columns the first characters may do.

    `also` are columns that may stand in blocks and are not compared.
    """
    import numpy as np

    known = known[:LOOKED_AT]
    codes: dict[tuple[str, int | None], Numbers] = {
        (name, None): _codes([record.get(name) for record in known]) for name in (*columns, *also)
    }
    for name, length in cuts.items():
        codes[name, length] = _codes([_cut(record.get(name), length) for record in known])
    rules = _affordable(codes, len(known))
    if not rules:
        return Chosen((), ())
    union = np.unique(np.concatenate([rule.pairs for rule in rules]))
    likely = _likely(union, [codes[name, None] for name in columns], len(known))
    pairs = tuple(divmod(code, len(known)) for code in likely.tolist())
    return Chosen(tuple(Block(parts) for parts in _greedy(rules, likely)), pairs)


def _cut(value: Any, length: int) -> Any:
    return value[:length] if isinstance(value, str) else None


def _codes(values: Sequence[Any]) -> Numbers:
    """A number per value, -1 where there is none."""
    import numpy as np

    number: dict[Any, int] = {}
    return np.array(
        [-1 if value is None or value == "" else number.setdefault(value, len(number)) for value in values], np.int64
    )


def _affordable(codes: Mapping[tuple[str, int | None], Numbers], count: int) -> list[Rule]:
    """Rules of one and of two parts that bring few enough pairs; a rule that has an affordable part needs no other."""
    found: list[Rule] = []
    single = []
    for part, values in codes.items():
        pairs = _pairs(values, count)
        if pairs is not None:
            found.append(Rule((part,), pairs))
            single.append(part)
    loose = [part for part in codes if part not in single]
    for one, two in combinations(loose, 2):
        if one[0] != two[0]:
            pairs = _pairs(_both(codes[one], codes[two]), count)
            if pairs is not None:
                found.append(Rule((one, two), pairs))
    return found


def _both(one: Numbers, two: Numbers) -> Numbers:
    import numpy as np

    wide = np.int64(two.max() + 1 if len(two) else 1)
    return np.where((one >= 0) & (two >= 0), one * max(wide, 1) + two, -1)


def _pairs(values: Numbers, count: int) -> Numbers | None:
    """The pairs of records with equal values as a * count + b; None where they are too many, or none."""
    import numpy as np

    order = np.argsort(values, kind="stable")
    order = order[values[order] >= 0]
    if len(order) < 2:
        return None
    starts = np.flatnonzero(np.r_[True, np.diff(values[order]) != 0])
    sizes = np.diff(np.r_[starts, len(order)])
    usable = (sizes > 1) & (sizes <= HOT)  # a placeholder is a hot key: it finds nothing, and the others stay useful
    if not usable.any() or sizes[sizes > HOT].sum() > HOT_SHARE * len(order):
        return None
    if (sizes[usable] * (sizes[usable] - 1) // 2).sum() > PER_RECORD * count:
        return None
    found = []
    for size in np.unique(sizes[usable]).tolist():
        one, two = np.triu_indices(size, 1)
        rows = order[starts[sizes == size][:, None] + np.arange(size)]
        found.append((rows[:, one] * count + rows[:, two]).ravel())
    return np.unique(np.concatenate(found))


def _likely(pairs: Numbers, columns: Sequence[Numbers], count: int) -> Numbers:
    """Of the pairs those that are likely matches."""
    import numpy as np

    a, b = pairs // count, pairs % count
    bits = np.zeros(len(pairs))
    for values in columns:
        both = (values[a] >= 0) & (values[b] >= 0)
        shares = np.unique(values[values >= 0], return_counts=True)[1] / max(1, int((values >= 0).sum()))
        rarity = -np.log2(shares)
        agree = both & (values[a] == values[b])
        bits[agree] += rarity[np.searchsorted(np.unique(values[values >= 0]), values[a][agree])]
        bits[both & ~agree] -= AGAINST
    likely: Numbers = pairs[bits >= np.log2(max(count, 2)) + SURE]
    return likely


def _greedy(rules: Sequence[Rule], likely: Numbers) -> list[Parts]:
    import numpy as np

    if not len(likely):
        rules = sorted(rules, key=lambda rule: (len(rule.parts), len(rule.pairs)))
        return [rule.parts for rule in rules[:4]]
    brings = [np.isin(likely, rule.pairs, assume_unique=True) for rule in rules]
    times = np.zeros(len(likely), np.int64)
    chosen: list[Parts] = []
    waiting = list(range(len(rules)))
    while waiting and len(chosen) < MOST:
        worth = np.array(WORTH)[np.minimum(times, len(WORTH) - 1)]
        gains = [float(worth[brings[at]].sum()) - COST * len(rules[at].pairs) for at in waiting]
        best = int(np.argmax(gains))
        if gains[best] < LEAST_GAIN * len(likely):
            break
        at = waiting.pop(best)
        times += brings[at]
        chosen.append(rules[at].parts)
    return chosen
