"""What every scorer is: keys to find candidates by, a weight in bits with its reasons, and who cannot be one."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from mdm.declaration import Features

PRIOR = "(prior)"
"""The column of the step that holds the odds of two records taken at random."""


class Step(NamedTuple):
    """One step of the waterfall: how well two records agree in one column, and what that weighs in bits."""

    column: str
    level: int
    """From the highest (strictest agreement) down to 0 (disagreement); -1 where one of them says nothing."""
    bits: float
    frequency_bits: float = 0.0
    """What the rarity (+) or commonness (-) of the value adds."""


class Scored(NamedTuple):
    """The weight of a pair in bits, log2 of the odds that both are one, and the steps that sum to it."""

    weight: float
    steps: tuple[Step, ...]


class Scorer(Protocol):
    """One model of one entity; pure: the same two records have the same weight for ever."""

    @property
    def model_id(self) -> str: ...

    def keys(self, features: Features) -> tuple[int, ...]: ...

    def score(self, a: Features, b: Features) -> Scored: ...

    def apart(self, a: Features, b: Features) -> bool: ...
