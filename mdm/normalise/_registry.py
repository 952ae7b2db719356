"""The normalisers by name: each makes one value comparable, or says that it tells nothing (None)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mdm.declaration import Value
from mdm.normalise._words import entries

Function = Callable[..., Value | None]


@dataclass(frozen=True, slots=True)
class Normaliser:
    """One normaliser: what it promises, which arguments it takes, and an example that a test runs."""

    name: str
    summary: str
    arguments: tuple[str, ...]
    """Names of its arguments; each may be left out."""
    examples: tuple[tuple[str, Value | None], ...]
    function: Function
    many: bool = False
    """Whether it makes a tuple of values of one text."""


NORMALISERS: dict[str, Normaliser] = {}


def normaliser(
    name: str, *examples: tuple[str, Value | None], arguments: tuple[str, ...] = (), many: bool = False
) -> Callable[[Function], Function]:
    """Register a function `(text, *arguments) -> value` under a name; its docstring is its summary."""

    def add(function: Function) -> Function:
        summary = " ".join((function.__doc__ or "").split())
        NORMALISERS[name] = Normaliser(name, summary, arguments, examples, function, many)
        return function

    return add


PLACEHOLDERS = frozenset(entries("placeholders", "words") + entries("placeholders", "emails"))
_FILLER = re.compile(r"(\d)\1{5,}|([^\d])\2{3,}|0+|0?123456789?0?|0?12345678?|987654321?0?|x[x\-./ ]*")
_BREAKS = re.compile(r"[\s\-./()+]")


def says_nothing(text: str) -> bool:
    """Whether a raw text is a placeholder: known words, one sign repeated, or the digits in a row."""
    plain = text.strip().casefold()
    if not plain or plain in PLACEHOLDERS:
        return True
    packed = _BREAKS.sub("", plain)
    return not packed or _FILLER.fullmatch(packed) is not None


def reference() -> list[Mapping[str, Any]]:
    """Every normaliser as the generated page of the documentation tells of it, by name."""
    return [
        {"name": one.name, "arguments": one.arguments, "summary": one.summary, "examples": one.examples}
        for one in sorted(NORMALISERS.values(), key=lambda one: one.name)
    ]
