"""The parts of the real-time benchmark, each a process of its own: endpoint, worker, target, and the bare path."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from _realtime_sender import KEY, Line, post

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]


def engine(url: str, target: str, host: str) -> Any:
    """An ordinary engine: a system that sends webhooks, one that is written over HTTP."""
    from landbridge.connector import Config, Connector, Delivered, Entity, Event, Identity, Outcome, Write, connector
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

        def check(self) -> Identity:
            """Nobody but the benchmark answers."""
            return Identity("bench")

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
    popen = subprocess.Popen(command(role, url, at, host), stdout=subprocess.PIPE, text=True)
    assert popen.stdout
    port = int(popen.stdout.readline())
    try:
        yield SimpleNamespace(popen=popen, port=port, url=f"http://127.0.0.1:{port}")
    finally:
        if popen.poll() is None:
            popen.terminate()
        popen.wait(30)


def command(role: str, url: str, at: str, host: str) -> list[str]:
    """The command line of a part."""
    return [sys.executable, __file__, "--role", role, "--url", url, "--at", at, "--host", host]


def main() -> None:
    """Be one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", choices=sorted(ROLES), required=True)
    parser.add_argument("--url", default="")
    parser.add_argument("--at", default="")
    parser.add_argument("--host", default="worker")
    options = parser.parse_args()
    ROLES[options.role](options.url, options.at, options.host)


if __name__ == "__main__":
    main()
