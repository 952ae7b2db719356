"""The whole engine on PostgreSQL against a bare loop: orders read in pages of 500, written in batches of 100.

The bare loop makes the same HTTP calls and, in the same database, inserts and updates each message once; it translates
nothing, checks nothing, promises nothing. Both run in turns of `CHUNK` orders; medians count.

    python benchmarks/flow.py [--orders 100000]

The last line is one JSON object: orders_per_s, of_bare, memory_ratio_100k_10k, http_calls_per_1000,
sql_statements_per_1000, row_writes_per_order.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE / "flow")]

import orjson  # noqa: E402 - the checkout comes first on the path
import requests  # noqa: E402 - as above
from sqlalchemy import event, text  # noqa: E402 - as above
from stub import CUSTOMERS, PAGE, PRODUCTS  # noqa: E402 - as above

from landbridge.canonical import Canonical  # noqa: E402 - as above
from landbridge.connector import (  # noqa: E402 - as above
    Config,
    Connector,
    Delivered,
    Entity,
    Found,
    Identity,
    Outcome,
    Page,
    Row,
    Write,
    connector,
)
from landbridge.engine import Engine, Parts, tune_process  # noqa: E402 - as above
from landbridge.net import Url, open_http  # noqa: E402 - as above
from landbridge.settings import Flow, Ownership  # noqa: E402 - as above
from landbridge.store import Store, identity, migrate  # noqa: E402 - as above
from landbridge.store._identity import Key  # noqa: E402 - as above
from landbridge.store.embedded import EmbeddedPostgres  # noqa: E402 - as above
from landbridge.time import SystemClock, uuid7  # noqa: E402 - as above
from landbridge.translator import Tables, Translator  # noqa: E402 - as above

CHUNK = 10_000
BATCH = 100


class StubConfig(Config):
    """Where the stub is."""

    url: Url


@connector("stub", config=StubConfig)
class Stub(Connector[StubConfig]):
    """Both sides of the benchmark."""

    entities = {  # noqa: RUF012 - declared as every connector declares it
        "sales_order": Entity("Order", create="B", update="B", batch=BATCH, lines="to_Item")
    }

    def check(self) -> Identity:
        """Nobody else answers."""
        return Identity("stub")

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """Pages of 500 from the cursor on."""
        start = int(since or 0)
        stop = start + (limit or PAGE)
        while start < stop:
            reply = self.http.request("GET", f"/orders?from={start}").json()["orders"]
            start += len(reply)
            yield Page([Row(o["Id"], o, stamp=o["Modified"]) for o in reply], str(start))

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """One call for the batch."""
        body = [{**w.after, "to_Item": [line.after for line in w.lines]} for w in writes]
        reply = self.http.request("POST", "/orders", content=orjson.dumps(body)).json()
        return [
            Delivered(done["id"], created=True, lines={line.line_key: str(n) for n, line in enumerate(w.lines)})
            for done, w in zip(reply, writes, strict=True)
        ]

    def find(self, entity: str, reference: str) -> Found | None:
        """Never asked here."""
        return None


@contextmanager
def stub() -> Iterator[str]:
    """The stub in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "flow" / "stub.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.wait(10)


