"""A project on disk that moves changes from one database to another, and the real commands on it as processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent

FILES = {
    "config/landbridge.yaml": "store: {url: env:LIVE_STORE_URL}\n",
    "config/systems.yaml": """\
plant:
  connector: sql
  mapping: tables
  config:
    url: env:LIVE_PLANT_URL
    overlap: 1
    entities:
      customer: {table: parties, key: id, changed: at, columns: [id, name, n, at]}
wms:
  connector: sql
  mapping: tables
  config:
    url: env:LIVE_WMS_URL
    settle: 1
    batch: 1
    entities:
      customer: {table: parties, key: id, reference: ref, write: [name, n]}
""",
    "config/environments/production.yaml": "{}\n",
    "config/ownership.yaml": "{}\n",
    "config/flows/parties.yaml": """\
flow: parties
extract: {from: plant, entity: customer, fastest: 50ms, every: 100ms}
deliver:
  - {to: wms, entity: customer}
retry: {attempts: 50, first: 100ms, longest: 1s, within: 1h}
""",
    "schemas/canonical/customer.json": """\
{"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}}
""",
    "mappings/tables/customer.yaml": """\
entity: customer
native: Party
in: {name: name, n: n}
out: {name: name, n: n}
""",
}

PLANT = "create table parties (id int primary key, name text not null, n int not null, at timestamptz not null)"
WMS = """
create table parties (id bigserial primary key, name text not null, n int not null, ref varchar(80) unique);
create table journal (seq bigserial primary key, name text not null, n int not null, new boolean not null);
create function keep() returns trigger language plpgsql as $$
begin
    perform pg_sleep(0.005);
    insert into journal (name, n, new) values (new.name, new.n, tg_op = 'INSERT');
    return new;
end $$;
create trigger keep after insert or update on parties for each row execute function keep()
"""


class Live:
    """Both databases, the project, and the processes that were started on it; ends them all."""

    def __init__(self, folder: Path, new_database: Callable[..., str], **changed: str) -> None:
        self.folder = folder
        for name, text in {**FILES, **changed}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        urls = {name: new_database().replace("+psycopg", "") for name in ("plant", "wms", "store")}
        self.store_url = urls["store"]
        self.env = {
            **os.environ,
            **{f"LIVE_{name.upper()}_URL": url for name, url in urls.items()},
            "LANDBRIDGE_STATE": str(folder / ".state"),
            "PYTHONPATH": str(ROOT),
        }
        self.plant = psycopg.connect(urls["plant"], autocommit=True)
        self.wms = psycopg.connect(urls["wms"], autocommit=True)
        self.plant.execute(PLANT)
        self.wms.execute(WMS)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *argv: str, python: str = "") -> subprocess.Popen[bytes]:
        """A command of ours, or a line of Python, in a process of its own."""
        line = [sys.executable, "-c", python or "from landbridge.cli import main; main()"]
        line += [] if python else ["-C", str(self.folder), *argv]
        out = self.folder / f"out.{len(self.started)}"
        with out.open("wb") as file:
            popen = subprocess.Popen(line, env=self.env, cwd=self.folder, stdout=file, stderr=file)
        self.started.append(popen)
        return popen

    def said(self, popen: subprocess.Popen[bytes]) -> str:
        """What a process printed."""
        return (self.folder / f"out.{self.started.index(popen)}").read_text(encoding="utf-8")

    def change(self, n: int, parties: int = 5) -> None:
        """Every party is changed, to state n."""
        self.plant.execute(
            "insert into parties select i, 'P' || i, %s, clock_timestamp() from generate_series(1, %s) i "
            "on conflict (id) do update set n = excluded.n, at = excluded.at",
            (n, parties),
        )

    def stands(self) -> dict[str, int]:
        """What stands in the target."""
        return {str(name): int(n) for name, n in self.wms.execute("select name, n from parties").fetchall()}

    def journal(self) -> list[Any]:
        """Every effect in its order: (name, n, new)."""
        return list(self.wms.execute("select name, n, new from journal order by seq").fetchall())

    def until(self, what: Callable[[], Any], seconds: float = 40.0) -> float:
        """Wait until it is so; how long that took."""
        began = time.monotonic()
        while not what():
            if time.monotonic() - began > seconds:
                raise AssertionError("it does not come:\n" + "\n".join(self.said(one)[-1500:] for one in self.started))
            time.sleep(0.01)
        return time.monotonic() - began

    def close(self) -> None:
        """End what still runs."""
        for popen in self.started:
            if popen.poll() is None:
                popen.send_signal(signal.SIGKILL)
            popen.wait()
        self.plant.close()
        self.wms.close()


@contextmanager
def live(folder: Path, new_database: Callable[..., str], **changed: str) -> Iterator[Live]:
    """A project whose processes end with the block."""
    made = Live(folder, new_database, **changed)
    try:
        yield made
    finally:
        made.close()


def wrongs(journal: list[Any]) -> list[str]:
    """What must never stand in a journal: a record made twice, or an older state after a newer one."""
    newest: dict[str, int] = {}
    found = []
    for name, n, new in journal:
        if new and name in newest:
            found.append(f"{name} was made twice")
        if n < newest.get(name, n):
            found.append(f"{name} went back from {newest[name]} to {n}")
        newest[name] = max(n, newest.get(name, n))
    return found
