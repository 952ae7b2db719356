"""Flows as Airflow DAGs: one per flow file, each task one call of the kernel.

`dags/flows.py` calls `flow_dags`, `dags/drift.py` calls `drift_dags`, `dags/reconcile.py` calls `reconcile_dags`,
`dags/live.py` calls `live_dags`; nothing else in the kernel imports this package,
and Airflow is imported only when a DAG is made.
"""

from landbridge.airflow._dags import flow_dags
from landbridge.airflow._drift import drift_dags
from landbridge.airflow._live import host_lane, live_dags
from landbridge.airflow._pools import pool_of, pools
from landbridge.airflow._reconcile import reconcile_dags
from landbridge.airflow._schedule import asset_of, schedule_of

__all__ = [
    "asset_of",
    "drift_dags",
    "flow_dags",
    "host_lane",
    "live_dags",
    "pool_of",
    "pools",
    "reconcile_dags",
    "schedule_of",
]
