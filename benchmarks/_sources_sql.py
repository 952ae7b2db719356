"""How many rows per second the SQL connector reads, beside a bare psycopg loop over the same rows in the same run.

Both read a PostgreSQL table of eight columns by (stamp, key), 2,000 rows a page, each page a statement of its own, and
make a dict of every row. The connector's rows are ready for the inbox: instants in UTC, exact numbers, key and stamp.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from connectors.sql import Sql, SqlConfig
from landbridge.net import NetSettings, open_http
from landbridge.secrets import Secret
from landbridge.store.embedded import EmbeddedPostgres
from landbridge.time import SystemClock

ROWS = 20_000
PAGE = 2_000
TABLE = """
CREATE TABLE partners (
    id bigint PRIMARY KEY, name varchar(80) NOT NULL, city varchar(40), country char(2), credit numeric(12, 2),
    since date, note text, changed timestamptz NOT NULL);
CREATE INDEX ON partners (changed, id);
INSERT INTO partners
SELECT i, 'Partner ' || i, 'City ' || i %% 100, 'DE', i / 4.0, '2026-01-01'::date + i %% 300, repeat('n', i %% 40),
       '2026-01-05 08:00Z'::timestamptz + i / 50 * interval '1 second'
FROM generate_series(1, %d) i;
ANALYZE partners;
"""
PAGES = """
SELECT id, name, city, country, credit, since, note, changed FROM partners
WHERE (changed, id) > (%s, %s) ORDER BY changed, id LIMIT %s"""


def measure(seconds: float = 5.0) -> dict[str, float]:
    """`sql_rows_per_s` of the connector, and `sql_of_bare`: how much of a bare loop's speed that is."""
    with _database() as url, psycopg.connect(url, autocommit=True) as bare:
        bare.execute(TABLE % ROWS)
        bare.row_factory = dict_row  # type: ignore[assignment]  # rows as dicts from here on
        connector = _connector(url)
        try:
            return _turns(lambda: _ours(connector), lambda: _bare(bare), seconds)
        finally:
            connector.close()


def _turns(ours: Callable[[], int], theirs: Callable[[], int], seconds: float) -> dict[str, float]:
    """Both in turn until the time is over; medians count."""
    spent: dict[str, list[float]] = {"ours": [], "theirs": []}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(spent["ours"]) < 3:
        for name, contender in (("ours", ours), ("theirs", theirs)):
            begun = time.perf_counter()
            came = contender()
            spent[name].append(time.perf_counter() - begun)
            assert came == ROWS, f"{name} read {came} of {ROWS} rows"
    ratio = statistics.median(b / a for a, b in zip(spent["ours"], spent["theirs"], strict=True))
    return {"sql_rows_per_s": round(ROWS / statistics.median(spent["ours"])), "sql_of_bare": round(ratio, 3)}


def _ours(connector: Sql) -> int:
    return sum(len(page.rows) for page in connector.read("customer", None))


def _bare(connection: Any) -> int:
    came, after = 0, ("1970-01-01T00:00:00Z", 0)
    while True:
        rows = connection.execute(PAGES, (*after, PAGE)).fetchall()
        came += len(rows)
        if len(rows) < PAGE:
            return came
        after = (rows[-1]["changed"], rows[-1]["id"])


def _connector(url: str) -> Sql:
    clock = SystemClock()
    entity = {"table": "partners", "key": "id", "changed": "changed"}
    raw = {"url": Secret.plain(url), "entities": {"customer": entity}, "page_size": PAGE}
    config = SqlConfig.model_validate(raw)
    return Sql("erp", config, open_http("erp", config, NetSettings(), clock=clock), clock)


@contextmanager
def _database() -> Iterator[str]:
    """A PostgreSQL server of this measurement alone; gone with it."""
    with tempfile.TemporaryDirectory(prefix="landbridge-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        before = os.environ.get("LANDBRIDGE_SERVER_HOME")
        os.environ["LANDBRIDGE_SERVER_HOME"] = folder
        server = EmbeddedPostgres(home / "postgres", durable=False, die_with_parent=True)
        try:
            server.start()
            server.ensure_database("erp")
            yield server.url("erp").replace("+psycopg", "")
        finally:
            server.remove()
            if before is None:
                del os.environ["LANDBRIDGE_SERVER_HOME"]
            else:
                os.environ["LANDBRIDGE_SERVER_HOME"] = before


if __name__ == "__main__":
    print(measure())
