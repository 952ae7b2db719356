"""The declared rounding, in one place: what a line and an order come to.

Prices and amounts are exact as given. A percentage is taken at 2 places (15.0000006 % is 15.00 %), each discount of the
line before any discount. The line is rounded once, half-up, to the places of money. An order's net is the sum of its
rounded lines; discounts on the whole order, charges and taxes stand apart from the lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

from landbridge.errors import Finding, Invalid

PLACES = 2
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Totals:
    """What an order comes to, in its own currency."""

    currency: str
    lines: int
    net: Decimal
    discount: Decimal
    charges: Decimal
    tax: Decimal
    gross: Decimal

    def as_body(self) -> dict[str, Any]:
        """The totals as a canonical body has them."""
        amounts = ("net", "discount", "charges", "tax", "gross")
        money = {name: {"amount": format(getattr(self, name), "f"), "currency": self.currency} for name in amounts}
        return {"lines": self.lines, **money}


def rounded(amount: Decimal, places: int = PLACES) -> Decimal:
    """The amount half-up (away from zero) to so many places."""
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, context=_EXACT)


def line_net(
    quantity: Decimal,
    price: Decimal,
    discounts: Iterable[Mapping[str, Any]] = (),
    *,
    per: Decimal = Decimal(1),
    places: int = PLACES,
) -> Decimal:
    """Quantity times price per `per` units, less discounts, rounded once; discounts as in a canonical body."""
    with localcontext(_EXACT):
        before = quantity * price / per
        return rounded(before - _reduction(before, discounts), places)


def order_totals(body: Mapping[str, Any], *, places: int = PLACES) -> Totals:
    """The totals of a canonical order from its lines, charges and taxes; raises Invalid where they cannot be added.

    A line without price counts by its `net`, and by nothing if it has neither. The discount is what lines and order
    discounts took off; order discounts reduce the gross, not the net of the lines.
    """
    currency = str(body.get("currency"))
    with localcontext(_EXACT):
        net, before = Decimal(0), Decimal(0)
        lines = body.get("lines") or ()
        for index, line in enumerate(lines):
            full, value = _line(line, currency, f"lines[{index}]", places)
            before += full
            net += value
        of_order = rounded(_reduction(net, body.get("discounts") or ()), places)
        charges, tax = Decimal(0), Decimal(0)
        for index, charge in enumerate(body.get("charges") or ()):
            charges += _money(charge["amount"], currency, f"charges[{index}].amount")
            tax += _taxes(charge)
        tax += sum((_taxes(line) for line in lines), _taxes(body))
        charges, tax = rounded(charges, places), rounded(tax, places)
        taken = rounded(before - net + of_order, places)
        return Totals(currency, len(lines), rounded(net, places), taken, charges, tax, net - of_order + charges + tax)


def _line(line: Mapping[str, Any], currency: str, path: str, places: int) -> tuple[Decimal, Decimal]:
    """The line before discount and its net, both rounded."""
    price, ordered = line.get("price"), line["quantities"]["ordered"]
    if not price:
        net = _money(line["net"], currency, f"{path}.net") if line.get("net") else Decimal(0)
        return net, net
    amount = _money(price, currency, f"{path}.price")
    per = price["per"]
    if per["unit"] != ordered["unit"]:
        message = f"the price is per {per['unit']}, the quantity in {ordered['unit']}"
        raise _invalid(f"{path}.price.per.unit", "unit", message, "Convert the quantity in the mapping.")
    if not Decimal(per["value"]):
        raise _invalid(f"{path}.price.per.value", "price", "the price is per nothing (0)", "Map the price unit.")
    quantity = Decimal(ordered["value"])
    full = rounded(quantity * amount / Decimal(per["value"]), places)
    return full, line_net(quantity, amount, line.get("discounts") or (), per=Decimal(per["value"]), places=places)


def _reduction(before: Decimal, discounts: Iterable[Mapping[str, Any]]) -> Decimal:
    total = Decimal(0)
    for discount in discounts:
        if discount["kind"] == "percent":
            total += before * rounded(Decimal(discount["value"]), 2) / 100
        else:
            total += rounded(Decimal(discount["amount"]), 2)
    return total


def _taxes(holder: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(tax["amount"]) for tax in holder.get("tax") or () if tax.get("amount")), Decimal(0))


def _money(money: Mapping[str, Any], currency: str, path: str) -> Decimal:
    if money["currency"] != currency:
        message = f"is in {money['currency']}, the document in {currency}"
        raise _invalid(f"{path}.currency", "currency", message, "Convert it in the mapping, by a dated rate.")
    return Decimal(money["amount"])


def _invalid(path: str, rule: str, message: str, hint: str) -> Invalid:
    return Invalid([Finding(path, rule, message, hint)])
