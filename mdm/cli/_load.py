"""`landbridge mdm load`: the first load of an entity, from every system that has a feed of it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli import bar, counted, opened, say, show_json, show_table
from mdm.cli._shared import AsJson, DryRun, Entity

if TYPE_CHECKING:
    from mdm.publish import FirstLoad


def load(
    context: typer.Context,
    entity: Entity,
    model: Annotated[
        str | None,
        typer.Option("--model", help="A kept model's id, or `untrained`; default: train one on what is loaded."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Load an entity of which the hub holds nothing: every record of every system whose feed the flows bring to it.

    Reads what the feeds hold, trains a model (on 1,000 records or more), matches all records at once, and writes the
    golden records in one transaction. Nothing is delivered meanwhile: the flows' next runs do that, and find every
    record known. Whatever ends it in between, the hub is empty as before, and it can be run again.
    """
    from landbridge.engine import rehearsal
    from mdm.publish import first_load
    from mdm.steward import Desk
    from mdm.store import bulk

    with opened(context) as installation:
        desk = Desk(installation)
        desk.declared(entity)
        engine = installation.engine
        with rehearsal(engine) if dry_run else nullcontext(engine) as used, bar(entity) as progress:
            done = first_load(used, desk.hub, entity, model=model, progress=progress)
        desk.hub.forget(entity)
        if not dry_run:
            bulk.tidy(installation.store.engine)
    if as_json:
        show_json(_told(done))
    else:
        _say(entity, done, dry_run=dry_run)


def _told(done: FirstLoad) -> dict[str, object]:
    systems = [{**one._asdict(), "untold": done.untold.get(one.system, 0)} for one in done.systems]
    counts = {**done.found._asdict(), "crowds": done.crowds}
    return {"model": done.model, "trained": done.trained, "records": done.records, "systems": systems, **counts}


def _say(entity: str, done: FirstLoad, *, dry_run: bool) -> None:
    systems = {one.system: one for one in done.systems}
    lines = [
        [name, one.records, one.ended, done.untold.get(name, 0), one.early]
        if (one := systems.get(name))
        else [name, 0, 0, done.untold[name], 0]
        for name in sorted(systems.keys() | done.untold.keys())
    ]
    show_table(["system", "records", "deleted", "not taken", "early"], lines, right=range(1, 5))
    became, found = "would become" if dry_run else "became", done.found
    say(f"{counted(done.records, 'record')} {became} {counted(found.golden, 'golden record')}, "
        f"{found.merged} of them of more than one record.")  # fmt: skip
    say(f"model {done.model}, {'trained on these records' if done.trained else 'as it was named or for few records'}.")
    for count, what, look in (
        (found.doubts, "pair waits for a steward", "queue"),
        (done.crowds, "crowd was left apart as too big or too loose", "notices"),
        (found.hot, "value is shared by too many records to find any", "notices"),
        (found.unidentified, "record has nothing that it could be compared by", "notices"),
    ):
        if count:
            say(f"{count} × {what}: landbridge steward {look} {entity}")
    if dry_run:
        say("Dry run: nothing was kept.")
