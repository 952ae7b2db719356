"""Real time, measured: webhook to durable answer, webhook to effect, recovery after SIGKILL; the bare path beside it.

Every part is a process of its own on loopback: the endpoint, a worker (or the loop as Airflow hosts it), the target
and the sender. Requests are signed (Standard Webhooks) and made before the clock runs. Paths take turns, so that a
busy machine is as busy for each. Latency counts from the moment a request was due, not from when it was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

KEY = hashlib.sha256(b"the benchmark's webhooks").digest()
GOALS = {
    "accept_per_s": "at least 2000",
    "accept_p99_ms": "under 50, at 500/s",
    "effect_p50_ms": "under 15, at 100/s",
    "effect_p99_ms": "under 100, at 100/s",
    "lane_p50_ms": "under 80, at 100/s",
    "recovery_s": "under 5",
}


# -- the parts that are processes ---------------------------------------------------------------------------------


def engine(url: str, target: str, host: str) -> Any:
    """An ordinary engine: a system that sends webhooks, one that is written over HTTP."""
    from landbridge.connector import Config, Connector, Delivered, Entity, Event, Outcome, Write, connector
    from landbridge.engine import Engine, Parts, tune_process
    from landbridge.net import Url, open_http
    from landbridge.settings import Flow, Ownership
    from landbridge.store import Store
    from landbridge.strict import json as strict_json
    from landbridge.time import SystemClock, uuid7

    class At(Config):
        """Where it is."""

        url: Url

    @connector("bench", config=At)
    class Bench(Connector[At]):
        """Sends one change per webhook, takes one record per request."""

        entities = {"customer": Entity("Customer", create="A", update="A", batch=1, settle=timedelta(minutes=1))}  # noqa: RUF012 - declared as every connector declares it

        def parse_webhook(self, request: Any) -> list[Event]:
            """A list of one."""
            told = strict_json.loads(request.body)
            return [Event("customer", told["id"], told, stamp=told["at"])]

        def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
            """A request per record."""
            done: list[Outcome] = []
            for write in writes:
                headers = {"Idempotency-Key": write.key}
                reply = self.http.request("POST", "/customers", json=dict(write.after), headers=headers, safe=True)
                done.append(Delivered(str(reply.json()["id"]), created=True))
            return done

    class Through:
        """A mapping of a few fields."""

        digest = "through"

        def read(self, native: Any, context: Any) -> dict[str, Any]:
            """In."""
            return {"number": native["id"], "name": native["name"], "city": native["city"]}

        def write(self, canonical: Any, context: Any, *, creating: bool) -> dict[str, Any]:
            """Out."""
            return dict(canonical)

    clock = SystemClock()
    store = Store(url, clock)
    config = At(url=target)
    systems = {name: Bench(name, config, open_http(name, config, clock=clock), clock) for name in ("crm", "erp")}
    flow = Flow.model_validate(
        {
            "flow": "customers",
            "owner": "benchmarks",
            "extract": {"from": "crm", "entity": "customer", "webhook": True},
            "deliver": [{"to": "erp", "entity": "customer"}],
            "realtime": host,
        }
    )
    tune_process()
    made = Engine(
        Parts(
            store=store,
            systems=systems,
            flows={"customers": flow},
            mappings={(name, "customer"): Through() for name in systems},
            schema=SimpleNamespace(check=lambda entity, body: None),
            ownership=Ownership.model_validate({}),
            clock=clock,
            ids=uuid7,
            concurrency={"erp": 4},
        )
    )
    made.register()
    return made


def serve(url: str, target: str, host: str) -> None:
    """The endpoint, as `landbridge serve` runs it."""
    import uvicorn

    from landbridge.connector import Config
    from landbridge.settings import System
    from landbridge.signatures import Webhook
    from landbridge.webhook import application

    os.environ["BENCH_HOOK_SECRET"] = "whsec_" + base64.b64encode(KEY).decode()
    made = engine(url, target, host)
    webhook = Webhook.model_validate({"standard": {"secrets": ["env:BENCH_HOOK_SECRET"]}})
    crm = System(name="crm", connector="bench", config=Config(), mapping="bench", webhook=webhook)
    settings = SimpleNamespace(systems={"crm": crm}, flows=made.parts.flows)
    given: Any = SimpleNamespace(clock=made.parts.clock, engine=made, settings=settings, systems=made.parts.systems)
    _uvicorn(uvicorn, application(given))


def bare(url: str, target: str, host: str) -> None:
    """The bare path: receive and POST on; nothing is verified, kept or counted."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    port = int(target.rpartition(":")[2])
    lines: list[Line] = []

    async def hook(request: Request) -> Response:
        told = json.loads(await request.body())
        line = lines.pop() if lines else await Line.open(port)
        body = json.dumps({"number": told["id"], "name": told["name"], "city": told["city"]}).encode()
        await line.ask(post("/customers", body))
        lines.append(line)
        return Response(status_code=204)

    _uvicorn(uvicorn, Starlette(routes=[Route("/hooks/crm", hook, methods=["POST"])]))


