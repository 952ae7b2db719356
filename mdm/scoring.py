"""The way of scoring that a declaration asks for: parties by Splink's model, titles by likeness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mdm.declaration import Declaration
from mdm.score import Model, PartyScorer, Scorer
from mdm.titles import TitleScorer

if TYPE_CHECKING:
    import pyarrow as pa

    from mdm.bulk import Edges, Room, Told


def scorer(declaration: Declaration, model: Model) -> Scorer:
    """The scorer of a model; ConfigError if the model was made for another declaration."""
    return TitleScorer(declaration, model) if declaration.scoring == "titles" else PartyScorer(declaration, model)


def train(declaration: Declaration, table: pa.Table, *, room: Room | None = None) -> Model:
    """A model of the records of a table, without labels; the same table and declaration give the same model."""
    if declaration.scoring == "titles":
        from mdm import titles

        model = titles.train(declaration, table)
    else:
        from mdm import bulk

        model = bulk.train(declaration, table, room=room)
    return replace(model, declared=declaration.digest)


def match(
    declaration: Declaration, model: Model, table: pa.Table, *, told: Told | None = None, room: Room | None = None
) -> Iterator[Edges]:
    """The edges of a table of records from the review threshold on, in batches."""
    if declaration.scoring == "titles":
        from mdm import titles

        return titles.match(declaration, model, table, told=told)
    from mdm import bulk

    return bulk.match(declaration, model, table, told=told, room=room)
