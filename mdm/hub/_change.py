"""What comes to the hub and what leaves it: changes of records, regroupings, decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

from mdm.declaration import Declaration, Features

Action = Literal["upsert", "delete", "merge"]
Verdict = Literal["same", "different", "unsure", "parent_of", "split", "pin"]


class Weighed(Protocol):
    """A pair as a scorer weighs it."""

    @property
    def weight(self) -> float: ...


class Scores(Protocol):
    """What the hub asks of a scorer. The same for (a, b) as for (b, a), to the last bit, and for ever.

    `apart` depends on nothing but the columns of identifiers that are declared `apart`.
    """

    @property
    def model_id(self) -> str: ...
    def keys(self, features: Features) -> Sequence[int]: ...
    def score(self, a: Features, b: Features) -> Weighed: ...
    def apart(self, a: Features, b: Features) -> bool: ...


@dataclass(frozen=True, slots=True)
class Matching:
    """How one entity is matched: its declaration, the scorer of its model, and how a body is made comparable."""

    declaration: Declaration
    scorer: Scores
    features: Callable[[Declaration, Mapping[str, Any]], Features]


@dataclass(frozen=True, slots=True)
class Change:
    """A version of one record, as its source told it. `record` is its origin subject in the cross-reference.

    `stamp` is when it became so at the source: of all versions of a record the greatest by (stamp, sequence, digest)
    holds, whenever it arrives. A source without stamps gives the time of receipt, and `sequence` where it has one.
    `into` names the record that a merge at the source left: evidence that both are one, and no more than that.
    """

    record: UUID
    system: str
    scope: str
    key: str
    action: Action
    stamp: datetime
    sequence: int = 0
    body: Mapping[str, Any] | None = None
    into: UUID | None = None


class Regrouped(NamedTuple):
    """A record that belongs to another golden record than before; `before` is None where it is new."""

    record: UUID
    golden: UUID
    before: UUID | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a steward decided about records (never about golden records: those are what follows from it).

    `same`, `different`, `unsure` and `parent_of` are about one record of `these` and one of `those`; the parent is
    the one in `these`. `split` parts all of `these` from all of `those`. `pin` sets `attribute` of the golden record
    that holds the one record in `these` to `value`.
    """

    id: UUID
    verdict: Verdict
    these: tuple[UUID, ...]
    those: tuple[UUID, ...] = ()
    attribute: str | None = None
    value: Any = None
    actor: str = ""
    reason: str = ""
    based_on: Mapping[str, Any] | None = field(default=None, hash=False)


Follow = Callable[[Any, Mapping[UUID, UUID]], None]
"""Told of every regrouping in its transaction: (connection, {record: golden record})."""
