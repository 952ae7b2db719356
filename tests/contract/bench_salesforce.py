"""Salesforce under the contract suite: its sandbox org on a frozen clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from bench import Bench, Side

from sandbox._base import Clock, serve
from sandbox.salesforce import SalesforceSandbox

SECRET = "c4n4ry-consumer-secret"
PATHS = {"login": "/oauth2/token", "read": "/query", "write": "/composite/sobjects"}
REFERENCE = "Landbridge_Id__c"
NATIVE = {"customer": "Account", "sales_order": "Order"}


class SalesforceBench(Bench):
    """Accounts are read and written, Orders carry lines."""

    name: ClassVar[str] = "crm"
    source: ClassVar[str] = "customer"
    target: ClassVar[str] = "customer"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 200  # the smallest that Salesforce grants
    text_field: ClassVar[str] = "Description"

    def start(self) -> None:
        clock = Clock(self.clock.now(), frozen=True)
        self.clock.watch(clock.set)
        self.org = SalesforceSandbox(clock=clock)
        self.org.register_client("key", SECRET)
        self.server = serve(self.org.app)
        secret = self.folder / "secret"
        secret.write_text(SECRET, encoding="utf-8")
        self.product = self.org.insert("Product2", {"Name": "Chai", "ProductCode": "P1", "IsActive": True})
        self.org.insert(
            "PricebookEntry",
            {
                "Product2Id": self.product,
                "Pricebook2Id": self.org.standard_pricebook_id,
                "UnitPrice": 18,
                "IsActive": True,
            },
        )
        self.account = self.org.insert("Account", {"Name": "Buyer"})

    def stop(self) -> None:
        self.server.stop()
        self.org.close()

    def raw_config(self) -> dict[str, Any]:
        return {
            "url": self.server.url,
            "client_id": "key",
            "client_secret": f"file:{self.folder / 'secret'}",
            "page_size": self.page_size,
        }

    def secrets(self) -> Sequence[str]:
        return [SECRET]

    def port(self) -> int:
        return self.server.port

    def create(self, n: int) -> list[str]:
        return list(self.org.load("Account", ({"Name": f"Account {index}"} for index in range(n))))

    def change(self, key: str, text: str | None) -> None:
        self.org.update("Account", key, {self.text_field: text})

    def late(self, seconds: float) -> str:
        now = self.org.clock.now()
        self.org.clock.advance(-seconds)
        try:
            return self.org.insert("Account", {"Name": "Late"})
        finally:
            self.org.clock.set(now)

    def remove(self, key: str) -> bool:
        self.org.delete("Account", key)
        return True

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        self.org.faults.add({"path_regex": PATHS[side], "times": times, "nth": nth}, kind, **args)

    def clear_faults(self) -> None:
        self.org.faults.clear()

    def error_body(self, status: int) -> Any:
        return [{"message": "An unexpected error occurred.", "errorCode": "UNKNOWN_EXCEPTION"}]

    def expire_session(self) -> None:
        self.org.sessions.revoke_all()

    def take_right(self) -> str:
        body = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
        self.org.faults.add({"path_regex": "/Shipment__c/describe"}, "reply", status=404, body=body)
        return "see Shipment__c"

    def native(self, text: str) -> dict[str, Any]:
        return {"Name": "Made", "BillingCity": "上海", self.text_field: text}

    def wrong(self) -> dict[str, Any]:
        return {"Name": "x" * 300}

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        return self.org.records(NATIVE[entity], {REFERENCE: reference})

    def native_document(self) -> dict[str, Any]:
        return {
            "AccountId": self.account,
            "EffectiveDate": "2026-01-05",
            "Status": "Activated",
            "Pricebook2Id": self.org.standard_pricebook_id,
        }

    def native_line(self, quantity: str) -> dict[str, Any]:
        return {"Product2Id": self.product, "Quantity": quantity, "UnitPrice": "18.00"}

    def line_quantities(self, reference: str) -> dict[str, str]:
        [order] = self.org.records("Order", {REFERENCE: reference})
        return {line["Id"]: str(line["Quantity"]) for line in self.org.records("OrderItem", {"OrderId": order["Id"]})}


class BulkBench(SalesforceBench):
    """The same org, read by bulk queries as soon as there is more than a page."""

    def raw_config(self) -> dict[str, Any]:
        return {**super().raw_config(), "bulk": {"read_above": 1}}


BENCH = SalesforceBench
VARIANTS = {"bulk": BulkBench}
