"""`landbridge steward`: what the hub is not sure of, why, and what a person decides about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli import age, complain, counted, opened, say, show_json, show_table
from landbridge.errors import LandbridgeError
from mdm.cli import _deciding, _labelling, _printed, _serving
from mdm.cli._shared import AsJson, Entity, ShowPersonal

if TYPE_CHECKING:
    from mdm.steward import Desk, View

A = Annotated[str, typer.Argument(metavar="A", help="A record: system:key, or its id.")]
B = Annotated[str, typer.Argument(metavar="B", help="The other record.")]
Most = Annotated[int, typer.Option("--limit", min=1, max=500, help="At most this many.")]


def group() -> typer.Typer:
    """The commands of stewardship."""
    made = typer.Typer(no_args_is_help=True, help="What the hub is not sure of, and what a person decides about it.")
    made.command("queue")(queue)
    made.command("show")(show)
    made.command("golden")(golden)
    made.command("notices")(notices)
    _deciding.register(made)
    _labelling.register(made)
    _serving.register(made)
    return made


def queue(
    context: typer.Context,
    entity: Entity,
    limit: Most = 20,
    show_personal: ShowPersonal = False,
    as_json: AsJson = False,
) -> None:
    """List pairs that may be one, the most worth asking first: the least certain, with the most hanging off them.

    A pair that was decided comes back only if a compared field changed since, and says which.
    """
    from mdm.steward import Desk, View

    with opened(context) as installation:
        found = View(Desk(installation), entity, personal=show_personal).queue(limit)
    if as_json:
        show_json(found)
        return
    lines = [
        [one.a.named, one.b.named, one.a.name, one.b.name, f"{one.weight:.1f}", one.words, one.records, one.uses]
        for one in found
    ]
    if not lines:
        say("Nothing waits for a steward.")
        return
    show_table(["a", "b", "name a", "name b", "bits", "by the model", "records", "used"], lines, right=[4, 6, 7])
    for one in found:
        if one.again:
            say(f"{one.a.named} {one.b.named}: {one.again}.")
    say(f"next: landbridge steward show {entity} {found[0].a.named} {found[0].b.named}")
    if len(found) == limit:
        complain(f"the first {limit} are shown; --limit shows more.")


def show(
    context: typer.Context,
    entity: Entity,
    a: A,
    b: B,
    show_personal: ShowPersonal = False,
    as_json: AsJson = False,
) -> None:
    """Show two records side by side, what differs marked, why they weigh what they weigh, and earlier decisions."""
    with opened(context) as installation:
        desk, view = _view(installation, entity, show_personal)
        found = view.pair(desk.record(entity, a), desk.record(entity, b))
    if as_json:
        show_json(found)
        return
    _printed.pair(found)
    say(f"next: landbridge steward decide {entity} same {a} {b} --dry-run, or different, unsure, parent-of.")


def golden(
    context: typer.Context,
    entity: Entity,
    id_: Annotated[str, typer.Argument(metavar="ID", help="A golden id, a record's id, or system:key.")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="What its sources said at that time (ISO 8601).")] = None,
    known_at: Annotated[
        str | None, typer.Option("--known-at", help="What the hub knew at that time (ISO 8601).")
    ] = None,
    show_personal: ShowPersonal = False,
    as_json: AsJson = False,
) -> None:
    """Show a golden record: values, where each came from and what lost, its records, its versions, at any time.

    An id that was retired by a merge leads to the golden record that holds its records now. A look back is made anew
    from what the sources said, and held against what was stored then.
    """
    valid, recorded = _time("--as-of", as_of), _time("--known-at", known_at)
    with opened(context) as installation:
        desk, view = _view(installation, entity, show_personal)
        found = view.golden(desk.record(entity, id_), valid=valid, recorded=recorded)
    if as_json:
        show_json(found)
    else:
        _printed.golden(found)


def notices(context: typer.Context, entity: Entity, as_json: AsJson = False) -> None:
    """List what a steward should know: crowds, keys of too many records, records that say nothing, moved pins, circles.

    Crowds are records that all hang together, more of them or more loosely than the declaration's guard allows.
    """
    with opened(context) as installation:
        found = _view(installation, entity, personal=False)[1].notices()
        now = installation.clock.now()
    if as_json:
        show_json(found)
        return
    for one in found:
        say(f"{one.kind} {one.about}: {one.text}{f' (since {age(one.since, now)})' if one.since else ''}")
    say(f"{counted(len(found), 'notice')}." if found else "Nothing to know.")


def _view(installation: object, entity: str, personal: bool) -> tuple[Desk, View]:
    from mdm.steward import Desk, View

    desk = Desk(installation)  # type: ignore[arg-type]  # `opened` gave it
    return desk, View(desk, entity, personal=personal)


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        hint = "Write 2026-11-22T10:00:00Z, or a day."
        raise LandbridgeError(f"{option} {text} is not a time.", hint=hint) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
