"""`landbridge demo`: the whole project at work on this machine, with a company that needs nobody's account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli._context import of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Check the outcome and end: 0 if all is as promised.")] = False,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of CSV files in Northwind's shape; default: a company is made up."),
    ] = None,
    erp: Annotated[
        str | None,
        typer.Option("--erp", metavar="NAME", help="Another ERP than the first: one that sandbox/demo knows by name."),
    ] = None,
) -> None:
    """Start a CRM, an ERP, PostgreSQL and Airflow on this machine, and let the flows join them.

    It stays up until Ctrl-C, listens on 127.0.0.1 only, and leaves no process behind.
    """
    from landbridge.demo import run

    raise typer.Exit(run(of(context).root, once=once, folder=data.resolve() if data else None, erp=erp))
