"""`landbridge demo` interrupted, and with files that are no company: nothing is left running, and it says why."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from landbridge.supervise import alive, processes

pytest.importorskip("airflow", reason="needs the extra `airflow`")
DEMO = [sys.executable, "-c", "from landbridge.cli import main; main()"]


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A copy of what a project is made of."""
    for part in ("config", "mappings", "schemas", "dags"):
        shutil.copytree(root / part, tmp_path / part)
    return tmp_path


def environment(root: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root)}


@pytest.mark.slow
def test_an_interrupted_demonstration_leaves_no_process(root: Path, project: Path) -> None:
    output = project / "out"
    with output.open("wb") as out:
        running = subprocess.Popen([*DEMO, "-C", str(project), "demo"], stdout=out, stderr=out, env=environment(root))
    until = time.monotonic() + 120
    logs = project / ".landbridge" / "demo" / "airflow" / "logs" / "processes"
    while not (logs / "scheduler.log").is_file():
        assert running.poll() is None and time.monotonic() < until, output.read_text(encoding="utf-8")
        time.sleep(0.1)
    found, everyone = {running.pid}, processes()
    for _ in range(8):
        found |= {one.pid for one in everyone if one.parent in found}
    children = [one for one in everyone if one.pid in found and one.pid != running.pid]
    assert len(children) > 3
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130, output.read_text(encoding="utf-8")
    assert not any(alive(one) for one in children)
    said = output.read_text(encoding="utf-8")
    assert "Stopping" in said and "Traceback" not in said
    assert not (project / ".landbridge" / "demo" / "database-home").exists()


def test_files_that_are_no_company_are_refused_in_words(root: Path, project: Path) -> None:
    done = subprocess.run(
        [*DEMO, "-C", str(project), "demo", "--once", "--data", str(project / "nowhere")],
        capture_output=True,
        text=True,
        env=environment(root),
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "customers.csv is not there; needed are customers.csv, products.csv" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
