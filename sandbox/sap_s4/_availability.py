"""Stock: how much is there, how much is still free, goods movements."""

from __future__ import annotations

from decimal import Decimal

from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._unit import dependants
from sandbox.sap_s4._values import as_decimal, show_decimal

KIND, ROWS = "A_MaterialStock", "A_MatlStkInAcctMod"
QUANTITY = "MatlWrhsStkQtyInMatlBaseUnit"
UNRESTRICTED = "01"


def available(store: Store, material: str, plant: str) -> Decimal:
    """Unrestricted stock that no open order was promised."""
    document = store.get(KIND, material)
    return on_hand(document, plant) - store.reserved(material, plant) if document else Decimal(0)


def on_hand(document: Record, plant: str) -> Decimal:
    """Unrestricted own stock in a plant."""
    rows = [one for one in dependants(document, ROWS) if _own(one, plant)]
    return sum((as_decimal(one.get(QUANTITY)) for one in rows), Decimal(0))


def issue(store: Store, material: str, plant: str, quantity: Decimal) -> bool:
    """Take goods out of unrestricted stock, first row first; False if there is too little."""
    document = store.get(KIND, material)
    if document is None or on_hand(document, plant) < quantity:
        return False
    for row in [one for one in dependants(document, ROWS) if _own(one, plant)]:
        part = min(quantity, as_decimal(row.get(QUANTITY)))
        row[QUANTITY] = show_decimal(as_decimal(row.get(QUANTITY)) - part)
        quantity -= part
    # a row that is used up disappears, as in the vendor's view of stock
    document["_c"][ROWS] = [one for one in dependants(document, ROWS) if as_decimal(one.get(QUANTITY))]
    store.put(KIND, material, document)
    return True


def _own(row: Record, plant: str) -> bool:
    special = row.get("InventorySpecialStockType", "")
    return row["Plant"] == plant and row["InventoryStockType"] == UNRESTRICTED and not special
