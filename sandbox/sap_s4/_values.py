"""Values on the wire and in the store: V2 JSON and URL literals in, texts that sort in time out.

Stored: dates `2026-11-21`, instants `2026-11-21T22:11:13.1234567` (UTC, 100 ns), decimals as shortest texts.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from sandbox.sap_s4._edm import Property
from sandbox.sap_s4._errors import ODataError, bad_request

Value = str | bool | int | float | None

_EPOCH = date(1970, 1, 1)
_JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,7}))?)?(Z|[+-]\d\d:\d\d)?")
_TIME = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?")
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?")
# Numbers that SAP keeps with leading zeros and shows without (conversion exit ALPHA, NUMC).
ALPHA = frozenset(
    [
        "SalesOrder",
        "SalesOrderItem",
        "HigherLevelItem",
        "SoldToParty",
        "Customer",
        "Supplier",
        "BusinessPartner",
        "DeliveryDocument",
        "CustomerReturn",
        "CustomerReturnItem",
        "ReferenceSDDocument",
        "AddressID",
        "ShipToParty",
        "SDDocument",
        "PricingProcedureStep",
        "PricingProcedureCounter",
        "ScheduleLine",
        "Person",
        "OrdinalNumber",
    ]
)


def from_json(prop: Property, value: Any) -> Value:
    """A JSON value as stored; wrong types, lengths and numbers are refused."""
    if value is None:
        if not prop.nullable:
            raise bad_request(f"Property '{prop.name}' must not be null", target=prop.name)
        return prop.default
    kind = prop.kind
    if kind == "B":
        if not isinstance(value, bool):
            raise _invalid(prop, value)
        return value
    if kind in ("I2", "I4", "Y"):
        if not isinstance(value, int) or isinstance(value, bool):
            raise _invalid(prop, value)
        return value
    if kind == "F" and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise _invalid(prop, value)
    return from_text(prop, value)


def from_text(prop: Property, text: str) -> Value:
    """A text as stored, for JSON strings and URL literals without their type prefix."""
    kind = prop.kind
    if kind == "S":
        if prop.length is not None and len(text) > prop.length:
            what = f"Property '{prop.name}': value of {len(text)} characters exceeds the maximum length {prop.length}"
            raise bad_request(what, target=prop.name, code="CX_SXML_PARSE_ERROR/001")
        if prop.name in ALPHA and text.isdigit():
            return text.lstrip("0")
        return text
    if kind == "N":
        return _decimal(prop, text)
    if kind in ("D", "O"):
        return _moment(prop, text)
    if kind == "T":
        found = _TIME.fullmatch(text)
        if not found:
            raise _invalid(prop, text)
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return f"PT{hours:02}H{minutes:02}M{seconds:02}S"
    if kind == "G" and _GUID.fullmatch(text):
        return text.lower()
    raise _invalid(prop, text)


def _decimal(prop: Property, text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        raise _invalid(prop, text)
    number = Decimal(text)
    whole = (prop.precision or 0) - (prop.scale or 0)
    places = len(text.partition(".")[2].rstrip("0"))
    if places > (prop.scale or 0) or abs(number) >= Decimal(10) ** whole:
        what = f"Property '{prop.name}': value '{text}' does not fit precision {prop.precision}, scale {prop.scale}"
        raise bad_request(what, target=prop.name)
    return show_decimal(number, money=prop.money)


def show_decimal(number: Decimal, *, money: bool = False) -> str:
    """The shortest text; amounts keep two places."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", ""):
        text = "0"
    if money:
        whole, _, places = text.partition(".")
        text = f"{whole}.{places:0<2}"
    return text


def _moment(prop: Property, text: str) -> str | None:
    found = _JSON_DATE.fullmatch(text)
    if found:
        try:
            moment = datetime(1970, 1, 1) + timedelta(milliseconds=int(found.group(1)))  # noqa: DTZ001 - a V2 date has no zone
        except OverflowError as error:
            raise _invalid(prop, text) from error
        return moment.date().isoformat() if prop.kind == "D" else ticks(moment.replace(tzinfo=UTC))
    found = _ISO.fullmatch(text)
    if not found:
        raise _invalid(prop, text)
    day, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{zone or '+00:00'}").astimezone(UTC)
    except ValueError as error:
        raise _invalid(prop, text) from error
    if prop.kind == "D":
        return day
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + (fraction or "").ljust(7, "0")


def ticks(moment: datetime) -> str:
    """An instant as stored, to 100 ns."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def next_tick(stamp: str) -> str:
    """The instant 100 ns later."""
    moment = datetime.fromisoformat(stamp[:19])
    fraction = int(stamp[20:]) + 1
    if fraction == 10_000_000:
        moment, fraction = moment + timedelta(seconds=1), 0
    return f"{moment.isoformat()}.{fraction:07}"


def _invalid(prop: Property, value: object) -> ODataError:
    shown = repr(value)[:60]
    return bad_request(f"Property '{prop.name}' has invalid value {shown} for type {prop.edm}", target=prop.name)


@lru_cache(maxsize=65536)
def json_moment(kind: str, stored: str) -> str:
    """A stored date or instant in V2 JSON; instants lose what lies below the millisecond, as on real systems."""
    days = date.fromisoformat(stored[:10]) - _EPOCH
    if kind == "D":
        return f"/Date({days.days * 86_400_000})/"
    seconds = days.days * 86400 + int(stored[11:13]) * 3600 + int(stored[14:16]) * 60 + int(stored[17:19])
    return f"/Date({seconds * 1000 + int(stored[20:23])}+0000)/"


def xml_value(kind: str, stored: Value) -> str:
    """A stored value in Atom."""
    if isinstance(stored, bool):
        return "true" if stored else "false"
    if kind == "D":
        return f"{stored}T00:00:00"
    return f"{stored}Z" if kind == "O" else str(stored)


def key_literal(prop: Property, stored: Value) -> str:
    """A stored key in the notation of URLs."""
    text = str(stored)
    if prop.kind == "G":
        return f"guid'{text}'"
    if prop.kind == "D":
        return f"datetime'{text}T00:00:00'"
    if prop.kind == "O":
        return f"datetimeoffset'{text}Z'"
    if prop.kind == "B":
        return text.lower()
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def as_decimal(text: object) -> Decimal:
    """A stored or configured decimal; empty means zero."""
    try:
        return Decimal(str(text or "0"))
    except InvalidOperation as error:
        raise bad_request(f"'{text}' is not a number") from error
