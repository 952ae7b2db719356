"""What a connector reads out of a webhook that was verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Event:
    """One change that a webhook told; without a body only its key is known, and the record is fetched.

    `id` is the sender's own id of the event, the same when it is sent again, where it has one.
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

    @property
    def key_only(self) -> bool:
        """Whether the record is still to be fetched."""
        return self.body is None and self.action == "upsert"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender wants to hear once its webhook is kept; most want no more than a 2xx."""

    status: int = 202
    body: bytes = b""
    headers: Mapping[str, str] | None = None
