"""The cursor: closed windows by the org's own time stamps, so that no clock of ours can skip a record.

A window ends at the newest stamp that was there when it was opened, and the next one begins `overlap` seconds before
that end: a record that was not yet visible then belongs to a transaction that began no earlier. Inside, records go by
(stamp, id), and the cursor holds the last of them, so that reading goes on after any page. Where nothing new comes
for longer than the overlap, the last window is settled and not read again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.salesforce._soql import earlier, instant, literal, quoted, whole
from landbridge.errors import Denied, Invalid, Rejected
from landbridge.strict import json as strict_json

_ROUNDING = 2.0  # stamps are whole seconds, on both ends of a span
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reading stands in the result of a bulk query: rows read of the part that `locator` begins."""

    job: str
    locator: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """One window: `low` to `high` inclusive; `after` is (stamp, id) of the last record read while it is open.

    `bulk` is where its bulk query stands; if Salesforce has that no more, reading goes on behind `after`.
    """

    low: str | None = None
    high: str | None = None
    after: tuple[str, str] | None = None
    open: bool = False
    seen: float = 0.0
    settled: bool = False
    bulk: Place | None = None

    def begin(self, newest: str | None, now: float, overlap: int) -> Window:
        """The window to read now: the one that was left open, or the next; closed if there is nothing to read."""
        if self.open or newest is None:
            return self
        if self.high is None:
            return replace(self, high=newest, open=True, after=None, seen=now)
        low = literal(earlier(instant(self.high), overlap))
        if instant(newest) > instant(self.high):
            return Window(low, newest, None, True, now, False)
        if self.settled:
            return self
        return Window(low, self.high, None, True, self.seen, now - self.seen >= overlap + _ROUNDING)

    def read_to(self, records: list[dict[str, Any]], *, last: bool) -> Window:
        """The window after these records; closed if they were its last."""
        if last:
            return replace(self, open=False, after=None, bulk=None)
        assert self.high is not None
        end = whole(instant(self.high)) + _SECOND
        # a record that changes while we read carries a later stamp than its place in the order: it is no landmark
        marks = [each for each in records if instant(each["SystemModstamp"]) < end]
        if not marks:
            return self
        return replace(self, after=(marks[-1]["SystemModstamp"], marks[-1]["Id"]))

    def conditions(self) -> list[str]:
        """The window in SOQL, by whole seconds."""
        found = []
        if self.after is not None:
            at, record = whole(instant(self.after[0])), quoted(self.after[1])
            following = literal(at + _SECOND)
            found.append(
                f"(SystemModstamp >= {following} OR "
                f"(SystemModstamp >= {literal(at)} AND SystemModstamp < {following} AND Id > {record}))"
            )
        elif self.low is not None:
            found.append(f"SystemModstamp >= {self.low}")
        if self.high is not None:
            found.append(f"SystemModstamp < {literal(whole(instant(self.high)) + _SECOND)}")
        return found


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading of an entity goes on: its records, and the lines of its documents; None where never begun."""

    records: Window = field(default_factory=Window)
    lines: Window | None = None

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """A stored cursor, or an instant that a person gave; Rejected if it is neither."""
        if text is None:
            return cls()
        try:
            if not text.startswith("{"):
                at = literal(_given(text))
                return cls(Window(high=at), Window(high=at))
            stored = strict_json.loads(text)
            return cls(_window(stored["records"]), _window(stored["lines"]) if stored["lines"] else None)
        except (Invalid, ValueError, KeyError, TypeError) as error:
            hint = "Give an instant such as 2026-11-21T08:00:00Z, or reset the feed's cursor."
            raise Rejected(f"the cursor cannot be read ({type(error).__name__}): {text[:80]}", hint=hint) from error

    def text(self) -> str:
        """The cursor as the engine stores it."""
        return strict_json.dumps(asdict(self)).decode()

    def refuse_future(self, latest: datetime, system: str) -> None:
        """Denied where the cursor lies after everything: it would hide every change until then."""
        for window in (self.records, self.lines):
            if window is not None and window.high is not None and instant(window.high) > latest + timedelta(days=1):
                message = f"{system}: the cursor lies in the future ({window.high})."
                raise Denied(message, hint="Reset the feed's cursor; look at the clocks.", sent=False)


def _given(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else instant(f"{at.isoformat()}+00:00")


def _window(stored: dict[str, Any]) -> Window:
    after = stored.pop("after", None)
    bulk = stored.pop("bulk", None)
    place = Place(**bulk) if bulk else None
    return Window(**stored, after=(str(after[0]), str(after[1])) if after else None, bulk=place)
