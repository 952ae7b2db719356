"""`landbridge steward label`: pairs without their weight, to judge the matching by; a label decides nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli import actor, counted, opened, say, show_table
from landbridge.errors import LandbridgeError
from mdm.cli._shared import Entity, ShowPersonal

if TYPE_CHECKING:
    from mdm.steward import Desk, Label, View


class Word(StrEnum):
    """What a person may say of a pair."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


KEYS = {"s": Word.SAME, "d": Word.DIFFERENT, "u": Word.UNSURE}


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("label")(label)


def label(
    context: typer.Context,
    entity: Entity,
    a: Annotated[str | None, typer.Argument(metavar="A", help="A record; without it you are asked.")] = None,
    b: Annotated[str | None, typer.Argument(metavar="B", help="The other record.")] = None,
    word: Annotated[Word | None, typer.Argument(metavar="WORD", help="same, different or unsure.")] = None,
    show_personal: ShowPersonal = False,
) -> None:
    """Say of pairs whether they are one, without seeing what the hub thinks: s same, d different, u unsure, q end.

    Pairs come from every band of weights, in an order that tells nothing. A label decides nothing: it is there to
    judge the matching by.
    """
    from mdm.steward import Desk, View

    if (a is None) != (word is None):
        raise LandbridgeError("a label is about two records.", hint=f"landbridge steward label {entity} A B same")
    with opened(context) as installation:
        desk = Desk(installation)
        view, who = View(desk, entity, personal=show_personal), actor()
        if a is None or b is None or word is None:
            say(f"{counted(_asked(desk, view, who), 'pair')} labelled.")
            return
        desk.label(entity, desk.record(entity, a), desk.record(entity, b), word.value, actor=who)
    say("labelled.")


def _asked(desk: Desk, view: View, who: str) -> int:
    made = 0
    while found := desk.unlabelled(view.entity, who, 1):
        _show(view, found[0])
        key = ""
        while key not in ("s", "d", "u", "q"):
            say("same [s], different [d], unsure [u], end [q]?")
            try:
                key = (typer.getchar() or "q").lower()
            except (EOFError, KeyboardInterrupt):
                key = "q"
        if key == "q":
            break
        desk.label(view.entity, found[0].a.id, found[0].b.id, KEYS[key].value, actor=who)
        made += 1
    return made


def _show(view: View, pair: Label) -> None:
    say()
    named = [view.look.named(one).named for one in (pair.a, pair.b)]
    lines = [[one.path, one.a, one.b] for one in view.look.compared(pair.a.body, pair.b.body)]
    show_table(["", *named], lines)
