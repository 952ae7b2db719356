"""What a connector declares of each entity: capabilities as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

Grade = Literal["A", "B", "C", "D"]
"""What makes a repeated write one effect: A an idempotency key, B upsert by external id, C search by our reference."""


@dataclass(frozen=True, slots=True)
class Entity:
    """How one canonical entity stands in one product.

    `native` is the product's own name of it. `create`/`update` are the grades of these operations, None where the
    product cannot do it. `batch` is the most writes in one call. `settle` is how long after an unknown outcome the
    product may still be committing; `overlap` is how far a cursor looks back (longest transaction plus clock skew).
    `bulk`: more writes than this, due at once, are taken in one call however many they are (None: never); the
    connector may answer `Accepted` for all of them, and is asked about those of one handle together.
    `snapshot` entities have no change field and are read as a whole scope. `lines` is the key of the native body that
    holds a document's lines. `stages` are the steps of one write, in order, where it takes several calls.
    `ignored` are native fields that move without meaning (the product's own time stamps): no part of an echo.
    """

    native: str
    create: Grade | None = None
    update: Grade | None = None
    delete: Grade | None = None
    batch: int = 1
    settle: timedelta = timedelta(minutes=5)
    overlap: timedelta = timedelta(minutes=5)
    snapshot: bool = False
    lines: str | None = None
    stages: tuple[str, ...] = ()
    key: str = "Id"
    ignored: frozenset[str] = frozenset()
    bulk: int | None = None

    @property
    def readable(self) -> bool:
        """True for every entity: what is declared can be read; a write-only one says so by `native=''`."""
        return bool(self.native)


FieldType = Literal["string", "integer", "decimal", "boolean", "date", "datetime", "time", "array", "mapping", "any"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a native record as the tenant's own metadata tells it; `length` in characters, None if unlimited."""

    name: str
    type: FieldType = "any"
    length: int | None = None
    required: bool = False
    creatable: bool = True
    updatable: bool = True
    label: str = ""
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one native entity by name; nested ones by dotted path (`to_Item.Material`)."""

    native: str
    fields: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A test of the contract suite that a connector cannot pass, and why; shown on its docs page."""

    test: str
    reason: str
