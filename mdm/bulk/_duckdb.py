"""DuckDB in memory: the measures as its functions, the records as a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from mdm.bulk._told import Room
from mdm.score import held, measures

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Connection: TypeAlias = "duckdb.DuckDBPyConnection"
"""Named here so that nobody has to load DuckDB for a type."""


_MACROS = """
create or replace macro lb_plain(a, b) as (strlen(a) = length(a) and strlen(b) = length(b));
create or replace macro lb_jaro_winkler(a, b) as
  case when lb_plain(a, b) then jaro_winkler_similarity(a, b) else lb_text_jaro_winkler(a, b) end;
create or replace macro lb_levenshtein(a, b) as
  case when lb_plain(a, b) then levenshtein(a, b) else lb_text_levenshtein(a, b) end;
create or replace macro lb_damerau_levenshtein(a, b) as
  case when lb_plain(a, b) then damerau_levenshtein(a, b) else lb_text_damerau_levenshtein(a, b) end;
create or replace macro lb_shared(a, b) as len(list_intersect(a, b));
create or replace macro lb_contains(a, b) as
  case when contains(a, b) then length(b) when contains(b, a) then length(a) else 0 end;
create or replace macro lb_days(a, b) as
  coalesce(abs(date_diff('day', try_cast(a as date), try_cast(b as date))), 1000000);
create or replace macro lb_ratio(a, b) as
  case when a = b then 0.0 else abs(a - b) / greatest(abs(a), abs(b)) end;
"""
"""DuckDB's own text functions count bytes: right for ASCII only; others go to the real-time path's library."""


@contextmanager
def connected(room: Room) -> Iterator[Connection]:
    """A database in memory with the measures as functions; it and all it holds ends with the block."""
    import duckdb

    connection = duckdb.connect()
    try:
        connection.execute(f"set threads = {int(room.threads)}")
        connection.execute("set memory_limit = ?", [room.memory])
        if room.folder is not None:
            connection.execute("set temp_directory = ?", [room.folder])
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set enable_progress_bar = false")
        add_measures(connection)
        yield connection
    finally:
        connection.close()


def add_measures(connection: Connection) -> None:
    """The tests of a level as functions of the names that a model's SQL calls them by."""
    known = measures()
    for name, kind in (("jaro_winkler", "DOUBLE"), ("levenshtein", "BIGINT"), ("damerau_levenshtein", "BIGINT")):
        function: Any = _over_columns(known[f"lb_{name}"], kind)
        kinds: Any = {"parameters": ["VARCHAR", "VARCHAR"], "return_type": kind, "type": "arrow"}
        connection.create_function(f"lb_text_{name}", function, **kinds)
    connection.execute(_MACROS)


def _over_columns(measure: Any, kind: str) -> Any:
    def run(a: Any, b: Any) -> Any:
        import pyarrow as pa

        found = [measure(one, two) for one, two in zip(a.to_pylist(), b.to_pylist(), strict=True)]
        return pa.array(found, pa.float64() if kind == "DOUBLE" else pa.int64())

    return run


def put_records(connection: Connection, table: pa.Table) -> None:
    """The table `record`: the columns of the declaration and `unique_id`, the record's place."""
    import pyarrow as pa

    places = pa.array(range(table.num_rows), pa.int32())
    given = table.rename_columns([held(name) for name in table.column_names]).append_column("unique_id", places)
    connection.register("given", given)
    connection.execute("create or replace table record as select * from given")
    connection.unregister("given")
