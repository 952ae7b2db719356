"""S/4HANA under the contract suite: its sandbox on a frozen clock, products as the entity that is read and written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from bench import Bench, Side

from sandbox._base import Clock, serve
from sandbox.sap_s4 import SapSandbox

PASSWORD = "c4n4ry-communication-password"
WRITES = r"(A_Product|A_SalesOrder|\$batch)$"
PATHS = {"login": r"_SRV(;v=\d+)?/$", "read": r"A_Product\?", "write": WRITES}


class SapS4Bench(Bench):
    """Products are read and written, sales orders carry lines."""

    name: ClassVar[str] = "erp"
    source: ClassVar[str] = "product"
    target: ClassVar[str] = "product"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 5
    text_field: ClassVar[str] = "ProductManufacturerNumber"
    long_settle: ClassVar[bool] = True

    def start(self) -> None:
        clock = Clock(self.clock.now(), frozen=True)
        self.clock.watch(clock.set)
        self.system = SapSandbox(clock=clock, users={"LANDBRIDGE": PASSWORD})
        self.server = serve(self.system.app)
        (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
        self.number = 0
        begin = clock.now()
        clock.set(begin - timedelta(days=7))
        self.customer = self.system.seed_partner("Alfreds Futterkiste")
        self.product = self.system.seed_product("CHAI", "Chai", price=18, stock=100_000)
        clock.set(begin)

    def stop(self) -> None:
        self.server.stop()
        self.system.close()

    def raw_config(self) -> dict[str, Any]:
        return {
            "url": self.server.url,
            "client": "100",
            "user": "LANDBRIDGE",
            "password": f"file:{self.folder / 'password'}",
            "page": self.page_size,
        }

    def secrets(self) -> Sequence[str]:
        return [PASSWORD]

    def port(self) -> int:
        return self.server.port

    def create(self, n: int) -> list[str]:
        self.number += n
        return [self.system.seed_product(f"N{self.number - n + one:06}", "Something") for one in range(n)]

    def change(self, key: str, text: str | None) -> None:
        self.system.edit("A_Product", {"Product": key}, {self.text_field: text or ""})

    def late(self, seconds: float) -> str:
        now = self.system.clock.now()
        self.system.clock.set(now - timedelta(seconds=seconds))
        try:
            return self.create(1)[0]
        finally:
            self.system.clock.set(now)

    def remove(self, key: str) -> bool:
        self.system.store.delete("A_Product", key)  # archived: no feed tells of it
        return False

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        self.system.faults.add({"path_regex": PATHS[side], "times": times, "nth": nth}, kind, **args)

    def clear_faults(self) -> None:
        self.system.faults.clear()

    def error_body(self, status: int) -> Any:
        return {"error": {"code": "SY/530", "message": {"lang": "en", "value": "An exception was raised"}}}

    def expire_session(self) -> None:
        self.system.sessions._sessions.clear()  # what a restart of the application server does

    def take_right(self) -> str:
        body = {"error": {"code": "/IWFND/MED/170", "message": {"lang": "en", "value": "No authorization"}}}
        self.system.faults.add({"path_regex": "API_PRODUCT_SRV", "times": None}, "reply", status=403, body=body)
        return "API_PRODUCT_SRV"

    def native(self, text: str) -> dict[str, Any]:
        return {
            "ProductType": "HAWA",
            "BaseUnit": "PC",
            "ProductGroup": "L001",
            self.text_field: text,
            "to_Description": [{"Language": "EN", "ProductDescription": "Made"}],
        }

    def wrong(self) -> dict[str, Any]:
        return {**self.native("x"), "BaseUnit": "??"}

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        if entity == "product":
            return self.system.records("A_Product", ProductOldID=reference)
        return self.system.records("A_SalesOrder", PurchaseOrderByShipToParty=reference)

    def native_document(self) -> dict[str, Any]:
        organisation, channel, division = self.system.area
        return {
            "SalesOrderType": "OR",
            "SalesOrganization": organisation,
            "DistributionChannel": channel,
            "OrganizationDivision": division,
            "SoldToParty": self.customer,
        }

    def native_line(self, quantity: str) -> dict[str, Any]:
        return {"Material": self.product, "RequestedQuantity": quantity, "RequestedQuantityUnit": "PC"}

    def line_quantities(self, reference: str) -> dict[str, str]:
        [order] = self.system.records("A_SalesOrder", PurchaseOrderByShipToParty=reference)
        items = self.system.records("A_SalesOrderItem", SalesOrder=order["SalesOrder"])
        return {
            item["SalesOrderItem"]: item["RequestedQuantity"] for item in items if not item["SalesDocumentRjcnReason"]
        }


BENCH = SapS4Bench
