"""The tutorial works as it is written: its commands are run, its edits are made, its output is compared."""

from __future__ import annotations

import shutil
from pathlib import Path

from pages import blocks
from terminal import Terminal, edit, steps, told


def test_the_tutorial_works_word_for_word(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("config", "mappings", "schemas"):
        shutil.copytree(root / name, folder / name)
    terminals = {"1": Terminal(folder), "": Terminal(folder)}
    ran = 0
    try:
        for block in blocks(root / "docs" / "tutorial.md", root):
            if block.language == "diff":
                edit(folder, block)
            elif block.language == "yaml":
                assert (folder / block.marks["file"]).read_text(encoding="utf-8") == block.text, str(block)
            elif block.marks.get("terminal") == "1":
                [(command, output)] = steps(block.text)
                terminals["1"].type(command)
                shown = terminals["1"].wait_for(output.strip().splitlines()[-1], 0)
                assert told(output).fullmatch(shown.strip()), shown
            else:
                assert block.language == "console", f"{block}: this kind of block is not run"
                for command, output in steps(block.text):
                    ran += 1
                    shown, code = terminals[""].run(command, ran)
                    assert code == 0, f"{block}: {command} ended with {code}:\n{shown}"
                    assert told(output).fullmatch(shown.strip()), f"{block}: {command} printed:\n{shown}"
    finally:
        for terminal in terminals.values():
            terminal.close()
    assert ran >= 9
    assert "no process is left" in terminals["1"].seen(), terminals["1"].seen()
    assert not (folder / ".landbridge" / "sandbox" / "environment").exists()
