"""The OData connector under the contract suite: a service of v4, and one of v2 with CSRF tokens and links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from bench import Bench, Side

from sandbox._base import Clock, serve
from sandbox.odata import ODataSandbox

SECRET = "c4n4ry-service-password"
FAULTS: dict[str, dict[str, str]] = {
    "login": {"path_regex": "/odata"},
    "read": {"path_regex": r"/Customers\?.*orderby", "method": "GET"},
    "write": {"path_regex": r"/(Customers|Orders)$", "method": "POST"},
}
KINDS = {"customer": "customers", "sales_order": "orders"}


class ODataBench(Bench):
    """Customers are read and written, orders carry lines in a set of their own."""

    name: ClassVar[str] = "erp"
    source: ClassVar[str] = "customer"
    target: ClassVar[str] = "customer"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 10
    text_field: ClassVar[str] = "note"
    version: ClassVar[str] = "v4"
    csrf: ClassVar[bool] = False

    def start(self) -> None:
        clock = Clock(self.clock.now(), frozen=True)
        self.clock.watch(clock.set)
        self.service = ODataSandbox(self.version, clock=clock, login=("BUS", SECRET), csrf=self.csrf, longest=7)
        self.server = serve(self.service.app)
        (self.folder / "secret").write_text(SECRET, encoding="utf-8")
        self.buyer = self.create(1)[0]
        self.clock.advance(1)

    def stop(self) -> None:
        self.server.stop()

    def raw_config(self) -> dict[str, Any]:
        stamped = {"stamp": "updated_at", "reference": "external_ref", "ignored": ["revision"]}
        lines = {"under": "lines", "key": "id", "reference": "line_ref"}
        return {
            "url": f"{self.server.url}/odata",
            "protocol": self.version,
            "auth": {"type": "basic", "user": "BUS", "password": f"file:{self.folder / 'secret'}"},
            "csrf": self.csrf,
            "page_size": self.page_size,
            "entities": {
                "customer": {**stamped, "set": "Customers", "delete": True},
                "sales_order": {**stamped, "set": "Orders", "lines": lines},
            },
        }

    def secrets(self) -> Sequence[str]:
        return [SECRET]

    def port(self) -> int:
        return self.server.port

    def create(self, n: int) -> list[str]:
        made = ({"name": f"Customer {index}", "note": None} for index in range(n))
        return self.service.store.load("customers", made)

    def change(self, key: str, text: str | None) -> None:
        self.service.store.change("customers", key, {self.text_field: text})

    def late(self, seconds: float) -> str:
        now = self.service.clock.now()
        self.service.clock.advance(-seconds)
        try:
            return self.create(1)[0]
        finally:
            self.service.clock.set(now)

    def remove(self, key: str) -> bool:
        self.service.store.delete("customers", key)
        return False

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        self.service.faults.add({**FAULTS[side], "times": times, "nth": nth}, kind, **args)

    def clear_faults(self) -> None:
        self.service.faults.clear()

    def error_body(self, status: int) -> Any:
        told = "An error occurred."
        message = told if self.version == "v4" else {"lang": "en", "value": told}
        return {"error": {"code": f"http_{status}", "message": message}}

    def expire_session(self) -> None:
        self.service.expire_tokens()

    def take_right(self) -> str:
        self.service.hidden.add("Orders")
        return "sales_order cannot be read"

    def native(self, text: str) -> dict[str, Any]:
        return {"name": "Made", "city": "上海", self.text_field: text}

    def wrong(self) -> dict[str, Any]:
        return {"name": "x" * 300}

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        held = self.service.store.all(KINDS[entity])
        return [each for each in held if each["external_ref"] == reference and not each["deleted"]]

    def native_document(self) -> dict[str, Any]:
        return {"customer_id": int(self.buyer), "note": "by the bench"}

    def native_line(self, quantity: str) -> dict[str, Any]:
        return {"sku": "CHAI", "quantity": quantity}

    def line_quantities(self, reference: str) -> dict[str, str]:
        [order] = self.effects("sales_order", reference)
        return {str(line["id"]): line["quantity"] for line in order["lines"]}


class OlderBench(ODataBench):
    """The same over v2, which gives no record back on a change, and wants a CSRF token."""

    version: ClassVar[str] = "v2"
    csrf: ClassVar[bool] = True


BENCH = ODataBench
VARIANTS = {"v2": OlderBench}
