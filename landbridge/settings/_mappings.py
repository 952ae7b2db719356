"""Which mapping file serves a system's entity, and which directions it has."""

from __future__ import annotations

import re
from pathlib import Path

_TOP = re.compile(r"^(in|out|extends)[ ]*:[ ]*([^\s#]*)", re.MULTILINE)
_DEEPEST = 8  # `extends` chains are short; a longer one is a circle


def mapping_file(root: Path, folder: str, product: str, entity: str) -> Path | None:
    """The instance's own file if it has one, else the product's; None where there is neither."""
    for name in dict.fromkeys((folder, product)):
        path = root / "mappings" / name / f"{entity}.yaml"
        if path.is_file():
            return path
    return None


def directions(root: Path, path: Path) -> frozenset[str]:
    """`in` and `out` as far as the file, or one it extends, has them. Reads top keys only: the translator parses."""
    found: set[str] = set()
    for _ in range(_DEEPEST):
        try:
            keys = dict(_TOP.findall(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError):
            break  # the translator says why
        found |= keys.keys() & {"in", "out"}
        if "extends" not in keys:
            break
        path = root / "mappings" / (keys["extends"].strip("'\"").removesuffix(".yaml") + ".yaml")
    return frozenset(found)
