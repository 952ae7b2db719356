"""docs/connectors.md builds a connector that passes the whole contract suite, followed word for word."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest
from pages import Block, blocks
from terminal import Terminal, edit, steps, told

LONGEST = 150


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An environment that sees the packages of this one: installing into it changes nothing here."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [packages] = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    seen = [path for path in site.getsitepackages() if Path(path).is_dir()]
    lines = [f"import site; site.addsitedir({path!r})" for path in seen]
    (packages / "seen.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    bin_ = tmp_path / "venv" / "bin"
    landbridge = bin_ / "landbridge"
    landbridge.write_text(f"#!{bin_}/python\nfrom landbridge.cli import main\nmain()\n", encoding="utf-8")
    landbridge.chmod(0o755)
    return bin_ / "python"


def write(folder: Path, block: Block, begun: set[str]) -> None:
    """Put a block into its file: the first one replaces what was there, the others follow it."""
    name = block.marks["file"]
    path = folder / name
    before = path.read_text(encoding="utf-8") if name in begun else ""
    begun.add(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(before + block.text, encoding="utf-8")


@pytest.mark.slow
def test_the_page_builds_a_connector_that_passes_the_suite(root: Path, tmp_path: Path, python: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("config", "mappings", "schemas"):
        shutil.copytree(root / name, folder / name)
    variables = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # no index is asked
    paths = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    made = [Terminal(folder, python=python, PYTHONPATH=paths, **variables) for _ in range(2)]
    terminals = {"1": made[0], "": made[1]}
    begun: set[str] = set()
    ran = 0
    try:
        for block in blocks(root / "docs" / "connectors.md", root):
            if block.language == "diff":
                edit(folder, block)
            elif block.language in ("python", "yaml"):
                write(folder, block, begun)
            elif block.marks.get("terminal") == "1":
                [(command, output)] = steps(block.text)
                terminals["1"].type(command)
                terminals["1"].wait_for(output.strip().splitlines()[-1].strip("…"), 0)
            else:
                assert block.language == "console", f"{block}: this kind of block is not run"
                for command, output in steps(block.text):
                    ran += 1
                    shown, code = terminals[""].run(command, ran)
                    assert code == 0, f"{block}: {command} ended with {code}:\n{shown}"
                    assert told(output).fullmatch(shown.strip()), f"{block}: {command} printed:\n{shown}"
    finally:
        for terminal in made:
            terminal.close()
    assert ran >= 10
    written = (folder / "landbridge-depot" / "landbridge_depot.py").read_text(encoding="utf-8").splitlines()
    assert len(written) <= LONGEST, f"the connector has {len(written)} lines"


def test_the_connector_of_the_page_is_written_as_ours_are(root: Path, tmp_path: Path) -> None:
    begun: set[str] = set()
    for block in blocks(root / "docs" / "connectors.md", root):
        if block.language == "python":
            write(tmp_path, block, begun)
    for arguments in (["check"], ["format", "--check"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--config", str(root / "pyproject.toml"), str(tmp_path)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
