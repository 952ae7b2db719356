"""What comes out of a system: rows in pages, and who answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(slots=True)
class Row:
    """One native record, or the news that one is gone.

    `key` is the record's id in its system, `stamp` its change stamp as text (None where the product has none),
    `scope` the organisation it is numbered in (empty where the system numbers once), `version` what the product
    compares on write (ETag) where it has one. `action` "merge" carries the survivor's key in `into`.
    """

    key: str
    body: dict[str, Any] | None
    stamp: str | None = None
    action: Literal["upsert", "delete", "merge"] = "upsert"
    scope: str = ""
    version: str | None = None
    into: str | None = None


@dataclass(slots=True)
class Page:
    """Rows in the order they may be committed, and the cursor from which reading goes on after them.

    The cursor is opaque to the engine and stored only with the rows, in one transaction. For snapshot entities
    `complete` is True on the last page of a scope, once the connector knows that no page is missing; `total`
    is the number of records the product says the scope has, where it says so.
    """

    rows: list[Row]
    cursor: str | None
    complete: bool = False
    scope: str = ""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: the organisation, client or account that a store is bound to at first contact."""

    organisation: str
    user: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyHash:
    """A record's key with the hash of its content, for `reconcile`."""

    key: str
    hash: bytes
