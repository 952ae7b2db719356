"""Business events of S/4HANA: the sandbox's CloudEvents in each mode, asked for first, read for their keys."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import Route

from connectors.sap_s4 import SapS4, SapS4Config
from landbridge.errors import Invalid
from landbridge.net import open_http
from landbridge.secrets import Secret
from landbridge.signatures import Request
from landbridge.time import ManualClock
from sandbox._base import Clock, serve
from sandbox.sap_s4 import SapSandbox

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
ORDER = {
    "specversion": "1.0",
    "type": "sap.s4.beh.salesorder.v1.SalesOrder.Changed.v1",
    "source": "/default/sap.s4.beh/S4H100",
    "id": "QgEK7wzuHtqdhJwqCS+VOA==",
    "datacontenttype": "application/json",
    "data": {"SalesOrder": "0000004711"},
}


class Broker:
    """Takes events; `status` is what it says, `allows` whether it wants them."""

    def __init__(self) -> None:
        self.came: list[Request] = []
        self.status = 202
        self.allows = True
        self.server = serve(Starlette(routes=[Route("/hook", self._take, methods=["POST", "OPTIONS"])]))
        self.url = f"{self.server.url}/hook"

    async def _take(self, asked: Asked) -> Response:
        if asked.method == "OPTIONS":
            origin = asked.headers["webhook-request-origin"]
            return Response(b"", 200, {"WebHook-Allowed-Origin": origin} if self.allows else {})
        headers = {name.lower(): value for name, value in asked.headers.items()}
        self.came.append(Request(headers, {}, await asked.body(), "127.0.0.1", START))
        return Response(b"", self.status)


@pytest.fixture
def broker() -> Iterator[Broker]:
    found = Broker()
    yield found
    found.server.stop()


@pytest.fixture
def office() -> Iterator[SapSandbox]:
    found = SapSandbox(clock=Clock(START, frozen=True))
    yield found
    found.close()


@pytest.fixture
def erp() -> SapS4:
    config = SapS4Config(url="https://s4.example", client="100", user="U", password=Secret.plain("p" * 20))
    clock = ManualClock(START)
    return SapS4("erp", config, open_http("erp", config, clock=clock), clock)


def until(what: Any, seconds: float = 10.0) -> None:
    waited = threading.Event()
    for _ in range(int(seconds * 200)):
        if what():
            return
        waited.wait(0.005)
    raise AssertionError("it does not come")


def structured(**more: Any) -> Request:
    body = json.dumps({**ORDER, **more}).encode()
    return Request({"content-type": "application/cloudevents+json"}, {}, body, "127.0.0.1", START)


@pytest.mark.parametrize("mode", ["structured", "binary", "batch"])
def test_what_the_office_does_is_told_in_each_mode(office, broker, erp, mode):
    office.send_events(broker.url, "SalesOrder", "BusinessPartner", mode=mode, headers={"Authorization": "Bearer x"})
    partner = office.seed_partner("Alfreds Futterkiste")
    office.seed_product("CHAI", "Chai")
    until(lambda: not office.events.sender.waiting())
    events = [event for one in broker.came for event in erp.parse_webhook(one)]
    assert {(one.entity, one.key, one.key_only) for one in events} == {
        ("customer", partner, True), ("supplier", partner, True),
    }  # fmt: skip
    assert len({one.id for one in events}) == len(events)
    assert broker.came[0].headers["authorization"] == "Bearer x"


def test_nobody_is_told_who_did_not_ask_for_it(office, broker):
    broker.allows = False
    with pytest.raises(ValueError, match="does not allow"):
        office.send_events(broker.url)
    office.seed_product("CHAI", "Chai")
    assert broker.came == []


def test_what_was_not_taken_comes_again_under_the_same_id(office, broker, erp):
    office.send_events(broker.url, "Product")
    broker.status = 503
    office.seed_product("CHAI", "Chai")
    until(lambda: broker.came and office.clock.pending())
    broker.status = 202
    office.clock.advance(30)
    until(lambda: not office.events.sender.waiting())
    ids = [[event.id for event in erp.parse_webhook(one)] for one in broker.came]
    assert len(ids) == 2
    assert ids[0] == ids[1] != []


def test_keys_lose_their_leading_zeros_as_in_odata(erp):
    [event] = erp.parse_webhook(structured())
    assert (event.entity, event.key) == ("sales_order", "4711")
    assert event.id == f"{ORDER['source']} {ORDER['id']} sales_order"


def test_a_document_may_stand_in_base64(erp):
    import base64

    packed = base64.b64encode(json.dumps({"SalesOrder": "4711"}).encode()).decode()
    [event] = erp.parse_webhook(structured(data=None, data_base64=packed))
    assert event.key == "4711"


@pytest.mark.parametrize(
    "kind", ["sap.s4.beh.plant.v1.Plant.Changed.v1", "com.example.SalesOrder", "SalesOrder", "x" * 9000]
)
def test_events_of_other_objects_name_nothing(erp, kind):
    assert erp.parse_webhook(structured(type=kind)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {}},
        {"data": {"SalesOrder": 4711}},
        {"data": {"SalesOrder": "47'11"}},
        {"data": {"SalesOrder": ""}},
        {"data": {"SalesOrder": "4" * 50}},
        {"data": {"SalesOrder": "../A_BusinessPartner"}},
        {"data": []},
        {"data": None, "data_base64": "%%%"},
        {"id": "x" * 600},
        {"id": None},
        {"source": ""},
        {"specversion": "0.3"},
        {"specversion": None},
    ],
)
def test_what_has_no_usable_key_is_invalid(erp, wrong):
    with pytest.raises(Invalid):
        erp.parse_webhook(structured(**wrong))
