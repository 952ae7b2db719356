"""`landbridge serve`: the webhook endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli._context import of
from landbridge.cli._logs import Form, Level, begin
from landbridge.telemetry import LogFormat, LogLevel


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0: the kernel chooses.")] = 8090,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that share the address.")] = 1,
    behind: Annotated[
        list[str] | None,
        typer.Option("--behind", help="Address or network of a proxy whose X-Forwarded-For is believed; repeatable."),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Write JSON with url and pid here when it listens.")
    ] = None,
    log_format: Form = LogFormat.text,
    log_level: Level = LogLevel.info,
) -> None:
    """Take the webhooks of every system that declares `webhook`, at /hooks/SYSTEM, until it is stopped.

    A sender hears 2xx once what it told is kept, and not before. Put TLS in front of it: a proxy or a load balancer.
    """
    from landbridge.webhook import serve as run

    begin(log_format, log_level)
    options = of(context)
    run(options.root, options.environment, host=host, port=port, workers=workers, ready=ready_file, behind=behind or ())
