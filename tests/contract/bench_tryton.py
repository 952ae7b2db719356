"""Tryton under the contract suite: the real server behind a line that breaks on request; nothing is simulated."""

from __future__ import annotations

import asyncio
import http.client
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from bench import Bench, Side
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from landbridge.time import ManualClock
from sandbox._base import Clock, Faults, serve, with_sandbox

_numbers = count(1)
_CALLS = {
    "login": r'"common\.db\.login"',
    "read": r'"model\.product\.product\.search_read"',
    "write": r'"model\.(product\.(template|product)|sale\.sale)\.(create|write|delete)"',
}


def forward(port: int) -> ASGIApp:
    """An application that hands every request to the server at a port, as it came."""

    def send(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with closing(line):
            line.request(method, path, body, headers)
            reply = line.getresponse()
            kept = {"content-type", "retry-after", "www-authenticate"}
            return reply.status, {n: v for n, v in reply.getheaders() if n.lower() in kept}, reply.read()

    async def app(scope: Scope, receive: Receive, answer: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        kept = ("content-type", "authorization")
        headers = {name: value for name, value in request.headers.items() if name in kept}
        status, told, content = await asyncio.to_thread(send, request.method, request.url.path, headers, body)
        await Response(content, status, told)(scope, receive, answer)

    return app


class TrytonBench(Bench):
    """Products are read and written, sales carry lines. Each test reads only the products made since it began."""

    name: ClassVar[str] = "erp"
    source: ClassVar[str] = "product"
    target: ClassVar[str] = "product"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 10
    text_field: ClassVar[str] = "description"

    def start(self) -> None:
        self.system = self.fixture("tryton")
        self.people = self.system.people
        self.clock = ManualClock(datetime.now(UTC))
        self.faults = Faults()
        clock = Clock(self.clock.now(), frozen=True)
        self.clock.watch(clock.set)
        port = int(self.system.url.rpartition(":")[2])
        self.server = serve(with_sandbox(forward(port), faults=self.faults, clock=clock))
        (self.folder / "password").write_text(self.system.password, encoding="utf-8")
        self.before = {table: self._sql(f"SELECT COALESCE(MAX(id), 0) FROM {table}")[0][0] for table in _TABLES}
        self.unit = self.people.one("product.uom", [["symbol", "=", "u"]])["id"]
        self.taken: tuple[int, list[int]] | None = None
        self._party: int | None = None

    def stop(self) -> None:
        if self.taken is not None:
            user, groups = self.taken
            self.people.write("res.user", [user], {"groups": [["add", groups]]})
        self.server.stop()
        self._sql("DELETE FROM product_identifier WHERE id > ?", self.before["product_identifier"])
        self._sql("DELETE FROM ir_note WHERE id > ?", self.before["ir_note"])

    def _sql(self, query: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.system.folder / "erp.sqlite", timeout=20)) as line, line:
            return line.execute(query, values).fetchall()

    def connector(self, *, net: Mapping[str, Any] | None = None, **config: Any) -> Any:
        """A real server under load takes longer than a simulator."""
        return super().connector(net={"read": 5, **(net or {})}, **config)

    def raw_config(self) -> dict[str, Any]:
        return {
            "url": self.server.url,
            "database": self.system.database,
            "user": self.system.user,
            "password": f"file:{self.folder / 'password'}",
            "page": self.page_size,
            "until": "quote",
            "domain": {"product": [["id", ">", self.before["product_product"]]]},
        }

    def secrets(self) -> Sequence[str]:
        return [self.system.password]

    def port(self) -> int:
        return self.server.port

    def create(self, n: int) -> list[str]:
        return self._made(n, self.clock.now())

    def _made(self, n: int, at: datetime) -> list[str]:
        rows = [
            {
                "name": "Something",
                "type": "goods",
                "default_uom": self.unit,
                "products": [["create", [{"suffix_code": f"N{next(_numbers):06}"}]]],
            }
            for _ in range(n)
        ]
        templates = self.people.create("product.template", rows)
        marks = ",".join("?" * n)
        for table, column in (("product_template", "id"), ("product_product", "template")):
            query = f"UPDATE {table} SET create_date = ?, write_date = NULL WHERE {column} IN ({marks})"
            self._sql(query, _text(at), *templates)
        found = self._sql(f"SELECT id FROM product_product WHERE template IN ({marks}) ORDER BY id", *templates)
        return [str(one) for (one,) in found]

    def change(self, key: str, text: str | None) -> None:
        self.people.write("product.product", [int(key)], {self.text_field: text})
        self._sql("UPDATE product_product SET write_date = ? WHERE id = ?", _text(self.clock.now()), int(key))

    def late(self, seconds: float) -> str:
        return self._made(1, self.clock.now() - timedelta(seconds=seconds))[0]

    def remove(self, key: str) -> bool:
        self.people.delete("product.product", [int(key)])
        newest = "(SELECT MAX(id) FROM ir_model_log)"
        self._sql(f"UPDATE ir_model_log SET create_date = ? WHERE id = {newest}", _text(self.clock.now()))
        return True

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        self.faults.add({"body_regex": _CALLS[side], "times": times, "nth": nth}, kind, **args)

    def clear_faults(self) -> None:
        self.faults.clear()

    def error_body(self, status: int) -> Any:
        return {"id": 1, "error": [f"an error like {status}", ""]}

    def expire_session(self) -> None:
        self._sql("DELETE FROM ir_session")

    def take_right(self) -> str:
        names = ("product.group_product_admin", "account_product.group_account_product_admin")
        groups = [self.people.call("model.ir.model.data.get_id", name) for name in names]
        [user] = self.people.search("res.user", [["login", "=", self.system.user]])
        self.people.write("res.user", [user], {"groups": [["remove", groups]]})
        self.taken = (user, groups)
        return "write product.template"

    def native(self, text: str) -> dict[str, Any]:
        template = {"name": "Made in 上海", "type": "goods", "default_uom": {"symbol": "u"}, "list_price": "12.50"}
        return {"suffix_code": f"W{next(_numbers):06}", self.text_field: text, "template": template}

    def wrong(self) -> dict[str, Any]:
        return {**self.native("x"), "template": {"name": None, "type": "goods", "default_uom": {"symbol": "u"}}}

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        if entity == "product":
            found = self.people.rows("product.product", [["identifiers.code", "=", reference]], [self.text_field])
            return list(found)
        return list(self.people.rows("sale.sale", [["notes.message", "=", reference]], ["state"]))

    def native_document(self) -> dict[str, Any]:
        if self._party is None:
            address = [["create", [{"city": "Oslo"}]]]
            [self._party] = self.people.create("party.party", [{"name": "Buyer", "addresses": address}])
        return {"party": str(self._party), "currency": {"code": self.system.currency}}

    def native_line(self, quantity: str) -> dict[str, Any]:
        shipping = self.people.search("product.product", [["code", "=", "SHIP"]])
        unit = {"symbol": "u"}
        return {"product": str(shipping[0]), "quantity": quantity, "unit": unit, "unit_price": "10.10"}

    def line_quantities(self, reference: str) -> dict[str, str]:
        lines = self.people.rows("sale.line", [["sale.notes.message", "=", reference]], ["quantity"])
        return {str(line["id"]): str(line["quantity"]) for line in lines}


_TABLES = ("product_product", "product_identifier", "ir_note")


def _text(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


BENCH = TrytonBench
