"""Orders: their status is what their lines say, and an order that is cancelled as a whole is so line by line."""

from __future__ import annotations

from typing import Any

from landbridge.canonical import document_status, line_state

ORDERS = frozenset({"sales_order", "purchase_order"})
CANCELLED = "cancelled"


def settle_status(entity: str, body: dict[str, Any]) -> None:
    """Compute the status of an order in place; raises Invalid where its quantities cannot be compared.

    Whoever owns the status, a cancellation must reach every target: so it is written onto the lines that have an open
    rest, where no rule of ownership takes it away with the status.
    """
    lines = body.get("lines")
    if entity not in ORDERS or not lines or not all((line.get("quantities") or {}).get("ordered") for line in lines):
        return
    if body.get("status") == CANCELLED:
        for line in lines:
            if not line.get("cancel_reason") and line_state(line).rest > 0:
                line["cancel_reason"] = body.get("cancel_reason") or CANCELLED
    body["status"] = document_status(body)
