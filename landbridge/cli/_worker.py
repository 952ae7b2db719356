"""`landbridge worker`: the resident worker."""

from __future__ import annotations

import signal
from types import FrameType

import typer

from landbridge.cli._open import opened
from landbridge.cli._print import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker")(worker)


def worker(context: typer.Context) -> None:
    """Process and deliver what comes in, within milliseconds, until it is stopped; then finish what was begun.

    Any number may run at once, also beside Airflow. Flows say `realtime: worker`, which is the default.
    """
    from landbridge.worker import Worker

    with opened(context) as installation:
        running = Worker(installation.engine)

        def stop(number: int, frame: FrameType | None) -> None:
            running.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        say(f"Working for {', '.join(sorted(installation.settings.flows)) or 'no flow'}. Ctrl-C stops it.")
        running.run()
    say("Stopped; what was begun is finished.")
