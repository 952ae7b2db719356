"""Codes that titles and descriptions of products hold."""

from __future__ import annotations

import re

from mdm.normalise._registry import normaliser
from mdm.normalise._text import plain

_RUN = re.compile(r"[a-z0-9]+(?:[-./_+][a-z0-9]+)*")


@normaliser(
    "codes",
    ("Turntable PS-LX350H, black", ("PSLX350H",)),
    ("Toner 12345 for MFC-7420/B", ("12345", "MFC7420", "MFC7420B")),
    ("a plain chair", None),
    many=True,
)
def codes(value: str) -> tuple[str, ...] | None:
    """What looks like a model or part number: letters with digits from four signs on, or five digits; no separators."""
    found = set()
    for run in _RUN.findall(plain(value)):
        for text in {run, *re.split(r"[/+]", run)}:
            code = "".join(sign for sign in text if sign.isalnum()).upper()
            digits = sum(sign.isdigit() for sign in code)
            if digits and len(code) >= (5 if digits == len(code) else 4):
                found.add(code)
    return tuple(sorted(found)) or None
