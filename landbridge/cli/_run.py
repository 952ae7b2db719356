"""`landbridge run`: one flow, here and now, without Airflow; with --dry-run what it would do."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._bar import bar
from landbridge.cli._open import opened, paused_hint, show_table, span, told
from landbridge.cli._preview import show_preview
from landbridge.cli._print import complain, show_json

if TYPE_CHECKING:
    from landbridge.installation import Installation

COUNTED = ("read", "new", "created", "updated", "deleted", "unchanged", "suppressed", "waiting", "accepted")
ATTENTION = ("quarantined", "conflict", "dead", "denied")
"""What a person must look at."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d$")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    since: Annotated[
        str | None,
        typer.Option("--since", help="Read from this day, instant or cursor on instead of where reading stopped."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Read about this many records at most.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be created and changed: nothing is kept or written.")
    ] = False,
    until_idle: Annotated[
        bool,
        typer.Option("--until-idle", help="Go on until nothing is in flight but what waits for a parent or a person."),
    ] = False,
    within: Annotated[
        int, typer.Option("--within", min=1, help="With --until-idle: give up after this many minutes.")
    ] = 30,
    show_personal: Annotated[
        bool, typer.Option("--show-personal", help="With --dry-run: show personal values instead of ***.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Run a flow now: extract, process and deliver until nothing of it is due. Running it again changes nothing.

    Exits with 1 if something needs a person, and says what.
    """
    with opened(context) as installation:
        installation.settings.flow(flow)
        if dry_run:
            raise typer.Exit(
                show_preview(installation, flow, instant(since), limit, as_json=as_json, personal=show_personal)
            )
        counts, troubles = _run(installation, flow, instant(since), limit, timedelta(minutes=within * until_idle))
    if as_json:
        show_json({"flow": flow, "counts": dict(counts), "attention": troubles})
    else:
        words = [word for word in (*COUNTED, *ATTENTION) if counts[word] or word in ("read", "new")]
        show_table(["flow", *words], [[flow, *(counts[word] for word in words)]], right=range(1, len(words) + 1))
        for trouble in troubles:
            complain(trouble)
    if troubles:
        raise typer.Exit(1)


def instant(since: str | None) -> str | None:
    """What a person gives as a start: a day is its first instant in UTC, anything else is the source's to read."""
    return f"{since}T00:00:00Z" if since is not None and _DAY.match(since) else since


def _run(
    installation: Installation, flow: str, since: str | None, limit: int | None, patience: timedelta
) -> tuple[Counter[str], list[str]]:
    engine = installation.engine
    with bar(flow) as progress:
        result = engine.run(flow, since=since, limit=limit, progress=progress)
        counts = result.counts
        if patience:
            _until_idle(installation, flow, counts, patience, progress)
    troubles = [result.refused] if result.refused else []
    found = told(counts, ATTENTION)
    if found:
        troubles.append(f"{found}: they need a person. hint: landbridge dead list --flow {flow}")
    from landbridge.store import control, operate

    with installation.store.reading() as connection:
        reason = control.paused(connection).get(flow)
        stopped = {
            route: " ".join(causes.values())
            for route, causes in control.paused_routes(connection).items()
            if route.partition("/")[0] == flow
        }
        open_ = operate.in_flight(connection, flow)
    if reason is not None:
        troubles.append(paused_hint(flow, reason))
    troubles += [paused_hint(route, said) for route, said in stopped.items()]
    stuck = told(open_, ("ready", "claimed", "unknown"))
    if patience and stuck and reason is None and not stopped:
        troubles.append(f"still in flight after {span(patience)}: {stuck}. hint: landbridge status")
    return counts, troubles


def _until_idle(
    installation: Installation, flow: str, counts: Counter[str], patience: timedelta, progress: Any
) -> None:
    """Deliver again whenever something becomes due, until only what waits for others is left."""
    from landbridge.store import control, operate, outbox, routes

    clock, engine = installation.clock, installation.engine
    end = clock.now() + patience
    while True:
        with installation.store.reading() as connection:
            open_ = operate.in_flight(connection, flow)
            halted = control.paused_routes(connection)
            known = [route for route in routes.known(connection) if route.flow == flow]
            due = outbox.next_due(connection, [route.id for route in known if route.name not in halted])
            stopped = flow in control.paused(connection)
        if stopped or not any(open_.get(state) for state in ("ready", "claimed", "unknown")) or due is None:
            return
        now = clock.now()
        if due > end or now >= end:
            return
        clock.sleep(max(0.2, (due - now).total_seconds()))
        for counted in engine.deliver({flow}, progress).values():
            counts.update(counted)
