"""One Airflow DAG per file of config/flows; what they do stands in landbridge.airflow."""

from pathlib import Path

from landbridge.airflow import flow_dags

globals().update(flow_dags(Path(__file__).resolve().parent.parent))
