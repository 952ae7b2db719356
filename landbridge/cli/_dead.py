"""`landbridge dead`: what needs a person – dead letters, quarantine, conflicts – and what the person decides."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._open import actor, age, opened, show_table
from landbridge.cli._print import complain, counted, say, show_json
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from landbridge.installation import Installation


class State(StrEnum):
    """The states that need a person."""

    DEAD = "dead"
    QUARANTINED = "quarantined"
    CONFLICT = "conflict"
    STEWARD = "steward"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="What needs a person: dead letters, quarantine, conflicts.")
    group.command("list")(list_)
    group.command("show")(show)
    group.command("diff")(diff)
    group.command("replay")(replay)
    group.command("discard")(discard)
    app.add_typer(group, name="dead")


Ids = Annotated[list[int] | None, typer.Argument(metavar="ROW", help="Rows, as `dead list` numbers them.")]
OfFlow = Annotated[str | None, typer.Option("--flow", help="Only this flow.")]
OfState = Annotated[State | None, typer.Option("--state", help="Only this state.")]
OfCode = Annotated[str | None, typer.Option("--code", help="Only this code, as `dead list` shows it.")]
Every = Annotated[bool, typer.Option("--all", help="All that the other options choose, however many.")]


def list_(
    context: typer.Context,
    flow: OfFlow = None,
    state: OfState = None,
    code: OfCode = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, newest first.")] = 50,
    causes: Annotated[
        bool, typer.Option("--causes", help="Group by cause: the code, and the reason without its names and numbers.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List what needs a person, newest first, each with its row's number and its reason; or how often each cause."""
    if causes:
        from landbridge.cli._causes import show_causes

        with opened(context) as installation:
            show_causes(_chosen(installation, flow, state, code, None), installation.clock.now(), as_json=as_json)
        return
    with opened(context) as installation:
        found = _chosen(installation, flow, state, code, limit)
        now = installation.clock.now()
    if as_json:
        show_json([dict(one._mapping) for one in found])
        return
    lines = [
        [one.id, one.state, one.code, one.route, one.source_key, age(one.done_at, now), _short(one.reason)]
        for one in found
    ]
    if lines:
        show_table(["row", "state", "code", "route", "record", "since", "reason"], lines, right=[0])
    else:
        say("Nothing needs a person.")
    if len(found) == limit:
        complain(f"the newest {limit} are shown; --limit shows more.")


def _chosen(
    installation: Installation, flow: str | None, state: State | None, code: str | None, limit: int | None
) -> Any:
    from landbridge.store import operate

    if flow is not None:
        installation.settings.flow(flow)
    states = [state.value] if state else [one.value for one in State]
    with installation.store.reading() as connection:
        return operate.attention(connection, states, flow=flow, code=code, limit=limit)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"


