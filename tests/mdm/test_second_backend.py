"""One model everywhere: Splink on SQLite, DuckDB and Spark gives the pairs that bulk matching finds the same weights.

What a level measures are seven functions with the same names everywhere; a database joins by being taught them, as a
cluster of Spark is by registering them as functions of its own.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_scores import declaration, made

from mdm.bulk import match, table_of, train
from mdm.declaration import Declaration
from mdm.score import Frequencies, Model, held, many_columns, measures

BREAK = "\x1f"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    log = logging.getLogger("splink")
    before = log.level
    log.setLevel(logging.ERROR)
    yield
    log.setLevel(before)


def taught(connection: sqlite3.Connection) -> None:
    """The seven functions; SQLite has no lists, so that many values are one text with breaks between."""
    for name, measure in measures().items():
        if name == "lb_shared":
            connection.create_function(
                name, 2, lambda a, b: None if a is None or b is None else len(set(a.split(BREAK)) & set(b.split(BREAK)))
            )
        else:
            connection.create_function(name, 2, lambda a, b, run=measure: None if a is None or b is None else run(a, b))


def on_sqlite(declared: Declaration, model: Model, records: list[dict[str, Any]], pairs: list[tuple[int, int]]) -> Any:
    from splink import Linker
    from splink.backends.sqlite import SQLiteAPI

    connection = sqlite3.connect(":memory:")
    database = SQLiteAPI(connection)
    taught(connection)
    many = many_columns(declared)
    rows = [
        {"unique_id": place} | {held(c.name): _flat(one[c.name], c.name in many) for c in declared.columns}
        for place, one in enumerate(records)
    ]
    names = list(rows[0])
    connection.execute(f"create table record ({', '.join(names)})")
    marks = ", ".join("?" * len(names))
    connection.executemany(f"insert into record values ({marks})", [tuple(row.values()) for row in rows])
    connection.execute("create table pair (match_key, join_key_l, join_key_r)")
    connection.executemany("insert into pair values ('0', ?, ?)", pairs)
    linker = Linker(database.register("record"), dict(model.parsed), log_level=None)
    for column, known in model.frequencies.items():
        table = f"frequency_{column}"
        connection.execute(f"create table {table} ({held(column)}, tf_{held(column)})")
        connection.executemany(f"insert into {table} values (?, ?)", _shares(known, records, column))
        linker.table_management.register_term_frequency_lookup(database.register(table), held(column))
    linker.table_management.register_blocked_pairs_for_predict(database.register("pair"))
    found = linker.inference.predict(warning_mode="never").as_record_list()
    return {(row["unique_id_l"], row["unique_id_r"]): row["match_weight"] for row in found}


def _flat(value: Any, many: bool) -> Any:
    return BREAK.join(value) if many and value is not None else value


def _shares(known: Frequencies, records: list[dict[str, Any]], column: str) -> list[tuple[str, float]]:
    values = {one[column] for one in records if one[column] is not None}
    return [(value, known.shares.get(value, known.floor)) for value in sorted(values)]


def on_duckdb(declared: Declaration, model: Model, records: list[dict[str, Any]], pairs: list[tuple[int, int]]) -> Any:
    """Splink's own scoring, on the database that it learns on."""
    import pyarrow as pa
    from splink import DuckDBAPI

    from mdm.bulk import Room
    from mdm.bulk._duckdb import connected, put_records
    from mdm.bulk._linker import linker_over

    with connected(Room()) as connection:
        put_records(connection, table_of(declared, records))
        linker = linker_over(connection, dict(model.parsed))
        database = DuckDBAPI(connection=connection)
        for column, known in model.frequencies.items():
            shares = _shares(known, records, column)
            columns = {held(column): [v for v, _ in shares], f"tf_{held(column)}": [s for _, s in shares]}
            looked_up = database.register(pa.table(columns))
            linker.table_management.register_term_frequency_lookup(looked_up, held(column))
        blocked = pa.table(
            {
                "match_key": ["0"] * len(pairs),
                "join_key_l": pa.array([a for a, _ in pairs], pa.int32()),
                "join_key_r": pa.array([b for _, b in pairs], pa.int32()),
            }
        )
        linker.table_management.register_blocked_pairs_for_predict(database.register(blocked))
        found = linker.inference.predict(warning_mode="never").as_record_list()
    return {(row["unique_id_l"], row["unique_id_r"]): row["match_weight"] for row in found}


