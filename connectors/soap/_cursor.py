"""Where reading goes on: inside a pass at a place of the service's list, between passes at an instant.

A pass asks for what changed since an instant, in pages. Where the service sorts by stamp, the instant moves on with
every page that is full (one second is read again, since services differ in whether `since` includes it), and pages are
counted only inside one instant: what changes meanwhile can push nothing over the edge of a page. The next pass begins
`overlap` before the newest stamp of this one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from landbridge.errors import Denied, Invalid, Rejected
from landbridge.strict import json as strict_json

LATEST = timedelta(days=1)
GRAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """`high` is the newest stamp of what was read; the rest says where an open pass stands.

    `since` is what the pass asks for, `began` when it began; `at` counts pages or records, `got`
    the records that came for this `since`; `token` is the service's own.
    """

    high: str | None = None
    since: str | None = None
    began: str | None = None
    at: int = 0
    got: int = 0
    token: str | None = None
    anchor: str | None = None
    open: bool = False

    @classmethod
    def parse(cls, text: str | None, *, system: str, now: datetime) -> Self:
        """A stored cursor, or an instant that a person gave; Rejected if it is neither, Denied if it lies ahead."""
        if text is None:
            return cls()
        try:
            found = cls(**strict_json.loads(text)) if text.startswith("{") else cls(high=instant(text).isoformat())
            stamps = [instant(each) for each in (found.high, found.began) if each is not None]
        except (Invalid, ValueError, TypeError) as error:
            hint = "Give an instant such as 2026-11-21T08:00:00Z, or reset the feed's cursor."
            raise Rejected(f"the cursor cannot be read ({type(error).__name__}): {text[:80]}", hint=hint) from None
        if stamps and max(stamps) > now + LATEST:
            message = f"{system}: the cursor lies in the future ({found.high or found.began})."
            raise Denied(message, hint="Reset the feed's cursor; look at the clocks.", sent=False)
        return found

    def begin(self, now: datetime, overlap: timedelta) -> Self:
        """The pass to read now: the one that was left open, or the next."""
        if self.open:
            return self
        since = None if self.high is None else (instant(self.high) - overlap).isoformat()
        return replace(self, since=since, began=now.isoformat(), at=0, got=0, token=None, anchor=None, open=True)

    def seen(self, newest: datetime | None) -> Self:
        """With the newest stamp of a page; a stamp that lies ahead of the pass's beginning does not move `high`."""
        if newest is None:
            return self
        newest = min(newest, instant(self.began)) if self.began is not None else newest
        if self.high is not None and instant(self.high) >= newest:
            return self
        return replace(self, high=newest.isoformat())

    def ended(self) -> Self:
        """The pass is over."""
        return replace(self, since=None, began=None, at=0, got=0, token=None, anchor=None, open=False)

    def text(self) -> str:
        """The cursor as the engine stores it."""
        return strict_json.dumps(asdict(self)).decode()


def instant(text: str, zone: ZoneInfo | None = None) -> datetime:
    """A stamp in UTC; ValueError if it is none. Without a zone of its own it is in `zone`, else in UTC."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone or UTC)).astimezone(UTC)
