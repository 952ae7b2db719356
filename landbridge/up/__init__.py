"""`landbridge up`: PostgreSQL and the smallest set of Airflow processes, supervised, on loopback only."""

from landbridge.up._rest import Airflow
from landbridge.up._up import Up

__all__ = ["Airflow", "Up"]
