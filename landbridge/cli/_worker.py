"""`landbridge worker`: the resident worker."""

from __future__ import annotations

import logging
import os
import signal
from types import FrameType
from typing import TYPE_CHECKING

import typer

from landbridge.cli._logs import Form, Level, begin
from landbridge.cli._open import opened
from landbridge.telemetry import LogFormat, LogLevel

if TYPE_CHECKING:
    from landbridge.installation import Installation
    from landbridge.up import Airflow

_log = logging.getLogger("landbridge.worker")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker")(worker)


def worker(context: typer.Context, log_format: Form = LogFormat.text, log_level: Level = LogLevel.info) -> None:
    """Process and deliver what comes in, within milliseconds, until it is stopped; then finish what was begun.

    Any number may run at once, also beside Airflow. It works for flows with `webhook` or `fastest` whose `realtime` is
    `worker`, which is the default, and sets off the DAGs of those that say `dag`.
    """
    from landbridge.worker import Shown, Worker

    begin(log_format, log_level)
    with opened(context) as installation:
        airflow = _airflow(installation)
        shown = Shown(installation.engine.parts, airflow) if airflow is not None else None
        running = Worker(
            installation.engine,
            watchers=[shown.watch] if shown is not None else [],
            bell=shown.ring if shown is not None else None,
        )

        def stop(number: int, frame: FrameType | None) -> None:
            running.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        names = sorted(running.flows)
        _log.info("Working for %s. Ctrl-C stops it.", ", ".join(names) or "no flow", extra={"flows": names})
        running.run()
        if shown is not None and airflow is not None:
            shown.close()
            airflow.close()
    _log.info("Stopped; what was begun is finished.")


def _airflow(installation: Installation) -> Airflow | None:
    """The Airflow that the configuration names, or that of the `landbridge up` which started us."""
    from landbridge.secrets import Secret
    from landbridge.up import ADDRESS, Airflow, own_login

    asked = installation.settings.installation.airflow
    if asked.url:
        return Airflow(asked.url, asked.user, Secret(asked.password).reveal())
    if url := os.environ.get(ADDRESS):
        return Airflow(url, *own_login(installation.state))
    return None
