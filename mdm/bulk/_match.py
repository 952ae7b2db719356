"""Bulk matching: every pair of records at or above the review threshold, in batches of constant size."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING

from mdm.bulk._codes import Columns
from mdm.bulk._pairs import Candidates
from mdm.bulk._table import check_table
from mdm.bulk._told import Edges, Room, Told
from mdm.bulk._weigh import Weights, compared, raise_same, shares
from mdm.declaration import Declaration
from mdm.score import Model, check_model

if TYPE_CHECKING:
    import pyarrow as pa

PART_PAIRS = 2_000_000
"""Pairs that are in hand at once, as many as the keys of all rules give."""


def match(
    declaration: Declaration, model: Model, table: pa.Table, *, told: Told | None = None, room: Room | None = None
) -> Iterator[Edges]:
    """The edges of a table of records; the same pairs and weights that the scorer gives one by one."""
    check_model(declaration, model)
    check_table(declaration, table)
    told, threads = told if told is not None else Told(), (room or Room()).threads
    columns = Columns(declaration, table)
    candidates = Candidates(declaration, columns)
    told.hot = candidates.hot
    weights = Weights(model.parsed, {name: shares(columns[name], known) for name, known in model.frequencies.items()})
    parts = max(1, ceil(candidates.most / PART_PAIRS))
    for part in range(parts):
        a, b = candidates.pairs(part, parts)
        told.candidates += len(a)
        weight = weights.of(declaration, columns, a, compared(declaration, columns, a, b, threads))
        raise_same(declaration, columns, a, b, weight)
        kept = weight >= declaration.thresholds.review
        yield Edges(a[kept], b[kept], weight[kept])
