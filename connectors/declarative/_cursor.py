"""The cursor: one pass over what changed since an instant, resumable after any page, with an overlap read again.

A pass begins `overlap` before the newest stamp that the last one brought, for rows that were committed late; once that
stamp is older than the overlap, at the stamp itself. Inside a pass `at` is where the product goes on by its own paging;
`before` and `last` are the place of the page before and its last key: counting holds as long as that is still so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.declarative._stamps import restored, stored
from landbridge.errors import Denied, Invalid, Rejected
from landbridge.strict import json as strict_json

_ROUNDING = timedelta(seconds=2)  # stamps may be whole seconds, on both ends of a span
AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pass:
    """`high` is the newest stamp of the last pass, `low` where this one began, `top` the newest that it has seen."""

    high: str | None = None
    seen: str | None = None
    settled: bool = False
    open: bool = False
    low: str | None = None
    top: str | None = None
    began: str | None = None
    at: Any = None
    before: Any = None
    last: str | None = None
    came: int = 0
    total: int | None = None
    again: int = 0
    mark: str | None = None
    steps: int = 0
    stride: int = 1

    def begin(self, now: datetime, overlap: timedelta) -> Pass:
        """The pass that was left open, or the next one."""
        if self.open:
            return self
        low = None
        if self.high is not None:
            low = self.high if self.settled else stored(restored(self.high) - overlap)
        began = stored(now)
        return Pass(self.high, self.seen, self.settled, True, low, None, began)

    def brought(self, keys: Sequence[str], newest: datetime | None, what: str) -> Pass:
        """The pass after a page; Rejected if these very records came before, on whichever page."""
        top = self.top
        if newest is not None and (top is None or newest > restored(top)):
            top = stored(newest)
        after = replace(self, top=top, came=self.came + len(keys), before=self.at, last=keys[-1] if keys else None)
        if not keys:
            return after
        page = hashlib.blake2b("\0".join(keys).encode(), digest_size=12).hexdigest()
        if page == self.mark:
            hint = "The paging parameters have no effect there, or the product is broken; look at `read.paging`."
            raise Rejected(f"{what}: a page came again that came before ({len(keys)} records).", hint=hint)
        if self.steps + 1 >= self.stride:  # Brent: remembers one page at ever longer strides, and so finds any circle
            return replace(after, mark=page, steps=0, stride=self.stride * 2)
        return replace(after, steps=self.steps + 1)

    def on(self, at: Any, total: int | None) -> Pass:
        """Go on by the product's own paging."""
        return replace(self, at=at, total=total)

    def from_filter(self, low: datetime) -> Pass:
        """Go on by the filter, from a stamp that was read: what moves meanwhile shifts no page then."""
        return self._from(stored(low))

    def back(self, page: int) -> Pass:
        """The pass before its last page, of so many records, which is read once more."""
        return replace(self, at=self.before, last=None, came=self.came - page, mark=None, steps=0, stride=1)

    def anew(self, low: str | None) -> Pass:
        """The pass from its beginning, or from a stamp that is certain."""
        return replace(self._from(low), again=self.again + 1)

    def _from(self, low: str | None) -> Pass:
        return replace(self, low=low, at=None, before=None, last=None, came=0, total=None, mark=None, steps=0, stride=1)

    def end(self, now: datetime, overlap: timedelta) -> Pass:
        """The pass is through."""
        began = restored(self.began) if self.began else now
        high = self.high
        if self.top is not None:
            # what was committed late while the pass went on may lie behind where it was: the next one looks there
            newest = stored(min(restored(self.top), began.replace(microsecond=0)))  # stamps may be whole seconds
            if high is None or restored(newest) > restored(high):
                return Pass(newest, stored(began))
        seen = restored(self.seen) if self.seen else began
        return Pass(high, stored(seen), began - seen >= overlap + _ROUNDING)

    def text(self) -> str:
        """The pass as the engine stores it; what has its usual value is left out."""
        usual = asdict(Pass())
        return strict_json.dumps({name: value for name, value in asdict(self).items() if value != usual[name]}).decode()


def parse(cursor: str | None, what: str, now: datetime) -> Pass:
    """A stored cursor, or an instant that a person gave; Denied where it lies in the future."""
    if cursor is None:
        return Pass()
    try:
        if not cursor.startswith("{"):
            found = Pass(high=stored(restored(cursor)), seen=stored(now))
        else:
            found = Pass(**strict_json.loads(cursor))
        past = [restored(held) for held in (found.high, found.seen, found.began) if held is not None]
        for held in filter(None, (found.low, found.top)):
            restored(held)  # records may well be stamped in the future
    except (Invalid, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "Give an instant such as 2026-11-21T08:00:00Z, or reset the feed's cursor."
        raise Rejected(f"the cursor cannot be read ({type(error).__name__}): {cursor[:80]}", hint=hint) from error
    if past and max(past) > now + AHEAD:
        message = f"{what}: the cursor lies in the future ({stored(max(past))})."
        raise Denied(message, hint="Reset the feed's cursor; look at the clocks.", sent=False)
    return found
