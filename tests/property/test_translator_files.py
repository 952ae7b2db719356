"""Broken mapping files: whatever is done to one, the answer is problems with their places, nothing else."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from landbridge.canonical import Canonical
from landbridge.connector import Field, Fields
from landbridge.errors import ConfigError
from landbridge.translator import Tables, Translator, lint, run_tests

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "benchmarks" / "mapping", ROOT / "mappings"]
FILES = sorted(file for folder in FOLDERS for file in folder.rglob("*order.yaml"))
PIECES = """| ( ) [0] [*] ../ .. { } :_ ,_ -_ ~ same $position from each choose code when {const:_1} true 12 '' # null
    compute:_x_+ on then if_null: default:_1 , | trim |pad(""".replace("\n", " ").split()
SEED = 20261121
TIMES = int(os.environ.get("LANDBRIDGE_EXAMPLES", "150"))
FIELDS = Fields(
    "Order", {"Id": Field("Id"), "lines": Field("lines", "array"), "lines.a": Field("lines.a", "string", 3)}
)


def broken(text: str, chance: random.Random) -> str:
    """The text with a few pieces taken out, put in, swapped or doubled."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(text))
        what = chance.randrange(5)
        if what == 0:
            text = text[:at] + chance.choice(PIECES).replace("_", " ") + text[at:]
        elif what == 1:
            text = text[:at] + text[at + chance.randint(1, 12) :]
        elif what == 2:
            text = text[:at] + chr(chance.choice([0, 9, 34, 39, 64, 92, 233, 0x4E2D, 0x202E])) + text[at + 1 :]
        else:
            lines = text.split("\n")
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            if what == 3:
                lines[one], lines[other] = lines[other], lines[one]
            else:
                lines.insert(other, lines[one])
            text = "\n".join(lines)
    return text


@pytest.mark.parametrize("seed", [SEED])
@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_broken_file_gives_problems_and_nothing_else(file: Path, seed: int) -> None:
    chance = random.Random(seed)
    canonical = Canonical.load(ROOT / "schemas" / "canonical")
    translator = Translator(file.parents[1], Tables(ROOT / "config"), canonical)
    text = file.read_text(encoding="utf-8")[:4000]
    read = 0
    for _ in range(TIMES):
        try:
            mapping = translator.load_text(broken(text, chance), file="m.yaml")
            lint([mapping], {mapping.name: FIELDS})
            run_tests(mapping, canonical)
            read += 1
        except ConfigError as error:
            assert error.problems
            assert all(problem.file for problem in error.problems)
    assert read < TIMES
