"""A connector at the real Tryton of this session, people who work there, and a stub that misbehaves as it would."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from connectors.tryton import Tryton, TrytonConfig
from landbridge.connector import Accepted, LineWrite, Outcome, Page, Row, Write
from landbridge.engine._plan import reference_of
from landbridge.errors import Failure
from landbridge.net import NetSettings, open_http
from landbridge.secrets import Secret
from landbridge.time import ManualClock, SystemClock
from sandbox._base import serve

_numbers = count(1)


class Lab:
    """What a test of one real server needs; every record it makes is its own."""

    def __init__(self, system: Any) -> None:
        self.system, self.people = system, system.people
        self._open: list[Tryton] = []

    def connector(self, *, url: str = "", password: str = "", **settings: Any) -> Tryton:
        """A fresh connector."""
        secret = Secret.plain(password or self.system.password)
        given = {"database": self.system.database, "user": self.system.user, **settings}
        config = TrytonConfig(url=url or self.system.url, password=secret, **given)
        net = NetSettings(connect=2, read=20)
        made = Tryton("erp", config, open_http("erp", config, net, clock=SystemClock()), SystemClock())
        self._open.append(made)
        return made

    def close(self) -> None:
        """Close every connector."""
        for one in self._open:
            one.close()

    # -- what people make there

    def party(self, name: str = "Alfreds", **values: Any) -> int:
        """A party with an address."""
        address = [["create", [{"street": "Obere Str. 57", "city": "Berlin", "postal_code": "12209"}]]]
        [made] = self.people.create("party.party", [{"name": name, "addresses": address, **values}])
        return int(made)

    def product(self, price: str = "18", **values: Any) -> int:
        """A product that can be sold and invoiced."""
        unit = self.people.one("product.uom", [["symbol", "=", "u"]])["id"]
        category = self.people.one("product.category", [["name", "=", "Goods"]])["id"]
        row = {
            "name": "Chai", "type": "goods", "default_uom": unit, "sale_uom": unit, "salable": True,
            "account_category": category, "list_price": Decimal(price),
            "products": [["create", [{"suffix_code": f"LAB{next(_numbers):05}"}]]], **values,
        }  # fmt: skip
        [template] = self.people.create("product.template", [row])
        return int(self.people.one("product.product", [["template", "=", template]])["id"])

    # -- what the engine asks

    def order(self, party: int, lines: Mapping[str, tuple[int, str, str]], **header: Any) -> Write:
        """The create of a sale: line key → product, quantity, price."""
        writes = tuple(LineWrite("insert", key, None, None, line_of(*line)) for key, line in lines.items())
        body = {"party": str(party), "currency": {"code": self.system.currency}, **header}
        return new("sales_order", body, lines=writes)

    def sale(self, write: Write) -> list[dict[str, Any]]:
        """The sales that carry the reference of a write, behind the connector's back."""
        fields = ["state", "number", "reference", "untaxed_amount", "lines.quantity", "lines.note", "lines.product"]
        return list(self.people.rows("sale.sale", [["notes.message", "=", write.reference]], fields))


def line_of(product: int, quantity: str, price: str) -> dict[str, Any]:
    """A line as the mapping writes it."""
    return {
        "type": "line",
        "product": str(product),
        "quantity": quantity,
        "unit": {"symbol": "u"},
        "unit_price": price,
    }


def new(entity: str, body: Mapping[str, Any], subject: UUID | None = None, **change: Any) -> Write:
    """A create under a reference of its own, as the engine makes one."""
    who = subject or uuid4()
    whole = dict(body)
    return dataclasses.replace(Write(entity, "create", who, 1, "key", reference_of(who), whole, whole), **change)


def once(connector: Tryton, write: Write) -> Outcome:
    """One call."""
    try:
        return connector.write(write.entity, [write])[0]
    except Failure as failure:
        return failure


def following(write: Write, outcome: Accepted) -> Write:
    """What the engine asks next."""
    return dataclasses.replace(
        write, action="update", stage=outcome.stage, handle=outcome.handle, target_id=outcome.target_id
    )


def through(connector: Tryton, write: Write) -> Outcome:
    """All stages."""
    for _ in range(6):
        outcome = once(connector, write)
        if not isinstance(outcome, Accepted):
            return outcome
        write = following(write, outcome)
    raise AssertionError("the stages do not end")


class Feed:
    """A feed as the engine keeps it."""

    def __init__(self, connector: Tryton, entity: str) -> None:
        self.connector, self.entity = connector, entity
        self.cursor: str | None = None

    def read(self) -> list[Row]:
        """What is told now."""
        rows: list[Row] = []
        for page in self.connector.read(self.entity, self.cursor):
            rows += page.rows
            self.cursor = page.cursor
        return rows

    def told(self, key: int | str) -> list[Row]:
        """What is told now of one record."""
        return [row for row in self.read() if row.key == str(key)]


Answer = Callable[[str, Sequence[Any]], Any]


class Stub:
    """A server that answers Tryton's calls as a function says; what it cannot say is left to its defaults."""

    def __init__(self, answer: Answer, *, paths: Sequence[str] = ("/erp/rpc/",)) -> None:
        self.calls: list[tuple[str, str]] = []
        self._answer, self._paths = answer, paths
        self.server = serve(self)
        self.url = self.server.url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked = json.loads(await request.body())
        method = asked["method"]
        self.calls.append((request.url.path, method))
        if method != "common.server.version" and request.url.path not in self._paths:
            await Response("no such page", 405)(scope, receive, send)
            return
        result = self._answer(method, asked["params"])
        if isinstance(result, Response):
            await result(scope, receive, send)
            return
        body = result if isinstance(result, dict) and {"result", "error"} & set(result) else {"result": result}
        await JSONResponse({"id": 1, **body})(scope, receive, send)

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()


def usual(method: str, params: Sequence[Any]) -> Any:
    """What every server answers."""
    if method == "common.db.login":
        return [2, "s3cr3t-session-key", None]
    if method.endswith("get_preferences"):
        return {"company": 1, "language": "en"}
    if method.endswith("fields_get"):
        names = ("id", "name", "code", "active", "create_date", "write_date")
        return {name: {"type": "char", "string": name} for name in names}
    return 0 if method.endswith("search_count") else []


def stubbed(url: str, **settings: Any) -> Tryton:
    """A connector at a stub."""
    secret = Secret.plain("p4ssw0rd-of-a-stub")
    config = TrytonConfig(url=url, database="erp", user="landbridge", password=secret, **settings)
    clock = ManualClock()
    return Tryton("erp", config, open_http("erp", config, NetSettings(connect=2, read=2), clock=clock), clock)


def rows_of(pages: Sequence[Page]) -> list[Row]:
    """The rows of pages."""
    return [row for page in pages for row in page.rows]
