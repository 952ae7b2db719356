"""What an engineer declares in config/mdm/<entity>.yaml: how records are compared, grouped, merged and published.

These are plain values, checked when they are read (`mdm.declare`); nothing here knows a file, a store or a library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = str | float | tuple[str, ...]
"""One normalised value: a text, a number, or a sorted tuple of texts where a column keeps all of them."""

Features = Mapping[str, Value | None]
"""A record as it is compared: every column of the declaration by name; None where the record says nothing usable."""

Scoring = Literal["fellegi_sunter", "titles"]
Test = Literal[
    "exact",  # equal values
    "jaro_winkler",  # similarity of at least `at`
    "levenshtein",  # at most `at` edits
    "damerau_levenshtein",  # at most `at` edits, swapped neighbours counting one
    "intersect",  # at least `at` values in common (columns that keep many)
    "contains",  # one text holds the other, from `at` characters on
    "days",  # ISO dates at most `at` days apart
    "ratio",  # numbers at most the share `at` apart
    "cosine",  # words and letters alike, rare ones counting more; at `at` for neither (only where scoring is titles)
]


@dataclass(frozen=True, slots=True)
class Call:
    """A normaliser by name with its arguments, as in `company | pinyin` or `phone(country)`."""

    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One compared column: where it stands in a canonical body and how it is made comparable."""

    name: str
    paths: tuple[str, ...]
    """Canonical paths such as `name` or `phones[].number`; the first that gives a value counts, with `many` all."""
    normalise: tuple[Call, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For elements of a list: only those whose field has one of these values, as `scheme: [vat, uscc]`."""
    many: bool = False
    """Keep every value (sorted, unique) instead of the first."""
    personal: bool = True
    """Whether its values tell about a person; masked wherever people look unless asked for."""


@dataclass(frozen=True, slots=True)
class Level:
    """One step of agreement, from the strictest on; what no level says is disagreement."""

    test: Test
    at: float = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two records are compared in one column."""

    column: str
    levels: tuple[Level, ...]
    frequency: bool = False
    """Rare values weigh more than common ones (term-frequency adjustment of exact agreement)."""
    unique: float | None = None
    """How often two different records agree exactly (u), where it is known; random sampling never sees it."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """A column that holds an identifier, valid by its check digits or absent."""

    column: str
    same: float | None = None
    """Equal values are a deterministic edge of this weight in bits; None: only evidence among others."""
    apart: bool = False
    """Two different valid values cannot be one record, unless a steward says so."""


@dataclass(frozen=True, slots=True)
class Block:
    """Records that agree in all of these are compared: (column, first characters; None: all of it)."""

    parts: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """In bits (log2 of the odds): from `auto` on linked, from `review` on asked, below dropped."""

    auto: float
    review: float


@dataclass(frozen=True, slots=True)
class Guard:
    """What keeps a bad rule from linking everything."""

    members: int = 200
    """A component of more records goes to review whole."""
    density: float = 0.3
    """So does one of ten and more records of whose pairs a smaller share is linked."""
    hot: int = 500
    """A block key of more records is not used for candidates, and reported."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One link of a survivorship chain; it narrows the candidates or decides."""

    kind: Literal["valid", "priority", "recent", "complete", "longest", "majority", "all"]
    systems: tuple[str, ...] = ()
    """For `priority`: systems, the most trusted first."""
    half_life_days: float | None = None
    """For `recent`: trust decays by half in so many days; None: the newest wins."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """How one attribute, or a group of attributes that go together, finds its golden value."""

    attributes: tuple[str, ...]
    """Top-level fields of the canonical body; several are a group and come from one record."""
    chain: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """What one system is told of golden records."""

    attributes: frozenset[str] | None = None
    """Top-level fields that it is told; None: all of them."""
    quality: float = 0.0
    """A golden record of less quality is not created there; what it has already, it goes on being told."""


EVERYONE = "*"
"""Stands for every system where `publish` says nothing of it."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything about one entity of the hub."""

    entity: str
    summary: str
    scoring: Scoring
    columns: tuple[Column, ...]
    comparisons: tuple[Comparison, ...]
    blocks: tuple[Block, ...]
    thresholds: Thresholds
    identifiers: tuple[Identifier, ...] = ()
    guard: Guard = field(default_factory=Guard)
    survivors: tuple[Survivor, ...] = ()
    """In order; attributes that none names follow `others`."""
    others: tuple[Rule, ...] = (Rule("recent"), Rule("complete"))
    placeholders: frozenset[str] = frozenset()
    """Normalised values that say nothing, beyond those the hub knows: they count as none."""
    parent: str | None = None
    """The canonical field that refers to the record above: a relation, never a reason to merge."""
    one_to_one: bool = False
    """Each system holds a record once: never two records of one system in one golden record."""
    publish: Mapping[str, Publication] = field(default_factory=dict)
    """By system, or `EVERYONE`; a system that none names is told everything."""
    digest: str = ""
    """Of the file: models and scores name the declaration that they were made for."""

    def published(self, system: str) -> Publication:
        """What a system is told."""
        return self.publish.get(system) or self.publish.get(EVERYONE) or Publication()
