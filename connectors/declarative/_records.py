"""Records of a reply as rows: key, stamp, version, and whether they are gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.declarative._block import Flag, LinesAt, Stamp
from connectors.declarative._stamps import StampOf
from landbridge.connector import Row
from landbridge.errors import Rejected
from landbridge.translator import Place


class Records:
    """Reads the records of one entity."""

    def __init__(
        self,
        what: str,
        key: str,
        stamp: Stamp | None,
        *,
        deleted: Flag | None = None,
        version: str | None = None,
        lines: LinesAt | None = None,
        reference: str | None = None,
    ) -> None:
        self._what = what
        self._key_name = key
        self._key = Place(key).of
        self._stamp = StampOf(stamp, what) if stamp is not None else None
        self._deleted = Place(deleted.path).of if deleted is not None else None
        self._gone = _among(deleted)
        self._version = Place(version).of if version is not None else None
        self._reference = Place(reference).of if reference is not None else None
        self._lines = lines

    def rows(self, found: Sequence[Any]) -> tuple[list[Row], list[datetime]]:
        """Rows and, where there are stamps, their instants."""
        rows, stamps = [], []
        for record in found:
            if type(record) is not dict:
                raise Rejected(f"{self._what}: a record is no mapping.", hint="Look at `read.records`.")
            key, text = self.key(record), None
            if self._stamp is not None:
                stamp = self._stamp(record)
                stamps.append(stamp)
                text = stamp.isoformat()
            version = self.version(record)
            if self._deleted is not None and self._gone(self._deleted(record)):
                rows.append(Row(key, None, text, "delete", "", version))
            else:
                rows.append(Row(key, record, text, "upsert", "", version))
        return rows, stamps

    def key(self, record: Any) -> str:
        """A record's own id; Rejected where it has none."""
        held = self._key(record)
        if type(held) is str and held:
            return held
        if type(held) is int or (isinstance(held, Decimal) and held == held.to_integral_value()):
            return str(held)
        raise Rejected(f"{self._what}: a record has no {self._key_name}.", hint="Look at `key` and `records`.")

    def version(self, record: Any) -> str | None:
        """What the product compares on write."""
        held = self._version(record) if self._version is not None else None
        return None if held is None else str(held)

    def reference(self, record: Any) -> str | None:
        """Our reference in a record."""
        held = self._reference(record) if self._reference is not None else None
        return None if held is None else str(held)

    def line_numbers(self, record: Any) -> dict[str, str]:
        """The lines' own numbers by our line keys."""
        lines = self._lines
        if lines is None or lines.reference is None:
            return {}
        ours, number = Place(lines.reference), Place(lines.key)
        held = Place(lines.under).of(record)
        pairs = [(ours.of(line), number.of(line)) for line in held if isinstance(line, Mapping)] if held else []
        return {str(key): str(own) for key, own in pairs if key is not None and own is not None}


def _among(deleted: Flag | None) -> Callable[[Any], bool]:
    if deleted is None or not deleted.values:
        return bool
    values = deleted.values
    return lambda held: any(held == each and isinstance(held, bool) == isinstance(each, bool) for each in values)
