"""Bulk matching: every pair of records at or above the review threshold, in batches of constant size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from mdm.bulk._duckdb import Connection, Room, connected, put_keys, put_records
from mdm.bulk._linker import linker_over, quiet, register_frequencies, score_pairs, settings_with
from mdm.bulk._pairs import HotKey, drop_hot_keys, pairs_by_rule, put_pairs
from mdm.bulk._table import check_table
from mdm.declaration import Declaration
from mdm.score import Model, check_model, held, many_columns

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PART_PAIRS = 4_000_000


@dataclass(frozen=True, slots=True)
class Edges:
    """Pairs of records by their places in the table (a < b), each with its weight in bits."""

    a: np.ndarray[Any, Any]
    b: np.ndarray[Any, Any]
    weight: np.ndarray[Any, Any]


@dataclass(slots=True)
class Told:
    """What a run met on its way; filled while its edges are read."""

    candidates: int = 0
    hot: tuple[HotKey, ...] = field(default=())


def match(
    declaration: Declaration, model: Model, table: pa.Table, *, told: Told | None = None, room: Room | None = None
) -> Iterator[Edges]:
    """The edges of a table of records; the same pairs and weights that the scorer gives one by one."""
    check_model(declaration, model)
    check_table(declaration, table)
    told = told if told is not None else Told()
    with connected(room or Room()) as connection, quiet():
        put_records(connection, table)
        put_keys(connection, declaration)
        told.hot = drop_hot_keys(connection, declaration)
        same = _put_same(connection, declaration)
        linker = linker_over(connection, settings_with([], 0.0) | model.parsed)
        register_frequencies(connection, linker, model.frequencies)
        parts = max(1, ceil(sum(pairs_by_rule(connection, declaration.guard.hot).values()) / PART_PAIRS))
        for part in range(parts):
            put_pairs(connection, part, parts)
            told.candidates += int(connection.execute("select count(*) from pair").fetchall()[0][0])
            yield _edges(connection, linker, declaration.thresholds.review, same)


def _put_same(connection: Connection, declaration: Declaration) -> list[tuple[str, float]]:
    """The tables `same_<column>`: the values of identifiers that more than one record holds."""
    many = many_columns(declaration)
    found = []
    for one in declaration.identifiers:
        if one.same is None:
            continue
        name = held(one.column)
        value = f"unnest({name})" if one.column in many else name
        connection.execute(
            f"create or replace table same_{one.column} as with held as "
            f"(select distinct unique_id as record, {value} as value from record where {name} is not null) "
            "select * from held where value in (select value from held group by value having count(*) > 1)"
        )
        found.append((one.column, one.same))
    return found


def _edges(connection: Connection, linker: Any, review: float, same: list[tuple[str, float]]) -> Edges:
    scored = score_pairs(connection, linker, review)
    parts = [f"select unique_id_l as a, unique_id_r as b, match_weight as weight from {scored.physical_name}"]
    for column, weight in same:
        if weight >= review:
            parts.append(
                f"select join_key_l, join_key_r, {float(weight)!r}::double from pair "
                f"join same_{column} l on l.record = join_key_l join same_{column} r on r.record = join_key_r "
                "where l.value = r.value"
            )
    text = parts[0]
    if len(parts) > 1:
        text = f"select a, b, max(weight) as weight from ({' union all '.join(parts)}) group by a, b"
    found = connection.sql(text).to_arrow_table()
    scored.drop_table_from_database_and_remove_from_cache()
    return Edges(*(found.column(name).to_numpy() for name in ("a", "b", "weight")))
