"""`landbridge up`: PostgreSQL and Airflow on this machine, until Ctrl-C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli._context import of
from landbridge.cli._print import say

if TYPE_CHECKING:
    from landbridge.supervise import Status
    from landbridge.up import Up


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    context: typer.Context,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Airflow's port on 127.0.0.1; 0: last time's, or any.")
    ] = 0,
    show_password: Annotated[
        bool, typer.Option("--show-password", help="Print the password again; it is printed at the first start.")
    ] = False,
) -> None:
    """Run PostgreSQL, webhooks, a worker and Airflow on this machine until Ctrl-C, and start again what dies.

    Everything listens on 127.0.0.1 only and keeps its files in the state folder (.landbridge).
    """
    from landbridge.up import Up

    options = of(context)
    began = time.monotonic()

    def ready(running: Up) -> None:
        user, password = running.login
        if any(system.webhook is not None for system in running.settings.systems.values()):
            say(f"Webhooks: http://127.0.0.1:{running.webhooks}/hooks/SYSTEM")
        assert running.airflow is not None
        say(f"Airflow: {running.airflow.url}  (after {time.monotonic() - began:.1f} s)")
        if running.first_start or show_password:
            say(f"Login: {user} / {password}")
        else:
            say(f"Login: {user}, with the password of the first start (again: landbridge up --show-password)")
        say("Ctrl-C stops everything.")

    code = Up(options.root, options.environment, port=port, tell=_tell, ready=ready).run()
    say("Stopped; no process is left.")
    raise typer.Exit(code)


def _tell(status: Status) -> None:
    say(f"{status.name}: {status.state}{f' ({status.note})' if status.note else ''}")
