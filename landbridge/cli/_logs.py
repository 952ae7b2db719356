"""How the commands that run until they are stopped write their log."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from landbridge.telemetry import LogFormat, LogLevel, begin_logs

FORMAT, LEVEL = "LANDBRIDGE_LOG_FORMAT", "LANDBRIDGE_LOG_LEVEL"

Form = Annotated[
    LogFormat,
    typer.Option("--log-format", envvar=FORMAT, help="Log lines as key=value for people or as JSON for programs."),
]
Level = Annotated[
    LogLevel, typer.Option("--log-level", envvar=LEVEL, help="Write lines of this weight and above; debug: every step.")
]


def begin(form: LogFormat, level: LogLevel) -> None:
    """Write this process' log so, and that of every process it starts."""
    os.environ[FORMAT], os.environ[LEVEL] = form.value, level.value
    begin_logs(form, level)
