"""Candidate pairs: records that share a block key which is not hot, each pair once, a part of them at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdm.bulk._codes import Codes, Columns, Ints
from mdm.bulk._told import HotKey
from mdm.declaration import Block, Declaration
from mdm.score import blocks_of

_MOST = 2**62


@dataclass(frozen=True, slots=True)
class _Rule:
    """The records of one rule's keys, key by key, each key's in order; and per place where its key's records end."""

    records: Codes
    ends: Codes


class Candidates:
    """The pairs of a table that share a key."""

    def __init__(self, declaration: Declaration, columns: Columns) -> None:
        self._size = columns.size
        self._rules: list[_Rule] = []
        self.by_rule: list[int] = []
        """How many pairs the keys of every rule give; the rules may give the same ones."""
        hot: list[HotKey] = []
        for number, block in enumerate(blocks_of(declaration)):
            rule, pairs, over = _rule(columns, block, declaration.guard.hot)
            self._rules.append(rule)
            self.by_rule.append(pairs)
            names = tuple(column for column, _ in block.parts)
            hot += [HotKey(number, names, members, example) for members, example in over]
        self.hot = tuple(sorted(hot, key=lambda one: (-one.members, one.rule, one.example)))

    @property
    def most(self) -> int:
        """How many pairs there are at most."""
        return sum(self.by_rule)

    def pairs(self, part: int, parts: int) -> tuple[Ints, Ints]:
        """The pairs a < b of one part, in order; the parts together are all, and none has a pair of another."""
        found = [np.zeros(0, dtype=np.int64)]
        for rule in self._rules:
            places = np.arange(len(rule.records), dtype=np.int32)
            if parts > 1:
                places = places[rule.records % parts == part]
            step = 1
            while len(places := places[rule.ends[places] > places + step]):
                found.append(rule.records[places].astype(np.int64) * self._size + rule.records[places + step])
                step += 1
        both = np.concatenate(found)
        both.sort()
        if len(both):
            both = both[np.append(True, both[1:] != both[:-1])]
        return np.divmod(both, max(self._size, 1))


def _rule(columns: Columns, block: Block, hot: int) -> tuple[_Rule, int, list[tuple[int, int]]]:
    """A rule's records by key without the keys of one record and hot ones; its pairs; and members, example of these."""
    keys, records = _keys(columns, block)
    size = columns.size
    if len(keys) and int(keys.max()) >= _MOST // max(size, 1):
        keys = np.unique(keys, return_inverse=True)[1]
    both = keys * size + records
    both.sort()
    keys, records = np.divmod(both, max(size, 1))
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    members = np.diff(np.append(starts, len(keys)))
    over = [(int(members[n]), int(records[starts[n]])) for n in np.flatnonzero(members > hot)]
    kept = (members > 1) & (members <= hot)
    left = members[kept]
    rule = _Rule(records[np.repeat(kept, members)].astype(np.int32), np.repeat(np.cumsum(left), left).astype(np.int32))
    return rule, int((left * (left - 1) // 2).sum()), over


def _keys(columns: Columns, block: Block) -> tuple[Ints, Ints]:
    """The keys of one rule as (number, record): one per choice of values, none where a column says nothing."""
    records = np.arange(columns.size, dtype=np.int64)
    keys = np.zeros(columns.size, dtype=np.int64)
    most = 1
    for name, length in block.parts:
        holders, codes, count = columns.choices(name, length)
        if most * max(count, 1) >= _MOST:
            distinct, keys = np.unique(keys, return_inverse=True)
            most = len(distinct)
        most *= max(count, 1)
        if holders is None:
            codes = codes[records]
            said = codes >= 0
            keys, records = keys[said] * count + codes[said], records[said]
        else:
            starts = np.searchsorted(holders, records)
            many = np.searchsorted(holders, records, side="right") - starts
            within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
            keys = np.repeat(keys, many) * count + codes[np.repeat(starts, many) + within]
            records = np.repeat(records, many)
    return keys, records
