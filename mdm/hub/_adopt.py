"""A new model takes over: keys and edges are made anew in bulk, and only what that regroups is written.

Golden ids follow from the groups, decisions hold, and the whole of it is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from sqlalchemy import Connection

from landbridge.errors import Finding, Invalid
from landbridge.strict import json
from mdm.hub._arrive import above, kept
from mdm.hub._change import Matching, Regrouped
from mdm.hub._load import CHUNK, Ints, Pairs, Rows, Weighed, group, id_of, write_edges, write_keys
from mdm.hub._regroup import assign, values
from mdm.store import bulk, groups
from mdm.store._bulk import NULL, escaped, line
from mdm.store._groups import Outcome

if TYPE_CHECKING:
    import pyarrow as pa

PART = 500
"""Records that are regrouped at a time."""


def adopt(
    connection: Connection, entity: str, matching: Matching, at: datetime, table: pa.Table, edges: Iterable[Weighed]
) -> list[Regrouped]:
    """Group an entity by this matching from now on; row n of `table` is the n-th of `contents`. Who moved."""
    rows, before, crowded = Rows(), list[UUID](), list[bool]()
    for one in bulk.contents(connection, entity):
        if parent := above(one.body or {}, matching.declaration.parent):
            rows.parents[len(rows.ids)] = parent
        rows.ids.append(one.id)
        rows.places.append((one.system, one.scope, one.key))
        before.append(one.golden)
        crowded.append(one.crowded)
    if len(rows.ids) != table.num_rows:
        what = f"the hub holds {len(rows.ids)} records of {entity} and the table {table.num_rows}"
        raise Invalid([Finding("table", "adopt", what, "Make it anew, in the transaction that adopts it.")])
    rows.links = bulk.links(connection, entity)
    found = Pairs.gather(edges)
    made, golden = group(matching, rows, table, found)
    bulk.clear(connection, entity, matching.scorer.model_id)
    keys: list[Ints] = []
    bulk.compare_by(connection, _compared(matching, rows, table, keys))
    write_keys(connection, entity, matching, at, rows, keys)
    write_edges(connection, rows, found)
    now_crowded = np.zeros(len(rows.ids), dtype=np.bool_)
    for crowd in made.too_big:
        now_crowded[crowd] = True
    homes = [rows.ids[n] for n in golden.tolist()]
    parts = _parts(rows.ids, before, homes, crowded, now_crowded.tolist())
    return [one for part in parts for one in _regroup(connection, entity, matching, at, part)]


Placed = tuple[UUID, UUID, bool]
"""A record, its golden record from now on, and whether it stands in a crowd."""


def _compared(matching: Matching, rows: Rows, table: pa.Table, keys: list[Ints]) -> Iterator[bytes]:
    n = 0
    for batch in table.to_batches(max_chunksize=CHUNK):
        noted: list[tuple[int, int]] = []
        for read in batch.to_pylist():
            features = kept(read)
            found = sorted(set(matching.scorer.keys(features)))
            noted += [(key, n) for key in found]
            parent = id_of(rows.parents[n]) if n in rows.parents else NULL
            held = b"{" + ",".join(map(str, found)).encode() + b"}"
            yield line(id_of(rows.ids[n]), parent, escaped(json.dumps(features)), held)
            n += 1
        keys.append(np.array(noted, dtype=np.int64).reshape(-1, 2))


def _parts(
    ids: list[UUID], before: list[UUID], after: list[UUID], was: list[bool], crowded: list[bool]
) -> Iterator[list[Placed]]:
    """Records whose grouping changes, with all who share a golden record with them before or after, some at a time."""
    home = {id_: id_ for id_ in ids}

    def root(id_: UUID) -> UUID:
        while home[id_] != id_:
            home[id_] = home[home[id_]]
            id_ = home[id_]
        return id_

    for id_, old, new in zip(ids, before, after, strict=True):
        for other in (old, new):
            home[root(other)] = root(id_)
    changes = zip(ids, before, after, was, crowded, strict=True)
    touched = {root(id_) for id_, old, new, one, other in changes if old != new or one != other}
    together: dict[UUID, list[Placed]] = {}
    for id_, new, stands in zip(ids, after, crowded, strict=True):
        if root(id_) in touched:
            together.setdefault(root(id_), []).append((id_, new, stands))
    part: list[Placed] = []
    for found in together.values():
        part += found
        if len(part) >= PART:
            yield part
            part = []
    if part:
        yield part


def _regroup(
    connection: Connection, entity: str, matching: Matching, at: datetime, part: list[Placed]
) -> list[Regrouped]:
    found = groups.gather(connection, [id_ for id_, _, _ in part])
    gathered: dict[UUID, list[UUID]] = {}
    for id_, golden, _ in part:
        gathered.setdefault(golden, []).append(id_)
    outcome = Outcome()
    made = {golden: tuple(sorted(members)) for golden, members in gathered.items()}
    regrouped = assign(found, made, {id_ for id_, _, stands in part if stands}, set(), outcome)
    values(matching, found, made, set(), regrouped, outcome)
    groups.settle(connection, entity, at, matching.declaration.digest, outcome)
    return regrouped
