"""What a child of the nursery can be: the target, a resident worker, or a worker that dies at its n-th durable step."""

from __future__ import annotations

import base64
import logging
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import faulty_target
import planted
import toxics
import uvicorn
from small_connectors import ORDER, READ_TIMEOUT, TARGETS, Source, reached

from landbridge import seam
from landbridge.connector import Config
from landbridge.engine import Engine, Parts
from landbridge.net import Breaker
from landbridge.settings import Flow, Ownership, System
from landbridge.signatures import Webhook
from landbridge.store import Store
from landbridge.time import Clock, SystemClock, uuid7
from landbridge.webhook import _committer, application
from landbridge.worker import Worker

DIED = 137
RESTS = Breaker(first=0.1, longest=0.5)
"""It opens as in production; so many bad replies open it often, and its rests are as short as the leases."""
SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes for the harness").decode()


@dataclass(frozen=True)
class Terms:
    """How workers reach things, and how long they are patient; seconds."""

    url: str
    source: int
    target: int
    grade: str
    lease: float = 1.2
    settle: float = 1.2
    concurrency: int = 4
    read: float = READ_TIMEOUT
    pool: int = 4


class Later(SystemClock):
    """The machine's clock, put forward."""

    def __init__(self, by: float) -> None:
        self.by = timedelta(seconds=by)

    def now(self) -> datetime:
        return super().now() + self.by


class Through:
    """A mapping that passes everything through."""

    digest = "through"

    def read(self, native: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return dict(native)

    def write(self, canonical: Mapping[str, Any], context: Any, *, creating: bool) -> dict[str, Any]:
        return dict(canonical)


class AnySchema:
    """Takes every body."""

    def check(self, entity: str, body: Mapping[str, Any]) -> None:
        return


FLOW = Flow.model_validate(
    {
        "flow": "orders",
        "summary": "Orders of the source stand in the target.",
        "owner": "tests",
        "extract": {"from": "source", "entity": ORDER, "webhook": True, "fastest": "100ms", "every": "400ms"},
        "deliver": [{"to": "target", "entity": ORDER}],
        "retry": {"attempts": 60, "first": "50ms", "longest": "500ms", "within": "1h"},
    }
)


def made(terms: Terms, store: Store, clock: Clock) -> Engine:
    """An engine over these systems, known to its store."""
    settle = timedelta(seconds=terms.settle)
    source = Source("source", reached("source", terms.source, clock), clock)
    line = reached("target", terms.target, clock, read=terms.read)
    target = TARGETS[terms.grade]("target", line, clock, settle)
    passing = {(name, ORDER): Through() for name in ("source", "target")}
    engine = Engine(
        Parts(
            store=store,
            systems={"source": source, "target": target},
            flows={"orders": FLOW},
            mappings=passing,
            schema=AnySchema(),
            ownership=Ownership.model_validate({}),
            clock=clock,
            ids=uuid7,
            lease=timedelta(seconds=terms.lease),
            concurrency={"target": terms.concurrency},
            breakers={"target": RESTS},
        )
    )
    engine.register()
    return engine


def worker(terms: dict[str, Any], fault: str = "", pause_seed: int | None = None) -> None:
    """A resident worker until SIGTERM; with `pause_seed` it stops itself (SIGSTOP) now and then, at a durable step."""
    logging.basicConfig(level=logging.ERROR, format=f"{os.getpid()} %(name)s %(message)s")
    known = Terms(**terms)
    planted.plant(fault)
    clock = SystemClock()
    running = Worker(made(known, Store(known.url, clock, pool=known.pool), clock))
    signal.signal(signal.SIGTERM, lambda *_: running.stop())
    with seam.install(Pauses(pause_seed)) if pause_seed is not None else nullcontext():
        running.run()


class Pauses:
    """Stops this process at durable steps that the dice choose, mostly those of a delivery."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def __call__(self, kind: str, what: str) -> None:
        likely = "target" in what or what in ("claim", "record")
        if self._dice.random() < (0.03 if likely else 0.002):
            os.kill(os.getpid(), signal.SIGSTOP)


class At:
    """Does something at the n-th durable step, once."""

    def __init__(self, n: int, act: Callable[[], None]) -> None:
        self.n, self.act, self.steps = n, act, 0
        self._lock = threading.Lock()

    def __call__(self, kind: str, what: str) -> None:
        with self._lock:
            self.steps += 1
            if self.steps == self.n:
                self.act()


class Slow:
    """Every commit takes so long, in seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, kind: str, what: str) -> None:
        if kind == "commit":
            time.sleep(self.seconds)


def dies(terms: dict[str, Any], n: int, fault: str = "") -> int:
    """One run that ends at its n-th durable step as a machine ends; 0 if it came to its end before."""
    logging.basicConfig(level=logging.CRITICAL)
    known = Terms(**terms)
    planted.plant(fault)
    clock = SystemClock()
    engine = made(known, Store(known.url, clock, pool=known.pool), clock)
    with seam.install(At(n, lambda: os._exit(DIED))):
        engine.run("orders")
    return 0


def receiver(
    terms: dict[str, Any], port: int, fault: str = "", dies_at: int = 0, narrow: dict[str, Any] | None = None
) -> None:
    """Takes webhooks at a port that it may share, until it is ended; with `dies_at` by itself, at that durable step."""
    logging.basicConfig(level=logging.ERROR)
    known = Terms(**terms)
    planted.plant(fault)
    hook = At(dies_at, lambda: os._exit(DIED)) if dies_at else None
    if narrow:
        _committer.LONGEST, _committer.WAITING, hook = narrow["longest"], narrow["waiting"], Slow(narrow["commit"])
    os.environ["FAULTS_SECRET"] = SECRET
    clock = SystemClock()
    engine = made(known, Store(known.url, clock, pool=known.pool), clock)
    declared = Webhook.model_validate({"standard": {"secrets": ["env:FAULTS_SECRET"]}})
    system = System(name="source", connector="source", config=Config(), mapping="source", webhook=declared)
    settings = SimpleNamespace(systems={"source": system}, flows=engine.parts.flows)
    installation: Any = SimpleNamespace(clock=clock, engine=engine, settings=settings, systems=engine.parts.systems)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(application(installation), log_level="error", lifespan="on"))
    with seam.install(hook) if hook else nullcontext():
        server.run(sockets=[listening])


def target(**spec: Any) -> None:
    """The faulty target."""
    faulty_target.run(**spec)


ROLES: dict[str, Callable[..., int | None]] = {
    "worker": worker,
    "dies": dies,
    "receiver": receiver,
    "target": target,
    "proxy": toxics.run,
}
