"""Canonical paths as flows and ownership write them: dotted, and straight through lists (`lines.line_key`)."""

from __future__ import annotations

from collections.abc import Iterable

from landbridge.canonical import Canonical
from landbridge.strict import did_you_mean


def unknown(canonical: Canonical, entity: str, path: str) -> str | None:
    """None if the entity has the path, or is itself unknown (a problem of its own); else a hint."""
    if entity not in canonical:
        return None
    known = {name.replace("[]", ""): info for name, info in canonical.fields(entity).items()}
    steps = path.split(".")
    for end in range(1, len(steps) + 1):
        info = known.get(".".join(steps[:end]))
        if info is None:
            return _hint(entity, steps[: end - 1], steps[end - 1], known)
        if info.open:
            return None
    return None


def _hint(entity: str, walked: list[str], step: str, known: Iterable[str]) -> str:
    above = "".join(f"{name}." for name in walked)
    beside = sorted({name[len(above) :].partition(".")[0] for name in known if name.startswith(above)})
    where = f"'{'.'.join(walked)}'" if walked else f"'{entity}'"
    return did_you_mean(step, beside) or f"{where} has: {', '.join(beside) or 'no fields'}."
