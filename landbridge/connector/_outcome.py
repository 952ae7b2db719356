"""What became of one write: a success here, or a Failure of `landbridge.errors`, returned or raised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from landbridge.errors import Failure


@dataclass(frozen=True, slots=True)
class Delivered:
    """The effect stands. `lines` maps our line keys to the target's line numbers (new ones at least).

    `version` is the target's version after the write (ETag), `returned` the record as the target returned it,
    where the reply holds it: what the target truncated, padded or upper-cased is seen there.
    """

    target_id: str
    version: str | None = None
    created: bool = False
    lines: Mapping[str, str] = field(default_factory=dict)
    returned: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The target took a stage of the write and works on it: the next attempt goes on at `stage`, never before it.

    `wait` is how long to leave it, in seconds; `target_id` is set as soon as the record exists.
    """

    handle: str
    stage: str
    wait: float | None = None
    target_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the target holds under our reference."""

    target_id: str
    version: str | None = None
    lines: Mapping[str, str] = field(default_factory=dict)
    returned: dict[str, Any] | None = None


Outcome = Delivered | Accepted | Failure
