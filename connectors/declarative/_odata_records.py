"""Records of an entity set as rows; a key of several properties is written as its predicate."""

from __future__ import annotations

from typing import Any

from connectors.declarative._block import LinesAt, Stamp
from connectors.declarative._odata_service import Kind, predicate
from connectors.declarative._records import Records


class ODataRecords(Records):
    """Reads the records of one set."""

    def __init__(self, what: str, kind: Kind) -> None:
        declared = kind.declared
        lines = declared.lines
        super().__init__(
            what,
            "key",
            Stamp(path=(declared.stamp,), zone=declared.zone) if declared.stamp else None,
            deleted=declared.deleted,
            lines=LinesAt(under=lines.under, key=lines.key, reference=lines.reference) if lines else None,
            reference=declared.reference,
        )
        self._kind = kind

    def key(self, record: Any) -> str:
        """A record's key: its value, or the predicate of several."""
        keys = self._kind.keys
        if len(keys) == 1 and isinstance(record, dict):
            held = record.get(keys[0])
            if type(held) is str and held:
                return held
        found = predicate(keys, self._kind.type, record, self._kind.protocol)
        return str(record[keys[0]]) if len(keys) == 1 else found
