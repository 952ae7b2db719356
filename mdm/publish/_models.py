"""Which model an entity is matched by: the one its records are grouped by, else the newest, else a cautious one."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection

from mdm.declaration import Declaration
from mdm.score import Frequencies, Model, comparison_settings
from mdm.store import models
from mdm.titles._model import settings_of

STRANGERS = 1e-6
"""The share of matches before any record was seen: agreements have to say 20 bits against it."""
EQUAL = 0.002
"""How often strangers agree in a column whose `unique` is not declared: in a city often, in a street hardly ever."""
AGREEMENT = 0.75
"""How often two records of one party agree in a column that both hold. Nearly agreeing says nothing either way."""


LIKENESS = 12.0
"""Bits between titles that share nothing and equal ones: a title alone asks; with a code or a brand it links."""


def model_of(connection: Connection, declaration: Declaration) -> Model:
    """The model that scores from now on; a store without one begins with `untrained`."""
    used = models.of(connection, declaration.entity)
    kept = models.find(connection, used) if used else models.newest(connection, declaration.entity)
    return Model.loads(kept.content.encode()) if kept is not None else untrained(declaration)


def untrained(declaration: Declaration) -> Model:
    """A model for the first records of a company, before `landbridge mdm train` has learned from them.

    It links what agrees in four columns, or in one and an identifier, and asks about what agrees in three: three
    columns of one address are neighbours as often as twins. Rather a question than a wrong merge.
    """
    if declaration.scoring == "titles":
        settings: dict[str, Any] = settings_of(declaration) | {"likeness": LIKENESS}
        floors = {one.column: Frequencies(EQUAL, {}) for one in declaration.comparisons}
        rare = {f"{name}.{part}": one for name, one in floors.items() for part in ("words", "letters")}
        return Model(declaration.entity, _text(settings), {**floors, **rare}, declared=declaration.digest)
    comparisons = comparison_settings(declaration)
    usual = {
        one["output_column_name"]: _guess([n for n in one["comparison_levels"] if not n.get("is_null_level")])
        for one in comparisons
    }
    frequencies = {one.column: Frequencies(usual[one.column], {}) for one in declaration.comparisons if one.frequency}
    settings = {"probability_two_random_records_match": STRANGERS, "comparisons": comparisons}
    return Model(declaration.entity, _text(settings), frequencies, declared=declaration.digest)


def _guess(levels: list[dict[str, Any]]) -> float:
    """Fill in m and u of one column's levels, from the strictest to disagreement; returns u of equal values."""
    unlikely = float(levels[0].get("u_probability") or EQUAL)
    nearly = [unlikely * 2**n for n in range(1, len(levels) - 1)]
    agreed, chance = [AGREEMENT, *nearly], [unlikely, *nearly]
    for level, m, u in zip(levels, [*agreed, 1 - sum(agreed)], [*chance, 1 - sum(chance)], strict=True):
        level["m_probability"], level["u_probability"] = m, u
    return unlikely


def _text(settings: dict[str, Any]) -> str:
    return orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()
