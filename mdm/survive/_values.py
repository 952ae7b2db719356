"""Values as they are weighed: whether there is one, how much of it, and when two are the same."""

from __future__ import annotations

import hashlib
from typing import Any

from landbridge.strict import json


def text_of(value: Any) -> bytes:
    """A value as the one JSON text that stands for it: keys in order, numbers exact."""
    return json.dumps(value, sort=True)


def fingerprint(value: Any) -> str:
    """Sixteen bytes that stand for a value, as hexadecimal digits."""
    return hashlib.blake2b(text_of(value), digest_size=16).hexdigest()


def says(value: Any) -> bool:
    """Whether a value says anything: nothing, an empty text and an empty list do not."""
    return value is not None and value != "" and value != [] and value != {}


def filled(value: Any) -> int:
    """How many leaves of a value say something."""
    if isinstance(value, dict):
        return sum(filled(one) for one in value.values())
    if isinstance(value, list):
        return sum(filled(one) for one in value)
    return int(says(value))


def length(value: Any) -> int:
    """The length of a text; of anything else, of what is written for it."""
    return len(value) if isinstance(value, str) else len(text_of(value))


def alike(value: Any) -> bytes:
    """What two values have in common that people would call the same: case and spaces do not count."""
    return text_of(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.casefold().split())
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
