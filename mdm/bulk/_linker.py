"""Splink on our DuckDB connection: the one place that speaks with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mdm.bulk._duckdb import Connection


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