@contextmanager
def database() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of our own, with fsync."""
    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "postgres", die_with_parent=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def build(store: Store, url: str) -> Engine:
    """An ordinary engine with two ordinary mappings; the parents stand in the target already."""
    clock = SystemClock()
    config = StubConfig(url=url)
    systems = {name: Stub(name, config, open_http(name, config, clock=clock), clock) for name in ("source", "target")}
    canonical = Canonical.load(ROOT / "schemas" / "canonical")
    translator = Translator(HERE / "flow" / "mappings", Tables(None), canonical)
    flow = Flow.model_validate(
        {
            "flow": "orders",
            "summary": "The benchmark's orders.",
            "owner": "benchmarks",
            "extract": {"from": "source", "entity": "sales_order"},
            "deliver": [{"to": "target", "entity": "sales_order", "after": ["customer", "product"]}],
        }
    )
    mappings = {(name, "sales_order"): translator.get(name, "sales_order") for name in systems}
    engine = Engine(
        Parts(
            store=store,
            systems=systems,
            flows={"orders": flow},
            mappings=mappings,
            schema=canonical,
            ownership=Ownership.model_validate({}),
            clock=clock,
            ids=uuid7,
            lease=timedelta(minutes=2),
            concurrency={"source": 4, "target": 4},  # NetSettings' default
        )
    )
    engine.register()
    parents(store)
    return engine


def parents(store: Store) -> None:
    """Customers and products that both sides know."""
    now = store.clock.now()
    keys = {Key("source", "customer", "", f"001{n:015d}") for n in range(CUSTOMERS)}
    keys |= {Key("source", "product", "", f"01t{n:015d}") for n in range(PRODUCTS)}
    with store.transaction("parents") as connection:
        who = identity.mint(connection, keys, {}, uuid7, now, "source")
        links = [(Key("target", k.entity, "", f"T{k.id}"), w.subject) for k, w in who.items()]
        identity.link(connection, links, now, "adopt")


class Bare:
    """The same calls, and one insert and one update of each message, by `executemany` as one writes it by hand."""

    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.at = 0
        with store.engine.begin() as connection:
            connection.execute(
                text("create table bare (id text primary key, body json not null, state text not null, target text)")
            )

    def run(self, orders: int) -> None:
        """Move this many orders."""
        stop = self.at + orders
        while self.at < stop:
            page = orjson.loads(self.session.get(f"{self.url}/orders?from={self.at}", timeout=60).content)["orders"]
            self.at += len(page)
            with self.store.engine.begin() as connection:
                connection.execute(_BARE_INSERT, [{"id": o["Id"], "body": orjson.dumps(o).decode()} for o in page])
            for n in range(0, len(page), BATCH):
                batch = page[n : n + BATCH]
                reply = self.session.post(f"{self.url}/orders", data=orjson.dumps(batch), timeout=60)
                done = [
                    {"id": o["Id"], "target": d["id"]} for o, d in zip(batch, orjson.loads(reply.content), strict=True)
                ]
                with self.store.engine.begin() as connection:
                    connection.execute(_BARE_UPDATE, done)


_BARE_INSERT = text("insert into bare values (:id, cast(:body as json), 'new', null)")
_BARE_UPDATE = text("update bare set state = 'done', target = :target where id = :id")


def measure(orders: int, *, bare: bool) -> dict[str, float]:
    """Move `orders` through a fresh store, in turns with the bare loop; figures of this process."""
    with database() as server, stub() as url:
        store = Store(server.ensure_database("landbridge"), SystemClock())
        migrate(store.engine, store.clock.now())
        engine = build(store, url)
        tune_process()
        rival = Bare(store, url) if bare else None
        counter = {"sql": 0, "http": 0}
        event.listen(store.engine, "before_cursor_execute", lambda *_: counter.__setitem__("sql", counter["sql"] + 1))
        for system in engine.parts.systems.values():
            _count(system, counter)
        ours, theirs = [], []
        writes = _tuples(store)
        statements = 0
        for start in range(0, orders, CHUNK):
            before_sql = counter["sql"]
            before = time.perf_counter()
            result = engine.run("orders", limit=min(CHUNK, orders - start))
            ours.append(time.perf_counter() - before)
            statements += counter["sql"] - before_sql
            assert result.counts["created"] == min(CHUNK, orders - start), result.counts
            if rival is not None:
                before = time.perf_counter()
                rival.run(min(CHUNK, orders - start))
                theirs.append(time.perf_counter() - before)
        spent = _tuples(store) - writes - (2 * orders if rival is not None else 0)
        _fully_accounted(engine, orders)
        store.close()
    return {
        "orders_per_s": CHUNK / statistics.median(ours),
        "first_chunk_s": ours[0],
        "last_chunk_s": ours[-1],
        "of_bare": statistics.median(b / a for a, b in zip(ours, theirs, strict=True)) if theirs else 0.0,
        "bare_orders_per_s": CHUNK / statistics.median(theirs) if theirs else 0.0,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "http_calls_per_1000": 1000 * counter["http"] / orders,
        "sql_statements_per_1000": 1000 * statements / orders,
        "row_writes_per_order": spent / orders,
    }


def _count(system: Any, counter: dict[str, int]) -> None:
    request = system.http.request

    def counted(*args: Any, **more: Any) -> Any:
        counter["http"] += 1
        return request(*args, **more)

    system.http.request = counted


def _tuples(store: Store) -> int:
    with store.engine.begin() as connection:
        connection.execute(text("select pg_stat_force_next_flush()"))
    time.sleep(1.2)  # the statistics of idle backends are flushed once a second
    with store.engine.begin() as connection:
        return int(
            connection.execute(
                text("select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables")
            ).scalar_one()
            or 0
        )


def _fully_accounted(engine: Engine, orders: int) -> None:
    [row] = engine.accounting()
    assert (row.received, row.delivered, row.in_flight) == (orders, orders, 0), row


def child(orders: int, *, bare: bool) -> dict[str, float]:
    """The same in a process of its own, so that peak memory is its own."""
    arguments = [sys.executable, __file__, "--child", "--orders", str(orders), *(["--bare"] if bare else [])]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def fsync_baseline() -> float:
    """Milliseconds of one fsync on this disk, median of 50."""
    import os

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
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--child", action="store_true")
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.orders, bare=options.bare)))
        return
    small = child(min(10_000, options.orders), bare=False)
    large = child(options.orders, bare=False)
    turns = child(options.orders, bare=True)
    print(f"fsync {fsync_baseline():.2f} ms")
    for name, figures in (("small", small), ("large", large), ("in turns with the bare loop", turns)):
        print(name, {key: round(value, 3) for key, value in figures.items()})
    print(
        json.dumps(
            {
                "orders_per_s": round(turns["orders_per_s"]),
                "of_bare": round(turns["of_bare"], 3),
                "memory_ratio_100k_10k": round(large["peak_mb"] / small["peak_mb"], 3),
                "http_calls_per_1000": round(large["http_calls_per_1000"], 1),
                "sql_statements_per_1000": round(large["sql_statements_per_1000"], 1),
                "row_writes_per_order": round(large["row_writes_per_order"], 2),
                "last_chunk_of_first": round(large["last_chunk_s"] / large["first_chunk_s"], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
