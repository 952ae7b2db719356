"""Cells as JSON holds them: numbers exact, dates as ISO 8601; what is neither is refused with words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from connectors.files._config import Column, FileEntity

Convert = Callable[[Any], Any]
"""Takes a cell, gives a JSON value; ValueError with what is wrong."""


def number_of(entity: FileEntity) -> Convert:
    """Reads numbers with the entity's decimal and thousands signs, a sign before or behind; exact."""
    point, group = re.escape(entity.decimal), re.escape(entity.thousands)
    whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if group else r"\d+"
    form = re.compile(rf"([-+]?)({whole})(?:{point}(\d*))?(-?)", re.ASCII)
    sign = f"{entity.decimal} before the decimals" + (f" and {entity.thousands} between thousands" if group else "")

    plain = entity.decimal == "."

    def number(cell: Any) -> Any:
        if cell is None or cell == "":
            return None
        if plain and isinstance(cell, str) and cell.isascii() and cell.replace(".", "", 1).isdigit() and cell[0] != ".":
            return Decimal(cell)
        if isinstance(cell, bool):
            raise ValueError("is true or false, not a number")
        if isinstance(cell, int | Decimal):
            return cell
        if isinstance(cell, float):
            return Decimal(repr(cell))
        found = form.fullmatch(cell.strip()) if isinstance(cell, str) else None
        if found is None or (found[1] and found[4]):
            raise ValueError(f"is no number with {sign}")
        digits = found[2].replace(entity.thousands, "") if entity.thousands else found[2]
        made = Decimal(f"{digits}.{found[3]}" if found[3] else digits)
        return -made if "-" in (found[1], found[4]) else made

    return number


def date_of(day: Callable[[float], datetime] | None) -> Convert:
    """Reads dates: ISO texts, a workbook's dates, and its plain numbers by its own calendar."""

    def convert(cell: Any) -> Any:
        if cell is None or cell == "":
            return None
        found = _moment(cell, day)
        return found.date().isoformat() if isinstance(found, datetime) else found.isoformat()

    return convert


def datetime_of(day: Callable[[float], datetime] | None) -> Convert:
    """Reads moments, with or without a zone, as `date_of` reads dates."""

    def convert(cell: Any) -> Any:
        if cell is None or cell == "":
            return None
        found = _moment(cell, day)
        return found.isoformat() if isinstance(found, datetime) else datetime.combine(found, time()).isoformat()

    return convert


def _moment(cell: Any, day: Callable[[float], datetime] | None) -> date:
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool) and day is not None:
        try:
            return day(cell)
        except (ValueError, OverflowError):
            raise ValueError("is no day of the calendar") from None
    try:
        text = str(cell).strip()
        return date.fromisoformat(text) if len(text) == len("2026-11-22") else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date such as 2026-11-22") from None


def outward(cell: Any) -> Any:
    """A cell of a workbook without a declared type as JSON holds it; midnight is a date."""
    if isinstance(cell, datetime):
        return cell.isoformat() if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    return cell


def converter(column: Column, entity: FileEntity, day: Callable[[float], datetime] | None) -> Convert | None:
    """How the cells of a column are read; None where they are taken as they are."""
    if column.type == "number":
        return number_of(entity)
    if column.type == "date":
        return date_of(day)
    if column.type == "datetime":
        return datetime_of(day)
    return outward if entity.format == "excel" else None


def stamp_of(entity: FileEntity) -> Convert | None:
    """Reads the change stamp as an instant in UTC; None where the entity has none."""
    if entity.changed is None:
        return None
    zone, form = entity.zone_info(), entity.changed_format

    def stamp(cell: Any) -> str:
        if cell is None or cell == "":
            raise ValueError("is empty, and it is the change stamp")
        try:
            at = datetime.strptime(str(cell), form) if form else datetime.fromisoformat(str(cell))  # noqa: DTZ007 - its zone is asked next
        except ValueError:
            raise ValueError(
                f"is no stamp {f'of the form {form}' if form else 'in ISO 8601 (or say changed_format)'}"
            ) from None
        if at.tzinfo is None:
            if zone is None:
                raise ValueError("has no time zone; say `zone`, such as Europe/Berlin")
            at = at.replace(tzinfo=zone)
        return at.astimezone(UTC).isoformat()

    return stamp
