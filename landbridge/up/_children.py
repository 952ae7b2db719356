"""The programs that `landbridge up` keeps running."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from landbridge.settings import Settings
from landbridge.supervise import Child
from landbridge.up._rest import Airflow, Endpoint

MIGRATE, API, SERVE, WORKER = "airflow-migrate", "airflow-api", "webhooks", "worker"

ADDRESS = "LANDBRIDGE_AIRFLOW_URL"
"""The variable that tells a worker where the Airflow is that `landbridge up` runs beside it."""


def real_time(
    home: Path, env: Mapping[str, str], settings: Settings, root: Path, airflow: str, hooks: int
) -> list[Child]:
    """The webhook endpoint where a system has webhooks, a worker where a flow has real time."""
    logs = home / "logs" / "processes"
    run = [sys.executable, "-c", "from landbridge.cli import main; main()", "-C", str(root)]
    run += ["--environment", settings.environment]
    found = []
    if any(system.webhook is not None for system in settings.systems.values()):
        serve = settings.installation.serve
        well = Endpoint(f"http://127.0.0.1:{hooks}")
        at = ["--host", serve.host, "--port", str(hooks), "--workers", str(serve.workers)]
        found.append(
            Child(SERVE, [*run, "serve", *at], logs / "webhooks.log", env=env, ready=well, healthy=well, grace=30)
        )
    if any(flow.live and flow.realtime in ("worker", "dag") for flow in settings.flows.values()):
        found.append(
            Child(
                WORKER, [*run, "worker"], logs / "worker.log", env={**env, ADDRESS: airflow}, grace=30, longest_pause=5
            )
        )
    return found


def children(home: Path, env: Mapping[str, str], airflow: Airflow) -> list[Child]:
    """Migration, scheduler, DAG processor and API server, in the order of starting.

    No triggerer: no flow defers. No log servers: tasks run on this machine, and Airflow's would listen on every
    interface. The scheduler and the DAG processor need not wait for the API server, so it comes last.
    """
    logs = home / "logs" / "processes"
    run = [sys.executable, "-m", "airflow"]
    return [
        Child(
            MIGRATE,
            [sys.executable, "-m", "landbridge.airflow.prepare"],
            logs / "migrate.log",
            env=env,
            restart="never",
            ready_within=300,
        ),
        Child(
            "airflow-scheduler",
            [*run, "scheduler", "--skip-serve-logs"],
            logs / "scheduler.log",
            env=env,
            healthy=lambda: airflow.healthy("scheduler"),
            health_every=15,
            grace=20,
        ),
        Child(
            "airflow-dag-processor",
            [*run, "dag-processor"],
            logs / "dag-processor.log",
            env=env,
            healthy=lambda: airflow.healthy("dag_processor"),
            health_every=15,
        ),
        Child(
            API,
            [*run, "api-server"],
            logs / "api-server.log",
            env=env,
            ready=airflow.answers,
            ready_within=180,
            healthy=airflow.answers,
        ),
    ]
