"""The root of the command line: options that every command takes, and how failures are shown."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli._context import Context
from landbridge.cli._plugged import COMMANDS, plugged
from landbridge.cli._print import show_error
from landbridge.errors import LandbridgeError

PANELS = {
    "Configuration": ("_check", "_mapping", "_schema", "_profile", "_new"),
    "Running": ("_run", "_up", "_serve", "_worker", "_demo", "_sandbox"),
    "One record": ("_records", "_xref"),
    "Operating": ("_operate", "_drain", "_reconcile", "_drift", "_codes", "_quality", "_dead", "_adopt", "_erase"),
}
"""The modules with commands, as `--help` groups them; each has `register(app)` and imports the rest inside."""

EPILOG = "Exit codes: 0 all is well, 1 problems were found, 2 the command line is wrong, 130 interrupted."


def build() -> typer.Typer:
    """The application with every command registered."""
    app = typer.Typer(
        name="landbridge",
        help="Integration middleware that joins the systems a company already owns.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for panel, modules in PANELS.items():
        known = len(app.registered_commands), len(app.registered_groups)
        for module in modules:
            import_module(f"landbridge.cli.{module}").register(app)
        for command in app.registered_commands[known[0] :]:
            command.rich_help_panel = panel
        for group in app.registered_groups[known[1] :]:
            group.rich_help_panel = panel
    for _, register in plugged(COMMANDS):
        register(app)
    return app


def _options(
    context: typer.Context,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            "-C",
            envvar="LANDBRIDGE_ROOT",
            help="The project's folder; default: this one or the nearest above.",
        ),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment", "-e", envvar="LANDBRIDGE_ENVIRONMENT", help="A file of config/environments, without .yaml."
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    context.obj = Context(root=(root or _nearest_project(Path.cwd())).resolve(), environment=environment, debug=debug)


def _nearest_project(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / "config" / "systems.yaml").is_file():
            return folder
    return start


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        build()()
    except LandbridgeError as error:
        if "--debug" in sys.argv:
            raise
        show_error(error)
        sys.exit(1)
    except BrokenPipeError:  # `landbridge … | head`: nobody reads on, which is no failure
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
