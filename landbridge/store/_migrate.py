"""Brings a store to the schema of this release, and keeps its partitions ahead of the clock."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from landbridge.store._store import PATIENT
from landbridge.store.tables import PARTITIONED

_LOCK = 4_711_001  # one migration at a time: an advisory lock's key, any number that is ours


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one connection; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine, now: datetime) -> None:
    """Create or upgrade the schema and the partitions around `now`; safe to call from several processes at once."""
    with engine.begin() as connection:
        connection.execute(text("set local lock_timeout = 0"))  # whoever is at it may take long
        connection.execute(PATIENT)
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(alembic_config(connection), "head")
        ensure_partitions(connection, now)


def ensure_partitions(connection: Connection, now: datetime, *, ahead: int = 2) -> list[str]:
    """Create the monthly partitions from this month to `ahead` months on; returns those that were new.

    Rows that came before their month had a partition stand in the default one and move over.
    """
    created = []
    year, month = now.year, now.month
    for _ in range(ahead + 1):
        following = (year + month // 12, month % 12 + 1)
        low, high = f"{year:04}-{month:02}-01+00", f"{following[0]:04}-{following[1]:02}-01+00"
        for table in PARTITIONED:
            name = f"{table.name}_{year:04}_{month:02}"
            if connection.execute(text("select to_regclass(:name)"), {"name": name}).scalar() is None:
                _create_partition(connection, table.name, PARTITIONED[table], name, low, high)
                created.append(name)
        year, month = following
    return created


def _create_partition(connection: Connection, table: str, column: str, name: str, low: str, high: str) -> None:
    connection.execute(text(f"create table {name} (like {table} including defaults including constraints)"))
    connection.execute(
        text(
            f"with moved as (delete from {table}_default where {column} >= '{low}' and {column} < '{high}' "  # noqa: S608 - names of our own tables
            f"returning *) insert into {name} select * from moved"
        )
    )
    connection.execute(text(f"alter table {table} attach partition {name} for values from ('{low}') to ('{high}')"))
