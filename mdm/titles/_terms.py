"""What of a title is compared: its words, with numbers and codes packed together, and runs of three letters."""

from __future__ import annotations

import re
import unicodedata

_RUN = re.compile(r"[^\s/,;:()\[\]{}|\"<>]+")
_PART = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W_\u3400-\u9fff\uf900-\ufaff]+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def words(title: str) -> tuple[str, ...]:
    """The different words of a title, sorted: PS-LX350H is `ps`, `lx350h` and `pslx350h`, a Chinese run its pairs."""
    found: set[str] = set()
    for run in _RUN.findall(unicodedata.normalize("NFKC", title).casefold()):
        parts = _PART.findall(run)
        for part in parts:
            if len(part) > 2 and _HAN.match(part):
                found.update(part[at : at + 2] for at in range(len(part) - 1))
            else:
                found.add(part)
        if len(parts) > 1 and any(sign.isdigit() for sign in run) and not _HAN.search(run):
            found.add("".join(parts))
    return tuple(sorted(found))


def letters(title: str) -> tuple[str, ...]:
    """The different runs of three letters of its words, with their edges, sorted."""
    found: set[str] = set()
    for word in words(title):
        framed = f" {word} "
        found.update(framed[at : at + 3] for at in range(len(framed) - 2))
    return tuple(sorted(found))
