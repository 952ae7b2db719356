"""The first load of an entity: matched in bulk, grouped over arrays, and written by COPY, a stream from end to end.

What is kept in memory of a record is its id, its place and its block keys; bodies pass through.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from landbridge.errors import Conflict, Finding, Invalid
from landbridge.strict import json
from mdm.cluster import BulkPartition, partition_bulk
from mdm.hub._arrive import above, arrived, kept
from mdm.hub._change import Change, Matching
from mdm.hub._regroup import EVIDENCE, written
from mdm.store import bulk
from mdm.store._bulk import NULL, Grouped, copy_columns, escaped, hexadecimal, instant, line, moments, packed
from mdm.survive import Member, survive

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 5_000
Ints = NDArray[np.int64]


class Weighed(Protocol):
    """Edges between rows of a table, a batch of them."""

    @property
    def a(self) -> Any: ...
    @property
    def b(self) -> Any: ...
    @property
    def weight(self) -> Any: ...


class Loaded(NamedTuple):
    """What a first load gave."""

    records: int
    golden: int
    crowds: int
    """Components that were left to a person."""
    moved: Mapping[UUID, UUID]
    """Record → golden record, where these are not the same."""


@dataclass(slots=True)
class Rows:
    """What is kept in memory of every record."""

    ids: list[UUID] = field(default_factory=list)
    places: list[tuple[str, str, str]] = field(default_factory=list)
    orders: list[bytes] = field(default_factory=list)
    parents: dict[int, UUID] = field(default_factory=dict)
    links: list[tuple[UUID, UUID, str]] = field(default_factory=list)
    """What stewards and systems said about pairs."""


@contextmanager
def _without_sweeps() -> Iterator[None]:
    """Leave cycles alone for a while: rows make none, and every search for them walks over all that is kept."""
    swept = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if swept:
            gc.enable()


@_without_sweeps()
def first_load(
    connection: Connection,
    entity: str,
    matching: Matching,
    at: datetime,
    changes: Iterable[Change],
    table: pa.Table,
    edges: Iterable[Weighed],
    same: Iterable[tuple[UUID, UUID]] = (),
) -> Loaded:
    """Load an entity of which the hub holds nothing; one transaction, whose result is that of taking the changes.

    Row n of `table` holds the features of the n-th change, and `edges` are those between its rows. Pairs of `same` are
    decided to be one; who calls keeps these decisions.
    """
    if not bulk.is_empty(connection, entity):
        raise Conflict(
            f"The hub holds {entity} records already.", hint="Take changes; a first load is for an empty hub."
        )
    rows = Rows(links=[(a, b, "same") for a, b in same])
    bulk.copy(connection, "hub_version", _versions(matching, changes, at, rows))
    if len(rows.ids) != table.num_rows or len(set(rows.ids)) != len(rows.ids):
        what = f"{len(rows.ids)} changes of {len(set(rows.ids))} records do not fit a table of {table.num_rows} rows"
        raise Invalid([Finding("changes", "first_load", what, "Give each record once, in the order of the table.")])
    found = Pairs.gather(edges)
    made, golden = group(matching, rows, table, found)
    keys: list[NDArray[np.int64]] = []
    crowded = np.zeros(len(rows.ids), dtype=np.bool_)
    for crowd in made.too_big:
        crowded[crowd] = True
    bulk.copy(connection, "hub_record", _records(entity, matching, rows, table, golden, crowded, keys))
    write_keys(connection, entity, matching, at, rows, keys)
    write_edges(connection, rows, found)
    ids = packed(rows.ids)
    copy_columns(connection, "hub_membership", ids, moments(at, len(ids)), ids[golden])
    count = _write_golden(connection, entity, matching, at)
    bulk.analyse(connection)
    moved = {id_: rows.ids[g] for n, (id_, g) in enumerate(zip(rows.ids, golden.tolist(), strict=True)) if g != n}
    return Loaded(len(rows.ids), count, len(made.too_big), moved)


def id_of(id_: UUID) -> bytes:
    """An id as a field of a COPY."""
    return str(id_).encode()


def _versions(matching: Matching, changes: Iterable[Change], at: datetime, rows: Rows) -> Iterator[bytes]:
    path, moment = matching.declaration.parent, instant(at)
    for change in changes:
        if change.action != "upsert":
            what = f"a first load holds records, and {change.key} of {change.system} is a {change.action}"
            raise Invalid([Finding("changes", "first_load", what, "Take deletions and merges after it.")])
        one = arrived(change)
        if path and path.split(".")[0] in (change.body or {}) and (parent := above(change.body or {}, path)):
            rows.parents[len(rows.ids)] = parent
        order = b"\t".join((instant(change.stamp), str(change.sequence).encode(), hexadecimal(one.order[2])))
        rows.ids.append(change.record)
        rows.places.append((change.system, change.scope, change.key))
        rows.orders.append(order)
        yield line(id_of(change.record), order, b"upsert", escaped(one.written), moment)


@dataclass(slots=True)
class Pairs:
    """Edges between rows of a table, all of them."""

    a: Ints
    b: Ints
    weight: NDArray[np.float64]

    @staticmethod
    def gather(batches: Iterable[Weighed]) -> Pairs:
        """All batches as one."""
        parts = [(np.asarray(e.a), np.asarray(e.b), np.asarray(e.weight)) for e in batches]
        if not parts:
            none = np.zeros(0, dtype=np.int64)
            return Pairs(none, none, np.zeros(0))
        a, b, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Pairs(a.astype(np.int64), b.astype(np.int64), weight.astype(np.float64))

    def with_told(self, told: list[tuple[int, int]], matching: Matching) -> Pairs:
        """These pairs and what systems said, which counts where it is more."""
        if not told:
            return self
        weight = max(EVIDENCE, matching.declaration.thresholds.auto)
        known = {
            (min(x, y), max(x, y)): n for n, (x, y) in enumerate(zip(self.a.tolist(), self.b.tolist(), strict=True))
        }
        weights, new = self.weight.copy(), []
        for pair in sorted({(int(min(p)), int(max(p))) for p in told if p[0] != p[1]}):
            if pair in known:
                weights[known[pair]] = max(weights[known[pair]], weight)
            else:
                new.append(pair)
        more = np.array(new, dtype=np.int64).reshape(-1, 2)
        return Pairs(
            np.concatenate([self.a, more[:, 0]]),
            np.concatenate([self.b, more[:, 1]]),
            np.concatenate([weights, np.full(len(new), weight)]),
        )


def group(matching: Matching, rows: Rows, table: pa.Table, edges: Pairs) -> tuple[BulkPartition, Ints]:
    """The partition by rows of the table, and per row the row of the oldest record of its group."""
    declared, size = matching.declaration, len(rows.ids)
    order = np.array(sorted(range(size), key=lambda n: (rows.places[n], rows.ids[n])), dtype=np.int64)
    rank = np.empty(size, dtype=np.int64)
    rank[order] = np.arange(size)
    identities, conflicting = _identities(declared, table, order)
    where = {id_: n for n, id_ in enumerate(rows.ids)} if rows.parents or rows.links else {}
    said: dict[str, list[tuple[int, int]]] = {"same": [], "apart": [], "told": []}
    for one, other, kind in rows.links:
        if one in where and other in where:
            pair = (int(rank[where[one]]), int(rank[where[other]]))
            said[kind if kind in said else "apart"].append(pair)
    edges = edges.with_told([(order[x], order[y]) for x, y in said["told"]], matching)
    clashing = [(int(rank[n]), int(rank[where[p]])) for n, p in rows.parents.items() if where.get(p, n) != n]
    exclusive = [_codes([rows.places[n][0] for n in order.tolist()])] if declared.one_to_one else []
    made = partition_bulk(
        size,
        rank[edges.a],
        rank[edges.b],
        edges.weight,
        guard=declared.guard,
        auto=declared.thresholds.auto,
        identities=identities,
        exclusive=exclusive,
        clashing=clashing,
        conflicting=conflicting,
        together=said["same"],
        apart=said["apart"],
    )
    groups = made.groups[rank]
    oldest = _by_id(rows.ids, groups)
    firsts = np.flatnonzero(np.r_[True, np.diff(groups[oldest]) != 0][:size])
    golden = np.empty(size, dtype=np.int64)
    golden[oldest] = np.repeat(oldest[firsts], np.diff(np.r_[firsts, size]))
    return BulkPartition(groups, [order[crowd] for crowd in made.too_big]), golden


def _by_id(ids: list[UUID], *first: Ints) -> Ints:
    """The places of ids in order: of equal ones of `first`, the oldest id comes first."""
    halves = np.frombuffer(packed(ids).tobytes(), dtype=">u8").reshape(-1, 2)
    return np.lexsort((halves[:, 1], halves[:, 0], *first))


def _codes(values: list[str]) -> Ints:
    return np.unique(np.array(values), return_inverse=True)[1].astype(np.int64)


def _identities(declared: Any, table: pa.Table, order: Ints) -> tuple[list[Ints], Any]:
    """Identifiers that part records, as codes; those of which a record may hold many are compared one by one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    codes, many = [], []
    for one in declared.identifiers:
        if not one.apart:
            continue
        column = table.column(one.column).combine_chunks()
        if pa.types.is_list(column.type):
            many.append([column[n].as_py() for n in order.tolist()])
        else:
            indices = pc.fill_null(column.dictionary_encode().indices, -1)
            codes.append(indices.to_numpy(zero_copy_only=False).astype(np.int64)[order])

    def conflicting(a: int, b: int) -> bool:
        return any(held[a] and held[b] and set(held[a]).isdisjoint(held[b]) for held in many)

    return codes, conflicting if many else None


