"""Orders that sales people close one by one, each watched: when it stands in the ERP, when the CRM knows that.

Both systems live in this process, so one clock measures from the click in the CRM to the commit in the ERP.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sandbox.demo._backoffice import Backoffice
from sandbox.demo._company import Order
from sandbox.demo._world import World, po_number

_LOOK = 0.005  # seconds between two looks at the ERP
_LOOK_BACK = 0.05  # and between two at the CRM, where it is a matter of seconds


@dataclass(frozen=True, slots=True)
class _Closed:
    """An order that was closed: its ids, and when."""

    crm: str
    number: str
    po: str
    at: datetime
    began: float


class Desk:
    """The sales desk of a company; `token` is the secret that stands in the address of its outbound messages."""

    def __init__(self, world: World, token: str) -> None:
        self._world, self._token = world, token
        self._closed: list[_Closed] = []

    def tell(self, url: str) -> dict[str, str]:
        """Have the CRM send an outbound message to an address when an order is saved that is closed."""
        address = f"{url}?key={quote(self._token)}"
        return {"rule": self._world.crm.send_outbound("Order", address, when={"Status": "Activated"})}

    def close_order(self) -> dict[str, Any]:
        """Enter one more order, close it, and wait; `erp` is empty if the ERP did not have it `within` so long."""
        order = self._next()
        crm, number = self._world.enter(order)
        closed = _Closed(crm, number, po_number(order), datetime.now(UTC), time.perf_counter())
        self._world.activate(crm)
        self._closed.append(closed)
        within = self._world.backoffice.patience
        erp = _arrival(self._world.backoffice, closed, within)
        spent = (time.perf_counter() - closed.began) * 1000
        told: dict[str, Any] = {"crm": crm, "number": number, "erp": erp or "", "closed_at": closed.at.isoformat()}
        return told | {"milliseconds": round(spent, 1), "within": within}

    def known(self, within: float = 60.0) -> dict[str, Any]:
        """Wait until the CRM knows the ERP's number of every order that was closed; milliseconds since, by number."""
        until = time.monotonic() + within
        found: dict[str, Any] = {}
        while len(found) < len(self._closed) and time.monotonic() < until:
            for one in self._closed:
                if one.number not in found and (self._world.crm.get("Order", one.crm) or {}).get("ERP_Number__c"):
                    found[one.number] = round((time.perf_counter() - one.began) * 1000, 1)
            time.sleep(_LOOK_BACK)
        return found

    def told(self, crm: str) -> list[dict[str, Any]]:
        """The outbound messages that named an order: when they were sent, how long the answer took, and which."""
        return [
            {
                "at": one.at.isoformat(),
                "milliseconds": round(one.seconds * 1000, 1),
                "status": one.status,
                "taken": one.taken,
            }
            for one in self._world.crm.outbound.messages
            if crm in one.records
        ]

    def doubled(self) -> list[str]:
        """The orders closed here of which the ERP has not exactly one."""
        held = self._world.backoffice.held([one.po for one in self._closed]) if self._closed else {}
        return [
            f"order {one.number}: closed once, {len(held.get(one.po, []))} times in the ERP"
            for one in self._closed
            if len(held.get(one.po, [])) != 1
        ]

    def _next(self) -> Order:
        """An order such as this company has them, of today, under the next number."""
        orders = self._world.company.orders
        like = orders[len(self._closed) % len(orders)]
        numbers = [int(one.number) for one in orders if one.number.isdecimal()]
        number = str(max(numbers) + 1) if numbers else f"{orders[-1].number}-{len(orders)}"
        today = datetime.now(UTC).date()
        return replace(like, number=number, ordered_on=today, requested_on=today, shipped_on=None)


def _arrival(backoffice: Backoffice, closed: _Closed, within: float) -> str | None:
    while (found := backoffice.arrived(closed.po)) is None:
        if time.perf_counter() - closed.began > within:
            return None
        time.sleep(_LOOK)
    return found
