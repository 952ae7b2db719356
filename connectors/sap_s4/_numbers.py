"""Item numbers of deliveries as the order service writes them."""

from __future__ import annotations

from typing import Any

_PADDED = ("DeliveryDocumentItem", "ReferenceSDDocument", "ReferenceSDDocumentItem")


def plain_numbers(delivery: dict[str, Any]) -> None:
    """Take the leading zeros off a delivery's item numbers: it says 000010 where the order says 10."""
    for line in delivery.get("to_DeliveryDocumentItem") or []:
        for name in _PADDED:
            if str(line.get(name) or "").isdigit():
                line[name] = str(line[name]).lstrip("0") or "0"