@pytest.mark.parametrize("database", [on_sqlite, on_duckdb])
def test_the_same_model_weighs_the_same_on_a_database(database: Any) -> None:
    declared = declaration(identifiers=())
    records = made(1500, 21)
    table = table_of(declared, records)
    model = train(declared, table)
    ours = {
        (int(a), int(b)): float(weight)
        for edges in match(declared, model, table)
        for a, b, weight in zip(edges.a, edges.b, edges.weight, strict=True)
    }
    assert len(ours) > 300
    theirs = database(declared, model, records, sorted(ours))
    assert theirs.keys() == ours.keys()
    assert max(abs(theirs[pair] - ours[pair]) for pair in ours) <= 1e-9


@pytest.mark.slow
def test_the_same_model_weighs_the_same_on_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where data outgrows one machine; skipped where PySpark (an extra of Splink's) or Java is not installed."""
    sql = pytest.importorskip("pyspark.sql", reason="needs pyspark and Java")
    if shutil.which("java") is None:
        pytest.skip("needs Java")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    declared = declaration(identifiers=())
    records = made(400, 21)
    table = table_of(declared, records)
    model = train(declared, table)
    ours = {
        (int(a), int(b)): float(weight)
        for edges in match(declared, model, table)
        for a, b, weight in zip(edges.a, edges.b, edges.weight, strict=True)
    }
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(tmp_path))
        .getOrCreate()
    )
    try:
        spark = on_spark(session, declared, model, records, sorted(ours), tmp_path)
    finally:
        session.stop()
    assert len(ours) > 50
    assert spark.keys() == ours.keys()
    assert max(abs(spark[pair] - ours[pair]) for pair in ours) <= 1e-9


def on_spark(
    session: Any,
    declared: Declaration,
    model: Model,
    records: list[dict[str, Any]],
    pairs: list[tuple[int, int]],
    folder: Path,
) -> dict[tuple[int, int], float]:
    from splink import Linker
    from splink.backends.spark import SparkAPI

    for name in measures():
        kind = "double" if name in ("lb_jaro_winkler", "lb_ratio") else "int"

        def run(a: Any, b: Any, name: str = name) -> Any:
            return None if a is None or b is None else measures()[name](a, b)  # looked up where it runs

        session.udf.register(name, run, kind)
    kinds = {"name": "string", "size": "double"}
    many = many_columns(declared)
    schema = ", ".join(
        ["unique_id int"]
        + [
            f"{held(c.name)} {'array<string>' if c.name in many else kinds.get(c.name, 'string')}"
            for c in declared.columns
        ]
    )
    rows = [
        (place, *(list(v) if isinstance(v := one[c.name], tuple) else v for c in declared.columns))
        for place, one in enumerate(records)
    ]
    database = SparkAPI(spark_session=session, register_udfs_automatically=False, break_lineage_method="persist")
    linker = Linker(database.register(session.createDataFrame(rows, schema)), dict(model.parsed), log_level=None)
    for column, known in model.frequencies.items():
        shares = session.createDataFrame(
            _shares(known, records, column), f"{held(column)} string, tf_{held(column)} double"
        )
        linker.table_management.register_term_frequency_lookup(database.register(shares), held(column))
    blocked = session.createDataFrame(
        [("0", a, b) for a, b in pairs], "match_key string, join_key_l int, join_key_r int"
    )
    linker.table_management.register_blocked_pairs_for_predict(database.register(blocked))
    found = linker.inference.predict(warning_mode="never").as_record_list()
    return {(row["unique_id_l"], row["unique_id_r"]): row["match_weight"] for row in found}
