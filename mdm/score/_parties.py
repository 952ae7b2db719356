"""Scores pairs of parties in real time by the model that Splink trained: the same levels, the same weights."""

from __future__ import annotations

from collections.abc import Callable
from math import log2
from typing import Any

from mdm.declaration import Comparison, Declaration, Features
from mdm.score._blocks import keys_by, many_columns
from mdm.score._compare import ladder
from mdm.score._model import Frequencies, Model, check_model
from mdm.score._scorer import PRIOR, Scored, Step


class PartyScorer:
    """Fellegi-Sunter over one trained model; ConfigError if the model was trained for another declaration."""

    def __init__(self, declaration: Declaration, model: Model) -> None:
        check_model(declaration, model)
        self.model_id = model.model_id
        self.keys: Callable[[Features], tuple[int, ...]] = keys_by(declaration)
        many = many_columns(declaration)
        prior = model.parsed["probability_two_random_records_match"]
        self._prior = Step(PRIOR, 0, log2(prior / (1 - prior)))
        trained = {one["output_column_name"]: one for one in model.parsed["comparisons"]}
        self._columns = [
            _Column(one, trained[one.column], one.column in many, model.frequencies.get(one.column))
            for one in declaration.comparisons
        ]
        self._same = [
            (one.column, one.same, one.column in many) for one in declaration.identifiers if one.same is not None
        ]
        self._apart = [(one.column, one.column in many) for one in declaration.identifiers if one.apart]

    def score(self, a: Features, b: Features) -> Scored:
        """The weight of two records and the steps that sum to it."""
        steps = [self._prior]
        weight = self._prior.bits
        for column in self._columns:
            step = column.step(a.get(column.name), b.get(column.name))
            steps.append(step)
            weight += step.bits + step.frequency_bits
        for name, same, many in self._same:
            if weight < same and _agree(a.get(name), b.get(name), many):
                steps.append(Step(f"(same {name})", 1, same - weight))
                weight = same
        return Scored(weight, tuple(steps))

    def weight(self, a: Features, b: Features) -> float:
        """The weight alone, for the many candidates that are dropped."""
        total = self._prior.bits
        for column in self._columns:
            total += column.bits(a.get(column.name), b.get(column.name))
        for name, same, many in self._same:
            if total < same and _agree(a.get(name), b.get(name), many):
                total = same
        return total

    def apart(self, a: Features, b: Features) -> bool:
        """Whether both hold valid identifiers of one kind and none of them is the same."""
        for name, many in self._apart:
            one, two = a.get(name), b.get(name)
            if one is not None and two is not None and not _agree(one, two, many):
                return True
        return False


def _agree(a: Any, b: Any, many: bool) -> bool:
    if a is None or b is None:
        return False
    return not set(a).isdisjoint(b) if many else bool(a == b)


class _Column:
    """One comparison: its ladder and the weight of every rung."""

    def __init__(
        self, declared: Comparison, trained: dict[str, Any], many: bool, frequencies: Frequencies | None
    ) -> None:
        self.name = declared.column
        self._ladder = ladder(declared.levels, many)
        self._top = len(declared.levels)
        levels = [one for one in trained["comparison_levels"] if not one.get("is_null_level")]
        self._bits = [log2(one["m_probability"] / one["u_probability"]) for one in reversed(levels)]
        self._null = Step(self.name, -1, 0.0)
        self._steps = [Step(self.name, number, bits) for number, bits in enumerate(self._bits)]
        self._shares = frequencies.shares if frequencies else None
        self._floor = frequencies.floor if frequencies else 0.0
        self._base = log2(levels[0]["u_probability"])

    def step(self, a: Any, b: Any) -> Step:
        if a is None or b is None:
            return self._null
        level = self._ladder(a, b)
        if self._shares is None or level != self._top:
            return self._steps[level]
        return Step(self.name, level, self._bits[level], self._base - log2(self._shares.get(a, self._floor)))

    def bits(self, a: Any, b: Any) -> float:
        if a is None or b is None:
            return 0.0
        level = self._ladder(a, b)
        if self._shares is None or level != self._top:
            return self._bits[level]
        return self._bits[level] + self._base - log2(self._shares.get(a, self._floor))
