"""The nightly comparison of what systems say of their fields; what it does stands in landbridge.airflow."""

from pathlib import Path

from landbridge.airflow import drift_dags

globals().update(drift_dags(Path(__file__).resolve().parent.parent))
