"""The status of a document, computed from its lines; half shipped, one returned, the rest cancelled is normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from landbridge.errors import Finding, Invalid

STAGES = ("draft", "open", "confirmed", "closed")  # what only the source can tell
STATUSES = (*STAGES, "partly_shipped", "shipped", "partly_returned", "returned", "cancelled")


@dataclass(frozen=True, slots=True)
class LineState:
    """How far a line is; `rest` is what may still be shipped."""

    ordered: Decimal
    shipped: Decimal
    returned: Decimal
    cancelled: Decimal
    rest: Decimal

    @property
    def status(self) -> str:
        """The status of a document that had only this line."""
        return _status([self], "open")


def line_state(line: Mapping[str, Any], path: str = "") -> LineState:
    """The state of a canonical line; a reason to cancel without a quantity cancels all that was not shipped."""
    quantities = line["quantities"]
    unit = quantities["ordered"]["unit"]
    ordered, shipped, returned, cancelled = (_value(quantities, name, unit, path) for name in _COUNTED)
    rest = ordered - shipped - cancelled
    if rest > 0 and line.get("cancel_reason") and not quantities.get("cancelled"):
        cancelled, rest = cancelled + rest, Decimal(0)
    return LineState(ordered, shipped, returned, cancelled, max(rest, Decimal(0)))


def document_status(body: Mapping[str, Any]) -> str:
    """The status of a canonical order.

    Lines decide once anything was shipped or cancelled. Before, and for an order that the source closed with an open
    rest, the stage of the source stands (`draft`, `open`, `confirmed`, `closed`); `cancelled` of the whole order is
    believed as long as nothing was shipped.
    """
    stage = body.get("status")
    whole = stage == "cancelled" or bool(body.get("cancel_reason"))
    if not whole and not any(_moved(line) for line in body.get("lines") or ()):
        return stage if stage in STAGES else "open"
    states = [line_state(line, f"lines[{index}]") for index, line in enumerate(body.get("lines") or ())]
    if whole:
        states = [
            LineState(one.ordered, one.shipped, one.returned, one.cancelled + one.rest, Decimal(0)) for one in states
        ]
    return _status(states, stage if stage in STAGES else "open")


def _moved(line: Mapping[str, Any]) -> bool:
    """True if anything but an order has happened to a line: most have nothing to count."""
    quantities = line["quantities"]
    return bool(line.get("cancel_reason")) or (len(quantities) > 1 and any(map(quantities.get, _COUNTED[1:])))


_COUNTED = ("ordered", "shipped", "returned", "cancelled")


def _status(states: list[LineState], stage: str) -> str:
    rest = any(one.rest > 0 for one in states)
    shipped = any(one.shipped > 0 for one in states)
    if rest and stage == "closed":
        return "closed"
    if not shipped:
        gone = any(one.cancelled > 0 for one in states) and not rest
        return "cancelled" if gone else stage
    if rest:
        return "partly_shipped"
    if not any(one.returned > 0 for one in states):
        return "shipped"
    return "returned" if all(one.returned >= one.shipped for one in states) else "partly_returned"


def _value(quantities: Mapping[str, Any], name: str, unit: str, path: str) -> Decimal:
    quantity = quantities.get(name)
    if not quantity:
        return Decimal(0)
    if quantity["unit"] != unit:
        where = f"{path}.quantities.{name}.unit".removeprefix(".")
        message = f"is {quantity['unit']}, ordered is in {unit}"
        raise Invalid([Finding(where, "unit", message, "Convert the quantity in the mapping.")])
    return Decimal(quantity["value"])
