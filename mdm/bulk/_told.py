"""What bulk work is given and what it tells: loaded by those who only pass it on, so nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Room:
    """What bulk work may take of the machine."""

    threads: int = 2
    memory: str = "700MB"
    """What DuckDB may hold while a model is trained."""
    folder: str | None = None
    """Where DuckDB spills what does not fit in memory; None: its own default."""


@dataclass(frozen=True, slots=True)
class HotKey:
    """A block key that too many records share: it finds no candidates, and is reported."""

    rule: int
    columns: tuple[str, ...]
    members: int
    example: int
    """The place of one record that has it."""


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
    hot: tuple[HotKey, ...] = ()
