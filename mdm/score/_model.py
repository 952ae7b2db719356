"""A trained model: the text that Splink saves, the snapshot of how frequent values are, and what it was made for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from landbridge.errors import ConfigError, Problem
from landbridge.strict import json
from mdm.declaration import Comparison, Declaration
from mdm.score._blocks import many_columns
from mdm.score._compare import condition, held

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Frequencies:
    """How often values of one column occurred when the model was trained; a value not kept has the floor."""

    floor: float
    shares: Mapping[str, float]


@dataclass(frozen=True)
class Model:
    """What scores pairs of one entity: immutable, named by its own digest."""

    entity: str
    settings: str
    """The model as Splink saves and loads it (JSON)."""
    frequencies: Mapping[str, Frequencies] = field(default_factory=dict)
    records: int = 0
    """How many records it was trained on."""
    declared: str = ""
    """The digest of the declaration that it was made for; columns, blocks and identifiers count too. "": not known."""

    @cached_property
    def model_id(self) -> str:
        """The digest of everything that a weight depends on."""
        return hashlib.sha256(self.dumps()).hexdigest()[:32]

    @cached_property
    def parsed(self) -> dict[str, Any]:
        """The settings as Splink's own words."""
        found = json.loads(self.settings.encode())
        assert isinstance(found, dict)
        return found

    def dumps(self) -> bytes:
        """The model as bytes to be kept; equal models have equal bytes."""
        import orjson

        frequencies = {
            column: {"floor": one.floor, "shares": dict(one.shares)} for column, one in self.frequencies.items()
        }
        told = {"entity": self.entity, "settings": self.parsed, "frequencies": frequencies, "records": self.records}
        if self.declared:
            told["declared"] = self.declared
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)

    @staticmethod
    def loads(kept: bytes) -> Model:
        """The model that `dumps` wrote."""
        import orjson

        told = json.loads(kept)
        assert isinstance(told, dict)
        frequencies = {
            column: Frequencies(float(one["floor"]), one["shares"]) for column, one in told["frequencies"].items()
        }
        settings = orjson.dumps(told["settings"], option=orjson.OPT_SORT_KEYS).decode()
        return Model(told["entity"], settings, frequencies, told["records"], told.get("declared", ""))


def comparison_settings(declaration: Declaration) -> list[dict[str, Any]]:
    """The declared comparisons in Splink's words, without anything learned."""
    problems = list(_problems(declaration))
    if problems:
        raise ConfigError([Problem(_file(declaration), 0, 0, what, hint) for what, hint in problems])
    return [_comparison(one) for one in declaration.comparisons]


def _file(declaration: Declaration) -> str:
    return f"config/mdm/{declaration.entity}.yaml"


def _problems(declaration: Declaration) -> list[tuple[str, str]]:
    columns = {column.name for column in declaration.columns}
    many = many_columns(declaration)
    found = []
    for name in sorted(columns):
        if not _NAME.fullmatch(name):
            found.append((f"columns.{name}: cannot be the name of a column.", "Use small letters, digits and `_`."))
    for one in declaration.comparisons:
        where = f"comparisons.{one.column}"
        if one.column not in columns:
            found.append((f"{where}: no column is called so.", f"Columns are {', '.join(sorted(columns))}."))
        if not one.levels:
            found.append((f"{where}: has no level.", "Give at least `exact`."))
        for level in one.levels:
            if (level.test == "intersect") != (one.column in many) and level.test != "exact":
                kind = "keeps many values" if one.column in many else "keeps one value"
                found.append(
                    (f"{where}: `{level.test}` does not fit a column that {kind}.", "Use `intersect` for many.")
                )
        if one.frequency and (one.column in many or (one.levels[:1] and one.levels[0].test != "exact")):
            found.append((f"{where}: `frequency` needs one value and `exact` as the first level.", "Leave it out."))
    for block in declaration.blocks:
        found += [
            (f"blocks: no column is called '{name}'.", f"Columns are {', '.join(sorted(columns))}.")
            for name, _ in block.parts
            if name not in columns
        ]
    return found


def _comparison(one: Comparison) -> dict[str, Any]:
    column = held(one.column)
    levels: list[dict[str, Any]] = [
        {
            "sql_condition": f"{column}_l IS NULL OR {column}_r IS NULL",
            "label_for_charts": "unknown",
            "is_null_level": True,
        }
    ]
    for level in one.levels:
        told: dict[str, Any] = {
            "sql_condition": condition(level, one.column),
            "label_for_charts": label(level.test, level.at),
        }
        if level.test in ("exact", "intersect") and one.unique is not None:
            told |= {"u_probability": one.unique, "fix_u_probability": True}
        if level.test == "exact" and one.frequency:
            told |= {"tf_adjustment_column": column, "tf_adjustment_weight": 1.0}
        levels.append(told)
    levels.append({"sql_condition": "ELSE", "label_for_charts": "different"})
    return {"output_column_name": one.column, "comparison_levels": levels}


def label(test: str, at: float) -> str:
    """A level in the words that people read."""
    return "equal" if test == "exact" else f"{test.replace('_', '-')} {at:g}"


def check_model(declaration: Declaration, model: Model) -> None:
    """Refuse a model that was trained for another entity, other columns or other levels than are declared now."""
    problems = []
    file, again = _file(declaration), f"Train it again: landbridge mdm train {declaration.entity}."
    if model.entity != declaration.entity:
        problems.append(
            Problem(file, 0, 0, f"the model was trained for {model.entity}, not {declaration.entity}.", again)
        )
    trained = {one["output_column_name"]: one for one in model.parsed["comparisons"]}
    declared = {one["output_column_name"]: one for one in comparison_settings(declaration)}
    for column in declared.keys() - trained.keys():
        problems.append(Problem(file, 0, 0, f"the model was not trained on column '{column}'.", again))
    for column in trained.keys() - declared.keys():
        problems.append(
            Problem(file, 0, 0, f"the model was trained on column '{column}', which is not compared.", again)
        )
    for column in declared.keys() & trained.keys():
        if _conditions(trained[column]) != _conditions(declared[column]):
            problems.append(
                Problem(file, 0, 0, f"the model was trained with other levels of column '{column}'.", again)
            )
        elif any(one.frequency for one in declaration.comparisons if one.column == column) != (
            column in model.frequencies
        ):
            problems.append(
                Problem(file, 0, 0, f"the model holds other frequencies than column '{column}' asks for.", again)
            )
    if not problems:
        problems += declared_otherwise(declaration, model)
    if problems:
        raise ConfigError(problems)


def declared_otherwise(declaration: Declaration, model: Model) -> list[Problem]:
    """That a model was made for other columns, normalisers, blocks or identifiers, where both say what they are of."""
    if not model.declared or not declaration.digest or model.declared == declaration.digest:
        return []
    what = "the model was made for other columns, normalisers, blocks or identifiers than are declared now."
    return [Problem(_file(declaration), 0, 0, what, f"Train it again: landbridge mdm train {declaration.entity}.")]


def _conditions(comparison: dict[str, Any]) -> list[str]:
    return [level["sql_condition"] for level in comparison["comparison_levels"]]
