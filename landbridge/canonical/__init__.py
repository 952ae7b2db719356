"""The canonical model: what a customer, product, order or stock level is, whichever system tells of it."""

from landbridge.canonical._fields import FieldInfo
from landbridge.canonical._schemas import Canonical
from landbridge.canonical.money import Totals, line_net, order_totals, rounded
from landbridge.canonical.status import STATUSES, LineState, document_status, line_state

__all__ = [
    "STATUSES",
    "Canonical",
    "FieldInfo",
    "LineState",
    "Totals",
    "document_status",
    "line_net",
    "line_state",
    "order_totals",
    "rounded",
]
