"""Which records were deleted. Nothing of them comes back: Tryton's log says so only of ids that it is asked about.

So the ids that are missing are counted, and only when there are more of them than before, the log is asked about them,
in halves, until each deletion is found. It needs no right beyond reading, and costs two calls where nothing happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.tryton._session import Session
from connectors.tryton._wire import stamp

_LOG = "ir.model.log"
_CHUNK = 1000
_SLACK = timedelta(days=1)  # our clock is not Tryton's; what is told twice is dropped


@dataclass(frozen=True, slots=True)
class Seen:
    """The highest id that there ever was, how many below it are missing, and when that was (by our clock)."""

    top: int
    missing: int
    at: str

    @classmethod
    def parse(cls, held: Any) -> Seen | None:
        """What a cursor holds; None where it holds nothing yet."""
        return cls(int(held["top"]), int(held["missing"]), str(held["at"])) if isinstance(held, Mapping) else None

    def held(self) -> dict[str, Any]:
        """For the cursor."""
        return asdict(self)


class Deletions:
    """Deletions of one model."""

    def __init__(self, session: Session, model: str) -> None:
        self._session = session
        self._model = model

    def since(self, seen: Seen | None, now: datetime) -> tuple[list[int], Seen]:
        """The ids that were deleted since, ascending, and what is seen now; the first time nothing is told."""
        newest = self._session.call(self._model, "search", [], 0, 1, [["id", "DESC"]])
        top = max([seen.top if seen else 0, *map(int, newest)])
        missing = top - int(self._session.call(self._model, "search_count", [["id", "<=", top]]))
        if seen is not None and missing == seen.missing:
            return [], Seen(top, missing, seen.at)
        found = [] if seen is None else list(self._found(top, datetime.fromisoformat(seen.at) - _SLACK))
        return found, Seen(top, missing, now.isoformat())

    def _found(self, top: int, low: datetime) -> Iterator[int]:
        for begin in range(1, top + 1, _CHUNK):
            end = min(begin + _CHUNK, top + 1)
            there = self._session.call(self._model, "search", [["id", ">=", begin], ["id", "<", end]], 0, None, None)
            yield from self._halved(sorted(set(range(begin, end)) - set(there)), low)

    def _halved(self, ids: Sequence[int], low: datetime) -> Iterator[int]:
        if not ids or not self._logged(ids, low):
            return
        if len(ids) == 1:
            yield ids[0]
            return
        half = len(ids) // 2
        yield from self._halved(ids[:half], low)
        yield from self._halved(ids[half:], low)

    def _logged(self, ids: Sequence[int], low: datetime) -> bool:
        about = ["resource", "in", [f"{self._model},{one}" for one in ids]]
        domain = [about, ["event", "=", "delete"], ["create_date", ">=", stamp(low.isoformat())]]
        return bool(self._session.call(_LOG, "search", domain, 0, 1, None))
