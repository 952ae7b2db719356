"""A hub to measure: a durable PostgreSQL of its own, made-up customers loaded into it, and the scorer they trained."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from _customers import customers
from sqlalchemy import text

from landbridge.store import Store
from landbridge.store.embedded import EmbeddedPostgres
from landbridge.time import SystemClock
from mdm.declaration import Declaration
from mdm.declare import read
from mdm.hub import Change, Hub, Matching
from mdm.normalise import features
from mdm.store import migrate
from mdm.store.tables import metadata

ROOT = Path(__file__).resolve().parent.parent
ZERO = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMES = {"DE": "vat", "GB": "vat", "CN": "uscc"}


@lru_cache
def declaration() -> Declaration:
    """The shipped declaration of customers."""
    return read(ROOT / "config/mdm/customer.yaml")


def body(flat: dict[str, Any]) -> dict[str, Any]:
    """A made-up record as a canonical customer."""
    made: dict[str, Any] = {"name": flat["name"], "website": flat["website"] or None}
    address = {"role": "main", "street": flat["street"], "postal_code": flat["postcode"], "city": flat["city"]}
    made["addresses"] = [{**{k: v for k, v in address.items() if v}, "country": flat["country"]}]
    if flat["tax"]:
        made["identifiers"] = [{"scheme": SCHEMES[flat["country"]], "value": flat["tax"]}]
    if flat["phone"]:
        made["phones"] = [{"number": flat["phone"]}]
    if flat["email"]:
        made["emails"] = [{"address": flat["email"]}]
    return made


def record(number: int) -> UUID:
    """The id of the n-th record: ascending, as time-ordered ids are."""
    return UUID(int=(0x019A << 112) | (0x7000 << 64) | (0x8000 << 48) | number)


def change(number: int, flat: dict[str, Any], *, day: int = 0) -> Change:
    """The n-th record as its system tells it on a day."""
    stamp = ZERO + timedelta(days=day, seconds=number % 86_400)
    return Change(record(number), flat["system"], "", f"K{number}", "upsert", stamp, 0, body(flat))


@dataclass
class Prepared:
    """A loaded hub."""

    store: Store
    hub: Hub
    matching: Matching
    rows: list[dict[str, Any]]
    """The made-up records; the first of them are loaded, the rest is new."""
    loaded: int
    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def database(*, durable: bool = True) -> Iterator[str]:
    """The URL of an empty database on a server of its own."""
    with databases(1, durable=durable) as urls:
        yield urls[0]


@contextmanager
def databases(count: int, *, durable: bool = True, memory: str = "256MB") -> Iterator[list[str]]:
    """The URLs of empty databases on a server of their own, with so much memory for their pages."""
    home = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home / "postgres", durable=durable, die_with_parent=True)
    try:
        server.start()
        if memory != "256MB":  # what a server of ours has
            with server.urls().connect("postgres") as connection:
                connection.execute(f"alter system set shared_buffers = '{memory}'")
            server.stop()
            server.start()
        yield [server.ensure_database(f"hub{number}") for number in range(count)]
    finally:
        server.remove()
        shutil.rmtree(home, ignore_errors=True)


def memory_for(records: int) -> str:
    """Memory in which so many records with all that is derived from them stay."""
    return "256MB" if records <= 50_000 else f"{max(1, -(-records * 3 // 1_000_000))}GB"


def settle(store: Store) -> None:
    """What autovacuum and some hours of use do to a hub after its load: its pages are clean, and in memory."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in metadata.sorted_tables:
            connection.execute(text(f"vacuum (analyze) {table.name}"))
        for table in metadata.sorted_tables:
            connection.execute(text("set enable_indexonlyscan = off"))
            connection.execute(text(f"select count(*) from {table.name}"))
            connection.execute(text("set enable_indexonlyscan = on"))
            connection.execute(text("set enable_seqscan = off"))
            for column in {next(iter(index.columns)).name for index in (table.primary_key, *table.indexes)}:
                connection.execute(text(f"select count(*) from {table.name} where {column} is not null"))
            connection.execute(text("set enable_seqscan = on"))
        connection.execute(text("checkpoint"))


@contextmanager
def prepared(records: int, *, more: int = 0, seed: int = 1) -> Iterator[Prepared]:
    """A hub with so many records loaded in bulk, and `more` made-up ones that it has not seen.

    It is what it would be some hours after its load: vacuumed, and in the memory of its server.
    """
    from mdm.bulk import match, table_of, train
    from mdm.score import PartyScorer

    declared, took = declaration(), dict[str, float]()
    rows = list(customers(records + more, seed))

    def timed(what: str, begun: float) -> None:
        took[what] = time.perf_counter() - begun
        print(f"   {what}: {took[what]:.1f} s", flush=True)

    begun = time.perf_counter()
    table = table_of(declared, (features(declared, body(row)) for row in rows[:records]))
    timed("features", begun)
    begun = time.perf_counter()
    model = train(declared, table)
    timed("train", begun)
    begun = time.perf_counter()
    edges = list(match(declared, model, table))
    timed("match", begun)
    with databases(1, memory=memory_for(records)) as (url,):
        store = Store(url, SystemClock())
        migrate(store.engine)
        matching = Matching(declared, PartyScorer(declared, model), features)
        hub = Hub({"customer": matching}, SystemClock())
        begun = time.perf_counter()
        with store.transaction("load") as connection:
            loaded = hub.first_load(
                connection, "customer", (change(n, row) for n, row in enumerate(rows[:records])), table, edges
            )
        timed("store", begun)
        begun = time.perf_counter()
        settle(store)
        timed("vacuum and warm", begun)
        print(f"   {loaded.records} records, {loaded.golden} golden records, {loaded.crowds} crowds", flush=True)
        try:
            yield Prepared(store, hub, matching, rows, records, took)
        finally:
            store.close()
