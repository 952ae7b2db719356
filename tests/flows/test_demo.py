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

from landbridge.demo._project import compose
from landbridge.settings import Settings
from landbridge.supervise import alive, processes

pytest.importorskip("airflow", reason="needs the extra `airflow`")
PARTS = ("config", "mappings", "schemas", "dags")
DEMO = [sys.executable, "-c", "from landbridge.cli import main; main()"]


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A copy of what a project is made of."""
    for part in PARTS:
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


def test_an_erp_that_is_not_known_is_refused_in_words(root: Path, project: Path) -> None:
    done = subprocess.run(
        [*DEMO, "-C", str(project), "demo", "--once", "--erp", "abacus"],
        capture_output=True,
        text=True,
        env=environment(root),
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "invalid choice: 'abacus'" in said and "tryton" in said
    assert "Traceback" not in done.stderr


def test_another_erp_gets_a_copy_of_the_project_in_which_only_its_own_files_differ(
    root: Path, project: Path, tmp_path: Path
) -> None:
    theirs = root / "sandbox" / "demo" / "tryton"
    assert compose(project, None, tmp_path / "copy") == project
    made = compose(project, theirs, tmp_path / "copy")
    kept = {file.relative_to(project) for part in PARTS for file in (project / part).rglob("*.*")}
    there = {file.relative_to(made) for file in made.rglob("*.*")}
    assert {file for file in kept if "__pycache__" not in file.parts} == there
    differ = {file for file in there if (made / file).is_file() and (made / file).read_bytes() != read(project / file)}
    assert differ == {Path("config/systems.yaml"), Path("config/environments/demo.yaml")}
    settings = Settings.load(made, "demo", offline=True)
    assert settings.system("erp").connector == "tryton"
    assert settings.flows.keys() == Settings.load(project, "demo", offline=True).flows.keys()


def read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
