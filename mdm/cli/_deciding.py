"""The steward's commands that decide: each with its preview, and each can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from landbridge.cli import actor, counted, opened, say, show_json
from landbridge.errors import LandbridgeError
from mdm.cli import _printed
from mdm.cli._shared import AsJson, DryRun, Entity, Reason, ShowPersonal

if TYPE_CHECKING:
    from mdm.hub import Verdict
    from mdm.steward import Desk


class Word(StrEnum):
    """What may be said of records."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"
    PARENT_OF = "parent-of"
    SPLIT = "split"


class Bulk(StrEnum):
    """What may be said of many pairs at a time."""

    SAME = "same"
    DIFFERENT = "different"


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("decide")(decide)
    group.command("pin")(pin)
    group.command("undo")(undo)
    group.command("decisions")(decisions)
    group.command("alike")(alike)


def decide(
    context: typer.Context,
    entity: Entity,
    word: Annotated[Word, typer.Argument(help="What is so.")],
    named: Annotated[list[str], typer.Argument(metavar="RECORD…", help="Two records or more: system:key, or ids.")],
    from_: Annotated[
        list[str] | None, typer.Option("--from", help="Of split: a record that the others are parted from; repeatable.")
    ] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    show_personal: ShowPersonal = False,
) -> None:
    """Say that two records are the same, different, that nobody knows, or that the first stands above the second.

    `split` parts the first record, or with --from all of them, from the others. Whatever follows is done at once, and
    no rule overrides it; `landbridge steward undo` takes it back as if it had never been made.
    """
    from mdm.steward import Desk

    with opened(context) as installation:
        desk = Desk(installation)
        these, those = _sides(desk, entity, word, named, from_ or [])
        verdict: Verdict = word.value.replace("-", "_")  # type: ignore[assignment]  # the words are the verdicts
        _act(desk, entity, verdict, these, those, None, None, reason, dry_run, show_personal)


def pin(
    context: typer.Context,
    entity: Entity,
    record: Annotated[str, typer.Argument(metavar="RECORD", help="A record: system:key, or its id.")],
    attribute: Annotated[str, typer.Argument(metavar="ATTRIBUTE", help="A top field of the canonical model.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="JSON; null clears it.")],
    reason: Reason = "",
    dry_run: DryRun = False,
    show_personal: ShowPersonal = False,
) -> None:
    """Set an attribute of the golden record that holds a record, whatever its sources say.

    The pin stays with the record. If what it hides becomes another value, `landbridge steward notices` tells.
    """
    from landbridge.strict import json
    from mdm.steward import Desk

    try:
        read = json.loads(value)
    except LandbridgeError as error:
        hint = """Quote texts twice: '"Acme"'."""
        raise LandbridgeError(f"the value is no JSON: {error.message}", hint=hint) from None
    with opened(context) as installation:
        desk = Desk(installation)
        these = [desk.record(entity, record)]
        _act(desk, entity, "pin", these, [], attribute, read, reason, dry_run, show_personal)


def _act(
    desk: Desk,
    entity: str,
    verdict: Verdict,
    these: Sequence[UUID],
    those: Sequence[UUID],
    attribute: str | None,
    value: Any,
    reason: str,
    dry_run: bool,
    personal: bool,
) -> None:
    from mdm.steward import View

    if dry_run:
        found = desk.preview(entity, verdict, these, those, attribute=attribute, value=value)
        _printed.preview(View(desk, entity, personal=personal).preview(found))
        return
    made = desk.decide(entity, verdict, these, those, actor=actor(), reason=reason, attribute=attribute, value=value)
    say(f"decided. Take it back with: landbridge steward undo {entity} {made}")


def _sides(
    desk: Desk, entity: str, word: Word, named: Sequence[str], from_: Sequence[str]
) -> tuple[list[UUID], list[UUID]]:
    if word is not Word.SPLIT:
        if len(named) != 2 or from_:
            raise LandbridgeError(f"{word} is about two records.", hint="Name two; --from belongs to split.")
        return [desk.record(entity, named[0])], [desk.record(entity, named[1])]
    if not from_ and len(named) < 2:
        raise LandbridgeError("split parts records from others.", hint="Name two, or the others with --from.")
    these, those = (named, from_) if from_ else (named[:1], named[1:])
    return [desk.record(entity, one) for one in these], [desk.record(entity, one) for one in those]


def undo(
    context: typer.Context,
    entity: Entity,
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="As `steward decisions` shows it.")],
    dry_run: DryRun = False,
    show_personal: ShowPersonal = False,
) -> None:
    """Take a decision back: everything is as if it had never been made. The decision stays in the history."""
    from mdm.steward import Desk, View

    try:
        id_ = UUID(decision)
    except ValueError:
        hint = f"landbridge steward decisions {entity}"
        raise LandbridgeError(f"{decision} is no decision's id.", hint=hint) from None
    with opened(context) as installation:
        desk = Desk(installation)
        if dry_run:
            _printed.preview(View(desk, entity, personal=show_personal).preview(desk.preview_undo(entity, id_)))
            return
        desk.undo(entity, id_, actor=actor())
    say("taken back.")


def decisions(
    context: typer.Context,
    entity: Entity,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, newest first.")] = 50,
    show_personal: ShowPersonal = False,
    as_json: AsJson = False,
) -> None:
    """List decisions, newest first, also those that were taken back."""
    from mdm.steward import Desk, View

    with opened(context) as installation:
        desk = Desk(installation)
        look = View(desk, entity, personal=show_personal).look
        found = [look.decided(row) for row in desk.decided(entity, limit)]
    if as_json:
        show_json(found)
        return
    _printed.decisions(found)
    if not found:
        say("Nothing was decided.")


def alike(
    context: typer.Context,
    entity: Entity,
    a: Annotated[str, typer.Argument(metavar="A", help="A record of a waiting pair: system:key, or its id.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other record of the pair.")],
    word: Annotated[Bulk | None, typer.Option("--decide", help="Decide all of them so; --yes does it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only a preview is shown.")] = False,
    dry_run: DryRun = False,
    reason: Reason = "",
    show_personal: ShowPersonal = False,
) -> None:
    """Show the waiting pairs that agree exactly as this one does, column by column, and decide all of them at once.

    A sample is shown first, then what would follow. Nothing is decided without --yes; all or none are.
    """
    from mdm.steward import SAMPLE, Desk, View

    with opened(context) as installation:
        desk = Desk(installation)
        view = View(desk, entity, personal=show_personal)
        found = desk.alike(entity, desk.record(entity, a), desk.record(entity, b))
        if not found:
            raise LandbridgeError("no waiting pair agrees so.", hint=f"landbridge steward queue {entity}")
        say(f"{counted(len(found), 'waiting pair')} agree so: {found[0].pattern}")
        for one in found[:SAMPLE]:
            shown = view.shown(one)
            say(f"{shown.a.named} {shown.a.name}, {shown.b.named} {shown.b.name}: {shown.weight:.1f} bits")
        if len(found) > SAMPLE:
            say(f"… and {len(found) - SAMPLE} more")
        if word is None:
            return
        if dry_run or not yes:
            _printed.preview(view.preview(desk.preview_bulk(entity, word.value, found)))
            say("Nothing was decided; --yes does it.")
            return
        made = desk.bulk(entity, word.value, found, actor=actor(), reason=reason)
    say(f"{counted(len(made), 'pair')} decided {word.value}; each is taken back by its own id.")
    for id_ in made:
        say(f"landbridge steward undo {entity} {id_}")
