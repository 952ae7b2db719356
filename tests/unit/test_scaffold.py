"""A new connector's package is whole, and refuses to write over anything."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from landbridge.errors import LandbridgeError
from landbridge.scaffold import new_connector


def test_it_writes_a_package_with_its_bench(tmp_path: Path) -> None:
    written = [path.relative_to(tmp_path).as_posix() for path in new_connector("stock_room", tmp_path)]
    assert written == [
        "landbridge-stock-room/pyproject.toml",
        "landbridge-stock-room/landbridge_stock_room.py",
        "landbridge-stock-room/tests/bench_stock_room.py",
        "landbridge-stock-room/tests/test_contract.py",
    ]
    for path in written:
        text = (tmp_path / path).read_text(encoding="utf-8")
        assert "$" not in text, f"{path}: a name was not filled in"
        if path.endswith(".py"):
            ast.parse(text)


def test_the_skeleton_passes_the_static_checks_as_it_is(tmp_path: Path) -> None:
    package = new_connector("stock_room", tmp_path)[0].parent
    told = package / "landbridge_stock_room-0.1.0.dist-info"  # what installing it would say
    told.mkdir()
    points = "[landbridge.connectors]\nstock_room = landbridge_stock_room:StockRoom\n"
    (told / "entry_points.txt").write_text(points, encoding="utf-8")
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: landbridge-stock-room\nVersion: 0.1.0\n", "utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "static", "."],
        cwd=package, env={**os.environ, "PYTHONPATH": str(package)}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


@pytest.mark.parametrize("name", ["Foo", "9to5", "a-b", "a__b", "", "ä", "../up", "sql"])
def test_a_name_that_cannot_be_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    with pytest.raises(LandbridgeError) as caught:
        new_connector(name, tmp_path)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_nothing_that_is_there_is_touched(tmp_path: Path) -> None:
    [first, *_] = new_connector("depot", tmp_path)
    first.write_text("mine", encoding="utf-8")
    with pytest.raises(LandbridgeError, match="there already"):
        new_connector("depot", tmp_path)
    assert first.read_text(encoding="utf-8") == "mine"
