"""`landbridge steward`: what the hub is not sure of, why, and what a person decides about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli import actor, age, complain, counted, opened, say, show_json, show_table
from landbridge.errors import LandbridgeError
from mdm.cli import _deciding, _labelling, _printed, _serving
from mdm.cli._shared import AsJson, Entity, Reason, ShowPersonal

if TYPE_CHECKING:
    from mdm.steward import Desk, View

A = Annotated[str, typer.Argument(metavar="A", help="A record: system:key, or its id.")]
B = Annotated[str, typer.Argument(metavar="B", help="The other record.")]
Most = Annotated[int, typer.Option("--limit", min=1, max=500, help="At most this many.")]


def group() -> typer.Typer:
    """The commands of stewardship."""
    made = typer.Typer(no_args_is_help=True, help="What the hub is not sure of, and what a person decides about it.")
    made.command("status")(status)
    made.command("queue")(queue)
    made.command("show")(show)
    made.command("golden")(golden)
    made.command("notices")(notices)
    made.command("dismiss")(dismiss)
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
        now = installation.clock.now()
    if as_json:
        show_json(found)
        return
    lines = [
        [
            one.a.named,
            one.b.named,
            one.a.name,
            one.b.name,
            f"{one.weight:.1f}",
            one.words,
            one.records,
            one.uses,
            age(one.since, now),
        ]
        for one in found
    ]
    if not lines:
        say("Nothing waits for a steward.")
        return
    show_table(
        ["a", "b", "name a", "name b", "bits", "by the model", "records", "used", "asked"], lines, right=[4, 6, 7]
    )
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


def notices(
    context: typer.Context,
    entity: Entity,
    dismissed: Annotated[bool, typer.Option("--dismissed", help="Those that were dismissed too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what a steward should know: crowds, keys of too many records, records that say nothing, moved pins, circles.

    Crowds are records that all hang together, more of them or more loosely than the declaration's guard allows. Each
    line begins with what `landbridge steward dismiss` takes.
    """
    with opened(context) as installation:
        found = _view(installation, entity, personal=False)[1].notices(dismissed=dismissed)
        now = installation.clock.now()
    if as_json:
        show_json(found)
        return
    for one in found:
        about = "" if one.about in one.id else f" {one.about}"
        since = f" (since {age(one.since, now)})" if one.since else ""
        gone = one.dismissed
        by = f"; dismissed {age(gone.at, now)} ago by {gone.actor}, {gone.id}" if gone else ""
        why = f" ({gone.reason})" if gone and gone.reason else ""
        say(f"{one.id}{about}: {one.text}{since}{by}{why}")
    say(f"{counted(len(found), 'notice')}." if found else "Nothing to know.")


def dismiss(
    context: typer.Context,
    entity: Entity,
    notice: Annotated[str, typer.Argument(metavar="NOTICE", help="As `steward notices` shows it.")],
    reason: Reason = "",
) -> None:
    """Tell a notice no more while it says the same; `landbridge steward undo` takes that back.

    It is told again once it says something else: another id is reused, the value that a pin hides moves on, a circle
    goes another way, or a crowd or a key has twice the records.
    """
    from mdm.steward import Desk

    with opened(context) as installation:
        made = Desk(installation).dismiss(entity, notice, actor=actor(), reason=reason)
    say(f"dismissed. Take it back with: landbridge steward undo {entity} {made}")


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every entity at a glance: what waits and since when, how long decisions took, what should be known."""
    from mdm.steward import Desk

    with opened(context) as installation:
        found = Desk(installation).status()
        now = installation.clock.now()
    if as_json:
        show_json(found)
    else:
        _printed.status(found, now)


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
