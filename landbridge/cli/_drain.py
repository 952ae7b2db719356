"""`landbridge drain` and `landbridge metrics`: wait until nothing is in flight, and what monitoring reads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli._open import opened, told
from landbridge.cli._print import complain, say
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from landbridge.installation import Installation

_BETWEEN = 0.2
"""Seconds between two looks."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("drain")(drain)
    app.command("metrics")(metrics)


def drain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FLOW", help="The flow, or a system: every route to it.")],
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait at most.")] = 300,
) -> None:
    """Wait until nothing of a flow, or on its way to a system, is in flight but what a person holds.

    Workers and runs move the messages; this only waits, as before an upgrade or a cut-over. Exits with 1 if it is not
    drained in time, or cannot be because it is paused.
    """
    with opened(context) as installation:
        installation.engine  # noqa: B018 - flows are made known to the store
        system = name if name in installation.settings.systems and name not in installation.settings.flows else None
        flow = None if system else installation.settings.flow(name).flow
        until = time.monotonic() + timeout
        while left := _left(installation, flow, system):
            _must_move(installation, flow, system)
            if time.monotonic() >= until:
                complain(f"{name} is not drained: {told(left, sorted(left))}.")
                complain("hint: does a worker run (`landbridge up`)? `landbridge status` shows what stands still.")
                raise typer.Exit(1)
            time.sleep(_BETWEEN)
    say(f"{name} is drained.")


def _left(installation: Installation, flow: str | None, system: str | None) -> dict[str, int]:
    from landbridge.store import figures

    with installation.store.reading() as connection:
        left = figures.in_flight(connection, flow, system)
    return {state: n for state, n in left.items() if state != "held"}


def _must_move(installation: Installation, flow: str | None, system: str | None) -> None:
    """LandbridgeError where a pause keeps it from ever being drained."""
    from landbridge.store import control

    with installation.store.reading() as connection:
        flows, routes = control.paused(connection), control.paused_routes(connection)
    for one in installation.settings.flows.values():
        for route in one.deliver:
            key = one.route_key(route)
            if (one.flow == flow or route.to == system) and (one.flow in flows or key in routes):
                stopped = one.flow if one.flow in flows else key
                raise LandbridgeError(f"{stopped} is paused and cannot drain.", hint=f"landbridge resume {stopped}")


def metrics(context: typer.Context) -> None:
    """Print the metrics as Prometheus reads them; `landbridge serve` gives the same at /metrics."""
    from landbridge.metrics import exposition, sources

    with opened(context) as installation:
        installation.engine  # noqa: B018 - flows are made known to the store
        say(exposition(installation.store, sources(installation)).decode().rstrip("\n"))
