"""The cursor: closed windows by the rows' own stamps, an overlap read again, (stamp, key) order inside.

A window ends at the newest stamp that was there when it was opened; the next one begins `overlap` before that end, for
rows that were committed late. Stamps are kept as the database holds them: local time where the column is naive.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sql._tables import Kind, earlier
from landbridge.errors import Denied, Invalid, Rejected
from landbridge.strict import json as strict_json

_ROUNDING = 2.0  # stamps may be whole seconds, on both ends of a span


@dataclass(frozen=True, slots=True)
class Window:
    """`low` to `high` inclusive; `after` is the stamp and the key of the last row read while it is open."""

    low: str | None = None
    high: str | None = None
    after: tuple[Any, ...] | None = None
    open: bool = False
    seen: float = 0.0
    settled: bool = False

    def begin(self, newest: str | None, now: float, overlap: float) -> Window:
        """The window to read now: the one that was left open, or the next; closed if there is nothing to read."""
        if self.open or newest is None:
            return self
        if self.high is None:
            return replace(self, high=newest, open=True, after=None, seen=now)
        low = stored(earlier(value(self.high), overlap))
        if value(newest) > value(self.high):
            return Window(low, newest, None, True, now, False)
        if self.settled:
            return self
        return Window(low, self.high, None, True, self.seen, now - self.seen >= overlap + _ROUNDING)

    def read_to(self, mark: tuple[Any, ...] | None, *, last: bool) -> Window:
        """The window after a row; closed if it was the last."""
        if last:
            return replace(self, open=False, after=None)
        return self if mark is None else replace(self, after=mark)

    def text(self) -> str:
        """The window as the engine stores it."""
        return strict_json.dumps(asdict(self)).decode()


def parse(cursor: str | None, kind: Kind, zone: ZoneInfo | None) -> Window:
    """A stored cursor, or an instant that a person gave; Rejected if it is neither."""
    if cursor is None:
        return Window()
    try:
        if not cursor.startswith("{"):
            return Window(high=stored(of_instant(_given(cursor), kind, zone)))
        found = strict_json.loads(cursor)
        window = Window(**{**found, "after": tuple(found["after"]) if found["after"] else None})
        for stamp in filter(None, (window.low, window.high, window.after and window.after[0])):
            if isinstance(value(stamp), datetime) != (kind != "date") or _zoned(stamp) != (kind == "aware"):
                raise ValueError("the column's type has changed")
        return window
    except (Invalid, ValueError, KeyError, TypeError) as error:
        hint = "Give an instant such as 2026-11-21T08:00:00Z, or reset the feed's cursor."
        raise Rejected(f"the cursor cannot be read ({type(error).__name__}): {cursor[:80]}", hint=hint) from error


def refuse_future(window: Window, latest: Any, system: str) -> None:
    """Denied where the cursor lies after everything: it would hide every change until then."""
    if window.high is not None and value(window.high) > latest:
        message = f"{system}: the cursor lies in the future ({window.high})."
        raise Denied(message, hint="Reset the feed's cursor; look at the clocks.", sent=False)


def of_instant(instant: datetime, kind: Kind, zone: ZoneInfo | None) -> Any:
    """An instant as a column of this kind would hold it."""
    if kind == "aware":
        return instant.astimezone(UTC)
    local = instant.astimezone(zone or UTC)
    return local.date() if kind == "date" else local.replace(tzinfo=None)


def set_back(high: Any, zone: ZoneInfo | None) -> float:
    """Seconds by which local clocks were or will be set back within three hours: their stamps come twice."""
    if zone is None or not isinstance(high, datetime) or high.tzinfo is not None:
        return 0.0
    before, behind = ((high + timedelta(hours=h)).replace(tzinfo=zone).utcoffset() for h in (-3, 3))
    assert before is not None and behind is not None
    return max(0.0, (before - behind).total_seconds())


def stored(stamp: Any) -> str:
    """A stamp as text, exact."""
    if isinstance(stamp, datetime) and stamp.tzinfo is not None:
        stamp = stamp.astimezone(UTC)
    return str(stamp.isoformat())


def value(text: str) -> Any:
    """The stamp of a text: a date, or a datetime with or without a zone."""
    return date.fromisoformat(text) if len(text) == len("2026-11-21") else datetime.fromisoformat(text)


def _zoned(text: str) -> bool:
    found = value(text)
    return isinstance(found, datetime) and found.tzinfo is not None


def _given(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
