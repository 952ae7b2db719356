"""What a mapping may ask about the message in hand: where it comes from or goes to, the clock, ids, rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from landbridge.errors import LandbridgeError
from landbridge.translator._values import Refused


class MissingParent(LandbridgeError):
    """A referenced record has no id in the target yet: the message waits for it, nothing is wrong with it."""

    def __init__(self, entity: str, subject: str) -> None:
        super().__init__(
            f"{entity} {subject} has no id in the target yet.",
            hint="The message goes by itself once it has; look at the feed of that entity if it takes long.",
        )
        self.entity = entity
        self.subject = subject


def _no_target(entity: str, subject: str) -> str:
    raise MissingParent(entity, subject)


def _no_line(line_key: Any) -> str | None:
    return None


@dataclass(slots=True)
class Context:
    """Made once per message (or once per batch, where nothing in it differs)."""

    system: str = ""
    scope: str = ""
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    target_id: Callable[[str, str], str] = _no_target  # (entity, subject) -> id in the target, or MissingParent
    line_id: Callable[[Any], str | None] = _no_line  # line_key -> number of the line in the target document
    rates: Mapping[tuple[str, str], list[tuple[str, Decimal]]] | None = None  # (from, to) -> [(from which date, rate)]

    @property
    def today(self) -> str:
        """The day of `now` in UTC."""
        return self.now.astimezone(UTC).date().isoformat()

    @property
    def day(self) -> date:
        """The day of `now` in UTC."""
        return self.now.astimezone(UTC).date()

    def rate(self, source: str, target: str, at: str) -> Decimal:
        """How much of `target` one `source` is on a business date: the last rate dated on or before it."""
        found = [rate for since, rate in (self.rates or {}).get((source, target), []) if since <= at]
        if found:
            return found[-1]
        back = [rate for since, rate in (self.rates or {}).get((target, source), []) if since <= at]
        if back:
            return 1 / back[-1]
        raise Refused(f"there is no rate from {source} to {target} on {at}", "Add it to the rate table.", "rate")
