"""What a connector reads out of a webhook that was verified."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from landbridge.errors import Finding, Invalid

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = {"entity": 64, "key": 512, "stamp": 128, "scope": 128, "version": 512, "into": 512, "id": 512}
"""What an index of the store and a person's screen can hold: what is longer names no record of anybody."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change that a webhook told; without a body only its key is known, and the record is fetched.

    `id` is the sender's own id of the event, the same when it is sent again, where it has one. `organisation` is who
    the sender says it is (as `Identity.organisation`): an event of another one than the store is bound to is refused.
    """

    entity: str
    key: str
    body: dict[str, Any] | None = None
    stamp: str | None = None
    action: Literal["upsert", "delete", "merge"] = "upsert"
    scope: str = ""
    version: str | None = None
    into: str | None = None
    id: str | None = None
    organisation: str | None = None

    def __post_init__(self) -> None:
        """Texts that no store can keep are the sender's fault, told before anything is kept."""
        for name, longest in _LONGEST.items():
            value = getattr(self, name)
            if value is None and name not in ("entity", "key", "scope"):
                continue
            if not isinstance(value, str) or len(value) > longest or _CONTROL.search(value):
                raise _invalid(f"its {name} is no text of at most {longest} characters without control characters")
        if not self.entity or not self.key:
            raise _invalid("it names no record")
        if self.action not in ("upsert", "delete", "merge") or (self.action == "merge") != (self.into is not None):
            raise _invalid("its action is none of upsert, delete and merge (with `into`)")
        if self.body is not None and not isinstance(self.body, dict):
            raise _invalid("its body is no record")

    @property
    def key_only(self) -> bool:
        """Whether the record is still to be fetched."""
        return self.body is None and self.action == "upsert"


def _invalid(why: str) -> Invalid:
    return Invalid([Finding("", "event", f"this is no event: {why}", "Look at what the sender sends.")])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender wants to hear once its webhook is kept; most want no more than a 2xx."""

    status: int = 202
    body: bytes = b""
    headers: Mapping[str, str] | None = None
