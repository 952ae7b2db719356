"""The REST connector under the contract suite: a small API with tokens, whole-second stamps and offset paging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from bench import Bench, Side

from sandbox._base import Clock, serve
from sandbox.rest import Manners, RestSandbox

SECRET = "c4n4ry-client-secret"
FAULTS: dict[str, dict[str, str]] = {
    "login": {"path_regex": "/oauth/token"},
    "read": {"path_regex": r"/customers\?", "method": "GET"},
    "write": {"path_regex": r"/(customers|orders)$", "method": "POST"},
}
KINDS = {"customer": "customers", "sales_order": "orders"}


class RestBench(Bench):
    """Customers are read and written (grade A), orders carry lines (grade C)."""

    name: ClassVar[str] = "shop"
    source: ClassVar[str] = "customer"
    target: ClassVar[str] = "customer"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 10
    text_field: ClassVar[str] = "note"

    def start(self) -> None:
        clock = Clock(self.clock.now(), frozen=True)
        self.clock.watch(clock.set)
        self.api = RestSandbox(Manners(clients={"landbridge": SECRET}), clock=clock)
        self.server = serve(self.api.app)
        (self.folder / "secret").write_text(SECRET, encoding="utf-8")
        self.buyer = self.create(1)[0]
        self.clock.advance(1)

    def stop(self) -> None:
        self.server.stop()

    def raw_config(self) -> dict[str, Any]:
        stamped = {"stamp": "updated_at", "deleted": "deleted", "etag": True, "reference": "external_ref"}
        return {
            "url": f"{self.server.url}/v1",
            "auth": {
                "type": "oauth2",
                "token_url": f"{self.server.url}/oauth/token",
                "client_id": "landbridge",
                "client_secret": f"file:{self.folder / 'secret'}",
            },
            "openapi": "openapi.json",
            "errors": {"code": "error.code", "message": "error.message"},
            "check": {
                "path": "me",
                "organisation": "account.id",
                "rights": "scopes",
                "needs": ["customers:read", "customers:write"],
            },
            "entities": {
                "customer": {
                    **stamped,
                    "schema": "Customer",
                    "read": _read("customers", self.page_size),
                    "fetch": {"path": "customers", "query": {"ids": "{ids}", "deleted": "true"}, "records": "data"},
                    "find": {"path": "customers", "query": {"external_ref": "{reference}"}, "records": "data"},
                    "create": {"path": "customers", "idempotency": "Idempotency-Key"},
                    "update": {"path": "customers/{id}", "if_match": True},
                    "delete": {"path": "customers/{id}"},
                },
                "sales_order": {
                    **stamped,
                    "schema": "Order",
                    "lines": {"key": "id", "reference": "line_ref", "number": True},
                    "read": _read("orders", self.page_size),
                    "fetch": {"path": "orders/{id}"},
                    "find": {"path": "orders", "query": {"external_ref": "{reference}"}, "records": "data"},
                    "create": {"path": "orders"},
                    "update": {"path": "orders/{id}", "if_match": True},
                },
            },
        }

    def secrets(self) -> Sequence[str]:
        return [SECRET]

    def port(self) -> int:
        return self.server.port

    def create(self, n: int) -> list[str]:
        return self.api.store.load("customers", ({"name": f"Customer {index}", "note": None} for index in range(n)))

    def change(self, key: str, text: str | None) -> None:
        self.api.store.change("customers", key, {self.text_field: text})

    def late(self, seconds: float) -> str:
        now = self.api.clock.now()
        self.api.clock.advance(-seconds)
        try:
            return self.create(1)[0]
        finally:
            self.api.clock.set(now)

    def remove(self, key: str) -> bool:
        self.api.store.delete("customers", key)
        return True

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        self.api.faults.add({**FAULTS[side], "times": times, "nth": nth}, kind, **args)

    def clear_faults(self) -> None:
        self.api.faults.clear()

    def error_body(self, status: int) -> Any:
        return {"error": {"code": f"http_{status}", "message": "An unexpected error occurred."}}

    def expire_session(self) -> None:
        self.api.revoke_all()

    def take_right(self) -> str:
        self.api.scopes.remove("customers:write")
        return "customers:write"

    def native(self, text: str) -> dict[str, Any]:
        return {"name": "Made", "city": "上海", self.text_field: text}

    def wrong(self) -> dict[str, Any]:
        return {"name": "x" * 300}

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        held = self.api.store.all(KINDS[entity])
        return [each for each in held if each["external_ref"] == reference and not each["deleted"]]

    def native_document(self) -> dict[str, Any]:
        return {"customer_id": int(self.buyer), "note": "by the bench"}

    def native_line(self, quantity: str) -> dict[str, Any]:
        return {"sku": "CHAI", "quantity": quantity}

    def line_quantities(self, reference: str) -> dict[str, str]:
        [order] = self.effects("sales_order", reference)
        return {str(line["id"]): line["quantity"] for line in order["lines"]}


def _read(path: str, size: int) -> dict[str, Any]:
    return {
        "path": path,
        "query": {"sort": "updated_at", "deleted": "true"},
        "records": "data",
        "ordered": True,
        "paging": {"type": "offset", "size": size, "total": "total"},
        "changes": {"query": {"updated_from": "{since}"}},
    }


BENCH = RestBench
