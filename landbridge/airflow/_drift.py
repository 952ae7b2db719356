"""Makes the nightly DAG that compares what systems say of their fields with what the mappings use."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError, Rejected

if TYPE_CHECKING:
    from airflow.sdk import DAG

DAG_ID = "schema_drift"
NIGHTLY = "0 2 * * *"

_log = logging.getLogger("landbridge")


def drift_dags(root: Path) -> dict[str, DAG]:
    """The nightly comparison as a DAG; none for a worker that runs a task of another one."""
    from airflow.sdk import DAG, CronTriggerTimetable, get_parsing_context, task
    from airflow.sdk.exceptions import AirflowFailException

    if get_parsing_context().dag_id not in (None, DAG_ID):
        return {}
    with DAG(
        dag_id=DAG_ID,
        description="What changed at the systems since last night; routes that need what is gone are paused.",
        schedule=CronTriggerTimetable(NIGHTLY, timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        tags=["landbridge", "operations"],
        default_args={"owner": "landbridge", "retries": 3},
    ) as dag:

        @task
        def compare() -> dict[str, int]:
            """Ask every system, compare, pause and resume; fails where a route stands still, so that it is seen."""
            try:
                return compare_fields(root)
            except Rejected as error:
                raise AirflowFailException(str(error)) from None  # asking again the same night changes nothing

        compare()
    return {DAG_ID: dag}


def compare_fields(root: Path) -> dict[str, int]:
    """One comparison, told in the log; Rejected if a route is paused by it, LandbridgeError if a system was silent."""
    from landbridge.installation import open_installation

    with open_installation(root, os.environ.get("LANDBRIDGE_ENVIRONMENT")) as installation:
        found = installation.check_drift()
    for change in found.news:
        _log.info("%s: %s", change.system, change)
    for route in found.resumed:
        _log.info("%s runs again: what had changed for it is gone or seen to", route)
    for change in found.stopping:
        _log.error("%s: %s (%s) %s", change.system, change.message, ", ".join(change.lines), change.hint)
    for system, error in found.unreached.items():
        _log.error("%s could not be asked: %s", system, error)
    stopped = sorted({route for change in found.stopping for route in change.routes})
    if stopped:
        raise Rejected(
            f"{' and '.join(stopped)} {'is' if len(stopped) == 1 else 'are'} paused: a system changed.",
            hint="Mend the lines named above, then `landbridge check --live`; or `landbridge resume ROUTE`.",
        )
    if found.unreached:
        names = ", ".join(sorted(found.unreached))
        raise LandbridgeError(f"{names} could not be asked.", hint="Asked again by itself; look whether it is up.")
    return {"news": len(found.news), "resumed": len(found.resumed), "first": len(found.first)}
