"""Records of replies as rows: key, stamp, version, deletion, lines."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.soap._config import SoapConfig
from connectors.soap._cursor import instant
from connectors.soap._entity import SoapEntity
from connectors.soap._paths import all_at, at
from landbridge.connector import Found, Row
from landbridge.errors import Rejected


class Records:
    """How one entity's records are read."""

    def __init__(self, name: str, config: SoapConfig, entity: SoapEntity) -> None:
        self.name, self.entity = name, entity
        self._zone = ZoneInfo(config.zone) if config.zone else None
        self.slack = timedelta(hours=1 if self._zone is not None else 0)
        """How far local time may seem to run back in a sorted list, when clocks are set back."""

    def rows(self, answer: dict[str, Any], path: str) -> list[Row]:
        """The rows of an answer, in its order."""
        return [self.row(record) for record in all_at(answer, path)]

    def row(self, record: Any) -> Row:
        """One record as a row."""
        if not isinstance(record, dict) or (key := at(record, self.entity.key)) in (None, ""):
            hint = f"Look at `key`: {self.entity.key} is not in every record."
            raise Rejected(f"{self.name}: a record came without its key.", hint=hint)
        stamp = self.stamp(record)
        told = None if stamp is None else stamp.isoformat()
        if self.is_deleted(record):
            return Row(str(key), None, told, action="delete", version=self.version(record))
        return Row(str(key), self.body(record), told, version=self.version(record))

    def stamp(self, record: dict[str, Any]) -> datetime | None:
        """When a record was changed, in UTC; Rejected where that cannot be said."""
        path = self.entity.stamp
        if path is None:
            return None
        text = at(record, path)
        try:
            found = datetime.fromisoformat(str(text))
        except ValueError:
            hint = f"Look at `stamp`: {path} is not a time in every record."
            raise Rejected(f"{self.name}: a record came without a change stamp.", hint=hint) from None
        if found.tzinfo is None and self._zone is None and len(str(text)) > len("2026-11-22"):
            hint = "Say `zone:`, such as Europe/Berlin; it is never guessed."
            raise Rejected(f"{self.name}: the stamp {path} has no time zone.", hint=hint)
        return instant(str(text), self._zone)

    def asked(self, since: datetime, *, day: bool) -> str:
        """An instant as the service is asked with it: in its own zone where its stamps have none."""
        told = since.astimezone(self._zone).replace(tzinfo=None) if self._zone is not None else since
        if day:
            return told.date().isoformat()
        return told.replace(microsecond=0).isoformat().replace("+00:00", "Z")

    def version(self, record: dict[str, Any]) -> str | None:
        """What the service compares when it is written."""
        found = None if self.entity.version is None else at(record, self.entity.version)
        return None if found is None else str(found)

    def is_deleted(self, record: dict[str, Any]) -> bool:
        """Whether the record says that it is gone."""
        flag = self.entity.deleted
        if flag is None:
            return False
        found = at(record, flag.field)
        return found is not None and any(found == value or str(found) == str(value) for value in flag.values)

    def body(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record as the mapping sees it: lines stand in a list at the top, without the element around them."""
        lines = self.entity.lines
        if lines is None:
            return record
        top = lines.path.partition(".")[0]
        return {**record, top: all_at(record, lines.path)}

    def lines(self, record: dict[str, Any]) -> dict[str, str]:
        """The lines' own numbers by our line keys."""
        lines = self.entity.lines
        if lines is None:
            return {}
        pairs = ((at(line, lines.reference), at(line, lines.key)) for line in all_at(record, lines.path))
        return {str(ours): str(number) for ours, number in pairs if ours is not None and number is not None}

    def found(self, record: dict[str, Any]) -> Found:
        """What stands under our reference."""
        return Found(str(at(record, self.entity.key)), self.version(record), self.lines(record), self.body(record))
