"""The page on matching works as it is written, and names every key, level and normaliser there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pages import blocks
from terminal import Terminal, steps, told

from landbridge.strict import yaml
from mdm.declaration import Test as Level
from mdm.declare import DeclarationFile, read
from mdm.normalise import NORMALISERS, reference


@pytest.fixture(scope="module")
def page(root: Path) -> Path:
    return root / "docs" / "matching.md"


@pytest.mark.slow
def test_an_engineer_follows_the_page_word_for_word(root: Path, page: Path, tmp_path: Path) -> None:
    terminal, ran = Terminal(tmp_path), 0
    try:
        for block in blocks(page, root):
            if block.language == "csv":
                file = tmp_path / block.marks["file"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
            elif block.language == "console":
                for command, output in steps(block.text):
                    ran += 1
                    shown, code = terminal.run(command, ran)
                    assert code == 0, f"{block}: {command} ended with {code}:\n{shown}"
                    assert told(output).fullmatch(shown.strip()), f"{block}: {command} printed:\n{shown}"
    finally:
        terminal.close()
    assert ran == 5


def test_the_declaration_of_the_page_is_one(root: Path, page: Path) -> None:
    found = [block for block in blocks(page, root) if block.language == "yaml"]
    assert found
    for block in found:
        assert read(yaml.load(block.text, file=block.page)).blocks


def test_every_key_and_level_is_documented(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [key for key in DeclarationFile.model_fields if f"`{key}`" not in text] == []
    assert [test for test in get_args(Level) if f"| `{test}`" not in text and f"`{{{test}: " not in text] == []


def test_every_normaliser_is_documented_as_its_own_summary_says(page: Path) -> None:
    rows = dict(re.findall(r"^\| `(\w+)(?:\([^)]*\))?` \| (.*?) \| ", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert [name for name in NORMALISERS if name not in rows] == []
    assert [one["name"] for one in reference() if rows[one["name"]] != one["summary"].replace("|", "/")] == []


def test_the_figures_stand_between_their_marks_with_the_machine_beside_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    between = text.partition("<!-- figures: benchmarks/matching.py -->")[2].partition("<!-- end of figures -->")[0]
    assert "| F1 of " in between
    assert re.search(r"Measured on \d{4}-\d\d-\d\d: \d+ cores, \d+ GiB", between)
