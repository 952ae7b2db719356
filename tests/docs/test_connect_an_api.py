"""The page on APIs works as it is written: two of them are declared, checked, looked into and joined by a flow."""

from __future__ import annotations

import shutil
from pathlib import Path

from pages import blocks
from terminal import Terminal, steps, told


def test_two_apis_are_connected_word_for_word(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copytree(root / "schemas", folder / "schemas")
    terminal, ran = Terminal(folder, PYTHONPATH=str(root)), 0
    try:
        for block in blocks(root / "docs" / "howto" / "connect_an_api.md", root):
            if block.language == "yaml":
                file = folder / block.marks["file"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
            else:
                assert block.language == "console", f"{block}: this kind of block is not run"
                for command, output in steps(block.text):
                    ran += 1
                    shown, code = terminal.run(command, ran)
                    assert code == int(block.marks.get("exit", "0")), f"{block}: {command} ended with {code}:\n{shown}"
                    assert told(output).fullmatch(shown.strip()), f"{block}: {command} printed:\n{shown}"
    finally:
        terminal.close()
    assert ran >= 15
