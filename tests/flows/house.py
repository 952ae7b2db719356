"""A whole house: the shipped configuration between both real sandboxes, on a store and a clock of the test's own."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from landbridge.engine import RunResult
from landbridge.installation import Installation
from landbridge.settings import Settings
from landbridge.store import Store
from landbridge.time import ManualClock
from sandbox._base import Clock, serve
from sandbox.salesforce import SalesforceSandbox
from sandbox.sap_s4 import SapSandbox

CLIENT, SECRET, PASSWORD = "landbridge", "c4n4ry-consumer-secret", "c4n4ry-communication-password"

TO_ERP = ("customers_to_erp", "orders_to_erp")
TO_CRM = ("products_to_crm", "prices_to_crm", "order_status_to_crm", "shipments_to_crm", "inventory_to_crm")
FLOWS = ("customers_to_erp", *TO_CRM[:2], "orders_to_erp", *TO_CRM[2:])
"""Every shipped flow, parents first."""

CRM_KINDS = (
    "Account", "Product2", "PricebookEntry", "Order", "OrderItem", "Shipment__c", "Shipment_Line__c", "Stock_Level__c",
)  # fmt: skip
ERP_KINDS = ("A_BusinessPartner", "A_Product", "A_SalesOrder", "A_OutbDeliveryHeader", "A_MaterialStock")

_WRITES = ("POST", "PUT", "PATCH", "DELETE", "MERGE")
_NO_WRITES = ("/oauth2/",)


class House:
    """Both systems, served, and an installation of the shipped configuration between them."""

    def __init__(
        self,
        root: Path,
        store: Store,
        clock: ManualClock,
        environ: Callable[[str, str], None],
        *,
        crm: SalesforceSandbox | None = None,
        erp: SapSandbox | None = None,
    ) -> None:
        self.root, self.store, self.clock = root, store, clock
        self.crm = crm or SalesforceSandbox(clock=Clock(clock.now(), frozen=True))
        self.erp = erp or SapSandbox(clock=Clock(clock.now(), frozen=True), users={"LANDBRIDGE": PASSWORD})
        self.crm.register_client(CLIENT, SECRET)
        self._follow()
        self.crm_server, self.erp_server = serve(self.crm.app), serve(self.erp.app)
        for name, value in {
            "CRM_TEST_URL": self.crm_server.url,
            "CRM_TEST_CLIENT_ID": CLIENT,
            "CRM_TEST_CLIENT_SECRET": SECRET,
            "ERP_TEST_URL": self.erp_server.url,
            "ERP_TEST_CLIENT": "100",
            "ERP_TEST_USER": "LANDBRIDGE",
            "ERP_TEST_PASSWORD": PASSWORD,
        }.items():
            environ(name, value)
        self.installations: list[Installation] = []
        self.installation = self.open()
        self.engine = self.installation.engine

    def _follow(self) -> None:
        for clock in (self.crm.clock, self.erp.clock):
            clock.freeze()
            clock.set(self.clock.now())
            self.clock.watch(clock.set)

    def open(self, root: Path | None = None) -> Installation:
        """One more process on the same store: what a worker that starts anew has."""
        installation = Installation(root or self.root, Settings.load(root or self.root, "test"), self.store, self.clock)
        self.installations.append(installation)
        return installation

    def restart(self, root: Path | None = None) -> None:
        """The worker died and another one starts; `root` is a project whose files were changed meanwhile."""
        self.installation = self.open(root)
        self.engine = self.installation.engine

    def change_project(self, folder: Path, **changes: tuple[str, str]) -> None:
        """Go on with a copy of the project in which a person changed files: `{path: (text, what stands there now)}`."""
        for part in ("config", "mappings", "schemas"):
            shutil.copytree(self.root / part, folder / part, dirs_exist_ok=True)
        for name, (old, new) in changes.items():
            file = folder / name
            before = file.read_text(encoding="utf-8")
            assert old in before, f"{name} does not hold {old!r}"
            file.write_text(before.replace(old, new), encoding="utf-8")
        self.restart(folder)

    def close(self) -> None:
        """Stop both systems and drop every connection to them."""
        for installation in self.installations:
            for connector in list(getattr(installation.systems, "opened", {}).values()):
                connector.close()
        self.crm_server.stop()
        self.erp_server.stop()
        self.crm.close()
        self.erp.close()

    # -- running ---------------------------------------------------------------------------------------------------

    def tick(self, seconds: float = 1) -> None:
        """Let time pass everywhere."""
        self.clock.advance(seconds)

    def run(self, *flows: str, wait: float = 2) -> dict[str, RunResult]:
        """Run these flows (all of them, parents first), a moment apart."""
        results = {}
        for flow in flows or FLOWS:
            self.tick(wait)
            results[flow] = self.engine.run(flow)
        return results

    def converge(self, *flows: str, rounds: int = 6) -> int:
        """Run all flows until a whole round sends no write; returns the rounds that did, fails if they never end."""
        for number in range(rounds):
            before = self.writes()
            self.run(*flows)
            if self.writes() == before:
                return number
        raise AssertionError(f"still writing after {rounds} rounds: {self.written_since(before)}")

    # -- looking ---------------------------------------------------------------------------------------------------

    def writes(self) -> Counter[str]:
        """Every write request that reached either system so far, by system, method and path."""
        found: Counter[str] = Counter()
        for system, log in (("crm", self.crm.app.log), ("erp", self.erp.log)):
            for key, count in log.counts.items():
                method, _, path = key.partition(" ")
                if method in _WRITES and not any(part in path for part in _NO_WRITES):
                    found[f"{system} {key}"] += count
        return found

    def written_since(self, before: Counter[str]) -> Counter[str]:
        """The write requests since `before`."""
        return self.writes() - before

    def picture(self) -> dict[str, str]:
        """Every record of both systems as it stands, by `system kind key`."""
        found = {}
        for system, state, kinds in (("crm", self.crm.state, CRM_KINDS), ("erp", self.erp.store.state, ERP_KINDS)):
            for kind in kinds:
                for key, document in state.rows(f'SELECT _id, _doc FROM "{kind}"'):
                    found[f"{system} {kind} {key}"] = str(document)
        return found

    def changed_since(self, before: dict[str, str]) -> list[str]:
        """The records that are new, gone or different since that picture."""
        now = self.picture()
        return sorted(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))

    def accounts(self) -> dict[str, Any]:
        """The accounting by flow, after holding each row to its equation."""
        rows = {}
        for row in self.engine.accounting():
            parts = (row.delivered, row.suppressed, row.dead, row.discarded, row.quarantined, row.conflict, row.steward)
            assert row.received == sum(parts) + row.in_flight, row
            rows[row.flow] = row
        return rows

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """What the store says."""
        with self.store.reading() as connection:
            return list(connection.execute(text(sql), values))

    def troubles(self) -> list[tuple[str, str, str]]:
        """(flow, state, reason) of everything that is not on its way and not done."""
        return [
            (row.flow, row.state, row.reason or "")
            for row in self.rows(
                "select r.flow, o.state, o.reason from outbox o join route r on r.id = o.route_id "
                "where o.state not in ('delivered', 'suppressed') order by o.id"
            )
        ]

    # -- the people of both companies ------------------------------------------------------------------------------

    def account(self, name: str = "Alfreds Futterkiste", **fields: Any) -> str:
        """A customer in the CRM."""
        address = {"BillingStreet": "Obere Str. 57", "BillingCity": "Berlin", "BillingPostalCode": "12209"}
        return self.crm.insert(
            "Account",
            {"Name": name, **address, "BillingCountryCode": "DE", "CurrencyIsoCode": "EUR", **fields},
        )

    def product(self, number: str = "CHAI", price: float = 18, stock: float = 1000, **fields: Any) -> str:
        """A product in the ERP."""
        return self.erp.seed_product(number, f"Product {number}", price=price, stock=stock, **fields)

    def crm_product(self, number: str) -> str:
        """The id in the CRM of a product that came from the ERP."""
        [found] = self.crm.records("Product2", {"ProductCode": number})
        return str(found["Id"])

    def order(self, account: str, lines: list[tuple[str, float, float, float]], **fields: Any) -> str:
        """An activated order in the CRM of (product, quantity, price, discount in percent)."""
        head = {"AccountId": account, "EffectiveDate": "2026-01-05", "Status": "Draft", "CurrencyIsoCode": "EUR"}
        order = self.crm.insert("Order", {**head, **fields})
        for number, line in enumerate(lines, 1):
            self.order_line(order, number, *line)
        self.crm.update("Order", order, {"Status": "Activated"})
        return order

    def order_line(self, order: str, number: int, product: str, quantity: float, price: float, off: float = 0) -> str:
        """One more line on an order of the CRM."""
        return self.crm.insert(
            "OrderItem",
            {
                "OrderId": order,
                "Product2Id": self.crm_product(product),
                "Quantity": quantity,
                "UnitPrice": price,
                "Discount__c": off,
                "Line_Number__c": number,
            },
        )

    def crm_lines(self, order: str) -> list[dict[str, Any]]:
        """An order's lines in the CRM, by number."""
        return sorted(self.crm.records("OrderItem", {"OrderId": order}), key=lambda line: line["Line_Number__c"])

    def erp_order(self, **where: Any) -> dict[str, Any]:
        """The one order of the ERP that fits."""
        [found] = self.erp.records("A_SalesOrder", **where)
        return found

    def erp_lines(self, order: str) -> list[dict[str, Any]]:
        """An order's items in the ERP, by number."""
        lines = self.erp.records("A_SalesOrderItem", SalesOrder=order)
        return sorted(lines, key=lambda line: int(line["SalesOrderItem"]))
