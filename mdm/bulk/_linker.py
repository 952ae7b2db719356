"""Splink on our DuckDB connection: the one place that speaks with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mdm.bulk._duckdb import Connection
from mdm.score import Frequencies, held


@contextmanager
def quiet() -> Iterator[None]:
    """Splink tells of every step in its log; what of it matters is an error of ours."""
    import splink

    log = logging.getLogger(splink.__name__)  # it sets its own level when it is loaded
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def settings_with(comparisons: list[dict[str, Any]], prior: float) -> dict[str, Any]:
    """A whole model in Splink's words; blocking is ours, pairs are handed in."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": prior,
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def linker_over(connection: Connection, settings: dict[str, Any]) -> Any:
    """A Splink linker over the table `record`."""
    from splink import DuckDBAPI, Linker

    database = DuckDBAPI(connection=connection)
    return Linker(database.register("record"), settings, log_level=None)


def register_frequencies(
    connection: Connection, linker: Any, frequencies: Mapping[str, Frequencies], *, paired: bool = False
) -> None:
    """The snapshot for every value that the records (of `pair`) hold: one that it does not keep has its floor."""
    import pyarrow as pa
    from splink import DuckDBAPI

    of_pairs = "(select join_key_l from pair union select join_key_r from pair)"
    within = f" and unique_id in {of_pairs}" if paired else ""
    for column, known in frequencies.items():
        shares = pa.table(
            {
                "value": pa.array(list(known.shares), pa.string()),
                "share": pa.array(list(known.shares.values()), pa.float64()),
            }
        )
        connection.register("shares", shares)
        name = held(column)
        connection.execute(
            f"create or replace table frequency_{column} as select {name}, coalesce(share, ?) as tf_{name} "
            f"from (select distinct {name} from record where {name} is not null{within}) "
            f"left join shares on value = {name}",
            [known.floor],
        )
        connection.unregister("shares")
        looked_up = DuckDBAPI(connection=connection).register(f"frequency_{column}")
        linker.table_management.register_term_frequency_lookup(looked_up, name)


def score_pairs(connection: Connection, linker: Any, threshold: float | None) -> Any:
    """The weights of the pairs in the table `pair` as a table of Splink's, which the caller drops."""
    from splink import DuckDBAPI

    pairs = DuckDBAPI(connection=connection).register("pair")
    linker.table_management.register_blocked_pairs_for_predict(pairs)
    return linker.inference.predict(threshold_match_weight=threshold, warning_mode="never")