def show(
    context: typer.Context,
    row: Annotated[int, typer.Argument(help="The row, as `dead list` numbers it.")],
    show_personal: Annotated[
        bool, typer.Option("--show-personal", help="Show personal values instead of ***.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show one row whole: what came, what it became, every attempt, why it stands here, and what to do."""
    from landbridge.cli._personal import masked_native
    from landbridge.store import operate

    with opened(context) as installation:
        with installation.store.reading() as connection:
            one = operate.row(connection, row)
            attempts = operate.attempts(connection, row)
            history = operate.history(connection, outbox_id=row)
        if one is None:
            raise LandbridgeError(f"there is no row {row}.", hint="landbridge dead list")
        native, canonical = one.native, one.canonical
        if not show_personal:
            native = native and masked_native(installation, one.source, one.source_entity, native)
            canonical = canonical and installation.canonical.mask(one.source_entity, canonical)
    shown = dict(one._mapping) | {"native": native, "canonical": canonical}
    # What was sent is left out: its personal values cannot be told from the others in the target's own words.
    tried = [{k: v for k, v in dict(a._mapping).items() if show_personal or k != "sent"} for a in attempts]
    if as_json:
        show_json(shown | {"attempts": tried, "history": [dict(h._mapping) for h in history]})
        return
    _show(shown, tried, history)


def _show(one: dict[str, Any], attempts: list[dict[str, Any]], history: Sequence[Any]) -> None:
    from landbridge.cli._print import flat

    say(f"row {one['id']} of {one['route']}: {one['state']} ({one['code']}), version {one['version']}")
    say(f"{one['source']} {one['source_entity']} {one['source_key']}, received {one['received_at']:%Y-%m-%d %H:%M:%S}")
    say(f"reason: {one['reason']}")
    for finding in one["findings"] or ():
        ours, theirs = finding.get("ours"), finding.get("theirs")
        if ours is not None or theirs is not None:
            say(
                f"  {finding.get('path', '')} {finding.get('line_key', '')}: ours {ours}, theirs {theirs}".replace(
                    "  ", " "
                )
            )
        else:
            where = f" ({finding['where']})" if finding.get("where") else ""
            say(f"  {finding.get('path', '')}: {finding.get('message', '')}{where}")
    for attempt in attempts:
        said = f": {attempt['message']}" if attempt["message"] else ""
        say(f"attempt {attempt['number']} at {attempt['at']:%Y-%m-%d %H:%M:%S}: {attempt['outcome']}{said}")
        for path, value in flat(attempt.get("sent") or {}):
            say(f"    sent {path}: {value}")
    for kind in ("native", "canonical"):
        for path, value in flat(one[kind] or {}):
            say(f"  {kind} {path}: {value}")
    for past in history:
        say(f"{past.at:%Y-%m-%d %H:%M:%S} {past.event} by {past.actor}: {past.detail}")
    say(f"next: mend the cause, then `landbridge dead replay {one['id']} --dry-run` and without it; or "
        f"`landbridge dead discard {one['id']} --reason …`")  # fmt: skip


def diff(
    context: typer.Context,
    row: Annotated[int, typer.Argument(help="The row, as `dead list` numbers it.")],
    show_personal: Annotated[
        bool, typer.Option("--show-personal", help="Show personal values instead of ***.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what the mapping as it is now would write, beside what was tried last: what a mended mapping changes.

    Exits with 1 if it would be the same again.
    """
    from landbridge.cli._causes import show_diff

    with opened(context) as installation:
        changed = show_diff(installation, row, show_personal=show_personal, as_json=as_json)
    if not changed:
        raise typer.Exit(1)


def replay(
    context: typer.Context,
    rows: Ids = None,
    flow: OfFlow = None,
    state: OfState = None,
    code: OfCode = None,
    every: Every = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
) -> None:
    """Send rows through again: dead letters and conflicts to their target, quarantine from canonicalise on.

    A replay is as old as its message: what was delivered since stays. The next run of the flow delivers it.
    """
    from landbridge.store import control, operate

    with opened(context) as installation:
        ids = _ids(installation, rows, flow, state, code, every, "replay")
        if dry_run:
            from landbridge.cli._preview import show_replay

            raise typer.Exit(show_replay(installation, ids))
        who, now = actor(), installation.clock.now()
        with installation.store.transaction("replay") as connection:
            operate.note_rows(connection, "replayed", who, ids, now, {})
            again = control.unprocess(connection, ids)
            moved = control.replay(connection, ids, now)
    say(f"{counted(moved, 'row')} back in the lane, {counted(again, 'message')} back before canonicalise.")
    if not moved + again:
        raise LandbridgeError("none of these rows needs a person any more.", hint="landbridge dead list")


def discard(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.")],
    rows: Ids = None,
    flow: OfFlow = None,
    state: OfState = None,
    code: OfCode = None,
    every: Every = False,
) -> None:
    """Give rows up for good. They stay in the accounting as discarded, with the reason."""
    from landbridge.store import control, operate

    if not reason.strip():
        raise typer.BadParameter("say why.", param_hint="--reason")
    with opened(context) as installation:
        ids = _ids(installation, rows, flow, state, code, every, "discard")
        who, now = actor(), installation.clock.now()
        with installation.store.transaction("discard") as connection:
            operate.note_rows(connection, "discarded", who, ids, now, {"reason": reason})
            gone = control.discard(connection, ids, reason, now)
    say(f"{counted(gone, 'row')} discarded.")


def _ids(
    installation: Installation,
    rows: list[int] | None,
    flow: str | None,
    state: State | None,
    code: str | None,
    every: bool,
    verb: str,
) -> list[int]:
    """The rows that are meant, each of them one that needs a person; LandbridgeError where that is not clear."""
    if bool(rows) == every:
        raise LandbridgeError(
            f"say what to {verb}.", hint=f"landbridge dead {verb} ROW …, or --all with --flow or --code."
        )
    found = _chosen(installation, flow, state, code, None)
    standing = [one.id for one in found]
    if not rows:
        if not standing:
            raise LandbridgeError("nothing that needs a person is chosen by that.", hint="landbridge dead list")
        return standing
    missing = sorted(set(rows) - set(standing))
    if missing:
        raise LandbridgeError(
            f"{counted(len(missing), 'row')} of these {'needs' if len(missing) == 1 else 'need'} no person: "
            f"{', '.join(map(str, missing))}; nothing was changed.",
            hint="landbridge dead list",
        )
    return rows