def _records(
    entity: str,
    matching: Matching,
    rows: Rows,
    table: pa.Table,
    golden: Ints,
    crowded: NDArray[np.bool_],
    keys: list[Ints],
) -> Iterator[bytes]:
    """Rows of records; their keys are noted on the way, as (key, row)."""
    name = escaped(entity.encode())
    homes = golden.tolist()
    n = 0
    for batch in table.to_batches(max_chunksize=CHUNK):
        noted: list[tuple[int, int]] = []
        for read in batch.to_pylist():
            features = kept(read)
            found = sorted(set(matching.scorer.keys(features)))
            noted += [(key, n) for key in found]
            system, scope, key = rows.places[n]
            yield line(
                id_of(rows.ids[n]),
                name,
                escaped(system.encode()),
                escaped(scope.encode()),
                escaped(key.encode()),
                rows.orders[n],
                b"f",
                id_of(rows.parents[n]) if n in rows.parents else NULL,
                escaped(json.dumps(features)),
                b"{" + ",".join(map(str, found)).encode() + b"}",
                id_of(rows.ids[homes[n]]),
                b"t" if crowded[n] else b"f",
            )
            n += 1
        keys.append(np.array(noted, dtype=np.int64).reshape(-1, 2))


def write_keys(
    connection: Connection, entity: str, matching: Matching, at: datetime, rows: Rows, noted: list[Ints]
) -> None:
    """Write the keys noted as (key, row), in the order of their index, and say which are hot and who has none."""
    keys = np.concatenate(noted) if noted else np.zeros((0, 2), dtype=np.int64)
    keys = keys[np.lexsort((keys[:, 1], keys[:, 0]))]
    copy_columns(connection, "hub_key", keys[:, 0], packed(rows.ids)[keys[:, 1]])
    values, counts = np.unique(keys[:, 0], return_counts=True)
    over = counts > matching.declaration.guard.hot
    name, moment = escaped(entity.encode()), instant(at)
    hot = zip(values[over].tolist(), counts[over].tolist(), strict=True)
    bulk.copy(connection, "hub_hot", (line(str(k).encode(), name, str(c).encode(), moment) for k, c in hot))
    silent = (id_of(rows.ids[n]) for n in np.setdiff1d(np.arange(len(rows.ids)), keys[:, 1]).tolist())
    bulk.copy(
        connection,
        "hub_notice",
        (line(b"unidentified", id_, name, b'{"record": "' + id_ + b'"}', moment) for id_ in silent),
    )