def _uvicorn(uvicorn: Any, app: Any) -> None:
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http="httptools",
        loop="uvloop",
        ws="none",
        access_log=False,
        log_config=None,
        timeout_keep_alive=60,
    )
    listening = config.bind_socket()
    listening.listen(2048)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listening])


def worker(url: str, target: str, host: str) -> None:
    """A resident worker, or the loop as a task of Airflow hosts it."""
    from landbridge.worker import Worker

    if host == "airflow":
        import airflow.sdk  # noqa: F401 - as in the task's process
    running = Worker(engine(url, target, host), host=host)
    signal.signal(signal.SIGTERM, lambda *_: running.stop())
    print("0", flush=True)
    running.run()


def target(url: str, target: str, host: str) -> None:
    """Takes records, and tells when each came."""
    came: dict[str, float] = {}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                size = next((int(x[15:]) for x in head.split("\r\n") if x.lower().startswith("content-length:")), 0)
                body = await reader.readexactly(size)
                if head.startswith("GET"):
                    said = json.dumps(came).encode()
                    came.clear()
                else:
                    number = json.loads(body)["number"]
                    came.setdefault(number, time.monotonic())
                    said = json.dumps({"id": number}).encode()
                told = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
                writer.write(told.encode() + said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())


ROLES: dict[str, Callable[[str, str, str], None]] = {"serve": serve, "bare": bare, "worker": worker, "target": target}


@contextmanager
def part(role: str, url: str = "", at: str = "", host: str = "worker") -> Iterator[Any]:
    """A part, ready; ended with the block."""
    line = [sys.executable, __file__, "--role", role, "--url", url, "--at", at, "--host", host]
    popen = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert popen.stdout
    port = int(popen.stdout.readline())
    try:
        yield SimpleNamespace(popen=popen, port=port, url=f"http://127.0.0.1:{port}")
    finally:
        if popen.poll() is None:
            popen.terminate()
        popen.wait(30)


# -- the sender ---------------------------------------------------------------------------------------------------


class Line:
    """A kept connection that asks one thing at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Line:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send, and wait for the whole answer: status and body."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 : head.index(b"\r\n", at)]) if at >= 0 else 0
        return int(head[9:12]), await self.reader.readexactly(size) if size else b""


def post(path: str, body: bytes, headers: str = "") -> bytes:
    """A request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def requests(count: int, name: str) -> list[tuple[str, bytes]]:
    """Signed requests by the key of their record, each of another record."""
    made = []
    now = str(int(time.time()))
    for n in range(count):
        key = f"{name}-{n}"
        record = {"id": key, "name": f"Customer {n} " + "x" * 150, "city": "Kiel", "at": f"2026-11-22T08:00:00.{n:06}Z"}
        body = json.dumps(record).encode()
        mac = base64.b64encode(hmac.new(KEY, f"{key}.{now}.".encode() + body, hashlib.sha256).digest()).decode()
        signed = f"webhook-id: {key}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: v1,{mac}\r\n"
        made.append((key, post("/hooks/crm", body, signed)))
    return made


async def flood(port: int, asked: list[tuple[str, bytes]], lines: int) -> float:
    """All of them as fast as the answers come; answers per second."""
    left = iter(asked)

    async def one() -> None:
        line = await Line.open(port)
        for _, request in left:
            status, _body = await line.ask(request)
            assert status < 300, status

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(lines)))
    return len(asked) / (time.monotonic() - began)


async def paced(port: int, asked: list[tuple[str, bytes]], per_s: float) -> tuple[dict[str, float], list[float]]:
    """So many a second: when each was due, and the milliseconds until its answer."""
    free: list[Line] = [await Line.open(port) for _ in range(16)]
    due: dict[str, float] = {}
    spent: list[float] = []

    async def one(at: float, request: bytes) -> None:
        line = free.pop() if free else await Line.open(port)
        status, _body = await line.ask(request)
        assert status < 300, status
        spent.append((time.monotonic() - at) * 1000)
        free.append(line)

    tasks: list[Awaitable[None]] = []
    began = time.monotonic() + 0.05
    for n, (key, request) in enumerate(asked):
        at = due[key] = began + n / per_s
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        tasks.append(asyncio.ensure_future(one(at, request)))
    await asyncio.gather(*tasks)
    return due, spent


def arrivals(port: int, expected: int, within: float = 30.0) -> dict[str, float]:
    """When each record came to the target."""

    async def ask() -> dict[str, float]:
        line = await Line.open(port)
        found: dict[str, float] = json.loads((await line.ask(b"GET / HTTP/1.1\r\n\r\n"))[1])
        line.writer.close()
        return found

    came: dict[str, float] = {}
    until = time.monotonic() + within
    while len(came) < expected and time.monotonic() < until:
        time.sleep(0.1)
        for key, at in asyncio.run(ask()).items():
            came.setdefault(key, at)
    assert len(came) >= expected, f"{len(came)} of {expected} came"
    return came


