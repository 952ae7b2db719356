"""A system in memory that sends webhooks, and the endpoint that takes them, on a real server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import requests
import uvicorn
from memory import Memory
from starlette.applications import Starlette

from landbridge.connector import Answer, Config, Event
from landbridge.engine import Engine
from landbridge.settings import System
from landbridge.signatures import Request, Webhook
from landbridge.strict import json as strict_json
from landbridge.time import ManualClock
from landbridge.webhook import application
from landbridge.webhook._protocol import Limited
from sandbox._base import serve

SECRET = "whsec_" + base64.b64encode(b"a canary secret of 32 bytes long").decode()


class Hooked(Memory):
    """Tells changes as a JSON list of {entity, key, body, stamp, id}."""

    def parse_webhook(self, request: Request) -> list[Event]:
        told = strict_json.loads(request.body)
        return [Event(**one) for one in told]

    def answer_webhook(self, request: Request) -> Answer:
        return Answer(200, b"thanks")


def signed(body: bytes, clock: ManualClock, *, secret: str = SECRET, id_: str | None = None) -> dict[str, str]:
    """The headers of Standard Webhooks, made without the library that we verify them with."""
    id_, stamp = id_ or f"msg_{uuid4().hex}", str(int(clock.now().timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": id_, "webhook-timestamp": stamp, "webhook-signature": f"v1,{base64.b64encode(mac).decode()}"}


def change(key: str, stamp: str = "1", **more: Any) -> dict[str, Any]:
    """One change of a customer."""
    return {"entity": "customer", "key": key, "stamp": stamp, "body": {"name": key}, **more}


class Desk:
    """Somebody who sends webhooks to the endpoint."""

    def __init__(self, url: str, clock: ManualClock) -> None:
        self.url = url
        self.clock = clock
        self.session = requests.Session()

    def send(self, *changes: Mapping[str, Any], **headers: str) -> requests.Response:
        body = json.dumps(changes).encode()
        return self.post(body, {**signed(body, self.clock), **headers})

    def post(self, body: Any, headers: Mapping[str, str], system: str = "crm") -> requests.Response:
        return self.session.post(f"{self.url}/hooks/{system}", data=body, headers=dict(headers), timeout=30)


def told(webhook: Mapping[str, Any], made: Engine, clock: ManualClock) -> Starlette:
    """The endpoint's application over an engine of memory systems."""
    declared = Webhook.model_validate(webhook)
    hooks = {"crm": declared}
    systems = {
        name: System(name=name, connector="memory", config=Config(), mapping="memory", webhook=hooks.get(name))
        for name in made.parts.systems
    }
    settings = SimpleNamespace(systems=systems, flows=made.parts.flows)
    installation: Any = SimpleNamespace(clock=clock, engine=made, settings=settings, systems=made.parts.systems)
    return application(installation)


@contextmanager
def endpoint(webhook: Mapping[str, Any], made: Engine, clock: ManualClock) -> Iterator[Desk]:
    """The endpoint on a free port, and somebody who sends."""
    with serve(told(webhook, made, clock)) as served:
        yield Desk(served.url, clock)


@contextmanager
def limited(app: Starlette, **limits: float) -> Iterator[tuple[str, int]]:
    """An application behind the endpoint's own protocol, with limits of the test's own; host and port."""
    protocol = type("Protocol", (Limited,), limits)
    config = uvicorn.Config(
        app, http=protocol, loop="uvloop", ws="none", log_config=None, log_level="critical", lifespan="off",
        timeout_keep_alive=30, timeout_graceful_shutdown=1,
    )  # fmt: skip
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield listening.getsockname()
    finally:
        server.should_exit = True
        thread.join(15)
        listening.close()
