"""What goes to the terminal: problems one per line, findings for a person, and JSON for a program."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from landbridge.errors import ConfigError, Invalid, LandbridgeError, Problem

# What steers a terminal or turns the order of letters round: a system's words are shown, never obeyed.
_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with every control character as its escape: what data holds cannot steer the terminal."""
    return _STEERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(text: str = "") -> None:
    """One line of result, to standard output."""
    sys.stdout.write(f"{visible(text)}\n")


def complain(text: str) -> None:
    """One line for a person, to standard error."""
    sys.stderr.write(f"{visible(text)}\n")


def flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every value of a body with its path, in order: what differs between two bodies is seen by eye."""
    if isinstance(value, Mapping) and value:
        return [pair for name, one in value.items() for pair in flat(one, f"{path}.{name}" if path else str(name))]
    if isinstance(value, list) and value:
        return [pair for n, one in enumerate(value) for pair in flat(one, f"{path}[{n}]")]
    return [(path, value)] if path else []


def show_json(value: Any) -> None:
    """A value as JSON, indented, to standard output."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    text = orjson.dumps(value, default=str, option=options).decode()
    sys.stdout.write(_STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def show_error(error: LandbridgeError) -> None:
    """An error as a person reads it: every problem with its place, or the message and what to do now."""
    if isinstance(error, ConfigError):
        show_problems(error.problems)
        return
    if isinstance(error, Invalid):
        for finding in error.findings:
            where = f"{finding.where}  " if finding.where else ""
            complain(f"{where}{finding.path}: {finding.message}{f' hint: {finding.hint}' if finding.hint else ''}")
        return
    complain(f"{error.message}{f' hint: {error.hint}' if error.hint else ''}")


def show_problems(problems: Iterable[Problem]) -> None:
    """Every problem on a line of its own, and how many there are."""
    found = list(problems)
    for problem in found:
        complain(str(problem))
    files = len({problem.file for problem in found})
    complain(f"{counted(len(found), 'problem')} in {counted(files, 'file')}; nothing was started.")


def problems_as_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems for a program: file, line, column, message, hint."""
    return [
        {"file": one.file, "line": one.line, "column": one.column, "message": one.message, "hint": one.hint}
        for one in problems
    ]


def counted(number: int, word: str) -> str:
    """`1 flow`, `2 flows`, `2 entities`."""
    if number == 1:
        return f"1 {word}"
    return f"{number} {word[:-1]}ies" if word.endswith("y") else f"{number} {word}s"
