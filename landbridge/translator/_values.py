"""The values that live inside expressions: missing, exact decimals, and amounts that know their unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any, Final

MAX_DIGITS = 40  # before and after the point together; no business figure is longer


class _Missing:
    """The field is not there at all, which is something else than null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)


class Refused(Exception):
    """A function or an expression does not take this value; says why and what to do."""

    def __init__(self, message: str, hint: str = "", rule: str = "value") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.rule = rule


def kind_of(value: Any) -> str:
    """What a value is, in words for a message."""
    if value is MISSING:
        return "missing"
    if value is None:
        return "null"
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", Decimal: "a number"}
    return names.get(type(value), "a list" if isinstance(value, list) else "a record")


def show(value: Any) -> str:
    """A value as it may stand in a message: its kind and, shortened, itself."""
    if value is None or value is MISSING or isinstance(value, (dict, list)):
        return kind_of(value)
    text = repr(value) if isinstance(value, str) else str(value)
    return f"{kind_of(value)} ({text if len(text) <= 60 else text[:57] + '…'})"


@lru_cache(8192, typed=True)
def to_decimal(value: Any) -> Decimal:
    """The exact decimal that a JSON number or a plain decimal text writes; anything else is refused."""
    kind = type(value)
    if kind is float:
        if not isfinite(value):
            raise Refused(f"{value} is no finite number")
        found = Decimal(repr(value))
    elif kind is int or kind is Decimal:
        found = Decimal(value)
        if not found.is_finite():
            raise Refused(f"{value} is no finite number")
    elif kind is str and _NUMBER.fullmatch(value):
        found = Decimal(value)
    else:
        raise Refused(f"{show(value)} is no number", "Give a number, or a text such as '12.50' with a point.", "type")
    if found and not -MAX_DIGITS < found.adjusted() < MAX_DIGITS:
        raise Refused(f"the number has more than {MAX_DIGITS} digits")
    return found if found else abs(found)  # there is no minus zero in business


@lru_cache(8192)
def decimal_text(value: Decimal) -> str:
    """The one way a decimal is written: no exponent, no trailing zeros after the point."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


@dataclass(frozen=True, slots=True)
class Measure:
    """An amount with its currency, or a value with its unit; arithmetic never mixes two of them."""

    number: Decimal
    unit: str
    name: str  # "currency" or "unit"

    def record(self) -> dict[str, str]:
        """The JSON record that this is outside of expressions."""
        first = "amount" if self.name == "currency" else "value"
        return {first: decimal_text(self.number), self.name: self.unit}

    def _same(self, other: Any) -> Decimal:
        if isinstance(other, Measure) and (other.name, other.unit) == (self.name, self.unit):
            return other.number
        if isinstance(other, Decimal) and not other:
            return other  # zero of anything: the start of a sum
        what = f"{self.name} {self.unit}"
        theirs = f"{other.name} {other.unit}" if isinstance(other, Measure) else "a plain number"
        raise Refused(f"{what} and {theirs} cannot be added", "Convert one of them first.", "mixed")

    def __add__(self, other: Any) -> Measure:
        return Measure(self.number + self._same(other), self.unit, self.name)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Measure:
        return Measure(self.number - self._same(other), self.unit, self.name)

    def __rsub__(self, other: Any) -> Measure:
        return Measure(self._same(other) - self.number, self.unit, self.name)

    def __mul__(self, other: Any) -> Measure:
        if isinstance(other, Measure):
            raise Refused(f"{self.name} times {other.name} has no meaning here", "Take .amount or .value.", "mixed")
        return Measure(self.number * other, self.unit, self.name)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Measure):
            return self.number / self._same(other)
        return Measure(self.number / other, self.unit, self.name)

    def __neg__(self) -> Measure:
        return Measure(-self.number, self.unit, self.name)


Amount = Decimal | Measure


def to_amount(value: Any) -> Amount:
    """An operand of an expression: a decimal, or a record of money or quantity with its unit."""
    if isinstance(value, Mapping):
        for first, name in (("amount", "currency"), ("value", "unit")):
            if first in value and name in value and isinstance(value[name], str):
                return Measure(to_decimal(value[first]), value[name], name)
        raise Refused("this record is neither {amount, currency} nor {value, unit}", "", "type")
    if isinstance(value, list):
        raise Refused("a list cannot be an operand", "Use sum(list, expression).", "type")
    return to_decimal(value)


def final(value: Any) -> Any:
    """The JSON value that a computed one becomes when it leaves its expression."""
    if type(value) is Decimal:
        return decimal_text(value)
    if type(value) is Measure:
        return value.record()
    return value
