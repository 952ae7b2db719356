"""The SOAP connector under the contract suite: a trading house on a frozen clock, declared in YAML's own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from bench import Bench, Side

import sandbox.soap
from sandbox._base import Clock, serve
from sandbox.soap import SoapSandbox
from sandbox.soap._sandbox import error_reply

PASSWORD = "c4n4ry-soap-password"
WSDL = Path(sandbox.soap.__file__).parent / "trade.wsdl"
BODIES = {
    "login": "WhoAmI",
    "read": "FindPart|GetPart|FindOrder|GetOrder",
    "write": "SaveParty|SaveOrder|DeleteParty|CancelOrder",
}
ENTITIES: dict[str, Any] = {
    "customer": {
        "key": "id",
        "stamp": "changedAt",
        "version": "version",
        "reference": "externalRef",
        "deleted": "deleted",
        "read": {
            "operation": "FindParties",
            "arguments": {"changedSince": "{since}", "page": "{page}", "pageSize": "{size}"},
            "records": "party",
            "total": "total",
            "paging": "page",
            "size": 10,
        },
        "fetch": {"operation": "GetParties", "arguments": {"id": "{ids}"}, "records": "party"},
        "find": {"operation": "FindPartyByReference", "arguments": {"externalRef": "{reference}"}, "records": "party"},
        "upsert": {
            "operation": "SaveParty",
            "arguments": {"expectedVersion": "{version}"},
            "body": "party",
            "record": "party",
            "created": "created",
        },
        "delete": {"operation": "DeleteParty", "arguments": {"id": "{id}"}},
    },
    "sales_order": {
        "key": "id",
        "stamp": "changedAt",
        "version": "version",
        "reference": "externalRef",
        "read": {
            "operation": "FindOrders",
            "arguments": {"changedSince": "{since}", "offset": "{offset}", "pageSize": "{size}"},
            "records": "order",
            "paging": "offset",
            "size": 10,
        },
        "fetch": {"operation": "GetOrders", "arguments": {"id": "{ids}"}, "records": "order"},
        "find": {"operation": "FindOrderByReference", "arguments": {"externalRef": "{reference}"}, "records": "order"},
        "upsert": {"operation": "SaveOrder", "body": "order", "record": "order", "created": "created"},
        "cancel": {"operation": "CancelOrder", "arguments": {"id": "{id}"}},
        "lines": {"path": "lines.line", "key": "id", "reference": "lineRef"},
    },
}
ERRORS = [
    {"fault": "NOT_FOUND", "is": "absent"},
    {"fault": "STALE", "is": "conflict"},
    {"fault": "NOT_ALLOWED", "is": "denied", "hint": "Ask the house's administrator for the right."},
]


class SoapBench(Bench):
    """Parties are read and written, orders carry lines."""

    name: ClassVar[str] = "house"
    source: ClassVar[str] = "customer"
    target: ClassVar[str] = "customer"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 10
    text_field: ClassVar[str] = "note"
    port_name = "Trade11"

    def start(self) -> None:
        clock = Clock(self.clock.now(), frozen=True)
        self.clock.watch(clock.set)
        self.house = SoapSandbox(clock=clock, password=PASSWORD)
        self.server = serve(self.house.app)
        (self.folder / "secret").write_text(PASSWORD, encoding="utf-8")
        self.buyer = self.create(1)[0]
        self.clock.advance(1)

    def stop(self) -> None:
        self.server.stop()
        self.house.close()

    def raw_config(self) -> dict[str, Any]:
        return {
            "url": self.server.url,
            "address": f"{self.server.url}/trade",
            "wsdl": str(WSDL),
            "port": self.port_name,
            "ws_security": {"user": "landbridge", "password": f"file:{self.folder / 'secret'}", "digest": True},
            "check": {"operation": "WhoAmI", "organisation": "company", "user": "user"},
            "errors": ERRORS,
            "entities": ENTITIES,
        }

    def secrets(self) -> Sequence[str]:
        return [PASSWORD]

    def port(self) -> int:
        return self.server.port

    def create(self, n: int) -> list[str]:
        fields = {"creditLimit": "100.00", self.text_field: None}
        return [self.house.put("party", {"name": f"Party {index}", **fields}) for index in range(n)]

    def change(self, key: str, text: str | None) -> None:
        self.house.put("party", {"id": key, "note": text})

    def late(self, seconds: float) -> str:
        at = self.house.clock.now() - timedelta(seconds=seconds)
        return self.house.put("party", {"name": "Late", "changedAt": at.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def remove(self, key: str) -> bool:
        self.house.remove("party", key)
        return True

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        self.house.faults.add({"body_regex": f":({BODIES[side]})", "times": times, "nth": nth}, kind, **args)

    def clear_faults(self) -> None:
        self.house.faults.clear()

    def error_body(self, status: int) -> Any:
        return error_reply(status).body

    def expire_session(self) -> None:
        """There is none: every request carries its token, each with a nonce of its own."""

    def take_right(self) -> str:
        self.house.forbidden.add("FindOrders")
        return "FindOrders"

    def native(self, text: str) -> dict[str, Any]:
        return {"name": "Made in 上海", "creditLimit": "12.50", self.text_field: text}

    def wrong(self) -> dict[str, Any]:
        return {"name": "Wrong", "creditLimit": "-1.00"}

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        return self.house.records({"customer": "party", "sales_order": "order"}[entity], {"externalRef": reference})

    def native_document(self) -> dict[str, Any]:
        return {"customerId": self.buyer, "orderedOn": "2026-01-05", "note": "by the bench"}

    def native_line(self, quantity: str) -> dict[str, Any]:
        return {"product": "CHAI", "quantity": quantity}

    def line_quantities(self, reference: str) -> dict[str, str]:
        [order] = self.house.records("order", {"externalRef": reference})
        return {line["id"]: line["quantity"] for line in order["lines"]}


class Soap12Bench(SoapBench):
    """SOAP 1.2 with HTTP Basic; parties are listed by a cursor that the service keeps."""

    port_name = "Trade12"

    def raw_config(self) -> dict[str, Any]:
        raw = super().raw_config()
        password = raw.pop("ws_security")["password"]
        read = {
            "operation": "FindParties",
            "arguments": {"changedSince": "{since}", "cursor": "*", "pageSize": "{size}"},
            "more": {"operation": "FindParties", "arguments": {"cursor": "{cursor}", "pageSize": "{size}"}},
            "records": "party",
            "cursor": "cursor",
            "paging": "cursor",
            "size": 10,
        }
        entities = {**ENTITIES, "customer": {**ENTITIES["customer"], "read": read}}
        return {**raw, "auth": {"type": "basic", "user": "landbridge", "password": password}, "entities": entities}


BENCH = SoapBench
VARIANTS = {"1.2": Soap12Bench}
