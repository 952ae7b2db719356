"""Bulk matching of titles: the same keys and weights as in real time, over whole tables in constant memory.

Candidates come from the block keys. What they can weigh at most is computed for many at a time with sparse matrices;
only those that may reach the review threshold are weighed one by one, by the scorer of the real-time path itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from mdm.bulk import Edges, HotKey, Told, check_table
from mdm.declaration import Declaration, Features
from mdm.score import Model, blocks_of
from mdm.titles._bound import Bound
from mdm.titles._scorer import TitleScorer

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

PART_PAIRS = 2_000_000
_CHUNK = 50_000


def match(declaration: Declaration, model: Model, table: pa.Table, *, told: Told | None = None) -> Iterator[Edges]:
    """The edges of a table of records from the review threshold on; the same pairs and weights as one by one."""
    check_table(declaration, table)
    told = told if told is not None else Told()
    scorer = TitleScorer(declaration, model)
    records: list[Features] = table.to_pylist()
    blocked = _blocked(scorer, records)
    told.hot = tuple(_hot(declaration, blocked, records, scorer))
    blocked = blocked.within(declaration.guard.hot)
    bound = Bound(declaration, model, records)
    review = declaration.thresholds.review
    parts = max(1, ceil(blocked.pairs / PART_PAIRS))
    for part in range(parts):
        found = blocked.part(part, parts, len(records))
        told.candidates += len(found)
        for at in range(0, len(found), _CHUNK):
            a, b = divmod(found[at : at + _CHUNK], len(records))
            may = bound.at_most(a, b) >= review - 1e-6
            yield _weighed(scorer, records, a[may], b[may], review)


def _weighed(scorer: TitleScorer, records: Sequence[Features], a: Numbers, b: Numbers, review: float) -> Edges:
    import numpy as np

    pairs = zip(a.tolist(), b.tolist(), strict=True)
    weights = np.fromiter((scorer.weight(records[one], records[two]) for one, two in pairs), np.float64, len(a))
    strong = weights >= review
    return Edges(a[strong], b[strong], weights[strong])


@dataclass(frozen=True, slots=True)
class _Blocked:
    """Records by block key: the holders of key number `i` are `holders[starts[i]:starts[i] + sizes[i]]`."""

    keys: Numbers
    holders: Numbers
    starts: Numbers
    sizes: Numbers

    def within(self, hot: int) -> _Blocked:
        """Without the keys of one record, and of more than `hot`."""
        kept = (self.sizes > 1) & (self.sizes <= hot)
        return _Blocked(self.keys[kept], self.holders, self.starts[kept], self.sizes[kept])

    @property
    def pairs(self) -> int:
        """How many pairs the keys give before duplicates among them are dropped."""
        return int((self.sizes * (self.sizes - 1) // 2).sum())

    def part(self, part: int, parts: int, count: int) -> Numbers:
        """One part of the pairs, each once, as a * count + b with a < b; the parts together are all."""
        import numpy as np

        found = [np.empty(0, np.int64)]
        for size in np.unique(self.sizes).tolist():
            starts = self.starts[self.sizes == size]
            one, two = np.triu_indices(size, 1)
            step = max(1, _CHUNK * 20 // len(one))
            for at in range(0, len(starts), step):
                rows = self.holders[starts[at : at + step, None] + np.arange(size)]
                a, b = rows[:, one].ravel(), rows[:, two].ravel()
                if parts > 1:
                    chosen = a % parts == part
                    a, b = a[chosen], b[chosen]
                found.append(np.unique(a * count + b))
        return np.unique(np.concatenate(found))


def _blocked(scorer: TitleScorer, records: Sequence[Features]) -> _Blocked:
    import numpy as np

    keyed = [scorer.keys(record) for record in records]
    keys = np.fromiter((key for keys in keyed for key in keys), np.int64)
    holders = np.repeat(np.arange(len(records), dtype=np.int64), [len(one) for one in keyed])
    order = np.lexsort((holders, keys))
    keys, holders = keys[order], holders[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, np.int64)
    return _Blocked(keys[starts], holders, starts, np.diff(np.r_[starts, len(keys)]))


def _hot(
    declaration: Declaration, blocked: _Blocked, records: Sequence[Features], scorer: TitleScorer
) -> Iterator[HotKey]:
    """The keys of too many records, the greatest first."""
    import numpy as np

    rules: Callable[[Features], dict[int, int]] = scorer.rules
    blocks = blocks_of(declaration)
    hot = np.flatnonzero(blocked.sizes > declaration.guard.hot)
    for at in hot[np.lexsort((blocked.keys[hot], -blocked.sizes[hot]))].tolist():
        key, example = int(blocked.keys[at]), int(blocked.holders[blocked.starts[at]])
        rule = rules(records[example])[key]
        columns = tuple(column for column, _ in blocks[rule].parts)
        yield HotKey(rule, columns, int(blocked.sizes[at]), example)
