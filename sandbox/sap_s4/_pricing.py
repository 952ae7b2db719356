"""Prices of order lines: what the pricing elements of a document make of a quantity.

Declared rounding: a percentage is taken at 2 places, each line's net is rounded once, half up to 2 places, the total is
the sum of the lines; the amounts of the conditions are shown rounded and do not decide. Freight (HD00) stands at the
header and is never part of TotalNetAmount. Percentages are kept as sent; discount types always reduce. The price is per
ConditionQuantity (1 if unset) of the line's unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.sap_s4._errors import business
from sandbox.sap_s4._store import Record
from sandbox.sap_s4._unit import dependants
from sandbox.sap_s4._values import as_decimal, show_decimal

_CENT = Decimal("0.01")
LINE, HEADER = "A_SalesOrderItemPrElement", "A_SalesOrderHeaderPrElement"


@dataclass(frozen=True)
class ConditionType:
    """A condition type of the pricing procedure: its step, whether it is a price, percentage, amount or freight."""

    step: str
    role: str
    calculation: str
    category: str = ""


TYPES = {
    "PPR0": ConditionType("10", "price", "C"),
    "PMP0": ConditionType("20", "price", "C"),
    "PR00": ConditionType("11", "price", "C"),
    "PB00": ConditionType("21", "price", "C"),
    "K007": ConditionType("100", "percent", "A"),
    "RA00": ConditionType("101", "percent", "A"),
    "RA01": ConditionType("102", "percent", "A"),
    "HA00": ConditionType("110", "percent", "A"),
    "RB00": ConditionType("120", "amount", "B"),
    "HD00": ConditionType("815", "freight", "B", "F"),
    "MWST": ConditionType("915", "tax", "A", "D"),
    "TTX1": ConditionType("916", "tax", "A", "D"),
}


def condition_type(name: object) -> ConditionType:
    """The condition type, or the system's refusal."""
    if str(name) not in TYPES:
        raise business(
            "V1/801", f"Condition type {name or '(none)'} is not in the pricing procedure", target="ConditionType"
        )
    return TYPES[str(name)]


def complete(element: Record, currency: str, unit: str = "") -> None:
    """Fill in what a new pricing element leaves open."""
    kind = condition_type(element.get("ConditionType"))
    element["PricingProcedureStep"] = element.get("PricingProcedureStep") or kind.step
    element["PricingProcedureCounter"] = element.get("PricingProcedureCounter") or "1"
    element["ConditionCalculationType"] = kind.calculation
    if kind.category:
        element["ConditionCategory"] = kind.category
    element.setdefault("TransactionCurrency", currency)
    if kind.role in ("price", "amount", "freight"):
        given = element.setdefault("ConditionCurrency", currency)
        if given != currency:
            what = f"Condition {element['ConditionType']} is in {given}; the document is in {currency}"
            raise business("V1/806", what, target="ConditionCurrency")
    if kind.role == "price":
        element["ConditionQuantity"] = element.get("ConditionQuantity") or "1"
        if as_decimal(element["ConditionQuantity"]) <= 0:
            raise business("V1/807", "The quantity of a price must be greater than zero", target="ConditionQuantity")
        element.setdefault("ConditionQuantityUnit", unit)
        element.setdefault("ConditionQuantitySAPUnit", unit)


def price(document: Record, line: Record) -> Decimal:
    """Reckon one line anew; writes the amounts into its elements and returns its net value."""
    elements = [one for one in dependants(document, LINE) if one["SalesOrderItem"] == line["SalesOrderItem"]]
    quantity = as_decimal(line.get("RequestedQuantity"))
    prices = [one for one in elements if TYPES[one["ConditionType"]].role == "price"]
    gross = Decimal(0)
    prices.sort(key=lambda one: int(one["PricingProcedureStep"]))
    for number, element in enumerate(prices):
        rate, per = as_decimal(element.get("ConditionRateValue")), as_decimal(element.get("ConditionQuantity") or "1")
        amount = rate * quantity / per
        element["ConditionBaseValue"] = show_decimal(quantity)
        element["ConditionAmount"] = show_decimal(_rounded(amount), money=True)
        if number == len(prices) - 1:  # a later step (the manual price) sets the earlier ones aside
            gross = amount
            element.pop("ConditionInactiveReason", None)
        else:
            element["ConditionInactiveReason"] = "Y"
    discount = Decimal(0)
    for element in elements:
        discount += _discount(element, gross)
    for element in dependants(document, HEADER):
        if TYPES[element["ConditionType"]].role == "percent":
            discount += gross * _rounded(abs(as_decimal(element.get("ConditionRateValue")))) / 100
    net = _rounded(gross - discount)
    line["NetAmount"] = show_decimal(net, money=True)
    line["Subtotal1Amount"] = show_decimal(_rounded(gross), money=True)
    return net


def _discount(element: Record, gross: Decimal) -> Decimal:
    role = TYPES[element["ConditionType"]].role
    if role not in ("percent", "amount"):
        return Decimal(0)
    rate = abs(as_decimal(element.get("ConditionRateValue")))
    found = gross * _rounded(rate) / 100 if role == "percent" else _rounded(rate)
    element["ConditionBaseValue"] = show_decimal(_rounded(gross) if role == "percent" else Decimal(0))
    element["ConditionAmount"] = show_decimal(-_rounded(found), money=True)
    return found


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
