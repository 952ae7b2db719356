"""Functions that ask the context of a message: ids in the target, rates, units."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from landbridge.translator._registry import function
from landbridge.translator._values import Measure, Refused, show, to_amount, to_decimal


@function("target_id", takes="any", context=True)
def target_id(value: Any, context: Any, entity: str) -> str:
    """The id that the referenced record has in the target; the message waits while the record is not there yet."""
    reference = value.get("ref", value) if isinstance(value, dict) else value
    subject = reference.get("subject") if isinstance(reference, dict) else reference
    if type(subject) is not str:
        hint = "Give a resolved reference such as parties[role=sold_to].ref."
        raise Refused(f"target_id needs a resolved reference, this is {show(value)}", hint, "reference")
    return str(context.target_id(entity, subject))


@function("line_id", takes="any", returns="any", context=True)
def line_id(value: Any, context: Any) -> Any:
    """The number that our line has in the target document; null if the target does not have the line yet."""
    return context.line_id(value)


@function("convert", takes="record", returns="decimal", context=True)
def convert(value: dict[str, Any], context: Any, to: str, at: Any = None) -> Measure:
    """Money in another currency, by the dated rate table; `at` is the business date of the rate, today if not said."""
    amount = to_amount(value)
    if not isinstance(amount, Measure) or amount.name != "currency":
        raise Refused("convert needs money {amount, currency}", "", "type")
    if amount.unit == to:
        return amount
    rate = context.rate(amount.unit, to, at or context.today)
    return Measure(amount.number * to_decimal(rate), to, "currency")


@function("in_unit", takes="record", returns="decimal", context=True)
def in_unit(value: dict[str, Any], context: Any, to: str, units: Any = None) -> Measure:
    """A quantity in another unit: by the product's own `units` if given, else by physics (kg to g)."""
    amount = to_amount(value)
    if not isinstance(amount, Measure) or amount.name != "unit":
        raise Refused("in_unit needs a quantity {value, unit}", "", "type")
    if amount.unit == to:
        return amount
    factor = _by_product(amount.unit, to, units) if units else None
    return Measure(amount.number * (factor or _by_physics(amount.unit, to)), to, "unit")


def _by_product(unit: str, to: str, units: Any) -> Decimal | None:
    shares = {
        one["unit"]: to_decimal(one["numerator"]) / to_decimal(one["denominator"])
        for one in units
        if isinstance(one, dict) and {"unit", "numerator", "denominator"} <= one.keys()
    }
    return shares[unit] / shares[to] if unit in shares and to in shares and shares[to] else None


# UN/ECE Recommendation 20 codes of physical units and their names in pint
_REC20 = {
    "KGM": "kilogram", "GRM": "gram", "MGM": "milligram", "TNE": "metric_ton", "LBR": "pound", "ONZ": "ounce",
    "MTR": "meter", "CMT": "centimeter", "MMT": "millimeter", "KMT": "kilometer", "INH": "inch", "FOT": "foot",
    "LTR": "liter", "MLT": "milliliter", "MTQ": "meter**3", "CMQ": "centimeter**3", "MTK": "meter**2",
    "HUR": "hour", "MIN": "minute", "SEC": "second", "DAY": "day", "KWH": "kilowatt_hour",
}  # fmt: skip


@lru_cache(1)
def _units() -> Any:
    import pint

    return pint.UnitRegistry(non_int_type=Decimal)


@lru_cache(256)
def _by_physics(unit: str, to: str) -> Decimal:
    if unit not in _REC20 or to not in _REC20:
        hint = "Give the product's units: in_unit(KGM, units=$product_units)."
        raise Refused(f"{unit} cannot be converted to {to} without the product's own units", hint, "unit")
    registry = _units()
    try:
        return Decimal(registry.Quantity(Decimal(1), _REC20[unit]).to(_REC20[to]).magnitude)
    except Exception as error:  # pint raises many kinds; all of them mean: not the same dimension
        raise Refused(f"{unit} and {to} do not measure the same", "", "unit") from error
