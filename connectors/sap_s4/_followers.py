"""Orders that moved without saying so: some systems do not stamp an order when goods leave or come back."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._gateway import Gateway
from connectors.sap_s4._literals import literal
from connectors.sap_s4._sources import RETURNS
from connectors.sap_s4._wire import instant
from landbridge.errors import Denied, Rejected


class Followers:
    """Finds orders by the returns and deliveries that changed since an instant."""

    def __init__(self, gateway: Gateway, config: SapS4Config) -> None:
        self._gateway = gateway
        self._config = config

    def orders(self, since: datetime) -> list[str]:
        """The orders that documents refer to which changed since then; nothing where SAP cannot tell."""
        found: dict[str, None] = {}
        if "returns" in self._config.follow:
            found |= dict.fromkeys(self._of(RETURNS, "A_CustomerReturn", "to_Item", since, ("LastChangeDateTime",)))
        if "deliveries" in self._config.follow:
            days = ("LastChangeDate", "CreationDate")
            service = self._config.delivery_service
            found |= dict.fromkeys(self._of(service, "A_OutbDeliveryHeader", "to_DeliveryDocumentItem", since, days))
        return list(found)

    def _of(self, service: str, entity_set: str, lines: str, since: datetime, stamps: tuple[str, ...]) -> list[str]:
        try:
            kind = self._gateway.service(service)[entity_set]
        except (Denied, Rejected):  # not every system has the service, nor every user the right
            return []
        if not kind.filterable(*stamps):
            return []
        conditions = [self._since(kind.properties[name].type, name, since) for name in stamps]
        query = {"$filter": " or ".join(conditions), "$expand": lines}
        found = []
        for record in self._gateway.all(service, entity_set, query):
            for line in record[lines]["results"]:
                number = str(line.get("ReferenceSDDocument") or "")
                found.append(number.lstrip("0") if number.isdigit() else number)
        return [number for number in found if number]

    def _since(self, edm: str, name: str, since: datetime) -> str:
        if edm == "Edm.DateTimeOffset":
            return f"{name} ge {literal(edm, instant(since))}"
        day = since.astimezone(ZoneInfo(self._config.time_zone)).date()
        return f"{name} ge {literal(edm, day.isoformat())}"


def begin(done: str, overlap: timedelta) -> datetime:
    """From when on documents are looked at."""
    return datetime.fromisoformat(done) - overlap
