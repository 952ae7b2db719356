"""`landbridge new`: the beginning of a part of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli._print import say


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Begin a part of your own.", no_args_is_help=True)
    group.command("connector")(connector)
    app.add_typer(group, name="new")


def connector(
    name: Annotated[str, typer.Argument(help="The connector's name, as systems.yaml will say it: depot.")],
    into: Annotated[Path, typer.Option("--into", help="The folder that gets the package; default: this one.")] = Path(),
) -> None:
    """Write the skeleton of a connector as a package of its own, with its bench for the contract suite.

    It passes the static checks as it is; docs/connectors.md shows the rest.
    """
    from landbridge.scaffold import new_connector

    for path in new_connector(name, into):
        say(str(path))
