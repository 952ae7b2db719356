"""`landbridge up`: PostgreSQL, the webhook endpoint, a worker and Airflow's processes, supervised, on loopback only."""

from landbridge.up._children import ADDRESS
from landbridge.up._credentials import own_login
from landbridge.up._rest import Airflow
from landbridge.up._up import Up

__all__ = ["ADDRESS", "Airflow", "Up", "own_login"]
