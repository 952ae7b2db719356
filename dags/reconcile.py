"""The nightly reconcile of every flow; what it does stands in landbridge.airflow."""

from pathlib import Path

from landbridge.airflow import reconcile_dags

globals().update(reconcile_dags(Path(__file__).resolve().parent.parent))
