"""Taking changes: versions appended, candidates scored, components grouped anew, all in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from mdm.hub._arrive import Arrived, Batch, advance, arrived
from mdm.hub._change import Change, Matching, Regrouped
from mdm.hub._compare import compare, rearrange
from mdm.hub._regroup import regroup, unidentified
from mdm.store import records
from mdm.store._groups import Notice


def take(
    connection: Connection, entity: str, matching: Matching, at: datetime, changes: Sequence[Change]
) -> list[Regrouped]:
    """Take versions of records; the number of statements does not depend on how many."""
    versions = [arrived(change) for change in changes]
    before = records.known(connection, {change.record for change in changes})
    batch = advance(matching, entity, versions, before)
    return put(connection, entity, matching, at, batch, versions, _notices(batch))


def put(
    connection: Connection,
    entity: str,
    matching: Matching,
    at: datetime,
    batch: Batch,
    versions: Sequence[Arrived],
    notices: Collection[Notice],
) -> list[Regrouped]:
    """Write these versions and how the records stand after them, and do everything that follows."""
    found = compare(connection, matching, batch)
    rows = {(one.change.record, one.order): one.row() for one in versions}
    linked = records.write(
        connection,
        at,
        rows.values(),
        batch.after.values(),
        found.gained,
        found.lost,
        batch.compared,
        found.edges,
        matching.declaration.thresholds.auto,
    )
    if not batch.after:
        return []
    rearrange(connection, matching, entity, at, found)
    seeds = linked | found.touched | batch.after.keys()
    if batch.said:
        seeds |= records.say(connection, batch.said)
    revalued = batch.after.keys()
    return regroup(connection, entity, matching, at, seeds, revalued=revalued, new=batch.new, notices=notices)


def _notices(batch: Batch) -> list[Notice]:
    told = []
    for id_ in batch.compared:
        keys, old = batch.after[id_].keys, batch.before.get(id_)
        if not keys or (old is not None and not old.keys):  # silent now, or until now
            told.append(unidentified(id_, keys))
    return told + [Notice("reused", id_, detail) for id_, detail in batch.reused.items()]
