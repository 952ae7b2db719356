"""`landbridge mdm train` and `adopt-model`: a model of the records that the hub holds, and when it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli import counted, opened, say
from mdm.cli._shared import DryRun, Entity

if TYPE_CHECKING:
    from landbridge.engine import Grouped


def train(context: typer.Context, entity: Entity) -> None:
    """Train a model on the records that the hub holds, without labels, and keep it under its own id.

    Nothing is grouped by it until `landbridge mdm adopt-model` says so.
    """
    from mdm.publish import train_kept
    from mdm.steward import Desk

    with opened(context) as installation:
        desk = Desk(installation)
        desk.declared(entity)
        model = train_kept(desk.store, desk.hub, entity)
    say(f"model {model.model_id} of {counted(model.records, 'record')} is kept.")
    say(f"next: landbridge mdm adopt-model {entity} --dry-run")


def adopt_model(
    context: typer.Context,
    entity: Entity,
    model: Annotated[
        str | None, typer.Option("--model", help="Its id, or `untrained`; default: the newest that was trained.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Group all records of an entity by another model, in one transaction; every other act waits meanwhile.

    Needed after training, and after an edit of config/mdm that changes how records are compared. Decisions hold, a
    golden id stays with its oldest record, and everything that follows is sent to the systems.
    """
    from mdm.publish import adopt_model as adopted
    from mdm.publish import kept_model
    from mdm.steward import Desk

    with opened(context) as installation:
        desk = Desk(installation)
        desk.declared(entity)
        with desk.trying() if dry_run else desk.store.transaction("adopt") as connection:
            found = kept_model(connection, desk.hub, entity, model)
            grouped = adopted(connection, desk.parts, desk.hub, entity, found)
    _say(entity, found.model_id, grouped, dry_run=dry_run)


def _say(entity: str, model: str, grouped: Grouped, *, dry_run: bool) -> None:
    would = "would be" if dry_run else "is"
    say(f"{entity} {would} grouped by model {model}.")
    moved, changed = len(grouped.groups), len(grouped.changed)
    say(f"{counted(moved, 'record')} {'would belong' if dry_run else 'belong'} to another golden record; "
        f"{counted(changed, 'golden record')} changed, began or ended.")  # fmt: skip