# -- what is measured ---------------------------------------------------------------------------------------------


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def effect(at: Any, erp: Any, name: str, *, seconds: float, per_s: float = 100) -> list[float]:
    """Milliseconds from a webhook that was due to its record at the target."""
    asked = requests(int(seconds * per_s), name)
    due, _ = asyncio.run(paced(at.port, asked, per_s))
    came = arrivals(erp.port, len(asked))
    return [(came[key] - at_) * 1000 for key, at_ in due.items()]


def recovery(at: Any, erp: Any, url: str, name: str) -> float:
    """Seconds from the SIGKILL of the only worker to the next effect, with half a second before it is started again."""
    asked = requests(600, name)
    with part("worker", url, erp.url) as first:

        async def load() -> float:
            sending = asyncio.ensure_future(paced(at.port, asked, 60))
            await asyncio.sleep(2.0)
            first.popen.kill()
            killed = time.monotonic()
            await asyncio.sleep(0.5)
            line = [sys.executable, __file__, "--role", "worker", "--url", url, "--at", erp.url, "--host", "worker"]
            second = subprocess.Popen(line, stdout=subprocess.DEVNULL)
            try:
                await sending
                came = await asyncio.to_thread(arrivals, erp.port, len(asked))
            finally:
                second.terminate()
                second.wait(30)
            return min(when for when in came.values() if when > killed + 0.02) - killed

        return asyncio.run(load())


def measure(*, rounds: int, seconds: float) -> dict[str, float]:
    """Every figure."""
    from landbridge.store import Store, migrate
    from landbridge.store.embedded import EmbeddedPostgres
    from landbridge.time import SystemClock

    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "postgres", die_with_parent=True)
    found: dict[str, list[float]] = {}
    try:
        server.start()
        urls = {name: server.ensure_database(f"bench_{name}") for name in ("accept", "worker", "airflow")}
        for url in urls.values():
            store = Store(url, SystemClock())
            migrate(store.engine, store.clock.now())
            store.close()
        for turn in range(rounds):
            with part("target") as erp:
                _accept(found, urls["accept"], erp, turn, seconds)
                with part("bare", at=erp.url) as at:
                    effect(at, erp, f"warm-{turn}", seconds=0.5)
                    found.setdefault("bare", []).extend(effect(at, erp, f"bare-{turn}", seconds=seconds))
                for host in ("worker", "airflow"):
                    with part("serve", urls[host], erp.url, host) as at:
                        with part("worker", urls[host], erp.url, host):
                            effect(at, erp, f"warm-{host}-{turn}", seconds=1.0)
                            found.setdefault(host, []).extend(effect(at, erp, f"{host}-{turn}", seconds=seconds))
                        if host == "worker":
                            again = recovery(at, erp, urls[host], f"killed-{turn}")
                            found.setdefault("recovery", []).append(again)
            so_far = {name: round(statistics.median(values), 2) for name, values in found.items()}
            print(
                f"turn {turn + 1}: fsync {fsync():.2f} ms, load {os.getloadavg()[0]:.1f}, medians {so_far}", flush=True
            )
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "accept_per_s": round(statistics.median(found["flood"])),
        "accept_p99_ms": round(percentile(found["paced"], 0.99), 1),
        "effect_p50_ms": round(percentile(found["worker"], 0.5), 1),
        "effect_p99_ms": round(percentile(found["worker"], 0.99), 1),
        "lane_p50_ms": round(percentile(found["airflow"], 0.5), 1),
        "recovery_s": round(max(found["recovery"]), 2),
        "bare_p50_ms": round(percentile(found["bare"], 0.5), 1),
    }


def _accept(found: dict[str, list[float]], url: str, erp: Any, turn: int, seconds: float) -> None:
    with part("serve", url, erp.url) as at:
        asyncio.run(flood(at.port, requests(500, f"warm-accept-{turn}"), 64))
        found.setdefault("flood", []).append(asyncio.run(flood(at.port, requests(6000, f"flood-{turn}"), 96)))
        asked = requests(int(500 * seconds), f"paced-{turn}")
        found.setdefault("paced", []).extend(asyncio.run(paced(at.port, asked, 500))[1])


def fsync() -> float:
    """Milliseconds of one fsync on this disk, median of 50."""
    with tempfile.NamedTemporaryFile() as file:
        spent = []
        for _ in range(50):
            file.write(b"x" * 8192)
            before = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            spent.append(time.perf_counter() - before)
    return statistics.median(spent) * 1000


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each path in each round")
    parser.add_argument("--role", choices=sorted(ROLES))
    parser.add_argument("--url", default="")
    parser.add_argument("--at", default="")
    parser.add_argument("--host", default="worker")
    options = parser.parse_args()
    if options.role:
        ROLES[options.role](options.url, options.at, options.host)
        return
    figures = measure(rounds=options.rounds, seconds=options.seconds)
    for name, goal in GOALS.items():
        print(f"{name}: {figures[name]} ({goal})")
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
