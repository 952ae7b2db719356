"""What both executors compare: one value of a canonical body, as its field's type says it is meant."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

Kind = Literal["number", "date", "text", "boolean"]
"""How values of a field compare: decimals exactly, dates and instants by their day in UTC, texts by code point."""

KINDS: dict[str, Kind] = {
    "decimal": "number",
    "integer": "number",
    "number": "number",
    "date": "date",
    "instant": "date",
    "text": "text",
    "boolean": "boolean",
}
"""The kind of each type of the canonical model; records and lists have none."""


class Unfit:
    """A value that is not of its field's type: it is there, and it satisfies no comparison."""

    __slots__ = ()

    def _never(self, other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _never

    def __repr__(self) -> str:
        return "(not of the field's type)"


UNFIT = Unfit()


def typed(value: Any, kind: Kind) -> Any:
    """The value as it compares: Decimal, date, text or bool; None where it is missing, UNFIT where it does not fit."""
    if value is None:
        return None
    if kind == "number":
        return number(value)
    if kind == "text":
        return value if type(value) is str else UNFIT
    if kind == "date":
        return day(value)
    return value if type(value) is bool else UNFIT


def number(value: Any) -> Any:
    """A decimal text or an integer as the exact Decimal it is; true and false are no numbers."""
    if type(value) is not str and (type(value) is bool or not isinstance(value, (str, int, Decimal))):
        return UNFIT
    try:
        found = Decimal(value)
    except InvalidOperation:
        return UNFIT
    return found if found.is_finite() else UNFIT


def day(value: Any) -> Any:
    """A date, or the day in UTC of an instant."""
    if type(value) is not str:
        return UNFIT
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        found = datetime.fromisoformat(value)
        return (found.astimezone(UTC) if found.tzinfo else found).date()
    except (ValueError, OverflowError):
        return UNFIT


def raw(value: Any) -> Any:
    """A scalar as it stands in the body; a record or a list is only there."""
    return UNFIT if isinstance(value, (dict, list)) else value


def reference(value: Any) -> Any:
    """A reference as one text, `crm|-|customer|0017`, or its subject; None where it names nobody."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return UNFIT
    if value.get("subject"):
        return str(value["subject"])
    if not value.get("id"):
        return None
    return "|".join((*(str(value.get(part) or "-") for part in ("system", "scope", "entity")), str(value["id"])))
