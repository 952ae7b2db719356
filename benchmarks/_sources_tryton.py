"""How fast orders go into a real Tryton by the connector, beside a hand-written loop with the same calls.

Both write batches of orders with two lines and take them through quote, confirm and process. The loop repeats the
calls that the connector made, method by method and field by field, with nothing around them: no values to convert, no
outcomes, no lines to find again. Both talk to one server, in turn; medians count.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from connectors.tryton import Tryton as Connector
from connectors.tryton import TrytonConfig
from landbridge.connector import Accepted, Delivered, LineWrite, Write
from landbridge.net import Http, NetSettings, open_http
from landbridge.secrets import Secret
from landbridge.time import SystemClock
from sandbox.tryton import Tryton

BATCH = 25
ENTITY = "sales_order"


def measure(seconds: float = 20.0) -> dict[str, float]:
    """`tryton_orders_per_s` of the connector, and `tryton_of_loop`: how much of the loop's speed that is."""
    with Tryton() as erp:
        bench = _Bench(erp)
        bench.write()  # sessions, metadata and units are known from here on
        bench.write()
        bench.loop()
        ours, theirs = [], []
        until = time.perf_counter() + seconds
        while len(ours) < 3 or time.perf_counter() < until:
            ours.append(_timed(bench.write))
            theirs.append(_timed(bench.loop))
        return {
            "tryton_orders_per_s": round(BATCH / statistics.median(ours), 1),
            "tryton_of_loop": round(statistics.median(theirs) / statistics.median(ours), 3),
        }


def _timed(call: Callable[[], None]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


class _Recording:
    """The connector's line, which keeps what went over it."""

    def __init__(self, http: Http, kept: list[Any]) -> None:
        self._http = http
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._http, name)

    def request(self, method: str, url: str, **what: Any) -> Any:
        self._kept.append(what.get("json"))
        return self._http.request(method, url, **what)


class _Bench:
    def __init__(self, erp: Tryton) -> None:
        people = erp.people
        address = [["create", [{"city": "Oslo"}]]]
        [self._party] = people.create("party.party", [{"name": "Buyer", "addresses": address}])
        [self._product] = people.search("product.product", [["code", "=", "SHIP"]])
        self._currency = erp.currency
        self._client = erp.client()
        config = TrytonConfig.model_validate(
            {"url": erp.url, "database": erp.database, "user": erp.user, "password": Secret.plain(erp.password)}
        )
        http = open_http("erp", config, NetSettings(read=120), clock=SystemClock())
        self.recorded: list[Any] = []
        line: Any = _Recording(http, self.recorded)
        self._connector = Connector("erp", config, line, SystemClock())
        self._connector.check()

    def write(self) -> None:
        """A batch by the connector, stage by stage as the engine does it."""
        self.recorded.clear()
        writes = [self._order() for _ in range(BATCH)]
        while writes:
            outcomes = self._connector.write(ENTITY, writes)
            left = []
            for write, outcome in zip(writes, outcomes, strict=True):
                if isinstance(outcome, Accepted):
                    stage = replace(write, stage=outcome.stage, handle=outcome.handle, target_id=outcome.target_id)
                    left.append(stage)
                else:
                    assert isinstance(outcome, Delivered), outcome
            writes = left

    def _order(self) -> Write:
        reference = uuid4().hex
        header = {"party": str(self._party), "currency": {"code": self._currency}}
        line = {"product": str(self._product), "quantity": "2", "unit": {"symbol": "u"}, "unit_price": "10.10"}
        lines = tuple(LineWrite("insert", key, None, None, line) for key in "ab")
        return Write(ENTITY, "create", uuid4(), 1, reference, reference, header, dict(header), lines=lines)

    def loop(self) -> None:
        """The calls of the last batch once more, for orders of its own."""
        old: list[int] | None = None
        new: list[int] = []
        for told in list(self.recorded):
            method, params = told["method"], told["params"][:-1]
            if method == "model.sale.sale.create":
                new = self._client.call(method, *_renamed(params))
                continue
            if old is None and new:
                old = sorted(_ids(params))
                assert len(old) == len(new) == BATCH, "the recorded batch is not whole"
            self._client.call(method, *(_replaced(params, old, new) if old else params))


def _ids(params: Any) -> list[int]:
    """The longest list of numbers in a call: the orders it is about."""
    found: list[int] = []
    stack = [params]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            numbers = [each for each in value if type(each) is int]
            found = numbers if len(numbers) == len(value) > len(found) else found
            stack += value
    return found


def _replaced(value: Any, old: list[int], new: list[int]) -> Any:
    if isinstance(value, list):
        return list(new) if value and sorted(map(str, value)) == sorted(map(str, old)) else [
            _replaced(each, old, new) for each in value
        ]  # fmt: skip
    return value


def _renamed(value: Any) -> Any:
    """References are ours alone and may not come twice."""
    if isinstance(value, list):
        return [_renamed(each) for each in value]
    if isinstance(value, dict):
        return {name: _renamed(each) for name, each in value.items()}
    return uuid4().hex if isinstance(value, str) and len(value) == 32 else value
