"""Values of OData: literals of addresses and filters, dates of v2, and records without their annotations."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from landbridge.errors import Rejected

_DATE = re.compile(r"/Date\((-?\d+)([+-]\d+)?\)/")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = frozenset({"Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Byte", "Edm.SByte", "Edm.Decimal", "Edm.Double"})
_SUFFIX = {"Edm.Int64": "L", "Edm.Decimal": "M"}
_DATES = frozenset({"Edm.DateTime", "Edm.DateTimeOffset"})


def literal(value: str, kind: str, protocol: str) -> str:
    """A text as a literal of its type, such as `'O''Neil'`, `4711`, `guid'…'` or `datetime'…'`."""
    if kind in _NUMBERS:
        if not _NUMBER.fullmatch(value):
            raise Rejected(f"'{value[:40]}' is no {kind}.", hint="Look at the key of the record.", sent=False)
        return value + (_SUFFIX.get(kind, "") if protocol == "v2" else "")
    if kind == "Edm.Guid":
        if not _GUID.fullmatch(value):
            raise Rejected(f"'{value[:40]}' is no Edm.Guid.", hint="Look at the key of the record.", sent=False)
        return f"guid'{value}'" if protocol == "v2" else value
    if kind == "Edm.Boolean":
        return "true" if value in ("true", "True") else "false"
    if kind in ("Edm.Date", "Edm.TimeOfDay"):
        return value
    if kind in _DATES:
        return instant_literal(_moment(value, kind), kind, protocol)
    return "'" + value.replace("'", "''") + "'"


def instant_literal(instant: datetime, kind: str, protocol: str) -> str:
    """An instant as a filter says it; Edm.DateTime has no zone and is taken as it stands."""
    naive = instant.astimezone(UTC).replace(tzinfo=None).isoformat()
    if kind == "Edm.Date":
        return naive[:10]
    if protocol == "v4":
        return f"{naive}Z"
    return f"datetime'{naive}'" if kind == "Edm.DateTime" else f"datetimeoffset'{naive}Z'"


def plain(value: Any) -> Any:
    """A value of a reply as plain JSON: no annotations, no envelopes, dates of v2 in ISO 8601."""
    if type(value) is dict:
        if "results" in value and isinstance(value["results"], list) and len(value) <= 2:
            return [plain(each) for each in value["results"]]
        return {
            name: plain(inner)
            for name, inner in value.items()
            if name != "__metadata" and "@" not in name and not _deferred(inner)
        }
    if type(value) is list:
        return [plain(each) for each in value]
    if type(value) is str and value.startswith("/Date("):
        found = _DATE.fullmatch(value)
        return value if found is None else _iso(found)
    return value


def _deferred(value: Any) -> bool:
    return type(value) is dict and "__deferred" in value


def _iso(found: re.Match[str]) -> str:
    try:
        at = _EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError:  # beyond the calendar: the mapping refuses that one record
        return found[0]
    text = at.replace(tzinfo=None).isoformat()
    return text if found[2] is None else f"{text}Z"


def sent(value: Any, kind: str, protocol: str) -> Any:
    """A value of a body as the service takes it: dates of v2 in its own form, exact numbers as text."""
    if value is None:
        return None
    if protocol == "v2" and kind in _DATES and isinstance(value, str) and not value.startswith("/Date("):
        at = _moment(value, kind)
        zoned = at.tzinfo is not None
        at = at.astimezone(UTC) if zoned else at.replace(tzinfo=UTC)
        millis = (at - _EPOCH) // timedelta(milliseconds=1)
        return f"/Date({millis}{'+0000' if kind == 'Edm.DateTimeOffset' else ''})/"
    if (
        kind in ("Edm.Decimal", "Edm.Int64")
        and isinstance(value, (int, float, Decimal))
        and not isinstance(value, bool)
    ):
        return format(value, "f") if isinstance(value, Decimal) else str(value)  # never with an exponent
    return value


def _moment(value: str, kind: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        hint = "Convert it in the mapping, by `date` or `instant`."
        raise Rejected(f"'{value[:40]}' is no {kind}.", hint=hint, status="value", sent=False) from None
