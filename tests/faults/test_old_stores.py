"""A store of an older schema, left in the middle of its work, is upgraded, and its work is finished.

`stores/<revision>.json` holds what stood there: rows as PostgreSQL writes them, and what its target had taken by then.
Workers had been killed: some rows were claimed, some unknown, some waited, some were dead.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alembic import command
from room import Inputs, Room
from sqlalchemy import Connection, DateTime, text

from landbridge.store import Store, migrate
from landbridge.store._migrate import alembic_config
from landbridge.store.tables import metadata
from landbridge.time import SystemClock

STORES = sorted((Path(__file__).parent / "stores").glob("*.json"))


def _filled(connection: Connection, tables: dict[str, list[object]]) -> None:
    """Put the rows into their tables, parents first, and let numbers go on after them."""
    order = [table.name for table in metadata.sorted_tables]
    for name in sorted(tables, key=order.index):
        rows = {"rows": json.dumps(tables[name])}
        connection.execute(
            text(
                f"insert into {name} overriding system value select * from json_populate_recordset(null::{name}, :rows)"
            ),
            rows,
        )
        sequence = connection.execute(text("select pg_get_serial_sequence(:t, a.attname) from pg_attribute a "
            "where a.attrelid = cast(:t as regclass) and a.attname = 'id'"), {"t": name}).scalar()  # fmt: skip
        if sequence:
            connection.execute(text(f"select setval('{sequence}', (select max(id) from {name}))"))


def _as_of_now(connection: Connection, tables: dict[str, list[object]]) -> None:
    """Move every time of the store so that it was left a minute ago: deadlines count from them."""
    late = connection.execute(text("select now() - interval '1 minute' - max(received_at) from inbox")).scalar_one()
    for name in tables:
        times = [column.name for column in metadata.tables[name].columns if isinstance(column.type, DateTime)]
        if times:
            moved = ", ".join(f"{column} = {column} + :late" for column in times)
            connection.execute(text(f"update {name} set {moved}"), {"late": late})


@pytest.mark.parametrize("file", STORES, ids=lambda file: file.stem)
def test_the_work_of_an_older_store_is_finished(file, new_database, tmp_path, nursery, seed):
    told = json.loads(file.read_text())
    clock, url = SystemClock(), new_database()
    store = Store(url, clock)
    with store.engine.begin() as connection:
        command.upgrade(alembic_config(connection), told["revision"])
        _filled(connection, told["tables"])
    migrate(store.engine, clock.now())
    with store.engine.begin() as connection:
        _as_of_now(connection, told["tables"])
    store.close()
    with Room(tmp_path, url, nursery, "C", seed) as room:
        room.inputs = Inputs(told["inputs"]["rows"], frozenset(told["inputs"]["poison"]))
        before = room.accounts()
        assert before.in_flight >= 10 and before.delivered >= 10, "the store was not left in the middle of its work"
        room.tell("reset", seed=seed, source=room.inputs.rows, poison=told["inputs"]["poison"], script={},
                  records=told["records"])  # fmt: skip
        with (tmp_path / "journal").open("a") as journal:
            journal.writelines(json.dumps(effect) + "\n" for effect in told["effects"])
        room.hire()
        room.hire()
        room.drained()
        room.dismiss()
        room.verdict().held(f"a store of revision {told['revision']}")
