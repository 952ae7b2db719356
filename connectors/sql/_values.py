"""Values between a database and JSON: exact, or refused with the column's name."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import types
from sqlalchemy.dialects import mysql

from landbridge.connector import FieldType
from landbridge.errors import Rejected

_KINDS: tuple[tuple[type[Any], FieldType], ...] = (
    (types.Boolean, "boolean"), (types.Integer, "integer"), (types.Numeric, "decimal"), (types.Float, "decimal"),
    (types.DateTime, "datetime"), (types.Date, "date"), (types.Time, "time"), (types.ARRAY, "array"),
    (types.JSON, "any"), (types.String, "string"), (types.Uuid, "string"), (types.LargeBinary, "string"),
)  # fmt: skip


def kind_of(column_type: Any) -> FieldType:
    """A column's type in the words of `describe`."""
    return next((kind for known, kind in _KINDS if isinstance(column_type, known)), "any")


def zone_of(column_type: Any, zone: ZoneInfo | None) -> ZoneInfo | None:
    """The zone of a column's naive values: MySQL's TIMESTAMP is UTC in our sessions, others as configured."""
    return ZoneInfo("UTC") if isinstance(column_type, mysql.TIMESTAMP) else zone


def outward(value: Any, name: str, zone: ZoneInfo | None, binary: Literal["refuse", "base64"]) -> Any:
    """A value of the database as JSON holds it; Decimal stays exact, instants are in UTC."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime):
        return instant(value, name, zone).astimezone(UTC).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [outward(each, name, zone, binary) for each in value]
    if isinstance(value, dict):
        return value
    if isinstance(value, (bytes, memoryview)):
        if binary == "base64":
            return base64.b64encode(bytes(value)).decode("ascii")
        raise _refused(name, "is binary", "Leave it out of `columns`, or say `binary: base64`.")
    raise _refused(name, f"holds a {type(value).__name__}, which JSON has not", "Cast it in a view or statement.")


def instant(value: datetime, name: str, zone: ZoneInfo | None) -> datetime:
    """A stamp with its zone; one without is refused unless the configuration says where it belongs."""
    if value.tzinfo is not None:
        return value
    if zone is None:
        raise _refused(name, "has no time zone", "Say `zone:` of the entity or the system, such as Europe/Berlin.")
    return value.replace(tzinfo=zone)


def inward(value: Any, name: str, column_type: Any, zone: ZoneInfo | None) -> Any:
    """A value of a mapping as its column takes it; Rejected where that would be a guess."""
    if value is None:
        return None
    kind = kind_of(column_type)
    if isinstance(value, bool) and isinstance(column_type, mysql.TINYINT):
        return int(value)  # what MySQL makes of BOOLEAN
    try:
        made = _PARSE[kind](value) if kind in _PARSE else value
        if isinstance(column_type, types.LargeBinary):
            return base64.b64decode(value, validate=True)
        if kind == "datetime":
            return _stamp(made, name, column_type, zone)
    except (ValueError, TypeError, InvalidOperation, binascii.Error):
        raise _refused(name, f"takes a {kind}", "Convert it in the mapping.") from None
    if kind == "string" and isinstance(made, str):
        length = getattr(column_type, "length", None)
        if length is not None and len(made) > length:
            raise _refused(name, f"takes {length} characters, not {len(made)}", "Shorten it, such as by `cut(n)`.")
        if "\x00" in made:
            raise _refused(name, "cannot hold a NUL character", "Take it out in the mapping.")
    return made


def _stamp(value: datetime, name: str, column_type: Any, zone: ZoneInfo | None) -> datetime:
    zone = zone_of(column_type, zone)
    if getattr(column_type, "timezone", False):
        return instant(value, name, zone)
    if value.tzinfo is None:
        return value
    if zone is None:
        raise _refused(name, "has no time zone", "Say `zone:` of the entity or the system, such as Europe/Berlin.")
    return value.astimezone(zone).replace(tzinfo=None)


def _whole(value: Any) -> int:
    number = Decimal(str(value))
    if isinstance(value, bool) or number != number.to_integral_value():
        raise ValueError
    return int(number)


def _number(value: Any) -> Decimal:
    number = Decimal(str(value))
    if isinstance(value, bool) or not number.is_finite():
        raise ValueError
    return number


def _truth(value: Any) -> bool:
    if value not in (True, False) or isinstance(value, str):
        raise ValueError
    return bool(value)


def _text(value: Any) -> Any:
    if isinstance(value, (dict, list, bool)):
        raise ValueError
    return str(value)


_PARSE: dict[FieldType, Any] = {
    "integer": _whole,
    "decimal": _number,
    "boolean": _truth,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
    "string": _text,
}


def _refused(name: str, what: str, hint: str) -> Rejected:
    return Rejected(f"column {name} {what}.", hint=hint, status="value", sent=False)
