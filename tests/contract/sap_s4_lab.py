"""An S/4HANA sandbox with a connector to it, both on one clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.sap_s4 import SapS4, SapS4Config
from landbridge.connector import LineWrite, Outcome, Row, Write
from landbridge.net import open_http
from landbridge.secrets import Secret
from landbridge.time import ManualClock
from sandbox._base import Clock, serve
from sandbox.sap_s4 import SapSandbox

START = datetime(2026, 11, 2, 8, 0, 0, 123456, tzinfo=UTC)
AREA = {"SalesOrganization": "1010", "DistributionChannel": "10", "OrganizationDivision": "00"}


class Lab:
    """The sandbox, the clock and connectors to it."""

    def __init__(self, url: str, sandbox: SapSandbox, clock: ManualClock) -> None:
        self.url = url
        self.sandbox = sandbox
        self.clock = clock
        self.connector = self.connect()
        self._number = 0

    def connect(self, **settings: Any) -> SapS4:
        """A fresh connector; `settings` change its configuration."""
        login = {"user": "LANDBRIDGE", "password": Secret.plain("sandbox-only")}
        if "token_url" in settings:
            login = {}
        config = SapS4Config(**{"url": self.url, "client": "100", **login, **settings})
        return SapS4("erp", config, open_http("erp", config, clock=self.clock), self.clock)

    def tick(self, seconds: float = 1) -> None:
        """Let time pass on both sides."""
        self.clock.advance(seconds)

    def customer(self, name: str = "Alfreds Futterkiste", **fields: Any) -> str:
        """A customer that is there already."""
        return self.sandbox.seed_partner(name, city="Berlin", street="Obere Str. 57", postal_code="12209", **fields)

    def product(self, number: str = "P1", **fields: Any) -> str:
        """A product that is there already."""
        if self.sandbox.records("A_Product", Product=number):
            return number
        return self.sandbox.seed_product(number, f"Product {number}", **{"price": 10, "stock": 1000, **fields})

    def order(self, customer: str, *lines: LineWrite, reference: str = "", **fields: Any) -> Write:
        """The write that creates an order."""
        after = {"SalesOrderType": "OR", **AREA, "SoldToParty": customer, "TransactionCurrency": "EUR", **fields}
        return self.write("sales_order", after, reference=reference, lines=lines)

    def write(self, entity: str, after: dict[str, Any], **parts: Any) -> Write:
        """A write with what the engine adds to it."""
        self._number += 1
        reference = parts.pop("reference", "") or f"LB-{entity}-{self._number}"
        return Write(
            entity=entity,
            action=parts.pop("action", "create"),
            subject=UUID(int=self._number),
            version=1,
            key=f"k{self._number}",
            reference=reference,
            after=after,
            changed=parts.pop("changed", after),
            **parts,
        )

    def do(self, write: Write, connector: SapS4 | None = None) -> Outcome:
        """Write one record."""
        return (connector or self.connector).write(write.entity, [write])[0]

    def rows(
        self, entity: str, since: str | None = None, connector: SapS4 | None = None
    ) -> tuple[list[Row], str | None]:
        """All rows since a cursor, and the last cursor."""
        rows: list[Row] = []
        for page in (connector or self.connector).read(entity, since):
            rows += page.rows
            since = page.cursor
        return rows, since


def line(key: str, product: str, quantity: str, unit: str = "PC", **fields: Any) -> LineWrite:
    """A new line."""
    after = {"Material": product, "RequestedQuantity": quantity, "RequestedQuantityUnit": unit, **fields}
    return LineWrite("insert", key, None, None, after)


@contextmanager
def lab(**settings: Any) -> Iterator[Lab]:
    """A sandbox on loopback; `settings` are the sandbox's own."""
    clock = ManualClock(START)
    theirs = Clock(START, frozen=True)
    clock.watch(theirs.set)
    sandbox = SapSandbox(clock=theirs, **settings)
    try:
        with serve(sandbox.app) as served:
            yield Lab(served.url, sandbox, clock)
    finally:
        sandbox.close()


def later(moment: datetime, seconds: float) -> datetime:
    """A moment after another."""
    return moment + timedelta(seconds=seconds)
