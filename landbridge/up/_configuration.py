"""Airflow's own configuration file: loopback only, no examples, no log servers, few processes.

It is written anew at each start, so that the port and the database are those of today. A variable
`AIRFLOW__SECTION__KEY` of the environment goes before it, as everywhere in Airflow.
"""

from __future__ import annotations

from pathlib import Path

from landbridge.strict import json
from landbridge.up._credentials import USER, Credentials, write_private

IDLE = 0.1  # seconds the scheduler sleeps when there is nothing to do: what a click waits, against CPU when idle
PARALLEL = 4  # tasks at once


def write_configuration(home: Path, *, root: Path, port: int, database: str, keys: Credentials) -> Path:
    """Write `airflow.cfg` and the login file into `home`; returns the configuration file."""
    write_private(home / "passwords.json", json.dumps({USER: keys.password}))
    address = f"http://127.0.0.1:{port}"
    settings: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": root / "dags",
            "plugins_folder": home / "plugins",
            "load_examples": False,
            "executor": "LocalExecutor",
            "parallelism": PARALLEL,
            "dags_are_paused_at_creation": False,
            "fernet_key": keys.fernet_key,
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": home / "passwords.json",
            "execution_api_server_url": f"{address}/execution/",
        },
        "api": {"host": "127.0.0.1", "port": port, "base_url": address, "workers": 1, "secret_key": keys.secret_key},
        "api_auth": {"jwt_secret": keys.jwt_secret},
        "database": {"sql_alchemy_conn": database},
        "scheduler": {"scheduler_idle_sleep_time": IDLE, "enable_health_check": False},
        "dag_processor": {"refresh_interval": 10, "min_file_process_interval": 10, "parsing_processes": 1},
        "logging": {"base_log_folder": home / "logs"},
        "usage_data_collection": {"enabled": False},
    }
    lines = ["# Written by `landbridge up` at each start; set AIRFLOW__SECTION__KEY to change something."]
    for section, values in settings.items():
        lines.append(f"\n[{section}]")
        lines += [f"{name} = {str(value).replace('%', '%%')}" for name, value in values.items()]
    file = home / "airflow.cfg"
    write_private(file, ("\n".join(lines) + "\n").encode())
    return file
