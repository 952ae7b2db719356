"""The model of titles: how rare words, letters and codes were when it was made. Nothing else of it is learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import orjson

from landbridge.errors import ConfigError, Problem
from mdm.declaration import Comparison, Declaration
from mdm.score import Frequencies, Model, declared_otherwise
from mdm.titles._terms import letters, words

if TYPE_CHECKING:
    import pyarrow as pa

LIKENESS = 20.0
"""Bits between titles that share nothing and equal ones."""
RARITY = 0.6
"""Bits per bit of rarity that equal codes weigh."""
MOST_CODE = 10.0
"""Bits that equal codes weigh at most."""
LEAST_CODE = 1.0
AGREES, DIFFERS = 2.0, -2.0
"""Bits of the other columns, such as brand and price: support, never proof."""


def is_cosine(comparison: Comparison) -> bool:
    """Whether the column is a title, compared by words and letters."""
    return comparison.levels[0].test == "cosine"


def is_code(comparison: Comparison) -> bool:
    """Whether the column holds codes, of which one in common is much and none in common is little."""
    return comparison.levels[0].test == "intersect"


def settings_of(declaration: Declaration) -> dict[str, Any]:
    """What a weight depends on beside the snapshot."""
    return {
        "scoring": "titles",
        "likeness": LIKENESS,
        "rarity": RARITY,
        "most_code": MOST_CODE,
        "least_code": LEAST_CODE,
        "agrees": AGREES,
        "differs": DIFFERS,
        "comparisons": [[c.column, [[one.test, one.at] for one in c.levels]] for c in declaration.comparisons],
    }


def train(declaration: Declaration, table: pa.Table) -> Model:
    """The snapshot of a table of records: the share of every word, run of letters and code that occurs twice."""
    from mdm.bulk import check_table

    check_table(declaration, table)
    frequencies: dict[str, Frequencies] = {}
    for comparison in declaration.comparisons:
        column = comparison.column
        if is_cosine(comparison):
            frequencies[f"{column}.words"] = _shares(map(words, _texts(table, column)))
            frequencies[f"{column}.letters"] = _shares(map(letters, _texts(table, column)))
        elif is_code(comparison):
            frequencies[column] = _shares(_lists(table, column))
    settings = orjson.dumps(settings_of(declaration), option=orjson.OPT_SORT_KEYS).decode()
    return Model(declaration.entity, settings, frequencies, table.num_rows)


def _texts(table: pa.Table, column: str) -> Iterator[str]:
    for chunk in table.column(column).chunks:
        yield from (value for value in chunk.to_pylist() if value)


def _lists(table: pa.Table, column: str) -> Iterator[tuple[str, ...]]:
    for chunk in table.column(column).chunks:
        yield from (tuple(dict.fromkeys(value)) for value in chunk.to_pylist() if value)


def _shares(documents: Iterable[tuple[str, ...]]) -> Frequencies:
    """Of every term that more than one document holds; the others share the floor."""
    counts: Counter[str] = Counter()
    total = 0
    for document in documents:
        total += 1
        counts.update(document)
    return Frequencies(1 / max(total, 1), {term: count / total for term, count in sorted(counts.items()) if count > 1})


def check_model(declaration: Declaration, model: Model) -> None:
    """Refuse a model that was made for another entity, other columns or another way of scoring."""
    file, again = f"config/mdm/{declaration.entity}.yaml", f"Train it again: landbridge mdm train {declaration.entity}."
    problems = []
    if model.entity != declaration.entity:
        problems.append(f"the model was made for {model.entity}, not {declaration.entity}.")
    made = model.parsed
    if made.get("scoring") != "titles":
        problems.append("the model was trained for parties, not for titles.")
    elif made.get("comparisons") != settings_of(declaration)["comparisons"]:
        problems.append("the model was made for other columns or levels than are declared now.")
    if problems:
        raise ConfigError([Problem(file, 0, 0, what, again) for what in problems])
    if found := declared_otherwise(declaration, model):
        raise ConfigError(found)
