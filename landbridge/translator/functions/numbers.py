"""Functions on numbers; what they compute is exact."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from landbridge.translator._registry import Example, function
from landbridge.translator._values import Measure, Refused, decimal_text, show, to_decimal

E = Example


@lru_cache(64)
def step_of(places: int) -> Decimal:
    """The quantum of so many places after the point."""
    return Decimal(1).scaleb(-places)


def rounded(value: Any, places: int) -> Any:
    """The number half-up at so many places; a measure keeps its unit."""
    if type(value) is Measure:
        return Measure(value.number.quantize(step_of(places), ROUND_HALF_UP), value.unit, value.name)
    return value.quantize(step_of(places), ROUND_HALF_UP)


def fixed(value: Any, places: int = -1) -> str:
    """The text of a decimal: in its one normal form, or rounded half up to a fixed number of places."""
    number = to_decimal(value)
    if places < 0:
        return decimal_text(number)
    return format(number.quantize(step_of(places), ROUND_HALF_UP), "f")


@function(
    "decimal",
    takes="number",
    remember=True,
    examples=(
        E("decimal", 12.50, "12.5"),
        E("decimal", "100.00", "100"),
        E("decimal(2)", 12.345, "12.35"),
        E("decimal(2)", 7, "7.00"),
        E("decimal", "1,5", Refused),
    ),
)
def decimal(value: Any, places: int = -1) -> str:
    """The number as decimal text: in normal form, or with so many places, rounded half up."""
    if isinstance(value, bool):
        raise Refused(f"decimal needs a number, this is {show(value)}", "", "type")
    return fixed(value, places)


@function(
    "number",
    takes="number",
    returns="number",
    remember=True,
    examples=(
        E("number", "12.50", 12.5),
        E("number", "7", 7),
        E("number", "7.00", 7.0),
        E("number", "0.12345678901234567890", Refused),
    ),
)
def number(value: Any) -> int | float:
    """The decimal as a JSON number; refused where a JSON number would not be exactly it."""
    return as_number(to_decimal(value))


def as_number(exact: Decimal) -> int | float:
    """A JSON number that reads back as exactly this decimal (7 as 7, 7.00 as 7.0), or Refused."""
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= 0 and abs(exact) < 9007199254740992:
        return int(exact)
    found = float(exact)
    if Decimal(repr(found)) != exact:
        raise Refused(
            f"{decimal_text(exact)} has more digits than a JSON number keeps", "Write it as text.", "precision"
        )
    return found


@function(
    "integer",
    takes="number",
    returns="number",
    remember=True,
    examples=(E("integer", "7", 7), E("integer", 7.5, Refused)),
)
def integer(value: Any) -> int:
    """The number as a whole JSON number; one with a fraction is refused."""
    exact = to_decimal(value)
    if exact != exact.to_integral_value():
        raise Refused(f"{show(value)} is no whole number", "Round it first with round(0).", "type")
    return int(exact)


@function("round", takes="any", returns="decimal", examples=(E("round(2)", 2.675, "2.68"), E("round(0)", "0.5", "1")))
def round_half_up(value: Any, places: int) -> Any:
    """The number rounded half up."""
    return rounded(_operand(value), places)


@function("floor", takes="any", returns="decimal", examples=(E("floor(1)", "2.69", "2.6"),))
def floor(value: Any, places: int = 0) -> Decimal:
    """The number with what lies behind so many places left off."""
    return to_decimal(value).quantize(step_of(places), ROUND_DOWN)


@function("times", takes="any", returns="decimal", examples=(E('times("0.01")', 19, "0.19"),))
def times(value: Any, factor: Any) -> Any:
    """The number times a factor."""
    return _operand(value) * to_decimal(factor)


@function("divided_by", takes="any", returns="decimal", examples=(E("divided_by(100)", "19", "0.19"),))
def divided_by(value: Any, divisor: Any) -> Any:
    """The number divided by another; to 28 digits where it does not come out even."""
    by = to_decimal(divisor)
    if not by:
        raise Refused("division by zero", "", "value")
    return _operand(value) / by


@function("negative", takes="any", returns="decimal", examples=(E("negative", "5", "-5"),))
def negative(value: Any) -> Any:
    """The number with the other sign."""
    return -_operand(value)


@function("absolute", takes="any", returns="decimal", examples=(E("absolute", "-5", "5"),))
def absolute(value: Any) -> Decimal:
    """The number without its sign."""
    return abs(to_decimal(value))


def _operand(value: Any) -> Any:
    return value if type(value) is Measure else to_decimal(value)


_BOOLEANS: dict[Any, bool] = {"true": True, "false": False, "1": True, "0": False, "x": True, "y": True, "n": False}
_BOOLEANS |= {"yes": True, "no": False, "": False}


@function(
    "boolean",
    takes="any",
    returns="boolean",
    examples=(
        E("boolean", "true", True),
        E("boolean", "X", True),
        E("boolean", 0, False),
        E("boolean", "maybe", Refused),
    ),
)
def boolean(value: Any) -> bool:
    """True or false of the usual ways to write it: true/false, yes/no, Y/N, 1/0, X and empty."""
    if type(value) is bool:
        return value
    word = str(value).lower() if type(value) in (str, int) else None
    if word not in _BOOLEANS:
        raise Refused(f"{show(value)} is neither true nor false", "Use choose for other words.", "value")
    return _BOOLEANS[word]


@function("flag", takes="boolean", examples=(E("flag", True, "X"), E("flag", False, "")))
def flag(value: bool, yes: str = "X", no: str = "") -> str:
    """True and false as two texts."""
    return yes if value else no