def write_edges(connection: Connection, rows: Rows, edges: Pairs) -> None:
    """Write edges, the lesser id of each first."""
    ids = packed(rows.ids)
    order = np.empty(len(ids), dtype=np.int64)
    order[_by_id(rows.ids)] = np.arange(len(ids))
    swapped = order[edges.b] < order[edges.a]
    one, other = np.where(swapped, edges.b, edges.a), np.where(swapped, edges.a, edges.b)
    copy_columns(connection, "hub_edge", ids[one], ids[other], edges.weight)


def _write_golden(connection: Connection, entity: str, matching: Matching, at: datetime) -> int:
    name, moment = escaped(entity.encode()), instant(at)
    policy = escaped(matching.declaration.digest.encode())
    count = 0
    for groups in _whole_groups(bulk.grouped(connection, entity, CHUNK)):
        lines, changes = [], []
        for group in groups:
            made = survive(_members(group), matching.declaration)
            id_ = id_of(group[0].golden)
            values, lineage, quality = written(made)
            lines.append(
                line(
                    id_, b"1", name, moment, b"active", escaped(values), escaped(lineage), escaped(quality),
                    made.hash.encode(), policy,
                )
            )  # fmt: skip
            changes.append(line(name, id_, b"1", b"create", moment))
        bulk.copy(connection, "hub_golden", lines)
        bulk.copy(connection, "hub_change", changes)
        count += len(groups)
    return count


def _whole_groups(chunks: Iterable[list[Grouped]]) -> Iterator[list[list[Grouped]]]:
    """The records of whole golden records, some golden records at a time; a chunk may end inside of one."""
    open_: list[Grouped] = []
    for chunk in chunks:
        groups = [list(group) for _, group in groupby([*open_, *chunk], key=lambda one: one.golden)]
        open_ = groups.pop()
        yield groups
    if open_:
        yield [open_]


def _members(group: list[Grouped]) -> list[Member]:
    """Records as survivorship sees them; of one alone nobody asks for its features."""
    return [
        Member(
            one.id,
            one.system,
            one.scope,
            one.key,
            one.stamp,
            one.sequence,
            one.digest.hex(),
            json.loads(one.body),
            json.loads(one.features) if len(group) > 1 else {},
        )
        for one in group
    ]
