"""Single records: look at one in its system, send it now, hold it, follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from landbridge.cli._journey import hops, show_journey
from landbridge.cli._open import actor, feed_subject, opened
from landbridge.cli._print import complain, counted, flat, say, show_json, visible
from landbridge.errors import Invalid, LandbridgeError

if TYPE_CHECKING:
    from landbridge.installation import Installation


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("peek")(peek)
    app.command("send")(send)
    app.command("hold")(hold)
    app.command("trace")(trace)


Scope = Annotated[str, typer.Option("--scope", help="The organisation that the record is numbered in.")]


def peek(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="The system.")],
    entity: Annotated[str, typer.Argument(help="The canonical entity.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="The record's id in that system.")],
    show_personal: Annotated[
        bool, typer.Option("--show-personal", help="Show personal values instead of ***.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print both bodies as JSON.")] = False,
) -> None:
    """Fetch one record and print it side by side: as its system has it, and as the canonical model says it.

    Nothing is kept. Exits with 1 if the record is not valid, with what is wrong.
    """
    from landbridge.cli._personal import masked_native
    from landbridge.engine import canonical_of, fetch_one

    with opened(context) as installation:
        installation.settings.system(system)
        row = fetch_one(installation.engine, system, entity, id_)
        canonical = canonical_of(installation.engine, system, entity, row)
        native: Any = row.body
        body = None if isinstance(canonical, Invalid) else canonical
        if not show_personal:
            native = masked_native(installation, system, entity, native)
            body = None if body is None else installation.canonical.mask(entity, body)
    if as_json:
        findings = [one.as_dict() for one in canonical.findings] if isinstance(canonical, Invalid) else []
        show_json({"native": native, "canonical": body, "findings": findings})
    else:
        _side_by_side(f"{system} {entity} {id_}", flat(native), "canonical", flat(body or {}))
    if isinstance(canonical, Invalid):
        raise canonical


def _side_by_side(left: str, ours: list[tuple[str, Any]], right: str, theirs: list[tuple[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column(left, overflow="fold", no_wrap=False)
    table.add_column(right, overflow="fold", no_wrap=False)
    for n in range(max(len(ours), len(theirs))):
        table.add_row(_pair(ours, n), _pair(theirs, n))
    Console(markup=False, highlight=False, soft_wrap=False).print(table)


def _pair(pairs: list[tuple[str, Any]], n: int) -> str:
    from landbridge.strict import json

    if n >= len(pairs):
        return ""
    path, value = pairs[n]
    return visible(f"{path}: {value if isinstance(value, str) else json.dumps(value).decode()}")


def send(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="The record's id in the flow's source.")],
) -> None:
    """Fetch one record from a flow's source and send it through every step now, printing each step's result.

    Only this record is delivered. Exits with 1 if it did not arrive.
    """
    from landbridge.engine import send_one

    arrived = True
    with opened(context) as installation:
        installation.settings.flow(flow)
        for step in send_one(installation.engine, flow, id_):
            say(f"{step.step:<12} {step.what}")
            arrived = arrived and step.ok
    if not arrived:
        complain(f"hint: landbridge trace {id_}")
        raise typer.Exit(1)


def hold(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="The record's id in the flow's source.")],
    release: Annotated[bool, typer.Option("--release", help="Let go what is held.")] = False,
    scope: Scope = "",
) -> None:
    """Hold what waits to leave for one record; later changes of it queue behind. `--release` lets it go."""
    from landbridge.store import control, operate

    with opened(context) as installation:
        configured = installation.settings.flow(flow)
        subject = feed_subject(installation, configured, id_, scope)
        who, now = actor(), installation.clock.now()
        with installation.store.transaction("hold") as connection:
            moved = (operate.release if release else operate.hold)(connection, flow, subject, now)
            if moved:
                event = "released" if release else "held"
                control.note(connection, event, who, now, flow=flow, subject=subject, detail={"rows": moved})
    if not moved:
        what = "nothing of it is held" if release else "nothing of it waits to leave"
        raise LandbridgeError(f"{flow} {id_}: {what}.", hint=f"See where it stands: landbridge trace {id_}")
    say(f"{flow} {id_}: {counted(moved, 'delivery')} {'released' if release else 'held'}.")


def trace(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="An id in any system, a document's number, or our own subject.")],
    bodies: Annotated[
        bool, typer.Option("--bodies", help="Also what it looked like before and after each step.")
    ] = False,
    show_personal: Annotated[
        bool, typer.Option("--show-personal", help="Show personal values instead of ***.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Follow one record: every message with its trace, every route, every attempt, how long each took, and decisions.

    Milliseconds count from the moment when a webhook told of it, or when it was received.
    """
    from landbridge.store import control, identity, operate

    with opened(context) as installation, installation.store.reading() as connection:
        found: list[dict[str, Any]] = [
            {
                "subject": subject,
                "names": [one._mapping for one in identity.shown(connection, subject)],
                "journey": control.journey(connection, subject),
                "history": [one._mapping for one in operate.history(connection, subject=subject)],
            }
            for subject in _subjects(installation, connection, key)
        ]
        if bodies:
            from landbridge.cli._bodies import with_bodies

            found = [with_bodies(installation, connection, one, show_personal=show_personal) for one in found]
    if not found:
        raise LandbridgeError(
            f"nothing here is called {key}.",
            hint="Give an id as a system shows it, a document's number or a subject; bodies are searched as long as "
            "they are kept.",
        )
    if as_json:
        show_json([one | {"journey": [dict(row._mapping) | hops(row) for row in one["journey"]]} for one in found])
        return
    for one in found:
        show_journey(one)


def _subjects(installation: Installation, connection: Any, key: str) -> list[UUID]:
    from landbridge.store import operate

    try:
        return [UUID(key)]
    except ValueError:
        return operate.subjects_of(connection, key)
