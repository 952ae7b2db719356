"""Values both ways: Tryton's typed JSON, and the plain JSON that mappings see.

Numbers, ids and quantities become texts with exactly their digits, instants RFC 3339 in UTC. A record that was read
along (`party.name`) stands under the field's own name, with its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from landbridge.errors import Rejected

Record = dict[str, Any]
_BOOLEANS = frozenset({"active", "salable", "purchasable"})  # on SQLite they come as 0 and 1


def inward(record: Mapping[str, Any], references: frozenset[str] = frozenset()) -> Record:
    """A record as Tryton sent it, as mappings see it; `references` are fields of the form `model,id`."""
    found: Record = {}
    for name, value in record.items():
        if name.endswith("."):
            continue
        along = record.get(f"{name}.")
        if name in references and isinstance(value, str):
            model, _, number = value.partition(",")
            found[name] = {"model": model, "id": number}
        elif along is None:
            found[name] = bool(value) if name in _BOOLEANS and value is not None else value_of(value)
    for name, value in record.items():
        if not name.endswith("."):
            continue
        plain = name[:-1]
        if isinstance(value, list):
            found[plain] = [inward(each, references) for each in value]
        elif isinstance(value, dict) and plain not in references:
            found[plain] = inward(value, references)
        elif value is None:
            found[plain] = None
    return found


def value_of(value: Any) -> Any:
    """One value as JSON that holds it exactly."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float, Decimal)):
        return number_text(value)
    if isinstance(value, list):
        return [value_of(each) for each in value]
    kind = value.get("__class__") if isinstance(value, dict) else None
    if kind == "Decimal":
        return value["decimal"]
    if kind == "datetime":
        return instant(value).isoformat().replace("+00:00", "Z")
    if kind == "date":
        return date(value["year"], value["month"], value["day"]).isoformat()
    if kind == "timedelta":
        return number_text(Decimal(str(value["seconds"])))
    return value


def number_text(value: float | Decimal) -> str:
    """The digits of a number: 2.0 is 2, 0.5 is 0.5."""
    text = format(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def instant(value: Mapping[str, Any]) -> datetime:
    """A `datetime` of the wire; Tryton keeps UTC."""
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return datetime(*(int(value.get(name) or 0) for name in names), tzinfo=UTC)  # type: ignore[misc, arg-type]  # seven numbers


def stamp(text: str) -> Record:
    """An instant of ours as the wire writes it."""
    at = datetime.fromisoformat(text)
    at = at.astimezone(UTC) if at.tzinfo is not None else at
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime", **{name: getattr(at, name) for name in names}}


def day(value: date) -> Record:
    """A day as the wire writes it."""
    return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}


def outward(value: Any, kind: str, what: str) -> Any:
    """A value of a mapping as a field of this type takes it; Rejected where it cannot be one."""
    if value is None or isinstance(value, bool):
        return value
    try:
        if kind == "numeric":
            return {"__class__": "Decimal", "decimal": format(Decimal(str(value)), "f")}
        if kind == "float":
            return float(Decimal(str(value)))
        if kind in ("integer", "biginteger", "many2one"):
            return int(str(value))
        if kind == "date":
            return day(date.fromisoformat(str(value)))
        if kind in ("datetime", "timestamp"):
            return stamp(str(value))
        if kind == "timedelta":
            seconds = timedelta(seconds=float(Decimal(str(value)))).total_seconds()
            return {"__class__": "timedelta", "seconds": seconds}
    except (ValueError, InvalidOperation):
        hint = "Look at the line of the mapping that writes it."
        raise Rejected(f"{what} is {kind}, and {value!r} is none.", hint=hint, sent=False) from None
    if kind == "boolean":
        raise Rejected(f"{what} is true or false, and {value!r} is neither.", hint="Fix the mapping.", sent=False)
    return value


def same(ours: Any, theirs: Any, kind: str = "") -> bool:
    """Whether what we would write stands there already; a part of a record is enough."""
    if isinstance(ours, Mapping):
        return isinstance(theirs, Mapping) and all(name in theirs and same(ours[name], theirs[name]) for name in ours)
    if isinstance(theirs, Mapping):
        return "id" in theirs and str(ours) == str(theirs["id"])
    if kind in ("numeric", "float", "integer", "biginteger"):
        return _number(ours) == _number(theirs)
    if isinstance(ours, str) or isinstance(theirs, str):
        return str(ours or "").strip() == str(theirs or "").strip()
    return bool(ours == theirs) or (not ours and not theirs and kind in ("char", "text"))


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
