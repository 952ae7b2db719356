"""The programs that `landbridge up` keeps running."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from landbridge.supervise import Child
from landbridge.up._rest import Airflow

MIGRATE, API = "airflow-migrate", "airflow-api"


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
