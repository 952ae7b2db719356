"""Turns what a client writes into what Salesforce stores, or refuses it with Salesforce's code."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._ids import read_id
from sandbox.salesforce._schema import NUMERIC, TEXTUAL, Field

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?\Z", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")


def wire(when: datetime) -> str:
    """An instant as Salesforce stores and shows it: UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def read_instant(text: str) -> datetime:
    """An instant in any of the spellings Salesforce takes; without a zone it is UTC."""
    if not _INSTANT.match(text):
        raise ValueError(f"not a dateTime: {text!r}")
    plain = re.sub(r"([+-]\d\d)(\d\d)\Z", r"\1:\2", text.strip().upper().replace("Z", "+00:00"))
    when = datetime.fromisoformat(plain)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def coerce(sobject: str, field: Field, value: Any) -> Any:
    """The value as it is stored; text is trimmed, the empty text is null, numbers are rounded to their scale."""
    if value is None or (isinstance(value, str) and not value.strip()):
        if field.type == "boolean":
            raise _unreadable("boolean", value)
        return None
    if field.type == "boolean":
        return _boolean(value)
    if field.type in NUMERIC:
        return _number(field, value)
    if field.type in {"date", "datetime"}:
        return _moment(field, value)
    if not isinstance(value, str):
        if isinstance(value, (dict, list)):
            raise SalesforceError("JSON_PARSER_ERROR", f"Cannot deserialize instance of string from {_token(value)}")
        value = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if field.type in {"reference", "id"}:
        return _reference(field, value)
    return _text(sobject, field, value.strip())


def _text(sobject: str, field: Field, value: str) -> str:
    if field.type in TEXTUAL and len(value) > field.length:
        message = f"{field.label}: data value too large: {value[:255]} (max length={field.length})"
        raise SalesforceError("STRING_TOO_LONG", message, [field.name])
    if field.type == "email" and not _EMAIL.match(value):
        message = f"{field.label}: invalid email address: {value}"
        raise SalesforceError("INVALID_EMAIL_ADDRESS", message, [field.name])
    if field.restricted and field.values and value not in field.values:
        folded = {each.lower(): each for each in field.values}
        if value.lower() in folded:
            return folded[value.lower()]
        message = f"{field.label}: bad value for restricted picklist field: {value}"
        raise SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return value


def _reference(field: Field, value: str) -> str:
    found = read_id(value.strip())
    if found is None:
        message = f"{field.label}: id value of incorrect type: {value[:80]}"
        raise SalesforceError("MALFORMED_ID", message, [field.name])
    return found


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise _unreadable("boolean", value)


def _number(field: Field, value: Any) -> int | float:
    kind = "int" if field.type == "int" else "double"
    if isinstance(value, (bool, dict, list)):
        raise _unreadable(kind, value)
    try:
        exact = Decimal(str(value).strip())
        if not exact.is_finite():
            raise InvalidOperation
        # widened first: quantize refuses more than 28 digits, and the range check below says it better
        rounded = exact.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP) if abs(exact) < 10**20 else exact
    except InvalidOperation:
        raise _unreadable(kind, value) from None
    if abs(rounded) >= Decimal(10) ** (field.precision - field.scale):
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise SalesforceError("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    return int(rounded) if field.type == "int" else float(rounded)


def _moment(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _unreadable(field.type, value)
    try:
        if field.type == "datetime":
            return wire(read_instant(value if "T" in value.upper() or " " in value else f"{value}T00:00:00Z"))
        if "T" in value:
            return read_instant(value).date().isoformat()
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise _unreadable(field.type, value) from None


def _unreadable(kind: str, value: Any) -> SalesforceError:
    shown = f" value {value[:80]}" if isinstance(value, str) else ""
    return SalesforceError("JSON_PARSER_ERROR", f"Cannot deserialize instance of {kind} from {_token(value)}{shown}")


def _token(value: Any) -> str:
    if value is None:
        return "VALUE_NULL"
    if isinstance(value, bool):
        return f"VALUE_{str(value).upper()}"
    for kind, name in ((str, "VALUE_STRING"), (int, "VALUE_NUMBER_INT"), (float, "VALUE_NUMBER_FLOAT")):
        if isinstance(value, kind):
            return name
    return "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"
