"""Change stamps: read from records in the product's own way, written into filters in the product's own way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.declarative._block import Stamp
from landbridge.errors import Rejected
from landbridge.translator import Place

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GRAINS = {
    "iso": timedelta(seconds=1),
    "iso_milliseconds": timedelta(milliseconds=1),
    "iso_microseconds": timedelta(microseconds=1),
    "seconds": timedelta(seconds=1),
    "milliseconds": timedelta(milliseconds=1),
    "date": timedelta(days=1),
}


class StampOf:
    """The change stamp of a record as an instant."""

    def __init__(self, stamp: Stamp, what: str) -> None:
        self._places = [Place(each).of for each in stamp.path]
        self._name, self._what = " or ".join(stamp.path), what
        self._zone = ZoneInfo(stamp.zone) if stamp.zone else None
        self._read: Callable[[Any], datetime] = {
            "seconds": lambda held: _since_epoch(held, 1),
            "milliseconds": lambda held: _since_epoch(held, 1000),
        }.get(stamp.format) or (self._iso if "%" not in stamp.format else self._pattern(stamp.format))

    def __call__(self, record: Any) -> datetime:
        """The instant; Rejected where there is none, since a change without a stamp would be overlooked."""
        for place in self._places:
            held = place(record)
            if held is not None and held != "":
                try:
                    return self._read(held)
                except (ValueError, TypeError, OverflowError, ArithmeticError):
                    hint = "Say `stamp: {path: ..., format: ..., zone: ...}` as the product writes it."
                    raise Rejected(
                        f"{self._what}: {self._name} holds no stamp: {str(held)[:40]!r}.", hint=hint
                    ) from None
        hint = "Name several places, `stamp: [changed, created]`, or leave `stamp` out: a snapshot."
        raise Rejected(f"{self._what}: a record has no {self._name}.", hint=hint)

    def _iso(self, held: Any) -> datetime:
        found = datetime.fromisoformat(held)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        return self._local(found)

    def _pattern(self, pattern: str) -> Callable[[Any], datetime]:
        def read(held: Any) -> datetime:
            found = datetime.strptime(held, pattern)  # noqa: DTZ007 - the next line gives it its zone
            return found.astimezone(UTC) if found.tzinfo is not None else self._local(found)

        return read

    def _local(self, found: datetime) -> datetime:
        if self._zone is None:
            hint = "Say `stamp: {path: ..., zone: Europe/Berlin}`; it is never guessed."
            raise Rejected(f"{self._what}: {self._name} has no time zone.", hint=hint)
        return found.replace(tzinfo=self._zone).astimezone(UTC)


def _since_epoch(held: Any, per_second: int) -> datetime:
    if isinstance(held, bool):
        raise TypeError("true or false is no number")
    micros = Decimal(str(held)) * 1_000_000 / per_second
    return EPOCH + timedelta(microseconds=int(micros))


class Filter:
    """How an instant is written into a filter: cut to the grain of its format, so that it is never too late."""

    def __init__(self, format: str, zone: str | None, *, inclusive: bool) -> None:
        self._format = format
        self._zone = ZoneInfo(zone) if zone else UTC
        self._inclusive = inclusive
        self.grain = _GRAINS.get(format) or timedelta(seconds=1)

    def floor(self, instant: datetime) -> datetime:
        """The instant cut to what the filter can say."""
        local = instant.astimezone(self._zone)
        if self._format == "date":
            return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        return EPOCH + (instant - EPOCH) // self.grain * self.grain

    def earliest(self, instant: datetime) -> datetime:
        """The earliest stamp that the filter lets through."""
        return self.floor(instant) if self._inclusive else self.floor(instant) - self.grain

    def text(self, instant: datetime) -> str:
        """What the filter says, so that the instant itself is among what comes."""
        at = self.earliest(instant)
        local = at.astimezone(self._zone)
        if self._format == "date":
            return local.date().isoformat()
        if self._format in ("seconds", "milliseconds"):
            return str((at - EPOCH) // self.grain)
        if self._format.startswith("iso"):
            spec = {"iso": "seconds", "iso_milliseconds": "milliseconds"}.get(self._format, "microseconds")
            return local.isoformat(timespec=spec).replace("+00:00", "Z")
        return local.strftime(self._format)


def stored(instant: datetime) -> str:
    """An instant as text, exact."""
    return instant.astimezone(UTC).isoformat()


def restored(text: str) -> datetime:
    """The instant of a stored text or of one that a person gave."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
