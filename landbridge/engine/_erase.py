"""Erasing a person's data: the hub first, then the store, and nothing while something of it is on its way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from landbridge.engine._grouping import regroup
from landbridge.engine._hub import Erased, Grouped
from landbridge.errors import Conflict
from landbridge.store import control, erasure, groups, hooks

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from landbridge.engine._parts import Parts


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased."""

    counts: erasure.Counts
    golden: int
    """Golden records that these records ever belonged to; what they gave to them is gone."""


def erase(
    connection: Connection, parts: Parts, entity: str, records: Collection[UUID], *, actor: str, reason: str = ""
) -> Erasure:
    """Erase what is kept of these records, in the caller's transaction; Conflict while something of it is under way.

    Ids, envelopes and counts stay. What these records' systems send later is kept as ever.
    """
    now = parts.clock.now()
    beside = {id_ for record in records for id_ in erasure.group(connection, record)} - set(records)
    erased = Erased(Grouped(), ())
    if parts.hub is not None and entity in parts.hub.entities:
        erased = parts.hub.erase(connection, entity, records)
    scope = erasure.Scope(entity, records, sorted({*records, *beside, *erased.golden}), parts.hub_system)
    _must_be_still(connection, scope)
    regroup(connection, parts, entity, erased.grouped, set(records))
    counts = erasure.erase(connection, scope, now)
    for record in sorted(records):
        control.note(connection, erasure.ERASED, actor, now, subject=record, detail={"reason": reason})
    hooks.notify(connection, groups.again(connection, beside, now).keys())
    return Erasure(counts, len(erased.golden))


def _must_be_still(connection: Connection, scope: erasure.Scope) -> None:
    moving = erasure.moving(connection, scope)
    if moving.waiting or moving.leaving:
        told = (
            f"{moving.waiting} of its messages wait to be processed, {moving.leaving} deliveries of it are under way."
        )
        raise Conflict(told, hint="Let the flows run (`landbridge run`, or the worker), then erase.")
