"""Records as columns: what training and bulk matching read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from landbridge.errors import ConfigError, Problem
from mdm.declaration import Declaration, Features
from mdm.score import many_columns, number_columns

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 20_000


def schema_of(declaration: Declaration) -> pa.Schema:
    """One column per column of the declaration: texts, numbers, lists of texts."""
    import pyarrow as pa

    many, numbers = many_columns(declaration), number_columns(declaration)
    kinds = {True: pa.list_(pa.string()), False: pa.string()}
    return pa.schema(
        [(c.name, pa.float64() if c.name in numbers else kinds[c.name in many]) for c in declaration.columns]
    )


def table_of(declaration: Declaration, records: Iterable[Features]) -> pa.Table:
    """The features of records as an Arrow table; a record is known by its place in it, from 0 on."""
    import pyarrow as pa

    schema = schema_of(declaration)
    batches = [pa.RecordBatch.from_pylist(chunk, schema=schema) for chunk in _chunks(iter(records))]
    return pa.Table.from_batches(batches, schema=schema)


def _chunks(records: Iterator[Features]) -> Iterator[list[dict[str, Any]]]:
    while chunk := [dict(one) for one in islice(records, _BATCH)]:
        yield chunk


def check_table(declaration: Declaration, table: pa.Table) -> None:
    """Refuse a table that holds other columns, or columns of other types, than the declaration names."""
    file = f"config/mdm/{declaration.entity}.yaml"
    wanted = {field.name: field.type for field in schema_of(declaration)}
    given = {field.name: field.type for field in table.schema}
    problems = [
        Problem(file, 0, 0, f"the table has no column '{name}'.", "Make it with `table_of` of this declaration.")
        for name in wanted.keys() - given.keys()
    ]
    problems += [
        Problem(file, 0, 0, f"column '{name}' is {given[name]} in the table, declared it is {kind}.", "Make it again.")
        for name, kind in wanted.items()
        if name in given and given[name] != kind
    ]
    if problems:
        raise ConfigError(problems)


def identities(declaration: Declaration, table: pa.Table) -> list[Any]:
    """Per identifier that keeps records apart its values as numbers (int64 arrays; -1 where there is none).

    Columns that keep many values have no such numbers: for them the scorer's `apart` is asked.
    """
    import numpy as np

    many = many_columns(declaration)
    found = []
    for one in declaration.identifiers:
        if one.apart and one.column not in many:
            codes = table.column(one.column).combine_chunks().dictionary_encode().indices
            found.append(codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64))
    return found
