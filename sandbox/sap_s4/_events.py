"""Business events over an event broker's webhook: CloudEvents 1.0 with a key and little else, at least once.

Before anything is sent to an address it is asked whether it wants events (OPTIONS, `WebHook-Request-Origin`), as the
CloudEvents web hook specification has it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import orjson

from sandbox._base import Clock, Document
from sandbox._base.sender import Sender, call
from sandbox._base.state import Collection
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._values import Value

_SUBSCRIBED, _WAITING = "EventSubscription", "EventWaiting"
_ORIGIN = "event-mesh.landbridge.example"
Mode = Literal["structured", "binary", "batch"]

_EVENTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "A_SalesOrder": (
        "salesorder",
        "SalesOrder",
        ("SalesOrderType", "SalesOrganization", "DistributionChannel", "OrganizationDivision", "SoldToParty"),
    ),
    "A_BusinessPartner": ("businesspartner", "BusinessPartner", ()),
    "A_Product": ("product", "Product", ()),
    "A_OutbDeliveryHeader": ("outbounddelivery", "OutboundDelivery", ()),
}


class Events:
    """Who is told of changes, and what waits to be told; `sent` holds the status of every request."""

    def __init__(self, store: Store, clock: Clock, system: str, *, first: float = 5.0, ca: str | None = None) -> None:
        self._store, self._clock, self._ca = store, clock, ca
        self._source = f"/default/sap.s4.beh/{system}"
        store.state.define(Collection(_SUBSCRIBED))
        self.sent: list[int] = []
        self.subscribed = store.state.find(_SUBSCRIBED, order="_id")
        self.sender = Sender(
            store.state, clock, _WAITING, self._send, most=20, first=timedelta(seconds=first),
            longest=timedelta(minutes=10), dropped=timedelta(days=7),
        )  # fmt: skip

    def subscribe(self, url: str, objects: tuple[str, ...], mode: Mode, headers: dict[str, str]) -> None:
        """Tell an address of changes, after it has said that it wants to hear; ValueError if it has not."""
        asked = {"WebHook-Request-Origin": _ORIGIN, **headers}
        status, told, _ = call("OPTIONS", url, b"", asked, ca=self._ca)
        if status != 200 or told.get("webhook-allowed-origin") not in (_ORIGIN, "*"):
            raise ValueError(f"sap sandbox: {url} does not allow events ({status})")
        one = {"id": uuid4().hex, "url": url, "objects": [*objects], "mode": mode, "headers": headers}
        self._store.state.put(_SUBSCRIBED, str(one["id"]), one)
        self.subscribed.append(one)

    def close(self) -> None:
        """Send no more; what waits stays."""
        self.sender.close()

    def saved(self, kind: str, key: str, document: Record, created: bool) -> None:
        """Queue what a saved document's subscribers are told; part of the transaction that saves it."""
        if kind not in _EVENTS:
            return
        space, name, fields = _EVENTS[kind]
        for one in self.subscribed:
            if one["objects"] and name not in one["objects"]:
                continue
            what = "Created" if created else "Changed"
            stamp = f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}"
            more: dict[str, Value] = {field: document.get(field, "") for field in fields}
            event: dict[str, Any] = {
                "type": f"sap.s4.beh.{space}.v1.{name}.{what}.v1",
                "specversion": "1.0",
                "source": self._source,
                "id": str(uuid4()),
                "time": stamp,
                "datacontenttype": "application/json",
                "data": {name: key, **more, "EventRaisedDateTime": stamp},
            }
            self.sender.add(one["id"], event["id"], {"event": event})

    def _send(self, id_: str, waiting: list[Document]) -> bool:
        to = next((one for one in self.subscribed if one["id"] == id_), None)
        if to is None:
            return True
        events = [one["event"] for one in waiting]
        if to["mode"] == "batch":
            return self._post(to, orjson.dumps(events), {"Content-Type": "application/cloudevents-batch+json"})
        return all(self._post(to, *_written(event, to["mode"])) for event in events)

    def _post(self, to: Document, body: bytes, headers: dict[str, str]) -> bool:
        status, _, _ = call("POST", to["url"], body, {**to["headers"], **headers}, ca=self._ca)
        self.sent.append(status)
        return 200 <= status < 300


def _written(event: dict[str, Any], mode: Mode) -> tuple[bytes, dict[str, str]]:
    if mode == "structured":
        return orjson.dumps(event), {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    headers = {f"ce-{name}": value for name, value in event.items() if name not in ("data", "datacontenttype")}
    return orjson.dumps(event["data"]), {**headers, "Content-Type": event["datacontenttype"]}
