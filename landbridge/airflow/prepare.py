"""Brings Airflow's database up to date and makes the pools: `python -m landbridge.airflow.prepare`.

One process for both, because loading Airflow is what takes the time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from landbridge.airflow._pools import pools
from landbridge.settings import Settings
from landbridge.strict import json


def main() -> None:
    """Migrate, then import the pools; root, environment and Airflow's home are those of the environment."""
    from airflow.__main__ import main as found

    airflow: Any = found  # untyped
    settings = Settings.load(Path(os.environ["LANDBRIDGE_ROOT"]), os.environ.get("LANDBRIDGE_ENVIRONMENT"))
    file = Path(os.environ["AIRFLOW_HOME"]) / "pools.json"
    file.write_bytes(json.dumps(pools(settings)))
    for command in (["db", "migrate"], ["pools", "import", str(file)]):
        sys.argv = ["airflow", *command]
        airflow()


if __name__ == "__main__":
    main()
