"""`landbridge steward serve`: the steward's desk over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli import Form, Level, begin, of
from landbridge.telemetry import LogFormat, LogLevel


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("serve")(serve)


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0: the kernel chooses.")] = 8091,
    token: Annotated[
        str | None,
        typer.Option("--token", help="Where the token lies (env:NAME, file:/path); default: made in the state folder."),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Write JSON with url, pid and where the token lies here.")
    ] = None,
    log_format: Form = LogFormat.text,
    log_level: Level = LogLevel.info,
) -> None:
    """Offer stewardship over HTTP until it is stopped; /openapi.json is its contract.

    Callers show the token as `Authorization: Bearer`. Put TLS in front of it where it leaves this machine.
    """
    from mdm.steward.api import serve as run

    begin(log_format, log_level)
    options = of(context)
    run(options.root, options.environment, host=host, port=port, token=token, ready=ready_file)
