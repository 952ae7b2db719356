"""The lists of words.yaml, read once."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from landbridge.strict import plain, yaml


@cache
def _all() -> dict[str, Any]:
    text = resources.files("mdm.normalise").joinpath("words.yaml").read_bytes()
    told = plain(yaml.load(text, file="mdm/normalise/words.yaml"))
    assert isinstance(told, dict)
    return told


def mapping(name: str) -> dict[str, str]:
    """A table of words and what they stand for."""
    return {str(word): str(meant) for word, meant in _all()[name].items()}


def entries(*path: str) -> list[str]:
    """A list of words: between commas, or between spaces where there is no comma."""
    node: Any = _all()
    for name in path:
        node = node[name]
    text = str(node)
    return [one.strip() for one in text.split(",")] if "," in text else text.split()
