"""The cursor of a feed that is read by change stamps: closed windows, so that no clock of ours can skip a record.

A window ends at the newest stamp that was there when it was opened, and the next one begins `overlap` before that end:
a record that was not yet visible then belongs to a transaction that began no earlier. Inside, records go by (stamp,
key), and the cursor holds the last of them, so that reading goes on after any page. Where nothing new comes for longer
than the overlap, the last window is settled and not read again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from landbridge.errors import Denied, Invalid, Rejected
from landbridge.strict import json as strict_json

_ROUNDING = timedelta(seconds=2)  # stamps may be whole seconds, on both ends of a span


@dataclass(frozen=True, slots=True)
class Window:
    """`low` to `high` inclusive; `after` is the stamp and the key of the last record read while it is `open`.

    Stamps are texts as the product writes them, instants with a zone in ISO 8601; `low` is always written in UTC.
    """

    low: str | None = None
    high: str | None = None
    after: tuple[Any, ...] | None = None
    open: bool = False
    seen: float = 0.0
    settled: bool = False

    @classmethod
    def parse(cls, cursor: str | None, *, system: str, latest: datetime) -> Self:
        """A stored cursor, or an instant that a person gave; Rejected if it is neither, Denied if past `latest`."""
        if cursor is None:
            return cls()
        try:
            if cursor.startswith("{"):
                found = strict_json.loads(cursor)
                window = cls(**{**found, "after": tuple(found["after"]) if found["after"] else None})
            else:
                window = cls(high=_instant(cursor).isoformat())
            stamps = [_instant(stamp) for stamp in (window.low, window.high) if stamp is not None]
        except (Invalid, ValueError, KeyError, TypeError) as error:
            hint = "Give an instant such as 2026-11-21T08:00:00Z, or reset the feed's cursor."
            raise Rejected(f"the cursor cannot be read ({type(error).__name__}): {cursor[:80]}", hint=hint) from error
        if stamps and max(stamps) > latest:
            message = f"{system}: the cursor lies in the future ({window.high})."
            raise Denied(message, hint="Reset the feed's cursor; look at the clocks.", sent=False)
        return window

    def begin(self, newest: str | None, now: datetime, overlap: timedelta) -> Self:
        """The window to read now: the one that was left open, or the next; not open if there is nothing to read."""
        if self.open or newest is None:
            return self
        if self.high is None:
            return replace(self, high=newest, open=True, after=None, seen=now.timestamp())
        low = (_instant(self.high) - overlap).astimezone(UTC).isoformat()
        if _instant(newest) > _instant(self.high):
            return replace(self, low=low, high=newest, after=None, open=True, seen=now.timestamp(), settled=False)
        if self.settled:
            return self
        settled = now.timestamp() - self.seen >= (overlap + _ROUNDING).total_seconds()
        return replace(self, low=low, after=None, open=True, settled=settled)

    def read_to(self, mark: tuple[Any, ...] | None, *, last: bool) -> Self:
        """The window after the record with this stamp and key; closed if that was its last."""
        if last:
            return replace(self, open=False, after=None)
        return self if mark is None else replace(self, after=mark)

    def text(self) -> str:
        """The window as the engine stores it."""
        return strict_json.dumps(asdict(self)).decode()


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
