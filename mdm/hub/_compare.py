"""Candidates by block key, scored; and keys that get too hot to say anything, or cool down again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from mdm.hub._arrive import Batch
from mdm.hub._change import Matching
from mdm.store import records

Edge = tuple[UUID, UUID, float]


@dataclass(slots=True)
class Compared:
    """What comparing a batch gave, and what is to be written of it."""

    edges: list[Edge] = field(default_factory=list)
    gained: list[tuple[int, UUID]] = field(default_factory=list)
    lost: list[tuple[int, UUID]] = field(default_factory=list)
    hot: dict[int, int] = field(default_factory=dict)
    """Counts of hot keys that changed; 0: hot no more."""
    heated: set[UUID] = field(default_factory=set)
    """Holders of keys that became hot: edges that stood on such a key alone fall."""
    cooled: list[int] = field(default_factory=list)
    touched: set[UUID] = field(default_factory=set)
    """Records outside of the batch that lost or won an edge without it."""


def compare(connection: Connection, matching: Matching, batch: Batch) -> Compared:
    """Score every record that changed against all who share a key with it; whoever arrived first."""
    found = Compared()
    for id_ in batch.compared:
        old, new = batch.before.get(id_), batch.after[id_]
        had = set(old.keys) if old is not None else set[int]()
        found.gained += [(key, id_) for key in new.keys if key not in had]
        found.lost += [(key, id_) for key in had.difference(new.keys)]
    asked = {key for id_ in batch.compared for key in batch.after[id_].keys} | {key for key, _ in found.lost}
    held = records.held(connection, asked) if asked else records.Held({}, {}, {})
    holders = _holders(matching, held, found)
    features = {id_: row[2] for id_, row in held.features.items()}
    features |= {id_: batch.after[id_].features or {} for id_ in batch.compared}
    pairs = {
        (id_, other) if id_ < other else (other, id_)
        for id_ in batch.compared
        for key in batch.after[id_].keys
        for other in holders.get(key, ())
        if other != id_
    }
    found.edges = list(_score(matching, pairs, features))
    return found


def _holders(matching: Matching, held: records.Held, found: Compared) -> dict[int, set[UUID]]:
    """Who holds each key that may be used, after the change; keys that cross the line of the guard are noted."""
    cap = matching.declaration.guard.hot
    gained, lost = Counter(key for key, _ in found.gained), Counter(key for key, _ in found.lost)
    holders = {key: set(ids) for key, ids in held.holders.items()}
    for key, id_ in found.lost:
        if key in holders:
            holders[key].discard(id_)
    for key, id_ in found.gained:
        if key in holders:
            holders[key].add(id_)
    for key, count in held.hot.items():
        now = count + gained[key] - lost[key]
        if now <= cap:
            found.hot[key] = 0
            found.cooled.append(key)
        elif now != count:
            found.hot[key] = now
    for key, ids in list(holders.items()):
        if len(ids) > cap:
            found.hot[key] = len(ids)
            found.heated |= holders.pop(key)
    return holders


def _score(matching: Matching, pairs: Iterable[tuple[UUID, UUID]], features: Mapping[UUID, Any]) -> Iterable[Edge]:
    score, review = matching.scorer.score, matching.declaration.thresholds.review
    for a, b in pairs:
        weight = score(features[a], features[b]).weight
        if weight >= review:
            yield a, b, weight


def rearrange(connection: Connection, matching: Matching, entity: str, at: datetime, found: Compared) -> None:
    """After the keys are written: what keys that crossed the line mean for pairs outside of the batch."""
    if not found.hot:
        return
    records.heat(connection, entity, at, found.hot)
    if found.heated:
        found.touched |= records.unblock(connection, list(found.heated))
    if found.cooled:
        again = records.held(connection, found.cooled)
        features = {id_: row[2] for id_, row in again.features.items()}
        pairs = {pair for ids in again.holders.values() for pair in combinations(sorted(ids), 2)}
        made = list(_score(matching, pairs, features))
        records.add_edges(connection, made)
        found.touched |= {id_ for a, b, _ in made for id_ in (a, b)}
