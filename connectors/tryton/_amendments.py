"""Changes of a document that is being processed: Tryton's own amendment, where its module is installed.

An amendment changes lines that stand and processes the document anew: shipments and invoices that have not left follow,
and what Tryton or others added to the document stays as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from connectors.tryton._schema import Schema
from connectors.tryton._session import Session
from connectors.tryton._wire import Record
from landbridge.errors import Failure

_OF = {"sale.sale": ("sale.amendment", "sale"), "purchase.purchase": ("purchase.amendment", "purchase")}
_AMENDABLE = ("product", "quantity", "unit", "unit_price", "description")


class Amendments:
    """Amends documents of one model."""

    def __init__(self, session: Session, schema: Schema, model: str) -> None:
        self._session = session
        self._schema = schema
        self._model, self._owner = _OF[model]
        self._installed: bool | None = None
        self._lock = threading.Lock()

    def fits(self, body: Record, steps: Sequence[Any]) -> bool:
        """Whether these steps only change lines of a document that is being processed, in what an amendment may."""
        if body["state"] != "processing" or not steps:
            return False
        return all(kind == "write" and set(rest[-1]) <= set(_AMENDABLE) for kind, *rest in steps) and self._there()

    def make(self, body: Record, steps: Sequence[Any], reference: str) -> None:
        """Change the lines by one amendment; what an interrupted attempt left behind is thrown away first."""
        number = int(body["id"])
        ours = [[self._owner, "=", number], ["state", "=", "draft"], ["description", "=", reference]]
        if left := self._session.call(self._model, "search", ours, 0, None, None):
            self._session.call(self._model, "delete", left)
        held = {str(each["id"]): each for each in body["lines"]}
        lines = [self._line(held[str(ids[0])], values) for _, ids, values in steps]
        values = {self._owner: number, "description": reference, "lines": [["create", lines]]}
        made = self._session.call(self._model, "create", [values])
        try:
            self._session.call(self._model, "validate_amendment", made)
        except Failure:
            with suppress(Failure):  # a draft does nothing; the next attempt throws it away
                self._session.call(self._model, "delete", made)
            raise

    def _line(self, held: Mapping[str, Any], changed: Record) -> Record:
        model = f"{self._model}.line"
        whole = {name: _plain(held.get(name)) for name in _AMENDABLE}
        encoded = {name: self._schema.value(model, name, value) for name, value in whole.items()}
        return {"action": "line", "line": int(held["id"]), **encoded, **changed}

    def _there(self) -> bool:
        with self._lock:
            if self._installed is None:
                found = self._session.call("ir.model", "search", [["name", "=", self._model]], 0, 1, None)
                self._installed = bool(found)
            return self._installed


def _plain(value: Any) -> Any:
    """A record that was read along, by its id."""
    return value.get("id") if isinstance(value, Mapping) else value
