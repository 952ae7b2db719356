"""`landbridge sandbox`: a CRM and an ERP on this machine, to try flows against."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli._context import of
from landbridge.cli._print import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox")(sandbox)


def sandbox(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of CSV files in Northwind's shape; default: a company is made up."),
    ] = None,
    erp: Annotated[
        str | None,
        typer.Option("--erp", metavar="NAME", help="Another ERP than the first: one that sandbox/demo knows by name."),
    ] = None,
) -> None:
    """Start a CRM, an ERP and an empty store on this machine, until Ctrl-C: a place to try flows in.

    Other terminals find them by the variables in .landbridge/sandbox/environment. Every start begins anew.
    """
    from landbridge.demo import systems

    root = of(context).root
    folder = data.resolve() if data else None
    with suppress(KeyboardInterrupt), systems(root, folder, erp) as (company, environment):
        say("A company is at work: " + ", ".join(f"{number} {word}" for word, number in company.facts.items()) + ".")
        say(f"In another terminal:  . {_short(environment)}")
        say("Ctrl-C stops everything.")
        threading.Event().wait()
    say("Stopped; no process is left.")


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
