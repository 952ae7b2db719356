"""Which values of a native record tell about a person: those that the mapping takes from, or writes to, such fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from landbridge.installation import Installation

MASK = "***"
_INDEX = re.compile(r"\[[^\]]*\]")


def masked_native(installation: Installation, system: str, entity: str, native: Mapping[str, Any]) -> Any:
    """A copy of a native record that shows only what the mapping reads into fields that are not personal."""
    from landbridge.translator import Context

    mapping = installation.engine.parts.mappings[system, entity]
    context = Context(system=system, now=installation.clock.now())
    try:
        steps = mapping.explain(native, context, direction="in")  # type: ignore[attr-defined]  # a mapping of a file
    except (LandbridgeError, AttributeError):
        return _mask(native, "", frozenset())
    shown: set[str] = set()
    hidden: set[str] = set()
    for step in steps:
        personal = installation.canonical.is_personal(entity, step.field)
        (hidden if personal else shown).update(plain(path) for path in step.paths)
    return _mask(native, "", frozenset(shown - hidden))


def personal_fields(
    installation: Installation, system: str, entity: str, canonical: Mapping[str, Any], *, creating: bool
) -> frozenset[str] | None:
    """The fields of a target body that are written from personal values; None where nobody can know: all."""
    from landbridge.translator import Context

    mapping = installation.engine.parts.mappings[system, entity]
    context = Context(
        system=system,
        now=installation.clock.now(),
        target_id=lambda entity, _subject: entity,
        line_id=str,
    )
    try:
        steps = mapping.explain(canonical, context, direction="out", creating=creating)  # type: ignore[attr-defined]  # the same
    except (LandbridgeError, AttributeError):
        return None
    personal = installation.canonical.is_personal
    return frozenset(plain(step.field) for step in steps if any(personal(entity, generic(p)) for p in step.paths))


def plain(path: str) -> str:
    """A path without indexes and filters: `a[0].b[x=y].c` is `a.b.c`."""
    return _INDEX.sub("", path)


def generic(path: str) -> str:
    """A path as the canonical model names it: `a[0].b` and `a[role=main].b` are `a[].b`."""
    return _INDEX.sub("[]", path)


def _mask(value: Any, path: str, shown: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _mask(one, f"{path}.{name}" if path else name, shown) for name, one in value.items()}
    if isinstance(value, list):
        return [_mask(one, path, shown) for one in value]
    return value if value is None or value == "" or path in shown else MASK
