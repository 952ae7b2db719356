"""The addresses of an order: one of its party's, looked for by what is written, and added there if it is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.tryton._session import Session
from connectors.tryton._values import Values
from connectors.tryton._wire import Record, inward, same

_MODEL = "party.address"
_FIELDS = ("party", "party_name", "street", "city", "postal_code", "country.code", "subdivision.name")


class Addresses:
    """The addresses of the parties of one batch, read in one call."""

    def __init__(self, session: Session, values: Values, parties: Iterable[str]) -> None:
        self._session = session
        self._values = values
        self._held: dict[str, list[Record]] = {party: [] for party in parties}
        ids = [int(party) for party in self._held if party.isdigit()]
        flags = [name for name in ("invoice", "delivery") if ids]
        domain = [["party", "in", ids], ["active", "=", True]]
        order = [["sequence", "ASC"], ["id", "ASC"]]
        fields = [*_FIELDS, *flags]
        for each in session.call(_MODEL, "search_read", domain, 0, None, order, fields) if ids else []:
            self._held[str(each["party"])].append(inward(each))

    def usual(self, party: str, use: str) -> int | None:
        """The party's address for invoices or deliveries, else its first; None if it has none."""
        held = self._held.get(party, [])
        chosen = next((each for each in held if each.get(use) in (True, "1")), held[0] if held else None)
        return int(chosen["id"]) if chosen else None

    def of(self, party: str, wanted: Mapping[str, Any]) -> int:
        """The party's address with these values; made where there is none, which a second time finds."""
        for each in self._held.get(party, []):
            if same(dict(wanted), each):
                return int(each["id"])
        values = {**self._values.new(_MODEL, wanted), "party": int(party)}
        [made] = self._session.call(_MODEL, "create", [values])
        self._held.setdefault(party, []).append({**wanted, "id": str(made)})
        return int(made)
