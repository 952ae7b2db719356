"""`landbridge drift`: what changed at the systems and stops routes, and what was told of changes before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._open import age, opened, show_table
from landbridge.cli._print import say, show_json

if TYPE_CHECKING:
    from datetime import datetime

    from landbridge.store._drift import Drift


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drift")(drift)


def drift(
    context: typer.Context,
    history: Annotated[bool, typer.Option("--history", help="What was found and done, newest first.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="With --history: how many lines at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show which fields changed at the systems so that routes are paused, with the mapping lines that need them.

    Nothing is asked here: `landbridge check --live` and the nightly DAG compare, pause and resume.
    """
    from landbridge.store import drift as kept

    with opened(context) as installation:
        now = installation.clock.now()
        with installation.store.reading() as connection:
            rows: list[Any] = kept.told(connection, limit) if history else kept.drifts(connection)
    if history:
        _show_history(rows, as_json=as_json)
    elif as_json:
        show_json([_as_json(one) for one in rows])
    else:
        _show(rows, now)


def _show(found: list[Drift], now: datetime) -> None:
    for one in found:
        say(f"{one.system} {one.entity}: {one.message}" + (f" {one.hint}" if one.hint else ""))
        for line in one.lines:
            say(f"  {line}")
        for route in one.routes:
            state = "runs all the same: a person resumed it" if route in one.accepted else "is paused"
            say(f"  {route} {state}")
        say(f"  since {age(one.found_at, now)}")
    if not found:
        say("No route is paused by a change of a system's fields.")


def _show_history(rows: list[Any], *, as_json: bool) -> None:
    told = [
        {
            "at": row.at,
            "event": row.event,
            "actor": row.actor,
            "system": row.system,
            "entity": (row.detail or {}).get("entity", ""),
            "what": " ".join([*(row.detail or {}).get("news", ()), (row.detail or {}).get("message", "")]).strip(),
        }
        for row in rows
    ]
    if as_json:
        show_json(told)
        return
    headings = ["at", "event", "actor", "system", "entity", "what"]
    show_table(headings, [[one[heading] for heading in headings] for one in told])


def _as_json(one: Drift) -> dict[str, Any]:
    names = ("system", "entity", "field", "kind", "message", "hint", "lines", "routes", "accepted", "found_at")
    return {name: getattr(one, name) for name in names}
