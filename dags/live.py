"""Real time in Airflow: what workers moved, what needs a person, the lane; what they do is in landbridge.airflow."""

from pathlib import Path

from landbridge.airflow import live_dags

globals().update(live_dags(Path(__file__).resolve().parent.parent))
