"""Which model an entity is matched by: the one its records are grouped by, else the newest, else a cautious one."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection

from mdm.declaration import Declaration
from mdm.score import Frequencies, Model, comparison_settings
from mdm.store import models
from mdm.titles._model import settings_of

STRANGERS = 1e-4
"""The share of matches among candidates before any record was seen: an agreement has to say 13 bits against it."""
EQUAL = 0.002
"""How often strangers agree in a column whose `unique` is not declared: in a city often, in a street hardly ever."""
AGREEMENT, NEAR = 0.75, 0.2
"""How often two records of one party agree in a column that both hold, and how often nearly."""


def model_of(connection: Connection, declaration: Declaration) -> Model:
    """The model that scores from now on; a store without one begins with `untrained`."""
    used = models.of(connection, declaration.entity)
    kept = models.find(connection, used) if used else models.newest(connection, declaration.entity)
    return Model.loads(kept.content.encode()) if kept is not None else untrained(declaration)


def untrained(declaration: Declaration) -> Model:
    """A model for the first records of a company, before `landbridge mdm train` has learned from them.

    It links what agrees in three columns and asks about what agrees in two: rather a question than a wrong merge.
    """
    if declaration.scoring == "titles":
        settings: dict[str, Any] = settings_of(declaration)
        floors = {one.column: Frequencies(EQUAL, {}) for one in declaration.comparisons}
        rare = {f"{name}.{part}": one for name, one in floors.items() for part in ("words", "letters")}
        return Model(declaration.entity, _text(settings), {**floors, **rare})
    comparisons = comparison_settings(declaration)
    usual = {
        one["output_column_name"]: _guess([n for n in one["comparison_levels"] if not n.get("is_null_level")])
        for one in comparisons
    }
    frequencies = {one.column: Frequencies(usual[one.column], {}) for one in declaration.comparisons if one.frequency}
    settings = {"probability_two_random_records_match": STRANGERS, "comparisons": comparisons}
    return Model(declaration.entity, _text(settings), frequencies)


def _guess(levels: list[dict[str, Any]]) -> float:
    """Fill in m and u of one column's levels, from the strictest to disagreement; returns u of equal values."""
    near = len(levels) - 2
    unlikely = float(levels[0].get("u_probability") or EQUAL)
    agreed = [AGREEMENT, *(NEAR / max(near, 1) for _ in range(near))]
    chance = [unlikely, *(unlikely * 2**n for n in range(1, near + 1))]
    for level, m, u in zip(levels, [*agreed, 1 - sum(agreed)], [*chance, 1 - sum(chance)], strict=True):
        level["m_probability"], level["u_probability"] = m, u
    return unlikely


def _text(settings: dict[str, Any]) -> str:
    return orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()
