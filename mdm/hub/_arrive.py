"""What arrived, against what stands: new versions, new states, and which of them have to be compared anew."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from landbridge.strict import json
from mdm.declaration import Features
from mdm.hub._change import Change, Matching
from mdm.store import fragment, storable
from mdm.store._records import Order, State

LAST = b"\xff" * 16
"""The digest of a deletion: of versions with one stamp and sequence, it is the last."""


@dataclass(slots=True)
class Arrived:
    """A version that came, as it will be kept."""

    change: Change
    order: Order
    written: bytes

    def row(self) -> dict[str, Any]:
        """The version as a row."""
        stamp, sequence, digest = self.order
        return {
            "record": str(self.change.record),
            "stamp": stamp,
            "sequence": sequence,
            "digest": digest,
            "action": self.change.action,
            "body": fragment(self.written) if self.change.action == "upsert" else None,
            "merged_into": self.change.into and str(self.change.into),
        }


@dataclass(slots=True)
class Batch:
    """Records as they stand after a batch, by what has to be done about them."""

    before: dict[UUID, State]
    after: dict[UUID, State] = field(default_factory=dict)
    """Every record whose state changed."""
    new: set[UUID] = field(default_factory=set)
    compared: set[UUID] = field(default_factory=set)
    """Those whose features changed: keys and edges are made anew."""
    said: dict[UUID, UUID | None] = field(default_factory=dict)
    """Those whose system says something else than before about a merge."""
    reused: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    """Those whose new content names another identity than the old one."""


def arrived(change: Change) -> Arrived:
    """A change as a version: its digest tells equal ones, however often they come."""
    if change.action == "upsert":
        written = storable(json.dumps(change.body or {}, sort=True))
        digest = hashlib.blake2b(written, digest_size=16).digest()
    else:
        written, digest = b"null", LAST if change.into is None else _merged(change.into)
    return Arrived(change, (change.stamp, change.sequence, digest), written)


def _merged(into: UUID) -> bytes:
    """The digest of a merge: after every content, before a deletion, and another for every record it leads to."""
    return LAST[:8] + hashlib.blake2b(into.bytes, digest_size=7).digest() + b"\xfe"


def advance(matching: Matching, entity: str, versions: Sequence[Arrived], before: dict[UUID, State]) -> Batch:
    """The states that follow from these versions: by their order at the source, never by that of arrival."""
    batch = Batch(before)
    latest: dict[UUID, list[Arrived]] = {}
    for one in versions:
        latest.setdefault(one.change.record, []).append(one)
    for record, told in latest.items():
        old = before.get(record)
        content = max((one for one in told if one.change.action == "upsert"), key=lambda one: one.order, default=None)
        gone = max((one for one in told if one.change.action != "upsert"), key=lambda one: one.order, default=None)
        first = told[0].change
        state = State(record, entity, first.system, first.scope, first.key)
        if old is not None:
            state.content, state.gone, state.merged_into = old.content, old.gone, old.merged_into
            state.parent, state.features, state.keys, state.golden = old.parent, old.features, old.keys, old.golden
        if content is not None and (state.content is None or content.order > state.content):
            _read(matching, state, content)
        if gone is not None and (state.gone is None or gone.order > state.gone):
            state.gone, state.merged_into = gone.order, gone.change.into
        _note(matching, batch, old, state)
    return batch


def _read(matching: Matching, state: State, content: Arrived) -> None:
    state.content = content.order
    body = json.loads(content.written)
    state.features = kept(matching.features(matching.declaration, body))
    state.keys = tuple(sorted(set(matching.scorer.keys(state.features))))
    state.parent = above(body, matching.declaration.parent)


def kept(features: Features) -> dict[str, Any]:
    """Features as they will be read back: nothing that says nothing, tuples as lists."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in sorted(features.items())
        if value is not None
    }


def above(body: Mapping[str, Any], path: str | None) -> UUID | None:
    """The record that the body says stands above it."""
    found: Any = body
    for name in path.split(".") if path else ():
        found = found.get(name) if isinstance(found, dict) else None
    subject = found.get("subject") if path and isinstance(found, dict) else None
    return UUID(subject) if isinstance(subject, str) else None


def _note(matching: Matching, batch: Batch, old: State | None, state: State) -> None:
    if old is None:
        batch.new.add(state.id)
    elif (old.content, old.gone, old.merged_into) == (state.content, state.gone, state.merged_into):
        return
    batch.after[state.id] = state
    if old is None or old.features != state.features:
        if state.content is not None:
            batch.compared.add(state.id)
        if old is not None and old.features and state.features and _other(matching, old.features, state.features):
            batch.reused[state.id] = {"from": _digest(old), "to": _digest(state)}
    before = old.merged_into if old is not None and old.deleted else None
    into = state.merged_into if state.deleted else None
    if into != before:
        batch.said[state.id] = into


def _other(matching: Matching, old: Features, new: Features) -> bool:
    """Whether two contents of one key can hardly be of one thing: identifiers differ, or all that both say does."""
    if matching.scorer.apart(old, new):
        return True
    columns = {one.column for one in matching.declaration.comparisons}
    both = [(old[name], new[name]) for name in columns if old.get(name) is not None and new.get(name) is not None]
    if len(both) < ENOUGH or any(_overlap(a, b) for a, b in both):
        return False
    return matching.scorer.score(old, new).weight < matching.declaration.thresholds.review


ENOUGH = 3
"""Columns that both contents say, and say differently, before they are taken for two things."""


def _overlap(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return bool({*a} & {*b})
    return bool(a == b)


def _digest(state: State) -> str | None:
    return state.content[2].hex() if state.content is not None else None
