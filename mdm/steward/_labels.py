"""Blind labelling: a pair is shown without its weight, so that what people say can judge the matching."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from landbridge.errors import Finding, Invalid
from mdm.hub import Matching
from mdm.store import labels, queue

Verdict = Literal["same", "different", "unsure"]


@dataclass(frozen=True, slots=True)
class Label:
    """A pair to be labelled: both records, and nothing of what the hub thinks of them."""

    a: queue.Record
    b: queue.Record


def next_to_label(connection: Connection, matching: Matching, actor: str, most: int = 1) -> list[Label]:
    """Pairs that this person has not labelled yet, from every band of weights alike."""
    declared = matching.declaration
    low, high = declared.thresholds.review, declared.thresholds.auto
    bounds = sorted({low, (low + high) / 2, high, high + 4.0})
    pairs = labels.unlabelled(connection, declared.entity, actor, bounds, most)
    known = queue.look(connection, {id_ for one in pairs for id_ in (one.a, one.b)})
    return [Label(known[one.a], known[one.b]) for one in pairs if one.a in known and one.b in known]


def label(connection: Connection, entity: str, a: UUID, b: UUID, verdict: Verdict, actor: str, now: datetime) -> None:
    """Keep what a person says of a pair; it decides nothing."""
    known = queue.look(connection, [a, b])
    if a == b or len(known) != 2:
        raise Invalid([Finding("records", "record", f"the hub does not know {a} and {b} as two", "Look at their ids.")])
    labels.keep(connection, labels.Row(min(a, b), max(a, b), actor, entity, verdict, now))
