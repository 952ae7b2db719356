"""The benchmark of configuration runs on a small project and prints its figures on the last line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_benchmark_prints_its_figures(root: Path) -> None:
    command = [sys.executable, "benchmarks/check.py", "--flows", "4", "--runs", "1"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "4 flows, 4 mappings"
    assert "4 flows, 2 systems, 4 mappings: no problems." in lines[1]
    figures = json.loads(lines[-1])
    assert set(figures) == {"check_300_s", "parse_one_ms"}
    assert all(value > 0 for value in figures.values())
