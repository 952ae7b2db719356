"""However a configuration is broken, the answer is ConfigError with places in it, and never another exception."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from landbridge.errors import ConfigError
from landbridge.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))
from project_on_disk import FILES, registry, write_project

WORDS = ("null", "[]", "{}", "7", "-1", "'x'", "true", "env:NOPE", "{a: [b]}", "99999999999999999w", "1.5", '"\u0000"')
SIGNS = "{}[]:,-\t\n\"'#&*!|>%@x0é"


def _drop_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return "".join(lines)


def _twice(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines, chance.choice(lines)])


def _cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text))]


def _word(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    words[chance.randrange(len(words))] = chance.choice(WORDS)
    return " ".join(words)


def _character(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(SIGNS) + text[at + 1 :]


def _whole(text: str, chance: random.Random) -> str:
    return chance.choice(WORDS)


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (_drop_line, _twice, _cut, _word, _character, _whole)


@pytest.mark.parametrize("seed", range(6))
def test_a_broken_configuration_is_a_config_error(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    names = [name for name in FILES if name.startswith("config/")]
    refused = 0
    for _ in range(60):
        write_project(tmp_path)
        name = chance.choice(names)
        broken = FILES[name]
        for _ in range(chance.randint(1, 3)):
            broken = chance.choice(MUTATIONS)(broken or "x", chance)
        (tmp_path / name).write_text(broken, encoding="utf-8")
        try:
            Settings.load(tmp_path, registry=registry(), offline=True)
        except ConfigError as error:
            refused += 1
            assert error.problems, broken
            assert all(one.file and one.message for one in error.problems), broken
    assert refused > 20  # the mutations do break something
