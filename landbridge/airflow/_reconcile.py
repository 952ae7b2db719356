"""Makes the nightly DAG that reconciles every flow: a task each, one after the other."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.airflow._pools import pool_of
from landbridge.errors import ConfigError, Denied, Rejected

if TYPE_CHECKING:
    from airflow.sdk import DAG

DAG_ID = "reconcile"
NIGHTLY = "0 1 * * *"

_log = logging.getLogger("landbridge")


def reconcile_dags(root: Path) -> dict[str, DAG]:
    """The nightly reconcile as a DAG; none for a worker that runs a task of another one."""
    from airflow.sdk import DAG, CronTriggerTimetable, Param, get_parsing_context, task

    from landbridge.settings import flow_names, load_flow

    if get_parsing_context().dag_id not in (None, DAG_ID):
        return {}
    with DAG(
        dag_id=DAG_ID,
        description="What no feed told: records that never came, deletions, what targets lost or changed.",
        schedule=CronTriggerTimetable(NIGHTLY, timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        max_active_tasks=1,
        tags=["landbridge", "operations"],
        params={
            "apply": Param(True, type="boolean", title="Send", description="Send what differs at the sources again."),
            "targets": Param(
                False,
                type="boolean",
                title="Targets too",
                description="Also write again what targets lost or what was changed there; else it is only reported.",
            ),
        },
        default_args={"owner": "landbridge", "retries": 1},
    ) as dag:
        for name in flow_names(root):
            try:
                flow = load_flow(root, name)
            except ConfigError:
                continue  # its own DAG says what is wrong with it
            if not flow.enabled:
                continue

            @task(task_id=name, pool=pool_of(flow.extract.source))
            def compare(name: str = name, **context: Any) -> dict[str, int]:
                """Compare one flow and send what its source never told; fails where something is left to a person."""
                return _told(root, name, context["params"])

            compare()
    return {DAG_ID: dag}


def _told(root: Path, name: str, params: dict[str, Any]) -> dict[str, int]:
    from airflow.sdk.exceptions import AirflowFailException

    try:
        return reconcile_flow(root, name, apply=params["apply"], targets=params["targets"])
    except (ConfigError, Denied, Rejected) as error:
        raise AirflowFailException(str(error)) from None  # asking again the same night changes nothing


def reconcile_flow(root: Path, name: str, *, apply: bool, targets: bool) -> dict[str, int]:
    """One reconcile, told in the log; Rejected if it was refused, or if differences are left to a person."""
    from landbridge.installation import open_installation
    from landbridge.reconcile import KINDS, reconcile

    with open_installation(root, os.environ.get("LANDBRIDGE_ENVIRONMENT")) as installation:
        report = reconcile(installation.engine, name, apply=apply, targets=targets)
    for kind, found in report.samples.items():
        keys = ", ".join(one.source_key for one in found)
        _log.warning("%s: %d %s (%s), such as %s", name, report.counts[kind], kind, KINDS[kind], keys)
    for skipped in report.skipped:
        _log.info("%s", skipped)
    if report.refused:
        raise Rejected(report.refused, hint="")
    if report.left:
        raise Rejected(
            f"{name}: {report.left} records differ and were not sent.",
            hint=f"Look at them: `landbridge reconcile {name}`; `--apply` writes them.",
        )
    return dict(report.counts)
