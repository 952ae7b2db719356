"""Prices: an entry is one product in one price book in one currency, whoever made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from connectors.salesforce._session import Session
from connectors.salesforce._soql import among
from landbridge.connector import Write
from landbridge.errors import Denied

ENTRY = "PricebookEntry"
BOOK = "Pricebook2Id"
_KEY = ("Product2Id", BOOK, "CurrencyIsoCode")
_AT_ONCE = 200


class Prices:
    """Finds the entries that exist, since Salesforce takes no second one for the same product, book and currency."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._standard: str | None = None

    def located(self, native: str, writes: Sequence[Write]) -> list[Write]:
        """New prices go into the standard price book unless they name one, and onto the entry that stands there."""
        new = [write for write in writes if write.target_id is None and write.action != "delete"]
        if native != ENTRY or not new:
            return list(writes)
        standard = self._standard_book()
        booked = {write.key: {BOOK: standard, **write.after} for write in new}
        there = self._entries([str(values.get("Product2Id")) for values in booked.values()])
        return [self._located(write, booked.get(write.key), there) for write in writes]

    def _located(self, write: Write, values: dict[str, Any] | None, there: dict[tuple[str, ...], str]) -> Write:
        if values is None:
            return write
        target = there.get(tuple(str(values.get(name)) for name in _KEY))
        return replace(write, after=values, target_id=target)

    def _entries(self, products: Sequence[str]) -> dict[tuple[str, ...], str]:
        found = {}
        wanted = list(dict.fromkeys(products))
        for start in range(0, len(wanted), _AT_ONCE):
            chunk = among(wanted[start : start + _AT_ONCE])
            soql = f"SELECT Id, {', '.join(_KEY)} FROM {ENTRY} WHERE Product2Id IN {chunk}"  # noqa: S608 - quoted values
            for entry in self._session.records(soql):
                found[tuple(str(entry[name]) for name in _KEY)] = str(entry["Id"])
        return found

    def _standard_book(self) -> str:
        if self._standard is None:
            soql = "SELECT Id FROM Pricebook2 WHERE IsStandard = true LIMIT 1"
            book = next(self._session.records(soql), None)
            if book is None:
                message = f"{self._session.http.system}: the standard price book is not there."
                raise Denied(message, hint="Activate it, and let the integration user see price books.", sent=False)
            self._standard = str(book["Id"])
        return self._standard
