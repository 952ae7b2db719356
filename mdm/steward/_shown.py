"""What a steward is shown, on the command line and by the API alike; personal values are masked unless asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from landbridge.canonical import Canonical
from mdm.declaration import Declaration
from mdm.score import PRIOR, Step
from mdm.store import decisions, queue

MASK = "***"
Differs = Literal["", "differs", "only a", "only b"]
_INDEX = re.compile(r"\[[^\]]*\]")
_WORDS = (
    (0.999, "almost certainly one"),
    (0.95, "very likely one"),
    (0.75, "likely one"),
    (0.4, "as likely one as two"),
    (0.1, "rather two"),
    (0.0, "likely two"),
)


@dataclass(frozen=True, slots=True)
class Named:
    """A record by its id, by the name that people give it, and by its own name."""

    id: UUID
    named: str
    """`system:key`, as every command takes it."""
    name: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Two golden records that may be one, as the queue lists them."""

    a: Named
    b: Named
    weight: float
    probability: float
    words: str
    priority: float
    golden: tuple[UUID, UUID]
    records: int
    pairs: int
    uses: int
    again: str
    since: datetime
    """When the hub began to ask."""


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record with what hangs off it."""

    id: UUID
    named: str
    name: str
    golden: UUID
    members: tuple[UUID, ...]
    parent: UUID | None
    deleted: bool
    changed_at: datetime | None
    first_seen: datetime
    uses: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of both records."""

    path: str
    a: Any
    b: Any
    differs: Differs


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step of the waterfall."""

    column: str
    agreement: str
    bits: float
    rarity_bits: float
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it is kept."""

    id: UUID
    verdict: str
    these: tuple[UUID, ...]
    those: tuple[UUID, ...]
    attribute: str | None
    value: Any
    actor: str
    reason: str
    at: datetime
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two records side by side, why they weigh what they weigh, and what was decided about them."""

    a: ShownRecord
    b: ShownRecord
    weight: float
    probability: float
    words: str
    apart: bool
    pattern: str
    steps: tuple[ShownStep, ...]
    fields: tuple[Compared, ...]
    decisions: tuple[Decided, ...]


class Look:
    """Shows what belongs to one entity; masks what tells about a person, unless `personal`."""

    def __init__(self, canonical: Canonical, declaration: Declaration, *, personal: bool = False) -> None:
        self._canonical, self.entity, self.personal = canonical, declaration.entity, personal
        self._hidden = {one.name for one in declaration.columns if one.personal}
        self._likened = {
            one.column for one in declaration.comparisons if any(level.test == "cosine" for level in one.levels)
        }
        self._levels = {one.column: len(one.levels) for one in declaration.comparisons}

    def value(self, path: str, value: Any) -> Any:
        """A value of the canonical model, or its mask."""
        if self.personal or value is None:
            return value
        if isinstance(value, Mapping | list):
            top = self._canonical.mask(self.entity, {path: value})
            return top[path]
        return MASK if self._canonical.is_personal(self.entity, _INDEX.sub("[]", path)) else value

    def body(self, body: Mapping[str, Any]) -> Any:
        """A canonical body, masked."""
        return dict(body) if self.personal else self._canonical.mask(self.entity, dict(body))

    def column(self, column: str, value: Any) -> Any:
        """What a record says in a compared column."""
        return MASK if column in self._hidden and not self.personal and value is not None else value

    def named(self, record: queue.Record) -> Named:
        """A record's names."""
        return Named(record.id, f"{record.system}:{record.key}", self.name(record.body))

    def name(self, body: Mapping[str, Any] | None) -> str:
        """What a record is called, as far as it says so."""
        for field in ("name", "description", "number"):
            if isinstance(found := (body or {}).get(field), str) and found:
                return str(self.value(field, found))
        return ""

    def compared(self, a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> tuple[Compared, ...]:
        """Two bodies field by field, marked where they differ."""
        ours, theirs = dict(flat(a or {})), dict(flat(b or {}))
        paths = [*ours, *(path for path in theirs if path not in ours)]
        return tuple(
            Compared(
                path,
                self.value(path, ours.get(path)),
                self.value(path, theirs.get(path)),
                _differs(ours.get(path), theirs.get(path)),
            )
            for path in paths
        )

    def step(self, step: Step, a: Any, b: Any) -> ShownStep:
        """One step in words."""
        column = step.column.removeprefix("(same ").removesuffix(")")
        return ShownStep(
            step.column,
            self._agreement(step),
            step.bits,
            step.frequency_bits,
            self.column(column, a),
            self.column(column, b),
        )

    def _agreement(self, step: Step) -> str:
        if step.column == PRIOR:
            return "any two records"
        if step.column.startswith("("):
            return "the same identifier"
        if step.level < 0:
            return "not said by both"
        if step.level == 0:
            return "differ"
        if step.column in self._likened:
            return "agree" if step.level >= 10 else f"{step.level}0 % alike"
        return "agree" if step.level >= self._levels.get(step.column, 1) else "nearly agree"

    def decided(self, row: decisions.Row) -> Decided:
        """A decision; the value of a pin masked as the field it is for."""
        value = self.value(row.attribute, row.value) if row.attribute else None
        return Decided(
            row.id, row.verdict, tuple(row.these), tuple(row.those), row.attribute, value, row.actor, row.reason,
            row.at, row.revoked_at, row.revoked_by,
        )  # fmt: skip


def flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every value of a body with its path, in order."""
    if isinstance(value, Mapping) and value:
        return [pair for name, one in value.items() for pair in flat(one, f"{path}.{name}" if path else str(name))]
    if isinstance(value, list) and value:
        return [pair for n, one in enumerate(value) for pair in flat(one, f"{path}[{n}]")]
    return [(path, value)] if path else []


def words(probability: float) -> str:
    """How likely two records are one, in words."""
    return next(text for least, text in _WORDS if probability >= least)


def changed(columns: Collection[str]) -> str:
    """Which compared fields changed, in words."""
    return ", ".join(sorted(columns)) or "a compared field"


def _differs(a: Any, b: Any) -> Differs:
    if a == b:
        return ""
    if a is None:
        return "only b"
    return "only a" if b is None else "differs"
